//! `chatcode-gateway notify`: a program in a session asks for its person.
//!
//! The command sends one datagram to a socket in the gateway's own folder, which only the same
//! user can reach: its session's number, a space, and the title.

use crate::limits::{NOTICE_BYTES, NOTICES_PER_TURN};
use crate::tmux::server::MARKER_VARIABLE;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join("notify.sock")
}

/// Sends a title from within a session.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn send(title: &str) -> Result<(), String> {
    let title = title.trim();
    if title.is_empty() {
        return Err("say what for: chatcode-gateway notify \"TITLE\"".to_owned());
    }
    let outside = "this is no chatcode session; run it in one, or from an agent's hook there";
    let marker = std::env::var(MARKER_VARIABLE).map_err(|_| outside.to_owned())?;
    let (session_id, state_dir) = read_marker(&marker).ok_or_else(|| outside.to_owned())?;
    let mut notice = format!("{session_id} {title}");
    notice.truncate(notice.floor_char_boundary(NOTICE_BYTES));
    let path = socket_path(state_dir);
    let sent = UnixDatagram::unbound()
        .and_then(|socket| socket.send_to(notice.as_bytes(), &path))
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                format!("no gateway listens at {}; is it running?", path.display())
            }
            _ => format!("cannot send to {}: {error}", path.display()),
        });
    sent.map(|_| ())
}

/// The session and the state folder in what marks a session's processes.
fn read_marker(marker: &str) -> Option<(u32, &Path)> {
    let (name, state_dir) = marker.split_once(' ')?;
    let (_, session_id) = name.rsplit_once('/')?;
    Some((session_id.parse().ok()?, Path::new(state_dir)))
}

/// Reads a datagram: the session and the title.
pub fn read(notice: &[u8]) -> Option<(u32, &str)> {
    let (session_id, title) = std::str::from_utf8(notice).ok()?.split_once(' ')?;
    Some((session_id.parse().ok()?, title))
}

/// The gateway's end.
pub struct Inbox {
    socket: mio::net::UnixDatagram,
    /// The socket may have more than was read.
    more: bool,
}

impl Inbox {
    /// Opens the socket. One that a gateway before this one left is replaced.
    ///
    /// # Errors
    /// As making a socket in that folder does; its path may be too long.
    pub fn open(state_dir: &Path, registry: &Registry, token: Token) -> io::Result<Self> {
        let path = socket_path(state_dir);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut socket = mio::net::UnixDatagram::bind(&path)?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, more: true })
    }

    /// The socket is ready.
    pub fn on_ready(&mut self) {
        self.more = true;
    }

    /// Whether there may be notices that were not read for want of a turn.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Reads a turn's measure of what has come: a program that never stops sending stops nothing.
    pub fn read(&mut self, mut deliver: impl FnMut(&[u8])) {
        let mut buffer = [0; NOTICE_BYTES];
        for _ in 0..NOTICES_PER_TURN {
            if !self.more {
                return;
            }
            match self.socket.recv(&mut buffer) {
                Ok(length) => deliver(buffer.get(..length).unwrap_or_default()),
                Err(error) => self.more = error.kind() == ErrorKind::Interrupted,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_and_notices_are_read() {
        let marker = "pi-4/7 /home/me/.local/state/chatcode";
        let state_dir = Path::new("/home/me/.local/state/chatcode");
        assert_eq!(read_marker(marker), Some((7, state_dir)));
        assert_eq!(read_marker("nonsense"), None);
        assert_eq!(read(b"7 Build done"), Some((7, "Build done")));
        for bad in [b"".as_slice(), b"7", b"x y", b"7 \xff", b"-1 x"] {
            assert_eq!(read(bad), None, "{}", bad.escape_ascii());
        }
    }
}
