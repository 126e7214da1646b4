//! The newest gateway that the deployment offers, and the script that installs it.

use super::query;
use crate::limits::{NO_RELEASE_SECONDS, RELEASE_SECONDS};
use crate::requests::parameter;
use crate::shell::config::{self, Config, origin_of};
use crate::shell::kv::Kv;
use crate::shell::respond::{Failure, Outcome, json, script};
use crate::shell::{log, outbound, pages};
use protocol::limits::MANIFEST_BYTES;
use serde_json::{Value, json};
use worker::{Env, Request, Result};

/// Where a file of the web app has the installer, whose places are filled in for each deployment.
const SCRIPT: &str = "/install.sh";

/// Characters of the second line of a minisign `.pub` file.
const KEY_CHARS: usize = 56;

/// The targets of releases, and of what people build themselves; no other is looked for.
const TARGETS: [&str; 8] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "arm-unknown-linux-musleabihf",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// `GET /install.sh`: with this deployment's address, and with its releases and their key where it
/// has them.
pub async fn install_script(request: &Request, env: &Env, config: &Config) -> Outcome {
    let folder = match config::variable(env, "RELEASE_URL") {
        Some(_) => config::endpoint(env, "RELEASE_URL", "")?,
        None => String::new(),
    };
    let key = config::variable(env, "RELEASE_PUBLIC_KEY").unwrap_or_default();
    // They stand between a shell's quotes.
    if !is_plain(&folder, b":/.-_~[]") {
        let form = "RELEASE_URL has characters other than letters, digits and :/.-_~[]";
        return Err(config::misconfigured(form.to_owned()));
    }
    if !(key.is_empty() || is_plain(&key, b"+/=") && key.len() == KEY_CHARS) {
        let form = "RELEASE_PUBLIC_KEY must be the second line of a minisign .pub file";
        return Err(config::misconfigured(form.to_owned()));
    }
    let template = format!("{}{SCRIPT}", origin_of(&request.inner().url()));
    let template = pages::file(env, &template).await?;
    let places =
        [("@ORIGIN@", &config.origin), ("@RELEASE_URL@", &folder), ("@RELEASE_KEY@", &key)];
    let fill = |text: String, (place, value): &(&str, &String)| text.replace(place, value);
    script(&places.iter().fold(template, fill))
}

fn is_plain(text: &str, also: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
}

/// `GET /api/release`: what the folder at `RELEASE_URL` holds for a target, kept for a while.
pub async fn release(request: &Request, env: &Env) -> Outcome {
    let none = || Failure::new("no_release", "this deployment offers no release of the gateway");
    let target = parameter(&query(request), "target").unwrap_or_default();
    let is_known = target.is_empty() || TARGETS.contains(&target.as_str());
    if !is_known || config::variable(env, "RELEASE_URL").is_none() {
        return Err(none());
    }
    let folder = config::endpoint(env, "RELEASE_URL", "")?;
    let (kv, key) = (Kv::new(env)?, format!("release:{target}"));
    let found = match kv.get(&key).await?.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(found) => found,
        None => {
            let found = look(&folder, &target).await;
            let seconds = if found.is_null() { NO_RELEASE_SECONDS } else { RELEASE_SECONDS };
            kv.put(&key, &found.to_string(), seconds).await?;
            found
        }
    };
    if found.is_null() { Err(none()) } else { json(200, &found) }
}

/// The release in `folder`, or in the one of a target beneath it; null when there is none that
/// can be read. Gateways and the installer look at the signature.
async fn look(folder: &str, target: &str) -> Value {
    let base = [folder, target].join("/");
    let url = format!("{}/manifest.json", base.trim_end_matches('/'));
    let read = async {
        let manifest = text(&url).await?;
        let signature = text(&format!("{url}.minisig")).await?;
        Result::Ok((manifest, signature))
    };
    let found = read.await.and_then(|(manifest, signature)| {
        let says: Value = serde_json::from_str(&manifest)?;
        match says.get("version") {
            Some(Value::String(version)) => Ok(json!({
                "version": version, "manifest": manifest, "signature": signature,
            })),
            _ => Err(worker::Error::RustError("the manifest names no version".into())),
        }
    });
    found.unwrap_or_else(|cause| {
        log::error("release.unreadable", &cause, json!({ "target": target }));
        Value::Null
    })
}

/// A small file.
async fn text(url: &str) -> Result<String> {
    let answer = outbound::read(url).await?;
    let status = answer.status;
    let text = answer.text();
    if status == 200 && (1..=MANIFEST_BYTES).contains(&text.len()) {
        return Ok(text);
    }
    let why = format!("a release's file is there and has 1 to 4096 bytes ({status})");
    Err(worker::Error::RustError(why))
}
