//! Statements about connected accounts, droplets and idle servers. Rows come as JSON: a type for
//! each would be more code, here and in the Worker.

use super::{Db, number, text};
use crate::cloud::machine::{Droplet, Failure, Status};
use crate::limits::{IDLE_MS, LOOKS_PER_RUN, MAX_DROPLETS, MAX_SERVERS, NOTICES_PER_RUN};
use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::Result;

/// A connected account.
const CONNECTION: &str = "c.connection_id, c.account_uuid, c.account_email, \
     c.access_token_sealed, c.refresh_token_sealed, c.key_version, c.expires_at, c.state, \
     c.generation, c.failures, c.paused_until, c.created_at AS connected_at";

/// A droplet.
const DROPLET: &str = "v.gateway_id, v.name, v.attempt, v.origin, v.droplet_id, v.region, v.size, \
     v.image, v.price_monthly, v.ip_address, v.status, v.remake, v.made_at, v.acted_at, v.forced, \
     v.deadline, v.failure_code, v.failure_message, v.next_look_at, v.tries, v.revision";

/// A row as it was read.
pub struct Row(pub Value);

impl Row {
    /// A column's text; empty when it has none.
    pub fn text(&self, column: &str) -> &str {
        self.0.get(column).and_then(Value::as_str).unwrap_or_default()
    }

    /// A column's number, if it has one.
    pub fn number(&self, column: &str) -> Option<u64> {
        self.0.get(column)?.as_u64()
    }

    /// A column's number; 0 when it has none.
    pub fn count(&self, column: &str) -> u64 {
        self.number(column).unwrap_or_default()
    }

    fn small(&self, column: &str) -> u32 {
        u32::try_from(self.count(column)).unwrap_or(u32::MAX)
    }

    /// The droplet that the row holds.
    pub fn droplet(&self) -> Option<Droplet> {
        let code = self.text("failure_code");
        let failure =
            || Failure { code: code.to_owned(), message: self.text("failure_message").to_owned() };
        Some(Droplet {
            status: Status::from_name(self.text("status"))?,
            droplet_id: self.number("droplet_id"),
            ip_address: self.0.get("ip_address").and_then(Value::as_str).map(str::to_owned),
            attempt: self.small("attempt"),
            remake: self.count("remake") == 1,
            made_at: self.number("made_at"),
            acted_at: self.number("acted_at"),
            forced: self.count("forced") == 1,
            deadline: self.number("deadline"),
            failure: (!code.is_empty()).then(failure),
            next_look_at: self.number("next_look_at"),
            tries: self.small("tries"),
        })
    }
}

/// A new server at DigitalOcean.
#[allow(missing_docs)]
pub struct NewServer<'a> {
    pub user_id: &'a str,
    pub connection_id: &'a str,
    pub gateway_id: &'a str,
    pub name: &'a str,
    pub droplet_name: &'a str,
    pub origin: &'a str,
    pub region: &'a str,
    pub size: &'a str,
    pub image: &'a str,
    pub price_monthly: f64,
}

/// Tokens as they are kept.
#[allow(missing_docs)]
pub struct SealedGrant {
    pub access: String,
    pub refresh: String,
    pub key_version: u32,
    pub expires_at: u64,
}

fn maybe_number(value: Option<u64>) -> JsValue {
    value.map_or(JsValue::NULL, number)
}

fn maybe_text(value: Option<&str>) -> JsValue {
    value.map_or(JsValue::NULL, text)
}

impl Db {
    async fn rows(&self, sql: &str, values: &[JsValue]) -> Result<Vec<Row>> {
        Ok(match serde_json::from_str(&self.statement(sql, values)?.rows().await?) {
            Ok(Value::Array(rows)) => rows.into_iter().map(Row).collect(),
            _ => Vec::new(),
        })
    }

    async fn row(&self, sql: &str, values: &[JsValue]) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// A user's connected account.
    pub async fn connection(&self, user_id: &str) -> Result<Option<Row>> {
        let sql = format!("SELECT {CONNECTION} FROM do_connections c WHERE c.user_id = ?1");
        self.row(&sql, &[text(user_id)]).await
    }

    /// A connected account by its own id.
    pub async fn connection_of_id(&self, connection_id: &str) -> Result<Option<Row>> {
        let sql = format!("SELECT {CONNECTION} FROM do_connections c WHERE c.connection_id = ?1");
        self.row(&sql, &[text(connection_id)]).await
    }

