//! Asks the private tmux server for its sessions, with what a person wants to know of each.

use super::{Refusal, UNAVAILABLE, no_tmux};
use crate::tmux::server::tmux;
use miniserde::Serialize;
use std::collections::BTreeMap;

/// A kind of line for each question, so that only one free text stands in a line, at its end.
const FIXED: &str = "s|#{session_name}|#{window_width}|#{window_height}|#{session_created}|\
    #{window_activity}|#{session_path}";
const AGENT: &str = "a|#{session_name}|#{@cc_agent}";
const NAME: &str = "n|#{session_name}|#{@cc_name}";
const CLIENT: &str = "c|#{session_name}|#{client_control_mode}";

/// A session of this machine. Times are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Local {
    pub session_id: u32,
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
        let mut sessions: BTreeMap<u32, Local> = BTreeMap::new();
        for line in text.lines() {
            // A line that a folder's name was cut into is none of ours.
            let _ = read_line(line, &mut sessions);
        }
        let mut all: Vec<Local> = sessions.into_values().collect();
        all.sort_by_key(|session| std::cmp::Reverse(session.last_activity));
        Self { all }
    }

    /// A JSON array of objects.
    pub fn to_json(&self) -> String {
        miniserde::json::to_string(&self.all)
    }
}

fn read_line(line: &str, sessions: &mut BTreeMap<u32, Local>) -> Option<()> {
    let (kind, rest) = line.split_once('|')?;
    let (name, rest) = rest.split_once('|')?;
    let session_id: u32 = name.strip_prefix("cc-")?.parse().ok()?;
    if kind == "s" {
        let mut fields = rest.splitn(5, '|');
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (cols, rows) = (u32::try_from(number()?).ok()?, u32::try_from(number()?).ok()?);
        let (created, last_activity) = (number()?, number()?);
        let folder = clean(fields.next()?);
        let session =
            Local { session_id, folder, cols, rows, created, last_activity, ..Local::default() };
        sessions.entry(session_id).or_insert(session);
        return Some(());
    }
    let session = sessions.get_mut(&session_id)?;
    let text = || Some(clean(rest)).filter(|text| !text.is_empty());
    match kind {
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
        let text = "s|cc-7|80|24|100|200|/w/a|b\ns|cc-9|100|30|150|300|/w/\u{1b}[2J\n\
                    s|work|80|24|1|2|/\na|cc-7|codex\na|cc-9|\nn|cc-7|a | name\nn|cc-9|\n\
                    c|cc-7|1\nc|cc-7|0\nc|cc-7|\nc|cc-8|0\nnonsense\ns|cc-x\n";
        let all = Sessions::read(text).all;
        assert_eq!(all.iter().map(|session| session.session_id).collect::<Vec<_>>(), [9, 7]);
        let (first, second) = (&all[0], &all[1]);
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
