//! The private tmux server: how it is called, configured, asked for its sessions.

use crate::limits::DEFAULT_SESSIONS;
use crate::session::Place;
use crate::tmux::parser::id;
use std::process::Command;

/// History lines of a pane. They are memory: 10,000 coloured lines cost about 12 MB.
pub const HISTORY_LIMIT: u32 = 10_000;

/// Variables that are ours or our service manager's and must not reach a session.
const PRIVATE_PREFIXES: [&str; 7] = [
    "GATEWAY_",
    "CHATCODE_",
    "TMUX",
    "NOTIFY_SOCKET",
    "JOURNAL_STREAM",
    "INVOCATION_ID",
    "WATCHDOG_",
];

/// The variable that marks a session's processes, so that those that left its process group are
/// found when it ends.
pub const MARKER_VARIABLE: &str = "CHATCODE_SESSION";

/// A `tmux` call on the private server, in an environment without anything private.
pub fn tmux(socket: &str) -> Command {
    let mut command = Command::new("tmux");
    command.args(["-u", "-L", socket]);
    clean_environment(&mut command);
    command
}

/// Removes what is private from a child's environment. `TMUX_TMPDIR` is the user's and stays.
pub fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let private = name.to_str().is_none_or(|name| {
            name != "TMUX_TMPDIR" && PRIVATE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        if private {
            command.env_remove(&name);
        }
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().any(|name| std::env::var_os(name).is_some());
    if !locale {
        // Without a locale programs draw boxes as letters.
        command.env("LANG", "C.UTF-8");
    }
}

/// The tmux name of a session.
pub fn session_name(session_id: u32) -> String {
    format!("cc-{session_id}")
}

/// The server's configuration. `window-size` is set for each window instead: a server with
/// `manual` as its global value crashes at `new-session` (seen in 3.3a). `terminal` must have a terminfo entry on this machine.
pub fn configuration(terminal: &str) -> String {
    format!(
        "set -g default-terminal {terminal}\n\
         set -g history-limit {HISTORY_LIMIT}\n\
         set -g status off\n\
         set -g mouse off\n\
         set -g allow-rename off\n\
         set -g remain-on-exit off\n\
         set -g detach-on-destroy on\n\
         set -s escape-time 0\n\
         set -s focus-events off\n\
         set -s set-clipboard off\n\
         set -s exit-unattached off\n\
         set-environment -g COLORTERM truecolor\n\
         set -q -s extended-keys on\n\
         set -q -g allow-passthrough on\n"
    )
}

/// What `list-sessions` is asked for, in the order of [`Found::read`]. The free text is last.
pub const LIST_FORMAT: &str = "#{session_name}|#{window_id}|#{pane_id}|#{window_width}|\
    #{window_height}|#{pane_pid}|#{@cc_seq}|#{@cc_modes}|#{@cc_gateway}";

/// A session that a gateway process before this one left.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Found {
    pub session_id: u32,
    pub place: Place,
    pub pid: u32,
    pub bound: Option<u64>,
    pub mirror: Vec<u8>,
}

impl Found {
    /// Reads a line of [`LIST_FORMAT`]; `None` when it is not a session of this gateway.
    pub fn read(line: &str, gateway_id: &str) -> Option<Self> {
        let mut fields = line.splitn(9, '|');
        let session_id = fields.next()?.strip_prefix("cc-")?.parse().ok()?;
        let window = id(fields.next()?.as_bytes(), b'@')?;
        let pane = id(fields.next()?.as_bytes(), b'%')?;
        let cols = fields.next()?.parse().ok()?;
        let rows = fields.next()?.parse().ok()?;
        let pid = fields.next()?.parse().ok()?;
        let bound = fields.next()?.parse().ok();
        let mirror = unhex(fields.next()?);
        let place = Place { window, pane, cols, rows };
        (fields.next()? == gateway_id).then_some(Self { session_id, place, pid, bound, mirror })
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map_while(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

const _: () = assert!(DEFAULT_SESSIONS <= protocol::limits::MAX_SESSIONS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sessions_of_this_gateway_are_found() {
        let line = "cc-7|@2|%5|100|30|4321|2097153|1b5b6d|pi-4";
        let found = Found::read(line, "pi-4").expect("ours");
        assert_eq!(found.place, Place { window: 2, pane: 5, cols: 100, rows: 30 });
        assert_eq!((found.session_id, found.pid, found.bound), (7, 4321, Some(2_097_153)));
        assert_eq!(found.mirror, b"\x1b[m");
        assert_eq!(Found::read(line, "other"), None);
        assert_eq!(Found::read("work|@2|%5|100|30|1||||", "pi-4"), None);
        assert!(Found::read("cc-7|@2|%5|100|30|4321|||pi-4", "pi-4").is_some());
    }
}