    /// Connects an account, unless the user has one.
    pub async fn add_connection(
        &self,
        connection_id: &str,
        user_id: &str,
        account: (&str, &str),
        grant: &SealedGrant,
        now: u64,
    ) -> Result<bool> {
        let sql = "INSERT INTO do_connections (connection_id, user_id, account_uuid, \
                   account_email, access_token_sealed, refresh_token_sealed, key_version, \
                   expires_at, created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 \
                   WHERE NOT EXISTS (SELECT 1 FROM do_connections WHERE user_id = ?2) \
                   RETURNING 1";
        let values = [
            text(connection_id),
            text(user_id),
            text(account.0),
            text(account.1),
            text(&grant.access),
            text(&grant.refresh),
            number(grant.key_version),
            number(grant.expires_at),
            number(now),
        ];
        self.changed(sql, &values).await
    }

    /// Keeps new tokens, unless others came before. Whoever has them may work again.
    pub async fn set_grant(
        &self,
        connection_id: &str,
        generation: u64,
        grant: &SealedGrant,
        now: u64,
    ) -> Result<bool> {
        let sql = "UPDATE do_connections SET access_token_sealed = ?3, refresh_token_sealed = ?4, \
                   key_version = ?5, expires_at = ?6, generation = generation + 1, \
                   state = 'connected', lease = NULL, lease_until = 0, failures = 0, \
                   paused_until = 0 WHERE connection_id = ?1 AND generation = ?2 \
                   RETURNING 1";
        let (access, refresh) = (text(&grant.access), text(&grant.refresh));
        let (version, expires_at) = (number(grant.key_version), number(grant.expires_at));
        let id = text(connection_id);
        let values = [id.clone(), number(generation), access, refresh, version, expires_at];
        if !self.changed(sql, &values).await? {
            return Ok(false);
        }
        // What waited for access goes on at once.
        let sql = "UPDATE vps SET next_look_at = ?2, tries = 0, revision = revision + 1 \
                   WHERE connection_id = ?1 AND next_look_at > ?2 AND tries > 0";
        self.run(sql, &[id, number(now)]).await?;
        Ok(true)
    }

    /// Gives `lease` the right to use the refresh token of a generation until `until`.
    pub async fn lease(
        &self,
        connection_id: &str,
        generation: u64,
        lease: &str,
        until: u64,
        now: u64,
    ) -> Result<bool> {
        let sql = "UPDATE do_connections SET lease = ?3, lease_until = ?4 \
                   WHERE connection_id = ?1 AND generation = ?2 AND state = 'connected' \
                   AND lease_until <= ?5 RETURNING 1";
        let (id, lease) = (text(connection_id), text(lease));
        self.changed(sql, &[id, number(generation), lease, number(until), number(now)]).await
    }

    /// The refresh token is worth nothing any more, as `lease` was told.
    pub async fn expire(&self, connection_id: &str, generation: u64, lease: &str) -> Result<()> {
        let sql = "UPDATE do_connections SET state = 'expired', lease = NULL, lease_until = 0 \
                   WHERE connection_id = ?1 AND generation = ?2 AND lease = ?3";
        self.run(sql, &[text(connection_id), number(generation), text(lease)]).await
    }

    /// Leaves an account alone until `until`.
    pub async fn pause(&self, connection_id: &str, failures: u64, until: u64) -> Result<()> {
        let sql = "UPDATE do_connections SET failures = ?2, paused_until = ?3 \
                   WHERE connection_id = ?1";
        self.run(sql, &[text(connection_id), number(failures), number(until)]).await
    }

    /// Forgets an account without droplets; its last row, if it was there.
    pub async fn remove_connection(&self, user_id: &str) -> Result<Option<Row>> {
        let sql = "DELETE FROM do_connections WHERE user_id = ?1 AND NOT EXISTS \
                   (SELECT 1 FROM vps WHERE vps.connection_id = do_connections.connection_id) \
                   RETURNING connection_id, access_token_sealed, key_version";
        self.row(sql, &[text(user_id)]).await
    }

    /// A user's droplets.
    pub async fn droplets(&self, user_id: &str) -> Result<Vec<Row>> {
        let sql = format!("SELECT {DROPLET} FROM vps v WHERE v.user_id = ?1");
        self.rows(&sql, &[text(user_id)]).await
    }

