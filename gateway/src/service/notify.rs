//! What systemd is told while the gateway runs: that it is ready, reloads, lives and stops.
//!
//! Ready means that the sessions are known. The link is no part of it: a machine without a
//! network has its sessions all the same, and restarting would not bring the network.

use crate::limits::Ms;
use std::os::unix::net::UnixDatagram;

/// The way to the service manager, if there is one.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    /// Milliseconds between two signs of life.
    every: Option<Ms>,
    next: Ms,
    /// Whether the manager waits for `READY=1`: at the start and while reloading.
    awaited: bool,
    status: String,
}

impl Notifier {
    /// From `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`. What cannot be used is logged.
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let Some(address) = variable("NOTIFY_SOCKET") else { return Self::default() };
        match connect(&address) {
            Ok(socket) => Self {
                socket: Some(socket),
                every: watchdog(&variable, std::process::id()),
                awaited: true,
                ..Self::default()
            },
            Err(error) => {
                crate::log!(Warn, "cannot reach the service manager", at = address, why = error);
                Self::default()
            }
        }
    }

    /// When [`Notifier::turn`] has something to do of its own.
    pub fn deadline(&self) -> Option<Ms> {
        self.every.map(|_| self.next)
    }

    /// Whether anything is told at all, so that a status need not be made for nobody.
    pub fn is_heard(&self) -> bool {
        self.socket.is_some()
    }

    /// A turn of the loop: tells what is new, and that the loop turns. A loop that hangs is
    /// silent, and the manager starts the gateway again.
    pub fn turn(&mut self, ready: bool, status: String, now: Ms) {
        let mut text = String::new();
        if self.awaited && ready {
            self.awaited = false;
            text.push_str("READY=1\n");
        }
        if status != self.status {
            text.push_str("STATUS=");
            text.push_str(&status);
            text.push('\n');
            self.status = status;
        }
        if let Some(every) = self.every.filter(|_| now >= self.next) {
            text.push_str("WATCHDOG=1\n");
            self.next = now + every;
        }
        if !text.is_empty() {
            self.tell(&text);
        }
    }

    /// The settings are read again; the next turn says that this is done.
    pub fn reloading(&mut self) {
        if self.is_heard() {
            let now = crate::os::monotonic_microseconds();
            self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}\n"));
            self.awaited = true;
        }
    }

    /// The gateway ends.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\n");
    }

    fn tell(&self, text: &str) {
        // A manager that does not read has its own time limits; the loop waits for nobody.
        if let Some(socket) = &self.socket {
            let _ = socket.send(text.as_bytes());
        }
    }
}

/// Half of what the manager waits for, if it is this process that it waits for.
fn watchdog(variable: &impl Fn(&str) -> Option<String>, pid: u32) -> Option<Ms> {
    let usual = variable("WATCHDOG_PID").is_none_or(|other| other == pid.to_string());
    let microseconds: u64 = variable("WATCHDOG_USEC").filter(|_| usual)?.parse().ok()?;
    (microseconds > 0).then_some((microseconds / 2_000).max(1))
}

/// A path, or a name in the abstract namespace behind an `@`.
fn connect(address: &str) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match address.strip_prefix('@') {
        Some(name) => socket.connect_addr(&crate::os::abstract_address(name)?)?,
        None => socket.connect(address)?,
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_life_come_twice_as_often_as_they_are_waited_for() {
        let with = |pid: Option<&str>, microseconds: &str| {
            let of = |name: &str| match name {
                "WATCHDOG_PID" => pid.map(str::to_owned),
                _ => Some(microseconds.to_owned()),
            };
            watchdog(&of, 7)
        };
        assert_eq!(with(Some("7"), "120000000"), Some(60_000));
        assert_eq!(with(None, "1"), Some(1));
        assert_eq!(with(Some("8"), "120000000"), None, "another process");
        for useless in ["0", "", "soon"] {
            assert_eq!(with(Some("7"), useless), None);
        }
    }

    #[test]
    fn each_turn_tells_what_is_new() {
        let (ours, theirs) = UnixDatagram::pair().expect("a pair");
        theirs.set_nonblocking(true).expect("set");
        let heard = || {
            let mut bytes = [0; 200];
            let length = theirs.recv(&mut bytes).unwrap_or(0);
            String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned()
        };
        let mut notifier =
            Notifier { socket: Some(ours), every: Some(100), awaited: true, ..Notifier::default() };
        notifier.turn(false, "a".to_owned(), 0);
        assert_eq!(heard(), "STATUS=a\nWATCHDOG=1\n");
        notifier.turn(true, "a".to_owned(), 99);
        assert_eq!(heard(), "READY=1\n");
        notifier.turn(true, "a".to_owned(), 99);
        assert_eq!(heard(), "");
        notifier.turn(true, "b".to_owned(), 100);
        assert_eq!((heard().as_str(), notifier.deadline()), ("STATUS=b\nWATCHDOG=1\n", Some(200)));
        notifier.reloading();
        assert!(heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        notifier.turn(true, "b".to_owned(), 150);
        assert_eq!(heard(), "READY=1\n");
        notifier.stopping();
        assert_eq!(heard(), "STOPPING=1\n");
    }
}
