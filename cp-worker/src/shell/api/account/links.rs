//! Signing in by a link that is mailed.

use super::sign_in;
use crate::auth::link::{self, Record};
use crate::auth::rates::{LINKS_FROM_PLACE, LINKS_TO_ADDRESS, place};
use crate::limits::LINK_MS;
use crate::requests::{Confirmation, SignIn};
use crate::shell::api::body;
use crate::shell::config::Config;
use crate::shell::db::Db;
use crate::shell::kv::Kv;
use crate::shell::mail::{self, Mail};
use crate::shell::rates::{self, Attempt};
use crate::shell::respond::{Failure, Outcome, json};
use crate::shell::{now, random, random_id};
use serde_json::json;
use worker::{Env, Request};

/// Mails a link. Everybody gets the same answer: an address that is not known becomes a user when
/// its link is followed.
pub(in crate::shell::api) async fn request_link(
    request: &mut Request,
    env: &Env,
    config: &Config,
) -> Outcome {
    let asked: SignIn = body(request).await?;
    let email = asked.check().map_err(Failure::invalid)?;
    let place = place(&rates::address(request)?);
    Attempt::new(env, config, LINKS_FROM_PLACE, &place).await?;
    let attempt = Attempt::new(env, config, LINKS_TO_ADDRESS, &email).await?;

    let token = link::token(&random()?);
    let hash = link::hash_of(&config.token_secret, &token)
        .ok_or_else(|| Failure::new("misconfigured", "TOKEN_SECRET cannot hash"))?;
    let record = Record::new(email.clone(), now());
    Kv::new(env)?.put(&key(&hash), &record.to_text(), LINK_MS / 1_000).await?;
    let text = link::mail(&config.origin, &token);
    let mail = Mail { to: email, subject: link::SUBJECT.to_owned(), text };
    if let Err(failure) = mail::send(env, config, &mail).await {
        attempt.undo().await?;
        return Err(failure);
    }
    json(202, &json!({}))
}

/// Signs in with what a link holds, once. The store cannot take a value away from all but one
/// request, so the database decides which is the first.
pub(in crate::shell::api) async fn confirm_link(
    request: &mut Request,
    env: &Env,
    config: &Config,
) -> Outcome {
    let expired = || Failure::new("link_expired", "this link is used or too old; ask for another");
    let Confirmation { token } = body(request).await?;
    let hash = link::hash_of(&config.token_secret, &token).ok_or_else(expired)?;
    let (kv, db) = (Kv::new(env)?, Db::new(env)?);
    let text = kv.get(&key(&hash)).await?.ok_or_else(expired)?;
    let record = Record::read(&text, now()).ok_or_else(expired)?;
    if !db.use_link(&hash, record.expires_at, now()).await? {
        return Err(expired());
    }
    kv.delete(&key(&hash)).await?;
    let user = db.user_of_address(&record.email, &random_id::<12>("u_")?, now()).await?;
    sign_in(request, env, config, &user).await
}

fn key(hash: &str) -> String {
    format!("link:{hash}")
}