    /// A server's droplet, with whether its gateway is connected, and its account.
    pub async fn droplet(&self, gateway_id: &str) -> Result<Option<Row>> {
        let sql = format!(
            "SELECT {DROPLET}, g.connected, {CONNECTION} FROM vps v \
             JOIN gateways g ON g.gateway_id = v.gateway_id \
             JOIN do_connections c ON c.connection_id = v.connection_id WHERE v.gateway_id = ?1"
        );
        self.row(&sql, &[text(gateway_id)]).await
    }

    /// Adds a server and its droplet that is to be made, both or none: none when the user has one
    /// of this name under way, or as many as are allowed. The server's id: the new one, or that of
    /// the one under way, which the same click asked for.
    pub async fn add_droplet(
        &self,
        new: &NewServer<'_>,
        droplet: &Droplet,
        now: u64,
    ) -> Result<Option<String>> {
        let under_way = "SELECT v.gateway_id FROM vps v JOIN gateways g \
                         ON g.gateway_id = v.gateway_id WHERE v.user_id = ?1 AND g.name = ?2 \
                         AND v.status = 'provisioning'";
        let gateway = format!(
            "INSERT INTO gateways (gateway_id, user_id, name, created_at) SELECT ?3, ?1, ?2, ?4 \
             WHERE NOT EXISTS ({under_way}) \
             AND (SELECT count(*) FROM vps WHERE user_id = ?1) < {MAX_DROPLETS} \
             AND (SELECT count(*) FROM gateways WHERE user_id = ?1) < {MAX_SERVERS}"
        );
        let (user, id) = (text(new.user_id), text(new.gateway_id));
        let gateway =
            self.statement(&gateway, &[user.clone(), text(new.name), id.clone(), number(now)])?;
        let vps = "INSERT INTO vps (vps_id, user_id, connection_id, gateway_id, name, origin, \
                   region, size, image, price_monthly, status, deadline, next_look_at, created_at) \
                   SELECT ?1, ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8, ?9, 'provisioning', ?10, ?11, ?11 \
                   WHERE EXISTS (SELECT 1 FROM gateways WHERE gateway_id = ?1)";
        let values = [
            id,
            user.clone(),
            text(new.connection_id),
            text(new.droplet_name),
            text(new.origin),
            text(new.region),
            text(new.size),
            text(new.image),
            JsValue::from_f64(new.price_monthly),
            maybe_number(droplet.deadline),
            number(now),
        ];
        self.0.batch(vec![gateway, self.statement(vps, &values)?]).await?;
        let found = self.row(under_way, &[user, text(new.name)]).await?;
        Ok(found.map(|row| row.text("gateway_id").to_owned()))
    }

    /// Writes a droplet down, unless somebody did since `revision` was read.
    pub async fn save_droplet(
        &self,
        gateway_id: &str,
        revision: u64,
        droplet: &Droplet,
    ) -> Result<bool> {
        let sql = "UPDATE vps SET status = ?3, droplet_id = ?4, ip_address = ?5, attempt = ?6, \
                   remake = ?7, made_at = ?8, acted_at = ?9, forced = ?10, deadline = ?11, \
                   failure_code = ?12, failure_message = ?13, next_look_at = ?14, tries = ?15, \
                   revision = revision + 1 WHERE gateway_id = ?1 AND revision = ?2 \
                   RETURNING 1";
        let failure = droplet.failure.as_ref();
        let values = [
            text(gateway_id),
            number(revision),
            text(droplet.status.name()),
            maybe_number(droplet.droplet_id),
            maybe_text(droplet.ip_address.as_deref()),
            number(droplet.attempt),
            number(u64::from(droplet.remake)),
            maybe_number(droplet.made_at),
            maybe_number(droplet.acted_at),
            number(u64::from(droplet.forced)),
            maybe_number(droplet.deadline),
            maybe_text(failure.map(|failure| failure.code.as_str())),
            maybe_text(failure.map(|failure| failure.message.as_str())),
            maybe_number(droplet.next_look_at),
            number(droplet.tries),
        ];
        self.changed(sql, &values).await
    }

    /// A gateway said hello, and so its droplet runs: `Droplet::greeted` in one statement.
    pub async fn droplet_greeted(&self, gateway_id: &str, next_look_at: u64) -> Result<()> {
        let sql = "UPDATE vps SET status = 'active', deadline = NULL, failure_code = NULL, \
                   failure_message = NULL, acted_at = NULL, forced = 0, tries = 0, \
                   next_look_at = ?2, revision = revision + 1 WHERE gateway_id = ?1 \
                   AND status IN ('provisioning', 'powering_on', 'off', 'failed')";
        self.run(sql, &[text(gateway_id), number(next_look_at)]).await
    }

