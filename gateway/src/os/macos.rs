//! macOS: what /proc says elsewhere is asked of `sysctl`, `vm_stat` and `ps`.

use super::Machine;
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
        ..Machine::default()
    }
}
