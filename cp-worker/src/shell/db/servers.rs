//! Statements about servers, as their owners see them.

use super::{Db, number, text};
use miniserde::Deserialize;
use worker::Result;

/// Columns of a server as its owner sees it.
const SERVER: &str = "gateway_id, name, connected, hostname, version, system_info, health, \
                      max_sessions, last_seen_at, created_at, bootstrap_expires_at, last_activity_at";

/// A server.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct ServerRow {
    pub gateway_id: String,
    pub name: String,
    pub connected: u32,
    pub hostname: Option<String>,
    pub version: Option<String>,
    /// JSON.
    pub system_info: Option<String>,
    /// JSON of the last health event.
    pub health: Option<String>,
    pub max_sessions: Option<u32>,
    pub last_seen_at: Option<f64>,
    pub created_at: f64,
    pub bootstrap_expires_at: Option<f64>,
    pub last_activity_at: Option<f64>,
}

impl Db {
    /// The servers of a user.
    pub async fn servers(&self, user_id: &str) -> Result<Vec<ServerRow>> {
        let sql = format!("SELECT {SERVER} FROM gateways WHERE user_id = ?1 ORDER BY created_at");
        self.all(&sql, &[text(user_id)]).await
    }

    /// One server of a user.
    pub async fn server(&self, user_id: &str, gateway_id: &str) -> Result<Option<ServerRow>> {
        let sql = format!("SELECT {SERVER} FROM gateways WHERE user_id = ?1 AND gateway_id = ?2");
        self.first(&sql, &[text(user_id), text(gateway_id)]).await
    }

    /// Adds a server that is to enrol with a bootstrap token.
    pub async fn add_server(
        &self,
        user_id: &str,
        gateway_id: &str,
        name: &str,
        bootstrap_hash: &str,
        bootstrap_expires_at: u64,
        now: u64,
    ) -> Result<()> {
        let sql = "INSERT INTO gateways (gateway_id, user_id, name, bootstrap_hash, \
                   bootstrap_expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (hash, expires_at) = (text(bootstrap_hash), number(bootstrap_expires_at));
        let values = [text(gateway_id), text(user_id), text(name), hash, expires_at, number(now)];
        self.run(sql, &values).await
    }

    /// Gives a server another name.
    pub async fn rename_server(&self, gateway_id: &str, name: &str) -> Result<()> {
        let sql = "UPDATE gateways SET name = ?2 WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id), text(name)]).await
    }

    /// Gives a server another bootstrap token. An enrolment that the last one began is void, too.
    pub async fn set_bootstrap(&self, gateway_id: &str, hash: &str, expires_at: u64) -> Result<()> {
        let sql = "UPDATE gateways SET bootstrap_hash = ?2, bootstrap_expires_at = ?3, \
                   next_auth_hash = NULL WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id), text(hash), number(expires_at)]).await
    }

    /// Deletes a server with its sessions and keys.
    pub async fn delete_server(&self, gateway_id: &str) -> Result<()> {
        self.run("DELETE FROM gateways WHERE gateway_id = ?1", &[text(gateway_id)]).await
    }
}
