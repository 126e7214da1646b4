//! Runs a program of the machine for a bounded time, whatever it starts and however much it says.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is read of what it says, in bytes.
const SAID_BYTES: u64 = 64 * 1024;

/// Pause between two looks whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It could not be started.
    NotStarted(String),
    /// It did not end in time and was killed.
    Late,
    /// It ended: whether well, its output, its errors.
    Done(bool, String, String),
}

/// Runs `command` for at most `time`. Its output goes to files: a pipe would wait for whatever the
/// program leaves behind.
pub fn run(command: &mut Command, time: Duration) -> Outcome {
    match attempt(command, time) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::NotStarted(error.to_string()),
    }
}

fn attempt(command: &mut Command, time: Duration) -> io::Result<Outcome> {
    let (mut said, mut complained) = (scratch("out")?, scratch("err")?);
    command.process_group(0).stdin(Stdio::null());
    command.stdout(said.try_clone()?).stderr(complained.try_clone()?);
    let deadline = Instant::now() + time;
    let mut child = command.spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let group = group.ok_or_else(|| io::Error::other("a child without a number"))?;
    // It is not reaped yet: until then its number, and that of its group, is nobody else's.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let mut ended = false;
    while !ended && Instant::now() < deadline {
        ended = waitid(WaitId::Pid(group), look)?.is_some();
        if !ended {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
    // What it left behind goes with it. Gone already: what was wanted.
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait()?;
    if !ended {
        return Ok(Outcome::Late);
    }
    Ok(Outcome::Done(status.success(), text(&mut said)?, text(&mut complained)?))
}

/// An unlinked file of this process alone.
fn scratch(name: &str) -> io::Result<File> {
    let name = format!("chatcode-doctor-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn text(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(SAID_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
