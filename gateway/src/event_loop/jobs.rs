//! Children that work for the gateway and answer on a pipe.

use super::Tokens;
use crate::daemon::Job;
use crate::limits::{CHILD_MS, CHILD_OUTPUT_BYTES, Ms};
use crate::log;
use mio::unix::pipe::Receiver;
use mio::{Interest, Registry, Token};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// What a line that tells an event begins with.
const EVENT: &[u8] = b"event ";

/// Who asked.
#[derive(Debug)]
pub enum Work {
    /// The daemon.
    Daemon(Job),
    /// The link: a host name.
    Resolve,
}

impl Work {
    fn patience(&self) -> Ms {
        match self {
            Self::Daemon(job) => job.patience(),
            Self::Resolve => CHILD_MS,
        }
    }
}

struct Running {
    work: Work,
    child: Option<Child>,
    pipe: Option<Receiver>,
    token: Token,
    output: Vec<u8>,
    more: bool,
    deadline: Ms,
}

/// All children at work.
#[derive(Default)]
pub struct Jobs {
    running: Vec<Running>,
    leaving: Vec<Child>,
}

impl Jobs {
    /// Starts a child. One that cannot be started ends at once, with an answer that says so.
    pub fn start(
        &mut self,
        work: Work,
        arguments: &[String],
        request: &[u8],
        registry: &Registry,
        tokens: &mut Tokens,
        now: Ms,
    ) {
        let token = tokens.next();
        let (child, pipe, output) = match spawn(arguments, request, registry, token) {
            Ok((child, pipe)) => (Some(child), Some(pipe), Vec::new()),
            Err(error) => {
                let code = protocol::envelope::codes::IO;
                let text = format!("err {code} cannot start a child process: {error}");
                (None, None, text.into_bytes())
            }
        };
        let deadline = now + work.patience();
        self.running.push(Running { work, child, pipe, token, output, more: true, deadline });
    }

    /// A pipe is ready.
    pub fn on_ready(&mut self, token: Token) {
        for job in self.running.iter_mut().filter(|job| job.token == token) {
            job.more = true;
        }
    }

    /// Reads answers; gives the jobs whose answer is complete, and tells the events of the others.
    /// Late ones are killed, with all that they started.
    pub fn finished(
        &mut self,
        buffer: &mut [u8],
        now: Ms,
        mut tell: impl FnMut(&Work, &str),
    ) -> Vec<(Work, String)> {
        for job in &mut self.running {
            job.read(buffer);
            for event in job.take_events() {
                tell(&job.work, &event);
            }
            if job.pipe.is_some() && now >= job.deadline {
                job.pipe = None;
                job.kill();
            }
        }
        let (done, running) =
            std::mem::take(&mut self.running).into_iter().partition(|job| job.pipe.is_none());
        self.running = running;
        let done: Vec<Running> = done;
        let answers = done.into_iter().map(|job| {
            self.leaving.extend(job.child);
            (job.work, String::from_utf8_lossy(&job.output).into_owned())
        });
        let answers = answers.collect();
        self.reap();
        answers
    }

    /// Whether no work is under way that somebody waits for.
    pub fn is_idle(&self) -> bool {
        self.running.iter().all(|job| matches!(job.work, Work::Resolve))
    }

    /// Kills and collects all of them.
    pub fn end(&mut self) {
        for job in &mut self.running {
            job.kill();
            self.leaving.extend(job.child.take());
        }
        for mut child in self.leaving.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Collects children that have ended.
    pub fn reap(&mut self) {
        self.leaving.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    /// When a child is late.
    pub fn deadline(&self) -> Option<Ms> {
        self.running.iter().map(|job| job.deadline).min()
    }

    /// Whether a child has bytes that were not read, or never started.
    pub fn has_more(&self) -> bool {
        self.running.iter().any(|job| job.more)
    }
}

impl Running {
    /// The lines that are events, once they are whole.
    fn take_events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        while self.output.starts_with(EVENT) {
            let Some(end) = self.output.iter().position(|&byte| byte == b'\n') else { break };
            let line: Vec<u8> = self.output.drain(..=end).collect();
            let event = line.get(EVENT.len()..end).unwrap_or_default();
            events.push(String::from_utf8_lossy(event).into_owned());
        }
        events
    }

    fn kill(&self) {
        let pid = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(group) = pid.and_then(Pid::from_raw) {
            // Gone already: what was wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn read(&mut self, buffer: &mut [u8]) {
        while self.more {
            let Some(pipe) = &mut self.pipe else {
                self.more = false;
                return;
            };
            match pipe.read(buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    let room = CHILD_OUTPUT_BYTES.saturating_sub(self.output.len());
                    let read = buffer.get(..count.min(room)).unwrap_or_default();
                    self.output.extend_from_slice(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.more = false,
                Err(_) => self.pipe = None,
            }
        }
    }
}

/// Starts this binary again. The request is an unlinked file, which takes any size at once.
fn spawn(
    arguments: &[String],
    request: &[u8],
    registry: &Registry,
    token: Token,
) -> io::Result<(Child, Receiver)> {
    let mut command = own_command(arguments)?;
    command.stdin(if request.is_empty() { Stdio::null() } else { request_file(request)?.into() });
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or_else(|| io::Error::other("a child without a pipe"))?;
    let mut pipe = Receiver::from(output);
    pipe.set_nonblocking(true)?;
    registry.register(&mut pipe, token, Interest::READABLE)?;
    Ok((child, pipe))
}

/// This binary with other arguments and a pipe to read from, in a process group of its own, so that
/// a late child is killed with what it started.
pub(super) fn own_command(arguments: &[String]) -> io::Result<Command> {
    let mut command = Command::new(own_binary()?);
    command.process_group(0).args(arguments).stdout(Stdio::piped()).stderr(Stdio::inherit());
    // What a fatal signal makes it say is for the same reader.
    command.env(log::FORMAT_VARIABLE, log::format().name());
    Ok(command)
}

fn request_file(request: &[u8]) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let name = format!("chatcode-{}-{:p}", std::process::id(), request.as_ptr());
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(request)?;
    file.rewind()?;
    Ok(file)
}

/// `/proc/self/exe` survives that the file was replaced by an update.
fn own_binary() -> io::Result<std::path::PathBuf> {
    let proc = std::path::PathBuf::from("/proc/self/exe");
    if proc.exists() { Ok(proc) } else { std::env::current_exe() }
}
