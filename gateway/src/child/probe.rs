//! Asks tmux what there is: its version and sessions at the start, one session when it fell silent.

use super::{Failure, argument, exit_code};
use crate::tmux::server::{LIST_FORMAT, session_name, tmux};
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

/// Arguments: socket, session, exit file. Answer: `alive`, `exited CODE`, `killed`, or `gone`
/// when there is no server.
pub fn probe(arguments: &[String]) -> Result<String, Failure> {
    let session_id: u32 = argument(arguments, 1)?.parse().unwrap_or(0);
    if let Some(code) = exit_code(Path::new(argument(arguments, 2)?)) {
        return Ok(format!("exited {code}"));
    }
    let target = format!("={}", session_name(session_id));
    let output = run(tmux(argument(arguments, 0)?).args(["has-session", "-t", &target]))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let answer = if output.status.success() {
        "alive"
    } else if said.contains("no server") || said.contains("error connecting") {
        // A crash, or the last session ended and its server with it: the client knows which.
        "gone"
    } else {
        "killed"
    };
    Ok(answer.to_owned())
}

fn run(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| {
        let message = format!("cannot start tmux: {error}; install tmux 3.2 or later");
        Failure::new(codes::TMUX_FAILED, message)
    })
}
