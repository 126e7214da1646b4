//! The control clients: one `tmux -C attach` for each session, always drained.

use super::Tokens;
use crate::limits::READ_TURN_BYTES;
use crate::small_map::SmallMap;
use crate::tmux::server::tmux;
use mio::unix::pipe::{Receiver, Sender};
use mio::{Interest, Registry, Token};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::process::{Child, Stdio};

/// What came from a client.
pub enum Read<'a> {
    /// Bytes that it printed.
    Bytes(&'a [u8]),
    /// It is gone.
    Closed,
}

struct Client {
    child: Child,
    output: Receiver,
    input: Sender,
    /// Commands that the pipe has not taken yet.
    pending: VecDeque<u8>,
    /// The pipe may have more bytes than were read.
    more: bool,
    tokens: (Token, Token),
}

/// All clients, by session.
pub struct Clients {
    socket: String,
    clients: SmallMap<u32, Client>,
    /// Children whose pipe is closed and who have not been reaped.
    leaving: Vec<Child>,
}

impl Clients {
    /// No clients yet, on the tmux server of this socket name.
    pub fn new(socket: String) -> Self {
        Self { socket, clients: SmallMap::default(), leaving: Vec::new() }
    }

    /// Starts the client of a session, which tmux knows as `target`.
    ///
    /// # Errors
    /// As starting a process and registering its pipes does.
    pub fn start(
        &mut self,
        session_id: u32,
        target: u32,
        registry: &Registry,
        tokens: &mut Tokens,
    ) -> io::Result<()> {
        let target = format!("${target}");
        let mut child = tmux(&self.socket)
            .args(["-C", "attach-session", "-t", &target])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(io::Error::other("a child without pipes"));
        };
        let (mut output, mut input) = (Receiver::from(output), Sender::from(input));
        output.set_nonblocking(true)?;
        input.set_nonblocking(true)?;
        let pair = (tokens.next(), tokens.next());
        registry.register(&mut output, pair.0, Interest::READABLE)?;
        registry.register(&mut input, pair.1, Interest::WRITABLE)?;
        let client =
            Client { child, output, input, pending: VecDeque::new(), more: true, tokens: pair };
        if let Some(old) = self.clients.insert(session_id, client) {
            self.leaving.push(old.child);
        }
        Ok(())
    }

    /// A pipe is ready.
    pub fn on_ready(&mut self, token: Token) {
        for client in self.clients.values_mut() {
            if client.tokens.0 == token {
                client.more = true;
            } else if client.tokens.1 == token {
                client.flush();
            }
        }
    }

    /// Reads a bounded amount from every client that has something.
    pub fn read(&mut self, buffer: &mut [u8], mut deliver: impl FnMut(u32, Read<'_>)) {
        let mut closed = Vec::new();
        for (session_id, client) in self.clients.iter_mut() {
            let mut left = READ_TURN_BYTES;
            while client.more && left > 0 {
                match client.output.read(buffer) {
                    Ok(0) => {
                        client.more = false;
                        closed.push(*session_id);
                    }
                    Ok(count) => {
                        left = left.saturating_sub(count);
                        deliver(*session_id, Read::Bytes(buffer.get(..count).unwrap_or_default()));
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => client.more = false,
                    Err(_) => {
                        client.more = false;
                        closed.push(*session_id);
                    }
                }
            }
        }
        for session_id in closed {
            if let Some(client) = self.clients.remove(&session_id) {
                self.leaving.push(client.child);
            }
            deliver(session_id, Read::Closed);
        }
        self.reap();
    }

    /// Tells a client something. What is queued is bounded by what sessions have in flight.
    pub fn write(&mut self, session_id: u32, bytes: &[u8]) {
        if let Some(client) = self.clients.get_mut(&session_id) {
            client.pending.extend(bytes);
            client.flush();
        }
    }

    /// Whether a client has bytes that were not read for want of a turn.
    pub fn has_more(&self) -> bool {
        self.clients.values().any(|client| client.more)
    }

    /// Kills and collects all of them; the server detaches them.
    pub fn end(&mut self) {
        let clients = self.clients.values_mut().map(|client| &mut client.child);
        for child in clients.chain(&mut self.leaving) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Collects clients that have ended.
    pub fn reap(&mut self) {
        self.leaving.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

impl Client {
    fn flush(&mut self) {
        while !self.pending.is_empty() {
            let (front, _) = self.pending.as_slices();
            match self.input.write(front) {
                Ok(count) => {
                    self.pending.drain(..count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Its end is noticed where its output is read.
                Err(_) => return self.pending.clear(),
            }
        }
    }
}
