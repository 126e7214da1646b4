//! Linux: everything is read from /proc.

use super::Machine;
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
    let wanted = format!("{MARKER_VARIABLE}={marker}");
    let own = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| u32::try_from(*pid) != Ok(own))
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&b| b == 0).any(|pair| pair == wanted.as_bytes())
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_read() {
        let machine = machine();
        assert!(machine.ram_total > machine.ram_used && machine.ram_used > 0);
        assert!(machine.cpu_total > machine.cpu_busy && machine.uptime_seconds > 0);
    }

    #[test]
    fn times_are_summed_as_proc_documents_them() {
        assert_eq!(cpu_times("cpu  10 1 5 100 4 0 2 3 0 0\ncpu0 1"), (21, 125));
        assert_eq!(meminfo("MemTotal:  5 kB\nMemFree: 1 kB", "MemTotal:"), 5120);
    }
}
