//! Statements about gateways: their tokens and what they report of themselves.

use super::{Db, number, text};
use crate::auth::token::Hashes;
use crate::limits::ACTIVITY_STEP_MS;
use miniserde::Deserialize;
use wasm_bindgen::JsValue;
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
        max_sessions: Option<u32>,
        now: u64,
    ) -> Result<()> {
        let sql = "UPDATE gateways SET connected = 1, version = ?2, hostname = ?3, \
                   system_info = ?4, max_sessions = ?5, last_seen_at = ?6 WHERE gateway_id = ?1";
        let (version, hostname, info) = (text(version), text(hostname), text(system_info));
        let most = max_sessions.map_or(JsValue::NULL, JsValue::from);
        self.run(sql, &[text(gateway_id), version, hostname, info, most, number(now)]).await
    }

    /// The gateway reported its health, as JSON, and when each session was last active. Sessions
    /// where that has not moved by [`ACTIVITY_STEP_MS`] cost no write.
    pub async fn set_health(
        &self,
        gateway_id: &str,
        health: &str,
        activity: &[(u32, u64)],
        now: u64,
    ) -> Result<()> {
        let last = activity.iter().map(|(_, at)| *at).max().unwrap_or(0);
        let gateway = self
            .0
            .prepare(
                "UPDATE gateways SET health = ?2, last_seen_at = ?3, last_activity_at = \
                 NULLIF(MAX(COALESCE(last_activity_at, 0), ?4), 0) WHERE gateway_id = ?1",
            )
            .bind(&[text(gateway_id), text(health), number(now), number(last)])?;
        let mut statements = vec![gateway];
        if !activity.is_empty() {
            let activity = text(&serde_json::json!(activity).to_string());
            let sessions = self.0.prepare(
                "UPDATE sessions SET last_activity_at = new.at \
                 FROM (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(?2)) AS new \
                 WHERE gateway_id = ?1 AND session_id = new.id \
                 AND new.at >= COALESCE(last_activity_at, 0) + ?3",
            );
            let values = [text(gateway_id), activity, number(ACTIVITY_STEP_MS)];
            statements.push(sessions.bind(&values)?);
        }
        self.0.batch(statements).await.map(|_| ())
    }

    /// The gateway's connection is gone.
    pub async fn set_offline(&self, gateway_id: &str, now: u64) -> Result<()> {
        let sql = "UPDATE gateways SET connected = 0, last_seen_at = ?2 WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id), number(now)]).await
    }
}
