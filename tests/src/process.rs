//! Child processes that never outlive their test, and what the kernel knows of a process.

use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// How long a process may take to obey a polite signal.
const POLITE: Duration = Duration::from_secs(10);

/// A child that is killed on drop.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        Self { child }
    }

    /// The child's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it with SIGTERM and returns how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        signal(self.child.id(), Signal::TERM);
        crate::eventually("the process ends after SIGTERM", POLITE, || {
            self.child.try_wait().expect("a child")
        })
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Processes with `text` in their environment.
pub fn marked(text: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .filter(|pair| pair.starts_with(b"CHATCODE_SESSION="))
            .any(|pair| pair.windows(text.len()).any(|window| window == text.as_bytes()))
    })
    .collect()
}

/// Kills what still runs with `text` in its session's marker: a shell that was in the middle of a
/// loop survives its tmux server.
pub fn kill_marked(text: &str) {
    for pid in marked(text) {
        signal(pid, Signal::KILL);
    }
}

/// Sends a signal; a process that is gone is no error.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    let _ = kill_process(pid, signal);
}

/// Whether a process of this id exists and is no zombie.
pub fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// What a process has used so far.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Time on a processor, in seconds.
    pub cpu_seconds: f64,
    /// Page faults of all children that have ended and were waited for. A process cannot run
    /// without some, so this moves with every child, however short it lived.
    child_faults: u64,
    children: Vec<u32>,
}

impl Usage {
    /// Of a process with its threads, its children not counted.
    pub fn of(pid: u32) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a living process");
        let (_, rest) = stat.rsplit_once(") ").expect("a stat line");
        let fields: Vec<u64> = rest.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
        // Fields of proc(5) from `state` on: cminflt and cmajflt, then utime and stime, which
        // have 100 ticks a second on every Linux that we meet.
        let child_faults = fields[8] + fields[10];
        let ticks = (fields[11] + fields[12]) as f64 / 100.0;
        let cpu_seconds = exact_cpu_seconds(pid).unwrap_or(ticks);
        Self { cpu_seconds, child_faults, children: children(pid) }
    }

    /// Children that came since `before`: those that live, and one for those that have ended,
    /// however many they were.
    pub fn spawned_since(&self, before: &Self) -> usize {
        let new = self.children.iter().filter(|child| !before.children.contains(child)).count();
        new + usize::from(self.child_faults > before.child_faults)
    }
}

/// From the scheduler's own count in nanoseconds, where the kernel keeps it.
fn exact_cpu_seconds(pid: u32) -> Option<f64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let mut nanoseconds = 0;
    for thread in threads.filter_map(Result::ok) {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        nanoseconds += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(nanoseconds as f64 / 1e9)
}

/// The living children of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let lists = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok());
    let lists: Vec<String> = lists.collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
}

/// A memory figure of `/proc/PID/status` in bytes, such as `VmRSS` or `RssAnon`.
pub fn memory(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find(|line| line.starts_with(&format!("{name}:")));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)).expect("the figure");
    kilobytes.parse::<u64>().expect("a number") * 1024
}
