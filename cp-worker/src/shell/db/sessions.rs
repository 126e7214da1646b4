//! Statements about sessions.

use super::{Db, list, number, optional, text};
use crate::limits::{DEFAULT_SESSIONS, KEPT_ENDED};
use miniserde::Deserialize;
use wasm_bindgen::JsValue;
use worker::Result;

/// Columns of a session as its owner sees it.
const SESSION: &str = "session_id, name, workdir, agent, status, reason, exit_code, created_at, ended_at, \
     last_activity_at, attention_at, attention_reason, attention_title";

/// A session.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct SessionRow {
    pub session_id: u32,
    pub name: String,
    pub workdir: String,
    pub agent: String,
    pub status: String,
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    pub created_at: f64,
    pub ended_at: Option<f64>,
    pub last_activity_at: Option<f64>,
    pub attention_at: Option<f64>,
    pub attention_reason: Option<String>,
    pub attention_title: Option<String>,
}

impl Db {
    /// The sessions of a server, also ended ones.
    pub async fn sessions(&self, gateway_id: &str) -> Result<Vec<SessionRow>> {
        let sql = format!(
            "SELECT {SESSION} FROM sessions WHERE gateway_id = ?1 AND status != 'starting' \
             ORDER BY session_id"
        );
        self.all(&sql, &[text(gateway_id)]).await
    }

    /// One session.
    pub async fn session(&self, gateway_id: &str, session_id: u32) -> Result<Option<SessionRow>> {
        let sql = format!(
            "SELECT {SESSION} FROM sessions WHERE gateway_id = ?1 AND session_id = ?2 \
             AND status != 'starting'"
        );
        self.first(&sql, &[text(gateway_id), number(session_id)]).await
    }

    /// Takes the next free id for a session that is to be started; none when as many run as the
    /// gateway allows. What ended long ago is forgotten.
    pub async fn add_session(
        &self,
        gateway_id: &str,
        session: &crate::requests::NewSession,
        now: u64,
    ) -> Result<Option<u32>> {
        #[derive(Deserialize)]
        struct Row {
            session_id: u32,
        }
        // One statement, so that two requests never take the same id.
        let sql = "INSERT INTO sessions \
                   (gateway_id, session_id, name, workdir, agent, status, created_at) \
                   SELECT ?1, COALESCE(MAX(session_id), 0) + 1, ?2, ?3, ?4, 'starting', ?5 \
                   FROM sessions WHERE gateway_id = ?1 \
                   HAVING COUNT(*) FILTER (WHERE status = 'running') < COALESCE( \
                     (SELECT max_sessions FROM gateways WHERE gateway_id = ?1), ?6) \
                   RETURNING session_id";
        let (name, workdir) = (text(&session.name), text(&session.workdir));
        let (agent, most) = (text(&session.agent), number(DEFAULT_SESSIONS));
        let values = [text(gateway_id), name, workdir, agent, number(now), most];
        let row: Option<Row> = self.first(sql, &values).await?;
        if row.is_some() {
            self.forget_old(gateway_id).await?;
        }
        Ok(row.map(|row| row.session_id))
    }

    /// Forgets the oldest ended sessions beyond [`KEPT_ENDED`]. Ids are not given again: the newest
    /// session stays.
    async fn forget_old(&self, gateway_id: &str) -> Result<()> {
        let sql = "DELETE FROM sessions WHERE gateway_id = ?1 AND session_id IN \
                   (SELECT session_id FROM sessions WHERE gateway_id = ?1 AND status = 'ended' \
                   ORDER BY session_id DESC LIMIT -1 OFFSET ?2)";
        self.run(sql, &[text(gateway_id), number(KEPT_ENDED)]).await
    }

    /// Forgets a session that the gateway refused to start.
    pub async fn drop_starting(&self, gateway_id: &str, session_id: u32) -> Result<()> {
        let sql = "DELETE FROM sessions \
                   WHERE gateway_id = ?1 AND session_id = ?2 AND status = 'starting'";
        self.run(sql, &[text(gateway_id), number(session_id)]).await
    }

