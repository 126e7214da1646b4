//! Statements about people, how they are recognised and where they are signed in.

use super::{Db, number, text};
use crate::auth::oauth::{Identity, Provider};
use crate::auth::sign_in;
use crate::limits::MAX_SIGN_INS;
use miniserde::Deserialize;
use worker::Result;

/// A person, by an address.
const BY_ADDRESS: &str = "SELECT u.user_id, u.created_at, e.email FROM email_identities e \
                          JOIN users u ON u.user_id = e.user_id WHERE e.email = ?1";

/// A user.
#[derive(Deserialize)]
pub struct UserRow {
    /// Random.
    pub user_id: String,
    /// Where sign-in links go.
    pub email: String,
    /// Milliseconds since the Unix epoch.
    pub created_at: f64,
}

/// A user in a browser that is signed in.
#[derive(Deserialize)]
pub struct SignedInRow {
    /// Who it is.
    pub user_id: String,
    /// Where sign-in links go.
    pub email: String,
    /// Milliseconds since the Unix epoch.
    pub created_at: f64,
    /// Names the sign-in; no secret.
    pub sign_in_id: String,
    /// Milliseconds since the Unix epoch.
    pub signed_in_at: f64,
    /// Milliseconds since the Unix epoch, to the hour.
    pub last_seen_at: f64,
}

/// A sign-in, as its user sees it.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct SignInRow {
    pub sign_in_id: String,
    pub created_at: f64,
    pub last_seen_at: f64,
    pub user_agent: String,
}

/// Something that a user is recognised by.
#[derive(Deserialize)]
#[allow(missing_docs)]
pub struct IdentityRow {
    pub kind: String,
    pub email: String,
}

impl Db {
    /// The user behind an address that is theirs, made when there is none.
    pub async fn user_of_address(
        &self,
        email: &str,
        new_user_id: &str,
        now: u64,
    ) -> Result<UserRow> {
        if let Some(user) = self.first(BY_ADDRESS, &[text(email)]).await? {
            return Ok(user);
        }
        // One transaction: of two requests at once the second finds the first one's.
        let user = self
            .0
            .prepare(
                "INSERT INTO users (user_id, created_at) SELECT ?1, ?2 \
                 WHERE NOT EXISTS (SELECT 1 FROM email_identities WHERE email = ?3)",
            )
            .bind(&[text(new_user_id), number(now), text(email)])?;
        let identity = self
            .0
            .prepare(
                "INSERT OR IGNORE INTO email_identities (email, user_id, created_at) \
                 SELECT ?2, user_id, created_at FROM users WHERE user_id = ?1",
            )
            .bind(&[text(new_user_id), text(email)])?;
        self.0.batch(vec![user, identity]).await?;
        let found = self.first(BY_ADDRESS, &[text(email)]).await?;
        found.ok_or_else(|| worker::Error::RustError("the new user is not there".into()))
    }

    /// The user whom a provider knows as `identity`: by its own name for the account, else by the
    /// address that it has verified. `None` for somebody new without such an address.
    pub async fn user_of_identity(
        &self,
        provider: Provider,
        identity: &Identity,
        new_user_id: &str,
        now: u64,
    ) -> Result<Option<UserRow>> {
        let find = "SELECT u.user_id, u.created_at, e.email FROM oauth_identities o \
                    JOIN users u ON u.user_id = o.user_id \
                    JOIN email_identities e ON e.user_id = o.user_id \
                    WHERE o.provider = ?1 AND o.subject = ?2 ORDER BY e.created_at LIMIT 1";
        let (provider, subject) = (text(provider.name()), text(&identity.subject));
        let known = self.first(find, &[provider.clone(), subject.clone()]).await?;
        let Some(email) = &identity.email else { return Ok(known) };
        let user: UserRow = match known {
            Some(user) => user,
            None => self.user_of_address(email, new_user_id, now).await?,
        };
        let keep = "INSERT INTO oauth_identities (provider, subject, user_id, email, created_at) \
                    VALUES (?1, ?2, ?3, ?4, ?5) \
                    ON CONFLICT (provider, subject) DO UPDATE SET email = excluded.email";
        let values = [provider, subject, text(&user.user_id), text(email), number(now)];
        self.run(keep, &values).await?;
        Ok(Some(user))
    }

