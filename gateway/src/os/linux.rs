//! Linux: everything is read from /proc.

use super::Machine;
use crate::small_map::SmallMap;
use crate::tmux::server::MARKER_VARIABLE;
use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;

/// The address of a name in the abstract namespace.
///
/// # Errors
/// When the name is too long.
pub fn abstract_address(name: &str) -> std::io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

/// Processes whose environment carries the session's marker, wherever they went.
pub fn session_processes(marker: &str) -> Vec<i32> {
    let mut found = Vec::new();
    each_marked(|pid, its| found.extend((its == marker).then_some(pid)));
    found
}

/// Calls `found` with every process but this one whose environment carries a marker.
fn each_marked(mut found: impl FnMut(i32, &str)) {
    let own = std::process::id();
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids.filter(|pid| u32::try_from(*pid) != Ok(own)) {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut pairs = environment.split(|&b| b == 0).filter_map(|p| std::str::from_utf8(p).ok());
        let marker = pairs.find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name == MARKER_VARIABLE).then_some(value)
        });
        if let Some(marker) = marker {
            found(pid, marker);
        }
    }
}

/// Bytes of memory of each session: what its scope holds, or else its processes together.
/// `session_of` knows which session a marker is of. Pages that processes share count for each.
pub fn session_memory(session_of: impl Fn(&str) -> Option<u32>) -> SmallMap<u32, u64> {
    let (mut together, mut scopes) = (SmallMap::default(), SmallMap::default());
    each_marked(|pid, marker| {
        let Some(session_id) = session_of(marker) else { return };
        let bytes: &mut u64 = together.get_or_default(session_id);
        *bytes = bytes.saturating_add(resident(pid));
        if let Some(group) = own_scope(pid).filter(|_| !scopes.contains_key(&session_id)) {
            scopes.insert(session_id, group);
        }
    });
    for (session_id, group) in scopes.iter() {
        if let Some(bytes) = held(group) {
            together.insert(*session_id, bytes);
        }
    }
    together
}

fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    meminfo(&status, "VmRSS:")
}

/// The folder of the scope that was made for the process's session.
fn own_scope(pid: i32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let name = path.rsplit('/').next()?;
    let ours = name.starts_with("chatcode-") && name.ends_with(".scope");
    ours.then(|| format!("/sys/fs/cgroup{path}"))
}

/// Bytes in a group, without files that are only cached.
fn held(group: &str) -> Option<u64> {
    let all: u64 =
        fs::read_to_string(format!("{group}/memory.current")).ok()?.trim().parse().ok()?;
    let stat = fs::read_to_string(format!("{group}/memory.stat")).unwrap_or_default();
    let cached = stat.lines().find_map(|line| line.strip_prefix("inactive_file "));
    Some(all.saturating_sub(cached.and_then(|text| text.parse().ok()).unwrap_or(0)))
}

/// Not needed here: the loop reads the processors' times.
pub fn cpu_percent() -> Option<f64> {
    None
}

/// This process is killed when the one that started it ends.
pub fn die_with_parent() {
    // What cannot be asked for is looked at by whoever needs it.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// How the machine is.
pub fn machine() -> Machine {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let (cpu_busy, cpu_total) = cpu_times(&stat);
    let ram_total = meminfo(&memory, "MemTotal:");
    Machine {
        ram_used: ram_total.saturating_sub(meminfo(&memory, "MemAvailable:")),
        ram_total,
        uptime_seconds: uptime.split('.').next().and_then(|s| s.parse().ok()).unwrap_or(0),
        cpus: processors(&stat),
        cpu_busy,
        cpu_total,
    }
}

fn meminfo(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

/// The first line of /proc/stat: user nice system idle iowait irq softirq steal …
fn cpu_times(stat: &str) -> (u64, u64) {
    let line = stat.lines().next().unwrap_or_default();
    let times: Vec<u64> =
        line.split_whitespace().skip(1).take(8).filter_map(|t| t.parse().ok()).collect();
    let total: u64 = times.iter().sum();
    let idle: u64 = times.iter().skip(3).take(2).sum();
    (total.saturating_sub(idle), total)
}

/// The lines after the first: one a processor, which is named by its number.
fn processors(stat: &str) -> u32 {
    let named = stat.lines().skip(1).filter(|line| line.starts_with("cpu"));
    u32::try_from(named.count()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_read() {
        let machine = machine();
        assert!(machine.ram_total > machine.ram_used && machine.ram_used > 0);
        assert!(machine.cpu_total > machine.cpu_busy && machine.uptime_seconds > 0);
        assert!(machine.cpus > 0);
    }

    #[test]
    fn times_are_summed_as_proc_documents_them() {
        assert_eq!(cpu_times("cpu  10 1 5 100 4 0 2 3 0 0\ncpu0 1"), (21, 125));
        assert_eq!(processors("cpu  10 1\ncpu0 1\ncpu3 1\nintr 5"), 2);
        assert_eq!(processors(""), 1);
        assert_eq!(meminfo("MemTotal:  5 kB\nMemFree: 1 kB", "MemTotal:"), 5120);
    }
}
