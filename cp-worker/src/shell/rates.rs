//! Limits on attempts, kept in the store.

use super::config::Config;
use super::kv::Kv;
use super::respond::Failure;
use super::{now, random_id};
use crate::auth::rates::{self, Rate};
use crate::limits::ATTEMPT_WINDOW_MS;
use worker::{Env, Request, Result};

/// An attempt that was let through.
pub struct Attempt {
    kv: Kv,
    key: String,
}

impl Attempt {
    /// Lets `whom` try once more.
    ///
    /// # Errors
    /// `rate_limited` when that is too often; then it does not count.
    pub async fn new(
        env: &Env,
        config: &Config,
        rate: Rate,
        whom: &str,
    ) -> std::result::Result<Self, Failure> {
        let prefix = rate.prefix(&config.token_secret, whom);
        let prefix = prefix.ok_or_else(|| Failure::new("misconfigured", "no TOKEN_SECRET"))?;
        let kv = Kv::new(env)?;
        // First without writing, which is what costs: a flood is refused by a look.
        refuse(rate.wait(&kv.keys(&prefix).await?, 1, now()))?;
        let key = rates::key(&prefix, now(), &random_id::<8>("")?);
        kv.put(&key, "", ATTEMPT_WINDOW_MS / 1_000).await?;
        let attempt = Self { kv, key };
        let wait = rate.wait(&attempt.kv.keys(&prefix).await?, 0, now());
        if wait.is_some() {
            attempt.undo().await?;
        }
        refuse(wait)?;
        Ok(attempt)
    }

    /// It counts for nothing: what was tried failed, and not by the person's fault.
    pub async fn undo(&self) -> Result<()> {
        self.kv.delete(&self.key).await
    }
}

fn refuse(wait_ms: Option<u64>) -> std::result::Result<(), Failure> {
    let Some(wait_ms) = wait_ms else { return Ok(()) };
    let minutes = wait_ms.div_ceil(60_000);
    let plural = if minutes == 1 { "" } else { "s" };
    let message = format!("too many links were asked for; try again in {minutes} minute{plural}");
    Err(Failure::new("rate_limited", &message).retry_after(wait_ms.div_ceil(1_000)))
}

/// The address that a request comes from, as the platform tells it.
pub fn address(request: &Request) -> Result<String> {
    Ok(request.headers().get("CF-Connecting-IP")?.unwrap_or_default())
}
