//! The private tmux server: how it is called, configured, asked for its sessions.

use crate::limits::DEFAULT_SESSIONS;
use crate::session::colours::Colours;
use crate::session::{Place, Remembered};
use crate::tmux::parser::id;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
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

/// What `list-sessions` is asked for, in the order of [`Found::read`]. The name, which a person may
/// have changed, is last.
pub const LIST_FORMAT: &str = "#{@cc_gateway}|#{@cc_session}|#{session_id}|#{window_id}|#{pane_id}|\
    #{pane_width}|#{pane_height}|#{window_width}|#{window_height}|#{pane_pid}|#{@cc_seq}|\
    #{@cc_modes}|#{@cc_agent}|#{@cc_colours}|#{@cc_workdir}|#{session_name}";

/// A session that a gateway process before this one left.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Found {
    pub session_id: u32,
    pub place: Place,
    pub pid: u32,
    pub remembered: Remembered,
}

impl Found {
    /// Reads a line of [`LIST_FORMAT`]; `None` when it is not a session of this gateway.
    pub fn read(line: &str, gateway_id: &str) -> Option<Self> {
        let fields: Vec<&str> = line.splitn(16, '|').collect();
        let [head @ .., seq, modes, agent, colours, workdir, name] = fields.as_slice() else {
            return None;
        };
        let [gateway, number, session, window, pane, size @ ..] = head else { return None };
        let [cols, rows, window_cols, window_rows, pid] = size else { return None };
        let session_id = number.parse().ok().or_else(|| name.strip_prefix("cc-")?.parse().ok())?;
        let place = Place {
            session: id(session.as_bytes(), b'$')?,
            window: id(window.as_bytes(), b'@')?,
            pane: id(pane.as_bytes(), b'%')?,
            cols: cols.parse().ok()?,
            rows: rows.parse().ok()?,
            window_size: (window_cols.parse().ok()?, window_rows.parse().ok()?),
        };
        let remembered = Remembered {
            bound: seq.parse().ok(),
            mirror: unhex(modes),
            agent: !matches!(*agent, "" | "none"),
            colours: colours.split_once(' ').and_then(|(fg, bg)| Colours::read(fg, bg)),
            workdir: read_workdir(workdir),
        };
        let pid = pid.parse().ok()?;
        (*gateway == gateway_id).then_some(Self { session_id, place, pid, remembered })
    }
}

/// A session's folder, from the hex that keeps whatever is in its name out of the way.
pub fn read_workdir(hex: &str) -> Option<PathBuf> {
    let bytes = unhex(hex);
    (!bytes.is_empty()).then(|| OsString::from_vec(bytes).into())
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
        let line =
            "pi-4|7|$3|@2|%5|40|30|100|30|4321|2097153|1b5b6d|codex|#ffffff #000000|2f77|my|name";
        let found = Found::read(line, "pi-4").expect("ours");
        let window_size = (100, 30);
        let place = Place { session: 3, window: 2, pane: 5, cols: 40, rows: 30, window_size };
        assert_eq!((found.place, found.session_id, found.pid), (place, 7, 4321));
        let mirror = b"\x1b[m".to_vec();
        let colours = Colours::read("#ffffff", "#000000");
        let bound = Some(2_097_153);
        let workdir = Some("/w".into());
        assert_eq!(found.remembered, Remembered { bound, mirror, agent: true, colours, workdir });
        assert_eq!(Found::read(line, "other"), None);
        assert_eq!(Found::read("||$1|@2|%5|9|9|9|9|1||||||work", "pi-4"), None);
        let older = Found::read("pi-4||$1|@2|%5|9|9|9|9|1||||||cc-8", "pi-4").expect("ours");
        assert_eq!((older.session_id, older.remembered), (8, Remembered::default()));
    }
}
