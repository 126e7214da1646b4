//! Statements about people.

use super::{Db, number, text};
use serde::Deserialize;
use worker::Result;

/// A user.
#[derive(Deserialize)]
pub struct UserRow {
    /// Random.
    pub user_id: String,
    /// Where sign-in links go.
    pub email: String,
}

impl Db {
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
}
