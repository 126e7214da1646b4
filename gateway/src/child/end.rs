//! Ends a session with all its processes: asked first, killed after 3 s.

use super::probe::{Search, find};
use super::{Failure, argument};
use crate::limits::{END_POLL_MS, END_POLLS};
use crate::os;
use crate::tmux::server::tmux;
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

/// Rounds of killing: a process may fork between the look and the signal.
const KILL_ROUNDS: u32 = 5;

/// Arguments: socket, session, gateway, marker. Answer: how many processes had to be killed.
pub fn run(arguments: &[String]) -> Result<String, Failure> {
    let socket = argument(arguments, 0)?;
    let session_id: u32 = argument(arguments, 1)?.parse().unwrap_or(0);
    let gateway_id = argument(arguments, 2)?;
    let marker = argument(arguments, 3)?;

    signal_all(marker, Signal::HUP);
    signal_all(marker, Signal::TERM);
    for _ in 0..END_POLLS {
        if os::session_processes(marker).is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(END_POLL_MS));
    }
    let mut killed = 0;
    for _ in 0..KILL_ROUNDS {
        let count = signal_all(marker, Signal::KILL);
        killed += count;
        if count == 0 {
            break;
        }
    }
    // The session may be gone by itself; that is no error.
    if let Search::Found(session) = find(socket, gateway_id, session_id)? {
        let _ = tmux(socket).args(["kill-session", "-t", &format!("${session}")]).output();
    }
    Ok(killed.to_string())
}

/// Arguments: marker. A session whose terminal vanished hangs up what still runs in it. The kernel
/// tells only the wrapper and the foreground job; an interactive shell is neither.
pub fn hang_up(arguments: &[String]) -> Result<String, Failure> {
    Ok(signal_all(argument(arguments, 0)?, Signal::HUP).to_string())
}

fn signal_all(marker: &str, signal: Signal) -> usize {
    let processes = os::session_processes(marker);
    for pid in processes.iter().copied().filter_map(Pid::from_raw) {
        // Gone already: what was wanted.
        let _ = kill_process(pid, signal);
    }
    processes.len()
}
