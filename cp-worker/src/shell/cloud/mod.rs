//! Servers at DigitalOcean: the deployment's access to it, and what people and the clock set going.

mod account;
mod cron;
mod idle;
mod looks;
mod seal;

pub use account::{Account, Trouble};
pub use cron::run;
pub use looks::{Looks, Wish};

use super::config::{self, misconfigured};
use super::respond::Failure;
use crate::auth::oauth::form;
use crate::cloud::connect::{self, Grant};
use crate::cloud::sealing::Keys;
use crate::shell::db::{Row, SealedGrant};
use crate::shell::{log, now, outbound};
use serde_json::json;
use worker::{Env, Result};

/// DigitalOcean's API.
const API_URL: &str = "https://api.digitalocean.com";

/// Where people let us into their account, and where tokens come from.
const OAUTH_URL: &str = "https://cloud.digitalocean.com/v1/oauth";

/// What we ask to be allowed.
const SCOPE: &str = "read write";

/// The deployment's access to DigitalOcean.
pub struct Cloud {
    api: String,
    oauth: String,
    client_id: String,
    client_secret: String,
    keys: Keys,
}

impl Cloud {
    /// Reads the bindings; `None` where the deployment has none of it.
    ///
    /// # Errors
    /// Status 500 when it has a part.
    pub fn read(env: &Env) -> std::result::Result<Option<Self>, Failure> {
        let Some(client_id) = config::variable(env, "DO_CLIENT_ID") else { return Ok(None) };
        let secret = |name| {
            config::optional_secret(env, name)
                .ok_or_else(|| misconfigured(format!("DO_CLIENT_ID needs {name}")))
        };
        let keys = Keys::read(&secret("SEALING_KEYS")?);
        Ok(Some(Self {
            api: config::endpoint(env, "DO_API_URL", API_URL)?,
            oauth: config::endpoint(env, "DO_OAUTH_URL", OAUTH_URL)?,
            client_id,
            client_secret: secret("DO_CLIENT_SECRET")?,
            keys: keys.map_err(|cause| misconfigured(cause.to_owned()))?,
        }))
    }

    /// Where a person lets us into an account.
    pub fn authorize_url(&self, origin: &str, state: &str) -> String {
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &connect::redirect_uri(origin)),
            ("scope", SCOPE),
            ("state", state),
        ]);
        format!("{}/authorize?{query}", self.oauth)
    }

    /// The grant for the code that came back; `None` when DigitalOcean refuses it.
    pub async fn exchange(&self, origin: &str, code: &str) -> Result<Option<Grant>> {
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("redirect_uri", &connect::redirect_uri(origin)),
        ]);
        let answer = self.oauth("/token", None, &body).await?;
        Ok(if answer.is_ok() { connect::grant(&answer.json()) } else { None })
    }

    /// Gives a token back. What cannot be given back ends by itself within 30 days.
    pub async fn revoke(&self, access_token: &str) {
        let bearer = format!("Bearer {access_token}");
        let body = form(&[("token", access_token)]);
        let revoked = self.oauth("/revoke", Some(&bearer), &body).await;
        if !revoked.is_ok_and(|answer| answer.is_ok()) {
            log::error("cloud_not_revoked", &"a token could not be given back", json!({}));
        }
    }

    async fn oauth(
        &self,
        path: &str,
        bearer: Option<&str>,
        body: &str,
    ) -> Result<outbound::Answer> {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let mut headers = vec![kind, ("Accept", "application/json")];
        headers.extend(bearer.map(|bearer| ("Authorization", bearer)));
        outbound::ask("POST", &format!("{}{path}", self.oauth), &headers, Some(body)).await
    }

    /// A request to the API with a token.
    pub async fn ask(
        &self,
        access_token: &str,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<outbound::Answer> {
        let bearer = format!("Bearer {access_token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        outbound::ask(method, &format!("{}{path}", self.api), &headers, body).await
    }

    /// A grant as it is kept for a connection.
    pub async fn seal(&self, connection_id: &str, grant: &Grant) -> Result<SealedGrant> {
        let (key_version, key) = self.keys.newest().ok_or(worker::Error::from("no sealing key"))?;
        Ok(SealedGrant {
            access: seal::seal(key, connection_id, "access", &grant.access_token).await?,
            refresh: seal::seal(key, connection_id, "refresh", &grant.refresh_token).await?,
            key_version,
            expires_at: now().saturating_add(grant.expires_in_ms),
        })
    }

    /// A connection's token: `access` or `refresh`.
    ///
    /// # Errors
    /// When the key that sealed it is not bound any more, or the row was tampered with.
    pub async fn open(&self, connection: &Row, which: &str) -> Result<String> {
        let version = u32::try_from(connection.count("key_version")).unwrap_or_default();
        let key = self.keys.of(version);
        let key = key.ok_or_else(|| worker::Error::from("a key of SEALING_KEYS is missing"))?;
        let sealed = connection.text(&format!("{which}_token_sealed"));
        seal::open(key, connection.text("connection_id"), which, sealed).await
    }
}
