//! Installs an agent: runs its script, tells how it goes on, and starts the agent to be sure.

use super::{Failure, tell};
use crate::agents::text::Lines;
use crate::agents::{INSTALLER, Process, in_login_shell, look_up, patiently, source};
use crate::limits::{INSTALL_MS, INSTALL_PROGRESS_MS, INSTALL_QUIET_MS, Ms, VERSION_FIRST_MS};
use protocol::commands::{Agent, Command, Incoming, decode};
use protocol::envelope::codes;
use protocol::events::{AgentInstallProgress, Event};
use std::time::{Duration, Instant};

/// Arguments: state folder, workspace, and in tests the milliseconds for the whole and for silence.
/// Request: the command. Tells `agent.install_progress`. Answer: `installed VERSION`, or `failed`
/// with the installer's last lines.
pub fn run(arguments: &[String], request: &str) -> Result<String, Failure> {
    let Incoming::Command { command: Command::AgentsInstall(install), request_id } =
        decode(request)
    else {
        return Err(Failure::new(codes::INVALID_PAYLOAD, "agents.install: not a command"));
    };
    let agent = Agent::from_name(&install.agent);
    let Some((program, (package, node))) =
        agent.and_then(|agent| Some((agent.program()?, source(agent)?)))
    else {
        return Err(Failure::new(codes::UNKNOWN_AGENT, "agents.install: no agent of that name"));
    };
    let limit = |index: usize, default: Ms| {
        let given = arguments.get(index).and_then(|text| text.parse().ok());
        Duration::from_millis(given.unwrap_or(default))
    };
    let node = node.to_string();
    let words = [INSTALLER, "chatcode-install", &install.agent, program, package, &node];
    let script = "exec /bin/sh -c \"$@\"";
    let told = |line: &str| {
        let progress =
            AgentInstallProgress { agent: install.agent.clone(), message: line.to_owned() };
        tell(&Event::from(progress).to_json(request_id.as_deref()));
    };
    let (whole, quiet) = (limit(2, INSTALL_MS), limit(3, INSTALL_QUIET_MS));
    let outcome = watch(&in_login_shell(script, &words), whole, quiet, told);
    Ok(match outcome.and_then(|()| started(program)) {
        Ok(version) => format!("installed {version}"),
        Err(lines) => format!("failed {lines}"),
    })
}

/// Runs the script to its end, and tells its last line once a second while there are new ones.
fn watch(
    words: &[String],
    whole: Duration,
    quiet: Duration,
    tell: impl Fn(&str),
) -> Result<(), String> {
    let mut lines = Lines::default();
    let mut process = Process::start(words, true)
        .map_err(|error| format!("cannot start the user's shell: {error}"))?;
    let (mut heard, mut told) = (Instant::now(), None::<Instant>);
    let mut last = String::new();
    let in_time = patiently(heard + whole, || {
        let ended = process.has_ended();
        process.read(|bytes| {
            lines.take(bytes);
            heard = Instant::now();
        });
        let due = told.is_none_or(|at| at.elapsed() >= Duration::from_millis(INSTALL_PROGRESS_MS));
        if let Some(line) = lines.last().filter(|line| due && *line != last) {
            line.clone_into(&mut last);
            tell(line);
            told = Some(Instant::now());
        }
        ended || heard.elapsed() >= quiet
    });
    if process.has_succeeded() {
        return Ok(());
    }
    let why = match (in_time, process.has_ended()) {
        (true, true) => None,
        (true, false) => Some(format!("stopped: it said nothing for {} s", quiet.as_secs())),
        _ => Some(format!("stopped: it took more than {} s", whole.as_secs())),
    };
    process.stop();
    Err(lines.tail(why.as_deref()))
}

/// The version of what a session would start now.
fn started(program: &str) -> Result<String, String> {
    let presence = look_up(&[program], Duration::from_millis(VERSION_FIRST_MS)).pop();
    match presence {
        Some(presence) if presence.installed => Ok(presence.version.unwrap_or_default()),
        _ => Err(format!("{program} was installed, but a login shell does not find it")),
    }
}
