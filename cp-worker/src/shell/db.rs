//! Every statement that the control plane sends to D1.

use crate::auth::token::Hashes;
use serde::{Deserialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use worker::{D1Database, Env, Result};

/// Columns of a server as its owner sees it.
const SERVER: &str = "gateway_id, name, connected, hostname, version, system_info, health, \
                      last_seen_at, created_at";

/// Columns of a session as its owner sees it.
const SESSION: &str = "session_id, name, workdir, agent, status, reason, exit_code, created_at, ended_at, \
     attention_at, attention_reason, attention_title";

/// The database.
pub struct Db(D1Database);

/// A user.
#[derive(Deserialize)]
pub struct UserRow {
    /// Random.
    pub user_id: String,
    /// Where sign-in links go.
    pub email: String,
}

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
    pub last_seen_at: Option<f64>,
    pub created_at: f64,
}

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
    pub attention_at: Option<f64>,
    pub attention_reason: Option<String>,
    pub attention_title: Option<String>,
}

fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}

/// Integers travel as doubles, exact up to 2⁵³; the column makes integers of them again.
fn number(value: impl TryInto<u64>) -> JsValue {
    JsValue::from_f64(value.try_into().map_or(0.0, |value| value as f64))
}

fn optional(value: Option<i32>) -> JsValue {
    value.map_or(JsValue::NULL, JsValue::from)
}

fn list(ids: &[u32]) -> JsValue {
    text(&serde_json::json!(ids).to_string())
}

impl Db {
    /// The database of this deployment.
    pub fn new(env: &Env) -> Result<Self> {
        Ok(Self(env.d1("DB")?))
    }

    async fn run(&self, sql: &str, values: &[JsValue]) -> Result<()> {
        self.0.prepare(sql).bind(values)?.run().await.map(|_| ())
    }

    async fn first<T: DeserializeOwned>(&self, sql: &str, values: &[JsValue]) -> Result<Option<T>> {
        self.0.prepare(sql).bind(values)?.first(None).await
    }

    async fn all<T: DeserializeOwned>(&self, sql: &str, values: &[JsValue]) -> Result<Vec<T>> {
        self.0.prepare(sql).bind(values)?.all().await?.results()
    }

    // People

    /// The user behind an address, made when there is none.
    pub async fn sign_in(&self, email: &str, new_user_id: &str, now: u64) -> Result<UserRow> {
        let find = "SELECT user_id, email FROM email_identities WHERE email = ?1";
        if let Some(user) = self.first(find, &[text(email)]).await? {
            return Ok(user);
        }
        // Of two requests at once one finds the other's identity; its own user is then unused.
        let user = self
            .0
            .prepare("INSERT INTO users (user_id, created_at) VALUES (?1, ?2)")
            .bind(&[text(new_user_id), number(now)])?;
        let identity = self
            .0
            .prepare(
                "INSERT OR IGNORE INTO email_identities (email, user_id, created_at) \
                 VALUES (?1, ?2, ?3)",
            )
            .bind(&[text(email), text(new_user_id), number(now)])?;
        self.0.batch(vec![user, identity]).await?;
        let found = self.first(find, &[text(email)]).await?;
        found.ok_or_else(|| worker::Error::RustError("the new user is not there".into()))
    }

    /// A signed-in user, unless it was deleted.
    pub async fn user(&self, user_id: &str) -> Result<Option<UserRow>> {
        let sql = "SELECT user_id, email FROM email_identities WHERE user_id = ?1 \
                   ORDER BY created_at LIMIT 1";
        self.first(sql, &[text(user_id)]).await
    }

    // Servers

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

    /// Deletes a server with its sessions and keys.
    pub async fn delete_server(&self, gateway_id: &str) -> Result<()> {
        self.run("DELETE FROM gateways WHERE gateway_id = ?1", &[text(gateway_id)]).await
    }

    // Gateways

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

    // Sessions

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

    /// Takes the next free id for a session that is to be started.
    pub async fn add_session(
        &self,
        gateway_id: &str,
        session: &crate::requests::NewSession,
        now: u64,
    ) -> Result<u32> {
        #[derive(Deserialize)]
        struct Row {
            session_id: u32,
        }
        // One statement, so that two requests never take the same id.
        let sql = "INSERT INTO sessions \
                   (gateway_id, session_id, name, workdir, agent, status, created_at) \
                   SELECT ?1, COALESCE(MAX(session_id), 0) + 1, ?2, ?3, ?4, 'starting', ?5 \
                   FROM sessions WHERE gateway_id = ?1 RETURNING session_id";
        let (name, workdir) = (text(&session.name), text(&session.workdir));
        let values = [text(gateway_id), name, workdir, text(&session.agent), number(now)];
        let row: Option<Row> = self.first(sql, &values).await?;
        let row = row.ok_or_else(|| worker::Error::RustError("no session id".into()))?;
        Ok(row.session_id)
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
