//! Accounts: how people sign in and out, and who it is that asks.

mod links;
mod oauth;
mod profile;

pub(super) use links::{confirm_link, request_link};
pub(super) use oauth::{finish_oauth, start_oauth};
pub(super) use profile::sign_out;

use super::{body, no_such_address};
use crate::auth::mode::Mode;
use crate::auth::oauth::Provider;
use crate::auth::{cookie, sign_in};
use crate::requests::SignIn;
use crate::shell::config::{self, Config};
use crate::shell::db::{Db, SignedInRow, UserRow};
use crate::shell::respond::{Failure, Outcome, json};
use crate::shell::{mail, now, random, random_id};
use serde_json::{Value, json};
use worker::{Env, Request, Response};

/// What the deployment has set up.
pub(super) fn config(env: &Env, config: &Config) -> Outcome {
    let body = json!({
        "auth_mode": config.mode.name(),
        "version": env!("CARGO_PKG_VERSION"),
        "github": oauth::client(env, Provider::GitHub).is_some(),
        "google": oauth::client(env, Provider::Google).is_some(),
        "cloud": config::variable(env, "DO_CLIENT_ID").is_some(),
        "support": config::support_public_key(env).is_some(),
    });
    json(200, &body)
}

pub(super) async fn dev_sign_in(request: &mut Request, env: &Env, config: &Config) -> Outcome {
    if config.mode != Mode::Dev {
        return Err(no_such_address());
    }
    let new: SignIn = body(request).await?;
    let email = new.check().map_err(Failure::invalid)?;
    let user = Db::new(env)?.user_of_address(&email, &random_id::<12>("u_")?, now()).await?;
    sign_in(request, env, config, &user).await
}

/// The mails that were sent, for those who have no mail in development.
pub(super) async fn outbox(env: &Env, config: &Config) -> Outcome {
    if config.mode != Mode::Dev {
        return Err(no_such_address());
    }
    json(200, &json!({ "mails": mail::outbox(env).await? }))
}

/// Signs the browser in and tells it as whom.
async fn sign_in(request: &Request, env: &Env, config: &Config, user: &UserRow) -> Outcome {
    let cookie = open(request, env, config, user).await?;
    let user = user_json(&Db::new(env)?, &user.user_id, &user.email, user.created_at).await?;
    with_cookie(json(200, &json!({ "user": user }))?, &cookie)
}

/// Makes a sign-in and the `Set-Cookie` header that holds it. One that the browser had ends: its
/// cookie is overwritten.
async fn open(
    request: &Request,
    env: &Env,
    config: &Config,
    user: &UserRow,
) -> Result<String, Failure> {
    let unusable = || Failure::new("misconfigured", "COOKIE_SECRET cannot sign");
    let secret = sign_in::secret(&random()?);
    let id = sign_in::id(&config.token_secret, &secret).ok_or_else(unusable)?;
    let agent = request.headers().get("User-Agent")?.unwrap_or_default();
    let db = Db::new(env)?;
    if let Some(old) = maybe_signed_in(request, env, config).await? {
        db.end_sign_ins(&old.user_id, Some(&old.sign_in_id)).await?;
    }
    db.add_sign_in(&id, &user.user_id, &sign_in::user_agent(&agent), now()).await?;
    let value = cookie::SIGN_IN.sign(&config.cookie_secret, &secret).ok_or_else(unusable)?;
    Ok(cookie::SIGN_IN.set(&value, config.is_secure()))
}

fn with_cookie(mut response: Response, cookie: &str) -> Outcome {
    response.headers_mut().append("Set-Cookie", cookie)?;
    Ok(response)
}

/// Who asks, by the cookie.
///
/// # Errors
/// Status 401.
pub(super) async fn signed_in(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<SignedInRow, Failure> {
    let header = request.headers().get("Cookie")?.unwrap_or_default();
    let id = cookie::SIGN_IN
        .find(&header, config.is_secure())
        .and_then(|value| cookie::SIGN_IN.verify(&config.cookie_secret, value))
        .and_then(|secret| sign_in::id(&config.token_secret, &secret))
        .ok_or_else(Failure::signed_out)?;
    let (db, now) = (Db::new(env)?, now());
    let row = db.signed_in(&id, now).await?.ok_or_else(Failure::signed_out)?;
    if sign_in::is_news(row.last_seen_at as u64, now) {
        let expires_at = sign_in::expires_at(row.signed_in_at as u64, now);
        db.touch_sign_in(&id, now, expires_at).await?;
    }
    Ok(row)
}

/// Who asks, if anybody is signed in.
async fn maybe_signed_in(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Option<SignedInRow>, Failure> {
    match signed_in(request, env, config).await {
        Err(failure) if failure.is_signed_out() => Ok(None),
        answer => answer.map(Some),
    }
}

/// A `User` of the API.
async fn user_json(db: &Db, user_id: &str, email: &str, created_at: f64) -> Result<Value, Failure> {
    let identities = db.identities(user_id).await?;
    let identities: Vec<Value> = identities
        .iter()
        .map(|identity| json!({ "kind": identity.kind, "email": identity.email }))
        .collect();
    Ok(json!({
        "user_id": user_id,
        "email": email,
        "created_at": super::millis(created_at),
        "identities": identities,
    }))
}
