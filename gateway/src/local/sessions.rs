//! Asks the private tmux server for its sessions, with what a person wants to know of each.

use super::{Refusal, no_tmux};
use crate::command_line::exit::UNAVAILABLE;
use crate::small_map::SmallMap;
use crate::tmux::parser::id;
use crate::tmux::server::tmux;
use miniserde::Serialize;

/// A kind of line for each question, so that only one free text stands in a line, at its end.
/// Sessions are known by tmux's own id: a person may have renamed them.
/// A folder that tmux does not tell (3.1c) is that of what runs in it.
const FIXED: &str = "s|#{session_id}|#{@cc_session}|#{window_width}|#{window_height}|\
    #{session_created}|#{window_activity}|\
    #{?session_path,#{session_path},#{pane_current_path}}";
const TITLE: &str = "t|#{session_id}|#{session_name}";
const AGENT: &str = "a|#{session_id}|#{@cc_agent}";
const NAME: &str = "n|#{session_id}|#{@cc_name}";
const CLIENT: &str = "c|#{session_id}|#{client_control_mode}";

/// A session of this machine. Times are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Local {
    pub session_id: u32,
    /// What tmux calls it: `cc-7`, or what a person made of it.
    pub tmux_name: String,
    /// The 3 of tmux's `$3`.
    pub tmux_id: u32,
    pub name: Option<String>,
    pub agent: Option<String>,
    pub folder: String,
    pub cols: u32,
    pub rows: u32,
    pub created: u64,
    pub last_activity: u64,
    /// Terminals on this machine that show it.
    pub attached: u32,
    /// Whether a gateway listens to it, for the browsers.
    pub gateway: bool,
}

/// All of them, newest activity first.
#[derive(Debug)]
pub(super) struct Sessions {
    pub all: Vec<Local>,
}

impl Sessions {
    /// Asks the server on `socket`. Without a server there are no sessions.
    pub fn ask(socket: &str) -> Result<Self, Refusal> {
        let list = ["list-sessions", "-F"];
        let output = tmux(socket)
            .args(list)
            .args([FIXED, ";"])
            .args(list)
            .args([TITLE, ";"])
            .args(list)
            .args([AGENT, ";"])
            .args(list)
            .args([NAME, ";", "list-clients", "-F", CLIENT])
            .output()
            .map_err(|error| no_tmux(&error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() && !is_no_server(&said) {
            let message = format!("tmux did not list its sessions: {}", clean(said.trim()));
            return Err(Refusal::new(UNAVAILABLE, message));
        }
        Ok(Self::read(&String::from_utf8_lossy(&output.stdout)))
    }

    fn read(text: &str) -> Self {
        let mut sessions: SmallMap<u32, Local> = SmallMap::default();
        for line in text.lines() {
            // A line that a folder's name was cut into is none of ours.
            let _ = read_line(line, &mut sessions);
        }
        let ours = sessions.into_values().filter_map(|mut session| {
            if session.session_id == 0 {
                session.session_id = session.tmux_name.strip_prefix("cc-")?.parse().ok()?;
            }
            Some(session)
        });
        let mut all: Vec<Local> = ours.collect();
        all.sort_by_key(|session| std::cmp::Reverse(session.last_activity));
        Self { all }
    }

    /// A JSON array of objects.
    pub fn to_json(&self) -> String {
        miniserde::json::to_string(&self.all)
    }
}

fn read_line(line: &str, sessions: &mut SmallMap<u32, Local>) -> Option<()> {
    let (kind, rest) = line.split_once('|')?;
    let (tmux_id, rest) = rest.split_once('|')?;
    let tmux_id = id(tmux_id.as_bytes(), b'$')?;
    if kind == "s" {
        let mut fields = rest.splitn(6, '|');
        // Not set on a session that is a person's own, or that an older gateway made.
        let session_id = fields.next()?.parse().unwrap_or(0);
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (cols, rows) = (u32::try_from(number()?).ok()?, u32::try_from(number()?).ok()?);
        let (created, last_activity) = (number()?, number()?);
        let folder = clean(fields.next()?);
        let place = Local { session_id, tmux_id, folder, cols, rows, ..Local::default() };
        let session = Local { created, last_activity, ..place };
        if !sessions.contains_key(&tmux_id) {
            sessions.insert(tmux_id, session);
        }
        return Some(());
    }
    let session = sessions.get_mut(&tmux_id)?;
    let text = || Some(clean(rest)).filter(|text| !text.is_empty());
    match kind {
        "t" => session.tmux_name = clean(rest),
        "a" => session.agent = text().filter(|agent| agent != "none"),
        "n" => session.name = text(),
        "c" if rest == "1" => session.gateway = true,
        "c" => session.attached = session.attached.saturating_add(1),
        _ => {}
    }
    Some(())
}

fn is_no_server(said: &str) -> bool {
    said.contains("no server running") || said.contains("error connecting")
}

/// Text from outside that is shown in a terminal holds no control characters.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_four_kinds_make_sessions() {
        let text = "s|$1||80|24|100|200|/w/a|b\ns|$2|9|100|30|150|300|/w/\u{1b}[2J\n\
                    s|$3||80|24|1|2|/\nt|$1|cc-7\nt|$2|re|named\nt|$3|work\n\
                    a|$1|codex\na|$2|none\nn|$1|a | name\nn|$2|\n\
                    c|$1|1\nc|$1|0\nc|$1|\nc|$8|0\nnonsense\ns|x\n";
        let all = Sessions::read(text).all;
        assert_eq!(all.iter().map(|session| session.session_id).collect::<Vec<_>>(), [9, 7]);
        let (first, second) = (&all[0], &all[1]);
        assert_eq!((first.tmux_id, first.tmux_name.as_str()), (2, "re|named"));
        assert_eq!(first.folder, "/w/\u{fffd}[2J");
        assert_eq!((first.name.as_deref(), first.gateway, first.attached), (None, false, 0));
        assert_eq!(second.folder, "/w/a|b");
        assert_eq!(
            (second.name.as_deref(), second.agent.as_deref()),
            (Some("a | name"), Some("codex"))
        );
        assert_eq!((second.gateway, second.attached), (true, 2));
        assert_eq!((second.cols, second.rows, second.created), (80, 24, 100));
    }
}
