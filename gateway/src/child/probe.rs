//! Asks tmux what there is: its version and sessions at the start, one session when it fell silent.

use super::{Failure, argument, exit_words};
use crate::tmux::server::{Found, LIST_FORMAT, tmux};
use crate::tmux::version::Version;
use protocol::envelope::codes;
use std::path::Path;
use std::process::{Command, Output};

/// Arguments: socket. Answer: the version, then the lines of `list-sessions`.
pub fn survey(arguments: &[String]) -> Result<String, Failure> {
    let socket = argument(arguments, 0)?;
    let output = run(Command::new("tmux").arg("-V"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = Version::read(&text).filter(|version| version.is_supported());
    let Some(version) = version else {
        let message = format!("found \"{}\", need tmux 3.0a or later: update tmux", text.trim());
        return Err(Failure::new(codes::TMUX_FAILED, message));
    };
    // Without a server there are no sessions.
    let list = list_sessions(socket)?.unwrap_or_default();
    Ok(format!("{version}\n{list}"))
}

/// Arguments: socket, session, gateway, exit file. Answer: `alive` with tmux's number of the
/// session, `exited` with the words of the exit
/// file, `killed`, or `gone` when there is no server.
pub fn probe(arguments: &[String]) -> Result<String, Failure> {
    let session_id: u32 = argument(arguments, 1)?.parse().unwrap_or(0);
    if let Some(words) = exit_words(Path::new(argument(arguments, 3)?)) {
        return Ok(format!("exited {words}"));
    }
    Ok(match find(argument(arguments, 0)?, argument(arguments, 2)?, session_id)? {
        Search::Found(session) => format!("alive {session}"),
        // A crash, or the last session ended and its server with it: the client knows which.
        Search::NoServer => "gone".to_owned(),
        Search::NotThere => "killed".to_owned(),
    })
}

/// What became of a session.
pub(super) enum Search {
    /// tmux's number of it.
    Found(u32),
    NotThere,
    NoServer,
}

/// Looks for a session by the options that it was given: a person may have renamed it, and after
/// a crash another session may have its number.
pub(super) fn find(socket: &str, gateway_id: &str, session_id: u32) -> Result<Search, Failure> {
    let Some(list) = list_sessions(socket)? else { return Ok(Search::NoServer) };
    let mut ours = list.lines().filter_map(|line| Found::read(line, gateway_id));
    let found = ours.find(|found| found.session_id == session_id);
    Ok(found.map_or(Search::NotThere, |found| Search::Found(found.place.session)))
}

/// The lines of `list-sessions`; `None` when there is no server. Another failure says nothing of the
/// sessions: whoever asked has to ask again.
fn list_sessions(socket: &str) -> Result<Option<String>, Failure> {
    let output = run(tmux(socket).args(["list-sessions", "-F", LIST_FORMAT]))?;
    if output.status.success() {
        return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if is_no_server(&said) {
        return Ok(None);
    }
    let message = format!("tmux list-sessions: {}", said.trim());
    Err(Failure::new(codes::TIMED_OUT, message))
}

/// What tmux's client prints when nobody serves its socket, or the server ends meanwhile.
fn is_no_server(said: &str) -> bool {
    let none = ["no server running", "no sessions", "server exited", "lost server"];
    let unreachable = said.contains("error connecting") && !said.contains("Permission denied");
    unreachable || none.iter().any(|words| said.contains(words))
}

fn run(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| {
        let message = format!("cannot start tmux: {error}; install tmux 3.2 or later");
        Failure::new(codes::TMUX_FAILED, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_absent_server_means_that_there_are_no_sessions() {
        for said in [
            "no server running on /tmp/tmux-0/chatcode",
            "error connecting to /tmp/tmux-0/chatcode (No such file or directory)",
            "error connecting to /tmp/tmux-0/chatcode (Connection refused)",
            "server exited unexpectedly",
        ] {
            assert!(is_no_server(said), "{said}");
        }
        for said in ["", "fork failed", "error connecting to /tmp/x (Permission denied)"] {
            assert!(!is_no_server(said), "{said}");
        }
    }
}
