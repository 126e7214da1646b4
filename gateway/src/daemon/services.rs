//! Commands that a child carries out from their own text. It prints events as it goes, each a line
//! `event JSON`, and at its end that it succeeded or why it did not.

use super::{Daemon, Effect, Job};
use crate::limits::{CHILD_MS, INSTALL_MS, MAX_SERVICES, Ms, VERSION_FIRST_MS};
use crate::session::ack;
use protocol::commands::Command;
use protocol::envelope::codes;

/// Which child does it, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its hidden subcommand.
    pub child: &'static str,
    /// Milliseconds after which it is killed.
    pub deadline: Ms,
}

/// A command at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who does it.
    pub service: Service,
    /// Whose answer it is.
    pub request_id: String,
    /// The connection that asked: commands die with theirs.
    pub connection: u64,
    /// The agent that is installed by it. This takes longer than an ack may, so it was acked when it
    /// was accepted.
    pub installs: Option<String>,
    /// The command's text.
    pub text: Vec<u8>,
}

impl Service {
    /// Who carries out `command`, if a child does.
    fn of(command: &Command) -> Option<Self> {
        let quick = |child| Self { child, deadline: CHILD_MS };
        Some(match command {
            Command::SshAuthorize(_) | Command::SshRevoke(_) | Command::SshList(_) => {
                quick("_ssh_keys")
            }
            Command::AgentsList(_) => quick("_agents"),
            Command::AgentsInstall(_) => {
                // The child keeps to the time by itself, and then starts what it installed.
                let deadline = INSTALL_MS + VERSION_FIRST_MS + CHILD_MS;
                Self { child: "_install", deadline }
            }
            Command::WorkspaceList(_) => quick("_folders"),
            _ => return None,
        })
    }
}

impl Daemon {
    /// Starts the child of a command; gives back whether there is one.
    pub(super) fn serve(&mut self, request_id: &str, command: &Command, text: &str) -> bool {
        let Some(service) = Service::of(command) else { return false };
        if self.services >= MAX_SERVICES {
            let message = format!("{MAX_SERVICES} commands like this are at work; try again soon");
            self.fail(request_id, codes::BUSY, &message);
            return true;
        }
        let installs = match command {
            Command::AgentsInstall(install) => {
                if let Err((code, message)) = self.begin_install(install) {
                    self.fail(request_id, code, &message);
                    return true;
                }
                self.send(ack(request_id));
                Some(install.agent.clone())
            }
            _ => None,
        };
        self.services += 1;
        let request = Request {
            service,
            request_id: request_id.to_owned(),
            connection: self.connection,
            installs,
            text: text.as_bytes().to_vec(),
        };
        self.effects.push(Effect::Start(Job::Service(request)));
        true
    }

    /// A child at work has something to tell.
    pub fn on_job_event(&mut self, job: &Job, event: &str) {
        if let Job::Service(request) = job
            && self.is_asked(request)
        {
            self.send(event.to_owned());
        }
    }

    /// The child of a command has ended.
    pub(super) fn served(&mut self, request: &Request, answer: Result<&str, (String, String)>) {
        self.services = self.services.saturating_sub(1);
        if let Some(agent) = request.installs.clone() {
            return self.end_install(agent, request, answer);
        }
        if !self.is_asked(request) {
            return;
        }
        match answer {
            Ok(_) => self.send(ack(&request.request_id)),
            Err((code, message)) => self.fail(&request.request_id, &code, &message),
        }
    }

    /// Whether who asked is still there.
    pub(super) fn is_asked(&self, request: &Request) -> bool {
        self.linked && request.connection == self.connection
    }
}
