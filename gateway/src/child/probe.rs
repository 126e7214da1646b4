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
    let list = run(tmux(socket).args(["list-sessions", "-F", LIST_FORMAT]))?;
    // Without a server the list is an error and there are no sessions.
    Ok(format!("{version}\n{}", String::from_utf8_lossy(&list.stdout)))
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
    let output = run(tmux(socket).args(["list-sessions", "-F", LIST_FORMAT]))?;
    if !output.status.success() {
        return Ok(Search::NoServer);
    }
    let list = String::from_utf8_lossy(&output.stdout);
    let mut ours = list.lines().filter_map(|line| Found::read(line, gateway_id));
    let found = ours.find(|found| found.session_id == session_id);
    Ok(found.map_or(Search::NotThere, |found| Search::Found(found.place.session)))
}

fn run(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| {
        let message = format!("cannot start tmux: {error}; install tmux 3.2 or later");
        Failure::new(codes::TMUX_FAILED, message)
    })
}
