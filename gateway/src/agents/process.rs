//! A process in a group of its own that is read without waiting, and killed with all it started.

use crate::tmux::server::clean_environment;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Time between two looks at what a process does.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a process may take to end when it is asked to.
const TIDY_UP: Duration = Duration::from_secs(3);

/// See the module's sentence. It knows none of the gateway's secrets.
pub struct Process {
    child: Child,
    output: PipeReader,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts it, with nothing to read. What it prints as errors is output too, or thrown away.
    ///
    /// # Errors
    /// When there is no such program or no room for a process.
    pub fn start(words: &[String], errors: bool) -> io::Result<Self> {
        let (output, input) = io::pipe()?;
        rustix::io::ioctl_fionbio(&output, true)?;
        let (program, arguments) =
            words.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let mut command = Command::new(program);
        clean_environment(&mut command);
        command.args(arguments).process_group(0).stdin(Stdio::null());
        command.stderr(if errors { input.try_clone()?.into() } else { Stdio::null() });
        command.stdout(input);
        let child = command.spawn()?;
        Ok(Self { child, output, status: None })
    }

    /// Gives what was printed since the last call.
    pub fn read(&mut self, mut take: impl FnMut(&[u8])) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = self.output.read(&mut buffer) {
            take(buffer.get(..count).unwrap_or_default());
        }
    }

    /// Whether it has ended. What it printed is whole only if it is read after that.
    pub fn has_ended(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status.is_some()
    }

    /// Asks it to end and clean up; it is killed if it takes too long.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        patiently(Instant::now() + TIDY_UP, || self.has_ended());
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Gone already: what was wanted.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Whether it ended well.
    pub fn has_succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Calls `look` again and again until it says that it is done; tells whether that was in time.
pub fn patiently(deadline: Instant, mut look: impl FnMut() -> bool) -> bool {
    loop {
        if look() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