    /// Makes a server ready for a machine that has never been: the token that it enrols with, and
    /// nothing left of the machine before it.
    pub async fn expect_droplet(
        &self,
        gateway_id: &str,
        bootstrap_hash: &str,
        expires_at: u64,
        now: u64,
    ) -> Result<()> {
        let id = text(gateway_id);
        let tokens = "UPDATE gateways SET auth_hash = NULL, next_auth_hash = NULL, \
                      bootstrap_hash = ?2, bootstrap_expires_at = ?3, connected = 0, \
                      version = NULL, hostname = NULL, system_info = NULL, health = NULL, \
                      last_activity_at = ?4 WHERE gateway_id = ?1";
        let (hash, until) = (text(bootstrap_hash), number(expires_at));
        let tokens = self.statement(tokens, &[id.clone(), hash, until, number(now)])?;
        let of_it = std::slice::from_ref(&id);
        let sessions = self.statement("DELETE FROM sessions WHERE gateway_id = ?1", of_it)?;
        let keys = self.statement("DELETE FROM authorized_keys WHERE gateway_id = ?1", of_it)?;
        self.0.batch(vec![tokens, sessions, keys]).await.map(drop)
    }

    /// Forgets a server whose droplet is gone, as `revision` says.
    pub async fn remove_droplet(&self, gateway_id: &str, revision: u64) -> Result<()> {
        let id = text(gateway_id);
        let vps = "DELETE FROM vps WHERE gateway_id = ?1 AND revision = ?2 \
                   AND status = 'destroying'";
        let gateway = "DELETE FROM gateways WHERE gateway_id = ?1 AND NOT EXISTS \
                       (SELECT 1 FROM vps WHERE vps.gateway_id = ?1)";
        let statements = vec![
            self.statement(vps, &[id.clone(), number(revision)])?,
            self.statement(gateway, &[id])?,
        ];
        self.0.batch(statements).await.map(drop)
    }

    /// The servers whose droplets are to be looked at, the longest due first. Where a gateway is
    /// connected, it says what there is to say.
    pub async fn due_droplets(&self, now: u64) -> Result<Vec<Row>> {
        let sql = format!(
            "SELECT v.gateway_id FROM vps v JOIN gateways g ON g.gateway_id = v.gateway_id \
             WHERE v.next_look_at <= ?1 AND NOT (v.status = 'active' AND g.connected = 1 \
             AND v.droplet_id IS NOT NULL) ORDER BY v.next_look_at LIMIT {LOOKS_PER_RUN}"
        );
        self.rows(&sql, &[number(now)]).await
    }

    /// Connected servers where nothing happened for long, whose owners do not know it yet.
    pub async fn idle_servers(&self, now: u64) -> Result<Vec<Row>> {
        // As `idle_since` is told.
        let active_at = "max(coalesce(g.last_activity_at, 0), g.created_at)";
        let sql = format!(
            "SELECT g.gateway_id, g.name, {active_at} AS active_at, \
             (SELECT e.email FROM email_identities e WHERE e.user_id = g.user_id \
             ORDER BY e.created_at LIMIT 1) AS email, \
             (SELECT v.origin FROM vps v WHERE v.gateway_id = g.gateway_id) AS droplet_origin \
             FROM gateways g WHERE g.connected = 1 AND {active_at} < ?1 \
             AND coalesce(g.idle_noticed_for, 0) < {active_at} LIMIT {NOTICES_PER_RUN}"
        );
        self.rows(&sql, &[number(now.saturating_sub(IDLE_MS))]).await
    }

    /// Notes that a server's owner is told of the stretch since `active_at`; whether nobody did.
    pub async fn note_idle(&self, gateway_id: &str, active_at: u64) -> Result<bool> {
        let sql = "UPDATE gateways SET idle_noticed_for = ?2 WHERE gateway_id = ?1 \
                   AND coalesce(idle_noticed_for, 0) < ?2 RETURNING 1";
        self.changed(sql, &[text(gateway_id), number(active_at)]).await
    }

    /// The owner could not be told; it is tried again.
    pub async fn unnote_idle(&self, gateway_id: &str) -> Result<()> {
        let sql = "UPDATE gateways SET idle_noticed_for = NULL WHERE gateway_id = ?1";
        self.run(sql, &[text(gateway_id)]).await
    }
}