    /// Uses a mailed link; whether it is the first time.
    pub async fn use_link(&self, hash: &str, expires_at: u64, now: u64) -> Result<bool> {
        self.run("DELETE FROM used_links WHERE expires_at <= ?1", &[number(now)]).await?;
        let sql = "INSERT OR IGNORE INTO used_links (link_hash, expires_at) VALUES (?1, ?2) \
                   RETURNING link_hash";
        self.changed(sql, &[text(hash), number(expires_at)]).await
    }

    /// Signs a browser in. What has expired goes, and of too many the one unused for longest.
    pub async fn add_sign_in(
        &self,
        sign_in_id: &str,
        user_id: &str,
        user_agent: &str,
        now: u64,
    ) -> Result<()> {
        let add = self
            .0
            .prepare(
                "INSERT INTO sign_ins (sign_in_id, user_id, user_agent, created_at, \
                 last_seen_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
            )
            .bind(&[
                text(sign_in_id),
                text(user_id),
                text(user_agent),
                number(now),
                number(sign_in::expires_at(now, now)),
            ])?;
        let expired =
            self.0.prepare("DELETE FROM sign_ins WHERE expires_at <= ?1").bind(&[number(now)])?;
        let too_many = self
            .0
            .prepare(
                "DELETE FROM sign_ins WHERE user_id = ?1 AND sign_in_id IN (SELECT sign_in_id \
                 FROM sign_ins WHERE user_id = ?1 AND sign_in_id != ?2 \
                 ORDER BY last_seen_at DESC LIMIT -1 OFFSET ?3)",
            )
            .bind(&[text(user_id), text(sign_in_id), number(MAX_SIGN_INS - 1)])?;
        self.0.batch(vec![expired, add, too_many]).await.map(|_| ())
    }

    /// Who is signed in by a sign-in, unless it ended or they are gone.
    pub async fn signed_in(&self, sign_in_id: &str, now: u64) -> Result<Option<SignedInRow>> {
        let sql = "SELECT u.user_id, u.created_at, s.sign_in_id, s.created_at AS signed_in_at, \
                   s.last_seen_at, (SELECT e.email FROM email_identities e \
                   WHERE e.user_id = u.user_id ORDER BY e.created_at LIMIT 1) AS email \
                   FROM sign_ins s JOIN users u ON u.user_id = s.user_id \
                   WHERE s.sign_in_id = ?1 AND s.expires_at > ?2";
        self.first(sql, &[text(sign_in_id), number(now)]).await
    }

    /// Notes that a sign-in is used, which lengthens it.
    pub async fn touch_sign_in(&self, sign_in_id: &str, now: u64, expires_at: u64) -> Result<()> {
        let sql = "UPDATE sign_ins SET last_seen_at = ?2, expires_at = ?3 WHERE sign_in_id = ?1";
        self.run(sql, &[text(sign_in_id), number(now), number(expires_at)]).await
    }

    /// Where a user is signed in, the last used first.
    pub async fn sign_ins(&self, user_id: &str, now: u64) -> Result<Vec<SignInRow>> {
        let sql = "SELECT sign_in_id, created_at, last_seen_at, user_agent FROM sign_ins \
                   WHERE user_id = ?1 AND expires_at > ?2 ORDER BY last_seen_at DESC, created_at DESC";
        self.all(sql, &[text(user_id), number(now)]).await
    }

    /// Ends a user's sign-in, or all of them; whether there was one.
    pub async fn end_sign_ins(&self, user_id: &str, sign_in_id: Option<&str>) -> Result<bool> {
        let sql = "DELETE FROM sign_ins WHERE user_id = ?1 AND (?2 = '' OR sign_in_id = ?2) \
                   RETURNING sign_in_id";
        self.changed(sql, &[text(user_id), text(sign_in_id.unwrap_or_default())]).await
    }

    /// What a user is recognised by, oldest first.
    pub async fn identities(&self, user_id: &str) -> Result<Vec<IdentityRow>> {
        let sql = "SELECT kind, email FROM (SELECT 'email' AS kind, email, created_at \
                   FROM email_identities WHERE user_id = ?1 \
                   UNION ALL SELECT provider, email, created_at \
                   FROM oauth_identities WHERE user_id = ?1) ORDER BY created_at, kind";
        self.all(sql, &[text(user_id)]).await
    }

    /// Forgets a user and all that is theirs; `false`, and nothing done, while a droplet is left.
    pub async fn delete_user(&self, user_id: &str) -> Result<bool> {
        let sql = "DELETE FROM users WHERE user_id = ?1 \
                   AND NOT EXISTS (SELECT 1 FROM vps WHERE user_id = ?1) RETURNING user_id";
        self.changed(sql, &[text(user_id)]).await
    }
}
