//! Servers: the list, adding, deleting, watching.

use super::cloud::with_droplet;
use super::{Asker, millis, no_such_address, require_upgrade};
use crate::auth::mode::Mode;
use crate::auth::token;
use crate::limits::{BOOTSTRAP_MS, IDLE_MS, MAX_SERVERS};
use crate::requests::Name;
use crate::shell::db::ServerRow;
use crate::shell::respond::{Failure, Outcome, json, nothing};
use crate::shell::{now, random, random_id};
use serde_json::{Value, json};
use worker::Request;

/// A token for one enrolment.
struct Bootstrap {
    token: String,
    hash: String,
    expires_at: u64,
}

impl Asker<'_> {
    pub(super) async fn list_servers(&self) -> Outcome {
        let servers = self.db.servers(&self.user.user_id).await?;
        let droplets = self.db.droplets(&self.user.user_id).await?;
        let servers: Vec<Value> = servers
            .iter()
            .map(|row| {
                let droplet = droplets.iter().find(|one| one.text("gateway_id") == row.gateway_id);
                with_droplet(server_json(row), droplet)
            })
            .collect();
        json(200, &json!({ "servers": servers }))
    }

    pub(super) async fn create_server(&self, new: Name) -> Outcome {
        let name = new.check().map_err(Failure::invalid)?;
        let user_id = &self.user.user_id;
        if self.db.servers(user_id).await?.len() >= MAX_SERVERS as usize {
            return Err(Failure::new("server_limit", "50 servers are the limit"));
        }
        let gateway_id = random_id::<10>("gw_")?;
        let Bootstrap { token, hash, expires_at } = self.new_bootstrap()?;
        self.db.add_server(user_id, &gateway_id, &name, &hash, expires_at, now()).await?;
        self.with_bootstrap(&gateway_id, &token, expires_at).await
    }

    pub(super) async fn rename_server(&self, gateway_id: &str, new: Name) -> Outcome {
        let name = new.check().map_err(Failure::invalid)?;
        self.server(gateway_id).await?;
        self.db.rename_server(gateway_id, &name).await?;
        json(200, &json!({ "server": self.server_with_droplet(gateway_id).await? }))
    }

    /// Gives a server another bootstrap token; the last one is void.
    pub(super) async fn bootstrap(&self, gateway_id: &str) -> Outcome {
        self.server(gateway_id).await?;
        let Bootstrap { token, hash, expires_at } = self.new_bootstrap()?;
        self.db.set_bootstrap(gateway_id, &hash, expires_at).await?;
        self.with_bootstrap(gateway_id, &token, expires_at).await
    }

    fn new_bootstrap(&self) -> Result<Bootstrap, Failure> {
        let token = token::encode(&random()?);
        let hash = token::hash(&self.config.token_secret, &token)
            .ok_or_else(|| Failure::new("misconfigured", "TOKEN_SECRET cannot hash"))?;
        Ok(Bootstrap { token, hash, expires_at: now() + BOOTSTRAP_MS })
    }

    async fn with_bootstrap(&self, gateway_id: &str, token: &str, expires_at: u64) -> Outcome {
        let server = self.server_with_droplet(gateway_id).await?;
        let body = json!({
            "server": server, "bootstrap_token": token, "expires_at": expires_at,
        });
        json(201, &body)
    }

    pub(super) async fn delete_server(&self, gateway_id: &str) -> Outcome {
        self.server(gateway_id).await?;
        if self.db.droplet(gateway_id).await?.is_some() {
            let message = "this server is a droplet, which costs money until it is destroyed";
            return Err(Failure::new("droplets_exist", message));
        }
        // The row first: a gateway that is thrown out must not find its way back.
        self.db.delete_server(gateway_id).await?;
        self.hub(gateway_id)?.tell("/revoke", "").await?;
        nothing()
    }

    pub(super) async fn watch(&self, request: &Request, gateway_id: &str) -> Outcome {
        require_upgrade(request)?;
        self.server(gateway_id).await?;
        let operation = format!("/watch?{}", self.user.sign_in_id);
        self.hub(gateway_id)?.open_socket(&operation).await
    }

    /// What the hub of a server of the asker's answers to a question.
    pub(super) async fn hub_says(&self, gateway_id: &str, question: &str) -> Outcome {
        self.server(gateway_id).await?;
        let answer: Value = self.hub(gateway_id)?.tell(question, "").await?.json().await?;
        json(200, &answer)
    }

    pub(super) async fn hub_instance(&self, gateway_id: &str) -> Outcome {
        if self.config.mode != Mode::Dev {
            return Err(no_such_address());
        }
        self.hub_says(gateway_id, "/instance").await
    }
}

pub(super) fn server_json(row: &ServerRow) -> Value {
    let embedded = |text: &Option<String>| -> Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
    };
    let status = match (row.connected, row.version.is_some()) {
        (1, _) => "online",
        (_, true) => "offline",
        (_, false) => "pending",
    };
    json!({
        "gateway_id": row.gateway_id,
        "name": row.name,
        "status": status,
        "hostname": row.hostname,
        "version": row.version,
        "system_info": embedded(&row.system_info),
        "health": embedded(&row.health),
        "max_sessions": row.max_sessions,
        "last_seen_at": row.last_seen_at.map(millis),
        "created_at": millis(row.created_at),
        "bootstrap_expires_at": row.bootstrap_expires_at.map(millis).filter(|at| *at > now()),
        "idle_since": idle_since(row, now()),
    })
}

/// The last activity of a connected server where that was long ago.
fn idle_since(row: &ServerRow, now: u64) -> Option<u64> {
    let active_at = millis(row.last_activity_at.unwrap_or(0.0).max(row.created_at));
    (row.connected == 1 && now.saturating_sub(active_at) > IDLE_MS).then_some(active_at)
}
