//! Statements about gateways: their tokens and what they report of themselves.

use super::{Db, number, text};
use crate::auth::token::Hashes;
use serde::Deserialize;
use worker::Result;

impl Db {
    /// What is kept of a gateway's tokens; `None` for an unknown gateway.
    pub async fn hashes(&self, gateway_id: &str) -> Result<Option<Hashes>> {
        #[derive(Deserialize)]
        struct Row {
            auth_hash: Option<String>,
            next_auth_hash: Option<String>,
            bootstrap_hash: Option<String>,
            bootstrap_expires_at: Option<f64>,
        }
        let sql = "SELECT auth_hash, next_auth_hash, bootstrap_hash, bootstrap_expires_at \
                   FROM gateways WHERE gateway_id = ?1";
        let row: Option<Row> = self.first(sql, &[text(gateway_id)]).await?;
        Ok(row.map(|row| Hashes {
            auth: row.auth_hash,
            next_auth: row.next_auth_hash,
            bootstrap: row.bootstrap_hash,
            bootstrap_expires_at: row.bootstrap_expires_at.unwrap_or(0.0) as u64,
        }))
    }

    /// Keeps the hash of a token that the gateway is about to be sent.
    pub async fn set_next_auth_hash(&self, gateway_id: &str, hash: &str) -> Result<()> {
        let sql = "UPDATE gateways SET next_auth_hash = ?2 WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id), text(hash)]).await
    }

    /// The gateway has its token: the bootstrap token is burnt.
    pub async fn complete_enrolment(&self, gateway_id: &str) -> Result<()> {
        let sql = "UPDATE gateways SET auth_hash = next_auth_hash, next_auth_hash = NULL, \
                   bootstrap_hash = NULL, bootstrap_expires_at = NULL \
                   WHERE gateway_id = ?1 AND next_auth_hash IS NOT NULL";
        self.run(sql, &[text(gateway_id)]).await
    }

    /// The gateway said hello.
    pub async fn greet(
        &self,
        gateway_id: &str,
        version: &str,
        hostname: &str,
        system_info: &str,
        now: u64,
    ) -> Result<()> {
        let sql = "UPDATE gateways SET connected = 1, version = ?2, hostname = ?3, \
                   system_info = ?4, last_seen_at = ?5 WHERE gateway_id = ?1";
        let (version, hostname, info) = (text(version), text(hostname), text(system_info));
        self.run(sql, &[text(gateway_id), version, hostname, info, number(now)]).await
    }

    /// The gateway reported its health, as JSON.
    pub async fn set_health(&self, gateway_id: &str, health: &str, now: u64) -> Result<()> {
        let sql = "UPDATE gateways SET health = ?2, last_seen_at = ?3 WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id), text(health), number(now)]).await
    }

    /// The gateway's connection is gone.
    pub async fn set_offline(&self, gateway_id: &str, now: u64) -> Result<()> {
        let sql = "UPDATE gateways SET connected = 0, last_seen_at = ?2 WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id), number(now)]).await
    }
}