    /// Renames a session; whether it is there.
    pub async fn rename(&self, gateway_id: &str, session_id: u32, name: &str) -> Result<()> {
        let sql = "UPDATE sessions SET name = ?3 WHERE gateway_id = ?1 AND session_id = ?2";
        self.run(sql, &[text(gateway_id), number(session_id), text(name)]).await
    }

    /// The session runs.
    pub async fn set_running(&self, gateway_id: &str, session_id: u32) -> Result<()> {
        let sql = "UPDATE sessions SET status = 'running' \
                   WHERE gateway_id = ?1 AND session_id = ?2 AND status = 'starting'";
        self.run(sql, &[text(gateway_id), number(session_id)]).await
    }

    /// The session ended. What the gateway says wins over our guess that it was lost.
    pub async fn set_ended(
        &self,
        gateway_id: &str,
        session_id: u32,
        reason: &str,
        exit_code: Option<i32>,
        signal: Option<i32>,
        now: u64,
    ) -> Result<()> {
        let sql = "UPDATE sessions SET status = 'ended', reason = ?3, exit_code = ?4, \
                   signal = ?5, ended_at = COALESCE(ended_at, ?6) \
                   WHERE gateway_id = ?1 AND session_id = ?2 \
                   AND (status != 'ended' OR reason = 'lost')";
        let known = ["exited", "ended", "killed", "out_of_memory", "lost"];
        let reason = if known.contains(&reason) { reason } else { "exited" };
        let (code, signal) = (optional(exit_code), optional(signal));
        let values =
            [text(gateway_id), number(session_id), text(reason), code, signal, number(now)];
        self.run(sql, &values).await
    }

    /// The session wants a person.
    pub async fn set_attention(
        &self,
        gateway_id: &str,
        session_id: u32,
        reason: &str,
        title: Option<&str>,
        now: u64,
    ) -> Result<()> {
        let sql = "UPDATE sessions SET attention_at = ?5, attention_reason = ?3, \
                   attention_title = ?4 WHERE gateway_id = ?1 AND session_id = ?2";
        let (reason, title) = (text(reason), title.map_or(JsValue::NULL, text));
        let values = [text(gateway_id), number(session_id), reason, title, number(now)];
        self.run(sql, &values).await
    }

    /// A person looks at the session.
    pub async fn clear_attention(&self, gateway_id: &str, session_id: u32) -> Result<()> {
        let sql = "UPDATE sessions SET attention_at = NULL, attention_reason = NULL, \
                   attention_title = NULL WHERE gateway_id = ?1 AND session_id = ?2 \
                   AND attention_at IS NOT NULL";
        self.run(sql, &[text(gateway_id), number(session_id)]).await
    }

    /// The gateway has these sessions: they run, whatever we thought; unknown ones get a row.
    pub async fn adopt_sessions(&self, gateway_id: &str, known: &[u32], now: u64) -> Result<()> {
        if known.is_empty() {
            return Ok(());
        }
        let revive = self
            .0
            .prepare(
                "UPDATE sessions SET status = 'running', reason = NULL, ended_at = NULL \
                 WHERE gateway_id = ?1 AND session_id IN (SELECT value FROM json_each(?2)) \
                 AND (status = 'starting' OR reason = 'lost')",
            )
            .bind(&[text(gateway_id), list(known)])?;
        let adopt = self
            .0
            .prepare(
                "INSERT OR IGNORE INTO sessions \
                 (gateway_id, session_id, name, workdir, agent, status, created_at) \
                 SELECT ?1, value, 'session ' || value, '', 'none', 'running', ?3 \
                 FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM gateways WHERE gateway_id = ?1)",
            )
            .bind(&[text(gateway_id), list(known), number(now)])?;
        self.0.batch(vec![revive, adopt]).await.map(|_| ())
    }

    /// Sessions from before `before` that the gateway neither has nor reported are lost.
    pub async fn set_lost(
        &self,
        gateway_id: &str,
        known: &[u32],
        before: u64,
        now: u64,
    ) -> Result<()> {
        let sql = "UPDATE sessions SET status = 'ended', reason = 'lost', ended_at = ?4 \
                   WHERE gateway_id = ?1 AND status != 'ended' AND created_at < ?3 \
                   AND session_id NOT IN (SELECT value FROM json_each(?2))";
        self.run(sql, &[text(gateway_id), list(known), number(before), number(now)]).await
    }
}
