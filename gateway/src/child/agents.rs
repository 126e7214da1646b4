//! Lists the agents: which are installed here, and in which version.

use super::{Failure, tell};
use crate::agents::{NAMES, look_up};
use crate::limits::VERSION_MS;
use protocol::commands::{Agent, Incoming, decode};
use protocol::envelope::codes;
use protocol::events::{AgentState, AgentsStatus, Event};
use std::time::Duration;

/// Request: the command. Tells `agents.status`.
pub fn run(request: &str) -> Result<String, Failure> {
    let Incoming::Command { request_id, .. } = decode(request) else {
        return Err(Failure::new(codes::INVALID_PAYLOAD, "agents.list: not a command"));
    };
    let program = |name: &str| Agent::from_name(name).and_then(Agent::program).unwrap_or_default();
    let found = look_up(&NAMES.map(program), Duration::from_millis(VERSION_MS));
    let state = |(name, presence): (&str, crate::agents::Presence)| AgentState {
        agent: name.to_owned(),
        installed: presence.installed,
        version: presence.version,
    };
    let agents = NAMES.into_iter().zip(found).map(state).collect();
    tell(&Event::from(AgentsStatus { agents }).to_json(request_id.as_deref()));
    Ok(String::new())
}
