//! macOS: what /proc says elsewhere is asked of `sysctl`, `vm_stat` and `ps`.

use super::Machine;
use crate::small_map::SmallMap;
use crate::tmux::server::MARKER_VARIABLE;
use std::os::unix::net::SocketAddr;
use std::process::Command;

/// There is no abstract namespace here.
///
/// # Errors
/// Always.
pub fn abstract_address(_: &str) -> std::io::Result<SocketAddr> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// Processes whose environment carries the session's marker, wherever they went.
pub fn session_processes(marker: &str) -> Vec<i32> {
    let wanted = format!("{MARKER_VARIABLE}={marker}");
    let list = output("/bin/ps", &["-axwwE", "-o", "pid=,command="]);
    // The marker ends with a path, and the next variable follows after a space.
    list.lines()
        .filter(|line| line.contains(&format!(" {wanted} ")))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

/// The kernel has no such wish; launchd kills what is left of a job that ended.
pub fn die_with_parent() {}
/// Bytes of memory of each session's processes together. `session_of` knows which session a marker
/// is of.
pub fn session_memory(session_of: impl Fn(&str) -> Option<u32>) -> SmallMap<u32, u64> {
    let mut together = SmallMap::default();
    let list = output("/bin/ps", &["-axwwE", "-o", "rss=,command="]);
    for line in list.lines() {
        let Some((_, marker)) = line.split_once(&format!(" {MARKER_VARIABLE}=")) else { continue };
        // It is two words, gateway/session and state folder; the next variable follows.
        let end = marker.match_indices(' ').nth(1).map_or(marker.len(), |(at, _)| at);
        let session_id = marker.get(..end).and_then(&session_of);
        let kilobytes = line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        if let (Some(session_id), Some(kilobytes)) = (session_id, kilobytes) {
            let bytes: &mut u64 = together.get_or_default(session_id);
            *bytes = bytes.saturating_add(kilobytes.saturating_mul(1024));
        }
    }
    together
}

/// Work of all processors together, 0–100: what `ps` has averaged over the last minute.
pub fn cpu_percent() -> Option<f64> {
    let list = output("/bin/ps", &["-A", "-o", "%cpu="]);
    let busy: f64 = list.lines().filter_map(|line| line.trim().parse::<f64>().ok()).sum();
    Some((busy / cpus() as f64).min(100.0))
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// There are no scopes on this system.
pub fn scope(_unit: &str, _bytes: u64) -> Option<Vec<String>> {
    None
}

/// How the machine is. Processor times are not known here and stay 0.
pub fn machine() -> Machine {
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or(0);
    let pages = output("/usr/bin/vm_stat", &[]);
    let page_size = number(&output("/usr/sbin/sysctl", &["-n", "hw.pagesize"]));
    let free: u64 = ["Pages free:", "Pages inactive:", "Pages speculative:"]
        .iter()
        .filter_map(|key| pages.lines().find_map(|line| line.strip_prefix(key)))
        .map(|rest| number(rest.trim().trim_end_matches('.')))
        .sum();
    let ram_total = number(&output("/usr/sbin/sysctl", &["-n", "hw.memsize"]));
    Machine {
        ram_used: ram_total.saturating_sub(free.saturating_mul(page_size)),
        ram_total,
        cpus: u32::try_from(cpus()).unwrap_or(u32::MAX),
        ..Machine::default()
    }
}
