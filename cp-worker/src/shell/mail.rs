//! Mail by one HTTP API, and in development by the terminal and an outbox.

use super::config::{self, Config};
use super::kv::Kv;
use super::respond::Failure;
use super::{log, now, outbound, random_id};
use crate::auth::mode::Mode;
use crate::limits::{OUTBOX_MAILS, OUTBOX_SECONDS};
use serde_json::{Value, json};
use worker::{Env, Result, console_log};

/// The mail API where no other is named: its documented request is
/// `POST {from, to, subject, text}` with the key as a bearer token.
const API_URL: &str = "https://api.resend.com/emails";

/// Prefix of the outbox's keys.
const OUTBOX: &str = "outbox:";

/// A mail in plain text.
pub struct Mail {
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Sends a mail.
///
/// # Errors
/// `mail_failed` when the mail API refuses it or does not answer, `misconfigured` when the
/// deployment has none.
pub async fn send(env: &Env, config: &Config, mail: &Mail) -> std::result::Result<(), Failure> {
    match config::optional_secret(env, "MAIL_API_KEY") {
        Some(key) => post(env, &key, mail).await,
        None if config.mode == Mode::Dev => Ok(keep(env, mail).await?),
        None => Err(config::misconfigured("MAIL_API_KEY must be bound to send mail".to_owned())),
    }
}

async fn post(env: &Env, key: &str, mail: &Mail) -> std::result::Result<(), Failure> {
    let url = config::endpoint(env, "MAIL_API_URL", API_URL)?;
    let from = config::variable(env, "MAIL_FROM").ok_or_else(|| {
        config::misconfigured("MAIL_FROM must be bound to the address that mail is from".to_owned())
    })?;
    let body = json!({
        "from": from, "to": [mail.to], "subject": mail.subject, "text": mail.text,
    });
    let key = format!("Bearer {key}");
    let headers = [("Authorization", key.as_str()), ("Content-Type", "application/json")];
    let sent = outbound::ask("POST", &url, &headers, Some(&body.to_string())).await;
    // Neither the address nor the text is logged: the text signs in.
    match sent {
        Ok(answer) if answer.is_ok() => return Ok(()),
        Ok(answer) => {
            let name = answer.json();
            let name = name.get("name").and_then(Value::as_str).unwrap_or("no reason given");
            log::error("mail.refused", &name, json!({ "status": answer.status }));
        }
        Err(error) => log::error("mail.unanswered", &error, json!({})),
    }
    Err(Failure::new("mail_failed", "the mail could not be sent; try again in a few minutes"))
}

/// Shows a mail in the terminal and keeps it in the outbox.
async fn keep(env: &Env, mail: &Mail) -> Result<()> {
    let Mail { to, subject, text } = mail;
    console_log!("\n── mail to {to} ──\n{subject}\n\n{text}\n──\n");
    let at = now();
    let kv = Kv::new(env)?;
    // Keys are listed in their order: the newest first.
    let key = format!("{OUTBOX}{:016}:{}", u64::MAX / 10_000 - at, random_id::<4>("")?);
    let kept = json!({ "at": at, "to": to, "subject": subject, "text": text });
    kv.put(&key, &kept.to_string(), OUTBOX_SECONDS).await?;
    for old in kv.keys(OUTBOX).await?.iter().skip(OUTBOX_MAILS) {
        kv.delete(old).await?;
    }
    Ok(())
}

/// The mails that were sent last in development, newest first.
pub async fn outbox(env: &Env) -> Result<Vec<Value>> {
    let kv = Kv::new(env)?;
    let mut mails = Vec::new();
    for key in kv.keys(OUTBOX).await?.iter().take(OUTBOX_MAILS) {
        let text = kv.get(key).await?.unwrap_or_default();
        mails.extend(serde_json::from_str::<Value>(&text));
    }
    Ok(mails)
}
