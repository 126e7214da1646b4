//! What the deployment has bound: secrets, origin, mode of sign-in. Refuses to run half configured.

use super::respond::Failure;
use crate::auth::mode::{Mode, is_origin, is_trusted};
use crate::limits::SECRET_BYTES;
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
        Self::at(origin_of(&request.inner().url()), env)
    }

    /// Reads the bindings of a Worker that is reached as `own`.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn at(own: &str, env: &Env) -> Result<Self, Failure> {
        let mode = variable(env, "AUTH_MODE");
        // Both must be this machine's own: the address that was asked and the one announced.
        let read = |origin: &str| Mode::read(mode.as_deref(), origin).map_err(misconfigured);
        read(own)?;
        let origin = variable(env, "PUBLIC_ORIGIN").unwrap_or_else(|| own.to_owned());
        if !is_origin(&origin) {
            let form =
                "PUBLIC_ORIGIN must be like https://chatcode.example, with nothing behind it";
            return Err(misconfigured(form.to_owned()));
        }
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

    /// Whether a browser says that the request comes from somebody else's page. What comes from no
    /// browser says nothing and is not refused: it has no cookie that is not its own.
    ///
    /// # Errors
    /// When the headers cannot be read.
    pub fn is_foreign_origin(&self, request: &Request) -> Result<bool, Failure> {
        let headers = request.headers();
        if let Some(origin) = headers.get("Origin")? {
            return Ok(origin != self.origin);
        }
        Ok(headers.get("Sec-Fetch-Site")?.is_some_and(|site| site != "same-origin"))
    }
}

/// Scheme, host and port of a URL as the platform writes it. Not worth a URL parser, which would
/// be a fifth of the Worker.
pub fn origin_of(url: &str) -> &str {
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
    variable(env, "SUPPORT_PUBLIC_KEY")
}

/// A variable that is bound to something.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    let value = env.var(name).ok()?.to_string().trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// A secret of somebody else's making, where it is bound.
pub fn optional_secret(env: &Env, name: &str) -> Option<String> {
    let value = env.secret(name).ok()?.to_string().trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// The address of somebody else's API: `default` unless the variable `name` says otherwise.
///
/// # Errors
/// When secrets would go to it in the clear.
pub fn endpoint(env: &Env, name: &str, default: &str) -> Result<String, Failure> {
    let url = variable(env, name).unwrap_or_else(|| default.to_owned());
    if is_trusted(origin_of(&url)) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(misconfigured(format!("{name} must be an https address, or one of this machine")))
}

fn secret(env: &Env, name: &str) -> Result<Vec<u8>, Failure> {
    let secret = env.secret(name).map(|secret| secret.to_string().into_bytes());
    let secret = secret.unwrap_or_default();
    if secret.len() < SECRET_BYTES {
        return Err(misconfigured(format!("{name} must be bound to {SECRET_BYTES} bytes or more")));
    }
    Ok(secret)
}

/// Status 500; the cause is logged.
pub fn misconfigured(cause: String) -> Failure {
    Failure::new("misconfigured", &cause).because(cause)
}
