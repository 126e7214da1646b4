//! The children of file transfers: bytes between their pipes and the daemon, never blocking.

use super::Tokens;
use super::jobs::own_command;
use crate::daemon::{Daemon, Now};
use crate::files::{Effect, Slot};
use mio::unix::pipe::{Receiver, Sender};
use mio::{Interest, Registry, Token};
use protocol::envelope::codes;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::process::{Child, Stdio};

/// Bytes that a pipe is asked to hold, so that neither side waits for the other at every page. Where
/// that is more than the system grants, a pipe stays as it is.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 2 * protocol::limits::FILE_CHUNK_BYTES;

/// A transfer's child.
struct Running {
    slot: Slot,
    child: Option<Child>,
    output: Option<Receiver>,
    input: Option<Sender>,
    /// What the pipe has not taken yet, and how much of the first piece it has. The contract's
    /// window bounds it.
    pending: VecDeque<Vec<u8>>,
    written: usize,
    /// The output may have more bytes than were read.
    more: bool,
    /// Why there is no child.
    failed: Option<String>,
    tokens: (Token, Token),
}

/// All of them.
#[derive(Default)]
pub struct Transfers {
    running: Vec<Running>,
    leaving: Vec<Child>,
}

impl Transfers {
    /// Does what the daemon wants.
    pub fn perform(&mut self, effect: Effect, registry: &Registry, tokens: &mut Tokens) {
        match effect {
            Effect::Start(slot, arguments) => {
                let tokens = (tokens.next(), tokens.next());
                self.running.push(Running::start(slot, &arguments, registry, tokens));
            }
            Effect::Write(slot, bytes) => {
                if let Some(running) = self.find(slot).filter(|running| running.input.is_some()) {
                    running.pending.push_back(bytes);
                    running.flush();
                }
            }
            Effect::Close(slot) => {
                if let Some(running) = self.find(slot) {
                    running.close_input();
                }
            }
            Effect::Kill(slot) => {
                if let Some(child) = self.find(slot).and_then(|running| running.child.as_mut()) {
                    // Gone already: what was wanted.
                    let _ = child.kill();
                }
            }
        }
    }

    /// A pipe is ready.
    pub fn on_ready(&mut self, token: Token) {
        for running in &mut self.running {
            if running.tokens.0 == token {
                running.more = true;
            } else if running.tokens.1 == token {
                running.flush();
            }
        }
    }

    /// Reads what the daemon wants to have.
    pub fn read(&mut self, buffer: &mut [u8], daemon: &mut Daemon, now: Now) {
        for running in &mut self.running {
            running.read(buffer, daemon, now);
        }
        let gone = self.running.extract_if(.., |running| running.output.is_none());
        let gone: Vec<Running> = gone.collect();
        for running in gone {
            daemon.on_transfer_closed(running.slot, now);
            self.leaving.extend(running.child);
        }
        self.reap();
    }

    /// Collects children that have ended.
    pub fn reap(&mut self) {
        self.leaving.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    /// Whether a child has bytes that the daemon wants and that were not read.
    pub fn has_more(&self, daemon: &Daemon) -> bool {
        self.running.iter().any(|running| running.more && daemon.wants_output(running.slot))
    }

    fn find(&mut self, slot: Slot) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.slot == slot)
    }
}

impl Running {
    /// Starts a child. One that cannot be started ends at once, with words that say so.
    fn start(
        slot: Slot,
        arguments: &[String],
        registry: &Registry,
        tokens: (Token, Token),
    ) -> Self {
        let mut running = Self {
            slot,
            child: None,
            output: None,
            input: None,
            pending: VecDeque::new(),
            written: 0,
            more: true,
            failed: None,
            tokens,
        };
        if let Err(error) = running.spawn(arguments, registry) {
            running.failed = Some(format!("err {} cannot start a process: {error}\n", codes::IO));
        }
        running
    }

    fn spawn(&mut self, arguments: &[String], registry: &Registry) -> io::Result<()> {
        let child = own_command(arguments)?.stdin(Stdio::piped()).spawn()?;
        let child = self.child.insert(child);
        let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(io::Error::other("a child without pipes"));
        };
        let (mut output, mut input) = (Receiver::from(output), Sender::from(input));
        #[cfg(target_os = "linux")]
        {
            // Slower, and as good, without.
            let _ = rustix::pipe::fcntl_setpipe_size(&output, PIPE_BYTES);
            let _ = rustix::pipe::fcntl_setpipe_size(&input, PIPE_BYTES);
        }
        output.set_nonblocking(true)?;
        input.set_nonblocking(true)?;
        registry.register(&mut output, self.tokens.0, Interest::READABLE)?;
        registry.register(&mut input, self.tokens.1, Interest::WRITABLE)?;
        (self.output, self.input) = (Some(output), Some(input));
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], daemon: &mut Daemon, now: Now) {
        if let Some(failed) = self.failed.take() {
            daemon.on_transfer_output(self.slot, failed.as_bytes(), now);
        }
        while self.more && daemon.wants_output(self.slot) {
            let Some(output) = &mut self.output else { return };
            match output.read(buffer) {
                Ok(0) => self.output = None,
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    daemon.on_transfer_output(self.slot, bytes, now);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.more = false,
                Err(_) => self.output = None,
            }
        }
    }

    fn flush(&mut self) {
        while let (Some(input), Some(front)) = (&mut self.input, self.pending.front()) {
            match input.write(front.get(self.written..).unwrap_or_default()) {
                Ok(count) => {
                    self.written += count;
                    if self.written >= front.len() {
                        self.written = 0;
                        self.pending.pop_front();
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Its end is noticed, and its words are read, where its output is.
                Err(_) => self.close_input(),
            }
        }
    }

    fn close_input(&mut self) {
        self.input = None;
        self.pending.clear();
    }
}
