//! Memory: what there is, what is free, and whether the kernel has had to kill for it.

use super::report::Finding;
use crate::os;

const CHECK: &str = "memory";

/// Bytes that are free on a machine where an agent can start; they take some hundred MB.
const LITTLE: u64 = 256 * 1024 * 1024;

/// Looks at the machine.
pub fn examine() -> Finding {
    let machine = os::machine();
    let kills = std::fs::read_to_string("/proc/vmstat").ok().as_deref().and_then(kills);
    judge(machine.ram_used, machine.ram_total, kills)
}

/// Processes that the kernel has killed for want of memory since its start.
fn kills(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

fn judge(used: u64, total: u64, kills: Option<u64>) -> Finding {
    let free = total.saturating_sub(used);
    let mut found = format!("{} MB free of {} MB", free / 1_000_000, total / 1_000_000);
    match kills {
        Some(0) | None => {}
        Some(1) => found.push_str("; one process was killed for want of it since the start"),
        Some(kills) => {
            found.push_str(&format!(
                "; {kills} processes were killed for want of it since the start"
            ));
        }
    }
    if total == 0 {
        return Finding::warning(CHECK, "memory_unknown", "cannot be told", "run free or vm_stat");
    }
    if free < LITTLE {
        let advice = "end what is not needed, or add swap: agents take some hundred MB each";
        return Finding::warning(CHECK, "memory_low", found, advice);
    }
    Finding::ok(CHECK, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_memory_is_told_and_kills_are_counted() {
        let gib = 1024 * 1024 * 1024;
        assert_eq!(judge(gib, 2 * gib, Some(0)).code, "ok");
        assert!(judge(gib, 2 * gib, Some(3)).found.contains("3 processes"));
        assert_eq!(judge(gib - LITTLE + 1, gib, None).code, "memory_low");
        assert_eq!(judge(0, 0, None).code, "memory_unknown");
        assert_eq!(kills("pgfault 5\noom_kill 2\nx 1\n"), Some(2));
        assert_eq!(kills("oom_kill_x 2"), None);
    }
}
