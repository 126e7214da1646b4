//! A connected account: requests in its name, with tokens that are renewed by one at a time. A
//! refresh token is good for one use, so that two who use it lose the account.

use super::Cloud;
use crate::auth::oauth::form;
use crate::cloud::connect;
use crate::limits::{REFRESH_AHEAD_MS, REFRESH_LEASE_MS, REFRESH_POLL_MS, REFRESH_WAIT_MS};
use crate::shell::db::{Db, Row};
use crate::shell::respond::Failure;
use crate::shell::{log, now, outbound, random_id};
use serde_json::json;
use std::time::Duration;
use worker::Delay;

/// Times that renewed tokens are tried to be kept: without them the account is lost.
const KEEP_TRIES: u32 = 3;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// We have no access any more; the person must connect again.
    Expired,
    /// Nobody knows: no answer, or none in time.
    Unclear,
}

impl From<worker::Error> for Trouble {
    fn from(error: worker::Error) -> Self {
        log::error("cloud_unclear", &error, json!({}));
        Self::Unclear
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Expired => Self::new(
                "connection_expired",
                "DigitalOcean does not let us in any more; connect the account again",
            ),
            Trouble::Unclear => Self::new("cloud_failed", "DigitalOcean does not answer"),
        }
    }
}

/// An account, by the row that its user read or by a newer one.
pub struct Account<'a> {
    cloud: &'a Cloud,
    db: &'a Db,
    first: &'a Row,
    newer: Option<Row>,
}

impl<'a> Account<'a> {
    /// The account of a row.
    pub fn new(cloud: &'a Cloud, db: &'a Db, first: &'a Row) -> Self {
        Self { cloud, db, first, newer: None }
    }

    fn row(&self) -> &Row {
        self.newer.as_ref().unwrap_or(self.first)
    }

    /// Reads the newest row.
    async fn read(&mut self, id: &str) -> Result<&Row, Trouble> {
        let row = self.db.connection_of_id(id).await?.ok_or(Trouble::Expired)?;
        Ok(self.newer.insert(row))
    }

    /// Asks the API; a token that is refused is renewed once.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<outbound::Answer, Trouble> {
        let token = self.access_token().await?;
        let answer = self.cloud.ask(&token, method, path, body).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.renew().await?;
        let token = self.cloud.open(self.row(), "access").await?;
        Ok(self.cloud.ask(&token, method, path, body).await?)
    }

    /// A token that is good for a while, renewed ahead of its end.
    async fn access_token(&mut self) -> Result<String, Trouble> {
        if self.row().text("state") != "connected" {
            return Err(Trouble::Expired);
        }
        let left = self.row().count("expires_at").saturating_sub(now());
        if left < REFRESH_AHEAD_MS {
            let renewed = self.renew().await;
            // Until its end the old one does as well.
            if renewed == Err(Trouble::Expired) || left == 0 {
                renewed?;
            }
        }
        Ok(self.cloud.open(self.row(), "access").await?)
    }

    /// Renews the tokens, or waits for whoever does.
    async fn renew(&mut self) -> Result<(), Trouble> {
        let id = self.row().text("connection_id").to_owned();
        let seen = self.row().count("generation");
        let lease = random_id::<8>("")?;
        let patience = now() + REFRESH_WAIT_MS;
        loop {
            if self.db.lease(&id, seen, &lease, now() + REFRESH_LEASE_MS, now()).await? {
                return self.renew_alone(&id, seen, &lease).await;
            }
            let row = self.read(&id).await?;
            if row.text("state") != "connected" {
                return Err(Trouble::Expired);
            }
            if row.count("generation") != seen {
                return Ok(());
            }
            if now() > patience {
                return Err(Trouble::Unclear);
            }
            Delay::from(Duration::from_millis(REFRESH_POLL_MS)).await;
        }
    }

    async fn renew_alone(&mut self, id: &str, seen: u64, lease: &str) -> Result<(), Trouble> {
        let refresh_token = self.cloud.open(self.row(), "refresh").await?;
        let body = form(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)]);
        let answer = self.cloud.oauth("/refresh", None, &body).await?;
        let grant = connect::grant(&answer.json()).filter(|_| answer.is_ok());
        let Some(grant) = grant else {
            // Only a clear no ends it. All else is tried again when the lease is over.
            if matches!(answer.status, 400 | 401 | 403) {
                self.db.expire(id, seen, lease).await?;
                return Err(Trouble::Expired);
            }
            return Err(Trouble::Unclear);
        };
        let sealed = self.cloud.seal(id, &grant).await?;
        let mut tries = 0;
        let kept = loop {
            match self.db.set_grant(id, seen, &sealed, now()).await {
                Ok(kept) => break kept,
                Err(error) if tries >= KEEP_TRIES => return Err(error.into()),
                Err(_) => tries += 1,
            }
        };
        if !kept {
            // Disconnected meanwhile.
            self.cloud.revoke(&grant.access_token).await;
        }
        self.read(id).await.map(drop)
    }
}
