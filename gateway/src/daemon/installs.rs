//! Installations of agents. They outlive the connection that asked: how one ended is kept until
//! somebody hears it.

use super::Daemon;
use super::services::Request;
use crate::small_map::SmallMap;
use protocol::commands::{Agent, AgentsInstall};
use protocol::envelope::codes;
use protocol::events::{AgentInstallFailed, AgentInstalled, Event};

/// What is being installed, and what ended while nobody listened: the last outcome of each agent.
#[derive(Debug, Default)]
pub(super) struct Installs {
    running: Vec<String>,
    untold: SmallMap<String, Event>,
}

impl Daemon {
    /// Whether an agent may be installed now. It counts as under way from here on.
    pub(super) fn begin_install(
        &mut self,
        install: &AgentsInstall,
    ) -> Result<(), (&'static str, String)> {
        let agent = &install.agent;
        if Agent::from_name(agent).and_then(Agent::program).is_none() {
            let message = "agent must be claude-code, codex, gemini or opencode".to_owned();
            return Err((codes::UNKNOWN_AGENT, message));
        }
        if self.installs.running.contains(agent) {
            return Err((codes::BUSY, format!("{agent} is being installed already")));
        }
        self.installs.running.push(agent.clone());
        Ok(())
    }

    /// The child of an installation has ended, or was killed.
    pub(super) fn end_install(
        &mut self,
        agent: String,
        request: &Request,
        answer: Result<&str, (String, String)>,
    ) {
        self.installs.running.retain(|other| *other != agent);
        let outcome = answer.map_err(|(_, message)| message).and_then(|answer| {
            let failed = || answer.strip_prefix("failed ").unwrap_or(answer).to_owned();
            answer.strip_prefix("installed").map(str::trim).ok_or_else(failed)
        });
        let event = match outcome {
            Ok(version) => {
                crate::log!(Info, "installed an agent", agent = agent, version = version);
                let version = Some(version).filter(|version| !version.is_empty());
                let version = version.map(str::to_owned);
                Event::from(AgentInstalled { agent: agent.clone(), version })
            }
            Err(message) => {
                let why = message.lines().next_back().unwrap_or_default();
                crate::log!(Warn, "an agent could not be installed", agent = agent, why = why);
                Event::from(AgentInstallFailed { agent: agent.clone(), message })
            }
        };
        if !self.linked {
            self.installs.untold.insert(agent, event);
            return;
        }
        // On another connection nobody knows the request.
        let request_id = self.is_asked(request).then_some(&*request.request_id);
        self.send(event.to_json(request_id));
    }

    /// After hello: what ended meanwhile.
    pub(super) fn tell_installs(&mut self) {
        for event in std::mem::take(&mut self.installs.untold).into_values() {
            self.send(event.to_json(None));
        }
    }
}
