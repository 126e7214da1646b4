//! What the deployment has bound: secrets, origin, mode of sign-in. Refuses to run half configured.

use super::log;
use super::respond::Failure;
use crate::auth::mode::Mode;
use crate::limits::SECRET_BYTES;
use serde_json::json;
use worker::{Env, Request};

/// The deployment's settings, read for each request.
pub struct Config {
    /// How people sign in.
    pub mode: Mode,
    /// Scheme, host and port that browsers see.
    pub origin: String,
    /// Signs cookies.
    pub cookie_secret: Vec<u8>,
    /// Keys the hashes of gateway tokens.
    pub token_secret: Vec<u8>,
}

impl Config {
    /// Reads the bindings.
    ///
    /// # Errors
    /// Status 500 with the code `misconfigured`, its cause in the log.
    pub fn read(request: &Request, env: &Env) -> Result<Self, Failure> {
        let own = origin_of(&request.inner().url()).to_owned();
        let public = env.var("PUBLIC_ORIGIN").ok().map(|origin| origin.to_string());
        let mode = env.var("AUTH_MODE").ok().map(|mode| mode.to_string());
        // Both must be this machine's own: the address that was asked and the one announced.
        let read = |origin: &str| Mode::read(mode.as_deref(), origin).map_err(misconfigured);
        read(&own)?;
        let origin = public.unwrap_or(own);
        Ok(Self {
            mode: read(&origin)?,
            origin,
            cookie_secret: secret(env, "COOKIE_SECRET")?,
            token_secret: secret(env, "TOKEN_SECRET")?,
        })
    }

    /// Whether cookies are for https alone.
    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// Whether a browser says that the request comes from somebody else's page.
    ///
    /// # Errors
    /// When the headers cannot be read.
    pub fn is_foreign_origin(&self, request: &Request) -> Result<bool, Failure> {
        Ok(request.headers().get("Origin")?.is_some_and(|origin| origin != self.origin))
    }
}

/// Scheme, host and port of a URL as the platform writes it. Not worth a URL parser, which would
/// be a fifth of the Worker.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(host..).and_then(|rest| rest.find('/'));
    path.and_then(|at| url.get(..host + at)).unwrap_or(url)
}

/// The secret that keys the hashes of gateway tokens, for the hub.
pub fn token_secret(env: &Env) -> Result<Vec<u8>, Failure> {
    secret(env, "TOKEN_SECRET")
}

/// The key by which the deployment's support may log in where an owner lets it; `None` when the
/// deployment has none.
pub fn support_public_key(env: &Env) -> Option<String> {
    let key = env.var("SUPPORT_PUBLIC_KEY").ok()?.to_string().trim().to_owned();
    (!key.is_empty()).then_some(key)
}

fn secret(env: &Env, name: &str) -> Result<Vec<u8>, Failure> {
    let secret = env.secret(name).map(|secret| secret.to_string().into_bytes());
    let secret = secret.unwrap_or_default();
    if secret.len() < SECRET_BYTES {
        return Err(misconfigured(format!("{name} must be bound to {SECRET_BYTES} bytes or more")));
    }
    Ok(secret)
}

fn misconfigured(cause: String) -> Failure {
    log::error("misconfigured", &cause, json!({}));
    Failure::new("misconfigured", &cause)
}
