//! What a server's gateway does for its owner: folders, keys, agents, updates.

use super::Asker;
use crate::hub::CallError;
use crate::limits::SUPPORT_KEY_SECONDS;
use crate::requests::{NewKey, Update, fingerprint};
use crate::shell::config;
use crate::shell::now;
use crate::shell::respond::{Failure, Outcome, json, nothing};
use protocol::commands::{
    AgentsInstall, AgentsList, Command, GatewayUpdate, SshAuthorize, SshList, SshRevoke,
    WorkspaceList,
};
use protocol::events::{AgentState, Event, SshKey};
use serde_json::{Value, json};

/// What the deployment's key is called on people's servers.
const SUPPORT_LABEL: &str = "support";

impl Asker<'_> {
    pub(super) async fn folders(&self, gateway_id: &str) -> Outcome {
        match self.ask(gateway_id, WorkspaceList {}.into()).await? {
            Some(Event::WorkspaceFolders(list)) => json(200, &json!({ "folders": list.folders })),
            _ => Err(CallError::no_answer().into()),
        }
    }

    pub(super) async fn list_keys(&self, gateway_id: &str) -> Outcome {
        self.keys(gateway_id, 200).await
    }

    pub(super) async fn add_key(&self, gateway_id: &str, new: NewKey) -> Outcome {
        let NewKey { public_key, label, expires_at } = new.check().map_err(Failure::invalid)?;
        let command = SshAuthorize { public_key, label, expires_at };
        self.ask(gateway_id, command.into()).await?;
        self.keys(gateway_id, 201).await
    }

    pub(super) async fn add_support_key(&self, gateway_id: &str) -> Outcome {
        // Whose server it is comes first: strangers learn nothing of the deployment.
        self.server(gateway_id).await?;
        let public_key = config::support_public_key(self.env).ok_or_else(|| {
            Failure::new("no_support_key", "this deployment has nobody who could help by SSH")
        })?;
        let expires_at = Some(now() / 1_000 + SUPPORT_KEY_SECONDS);
        let command = SshAuthorize { public_key, label: SUPPORT_LABEL.to_owned(), expires_at };
        self.ask(gateway_id, command.into()).await?;
        self.keys(gateway_id, 201).await
    }

    pub(super) async fn remove_key(&self, gateway_id: &str, query: &str) -> Outcome {
        let fingerprint = fingerprint(query).map_err(Failure::invalid)?;
        self.ask(gateway_id, SshRevoke { fingerprint }.into()).await?;
        nothing()
    }

    async fn keys(&self, gateway_id: &str, status: u16) -> Outcome {
        match self.ask(gateway_id, SshList {}.into()).await? {
            Some(Event::SshKeys(list)) => {
                let keys: Vec<Value> = list.keys.iter().map(key_json).collect();
                json(status, &json!({ "keys": keys }))
            }
            _ => Err(CallError::no_answer().into()),
        }
    }

    pub(super) async fn list_agents(&self, gateway_id: &str) -> Outcome {
        match self.ask(gateway_id, AgentsList {}.into()).await? {
            Some(Event::AgentsStatus(list)) => {
                let agents: Vec<Value> = list.agents.iter().map(agent_json).collect();
                json(200, &json!({ "agents": agents }))
            }
            _ => Err(CallError::no_answer().into()),
        }
    }

    pub(super) async fn install_agent(&self, gateway_id: &str, agent: String) -> Outcome {
        self.ask(gateway_id, AgentsInstall { agent }.into()).await?;
        json(202, &json!({}))
    }

    pub(super) async fn update(&self, gateway_id: &str, update: Update) -> Outcome {
        let Update { manifest, signature } = update.check().map_err(Failure::invalid)?;
        self.ask(gateway_id, GatewayUpdate { manifest, signature }.into()).await?;
        json(202, &json!({}))
    }

    /// Sends a command to a server of the asker's; the event that it asked for, if any came.
    async fn ask(&self, gateway_id: &str, command: Command) -> Result<Option<Event>, Failure> {
        self.server(gateway_id).await?;
        Ok(self.hub(gateway_id)?.call(command).await?)
    }
}

fn key_json(key: &SshKey) -> Value {
    json!({
        "fingerprint": key.fingerprint, "label": key.label, "expires_at": key.expires_at,
    })
}

fn agent_json(agent: &AgentState) -> Value {
    json!({ "agent": agent.agent, "installed": agent.installed, "version": agent.version })
}
