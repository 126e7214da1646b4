//! The newest gateway that the deployment offers, and the script that installs it.

use super::query;
use crate::limits::{NO_RELEASE_SECONDS, RELEASE_SECONDS};
use crate::requests::parameter;
use crate::shell::config::Config;
use crate::shell::log;
use crate::shell::respond::{Failure, Outcome, json, script};
use crate::shell::streams::Body;
use protocol::limits::MANIFEST_BYTES;
use serde_json::{Value, json};
use worker::{Env, Fetch, Method, Request, ResponseBody, Result};

/// The installer, with this in the place of the deployment's address.
const SCRIPT: &str = include_str!("../../../../deploy/install.sh");
const PLACEHOLDER: &str = "@ORIGIN@";

/// The targets of releases; no other is looked for.
const TARGETS: [&str; 6] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "arm-unknown-linux-musleabihf",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// `GET /install.sh`.
pub fn install_script(config: &Config) -> Outcome {
    script(&SCRIPT.replace(PLACEHOLDER, &config.origin))
}

/// `GET /api/release`: what the folder at `RELEASE_URL` holds for a target, kept for a while.
pub async fn release(request: &Request, env: &Env) -> Outcome {
    let none = || Failure::new("no_release", "this deployment offers no release of the gateway");
    let target = parameter(&query(request), "target").unwrap_or_default();
    let folder = env.var("RELEASE_URL").map(|url| url.to_string()).unwrap_or_default();
    if folder.is_empty() || !(target.is_empty() || TARGETS.contains(&target.as_str())) {
        return Err(none());
    }
    let (kv, key) = (env.kv("KV")?, format!("release:{target}"));
    let kept = kv.get(&key).text().await.map_err(worker::Error::from)?;
    let found = match kept.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(found) => found,
        None => {
            let found = look(&folder, &target).await;
            let seconds = if found.is_null() { NO_RELEASE_SECONDS } else { RELEASE_SECONDS };
            let put = kv.put(&key, found.to_string()).map_err(worker::Error::from)?;
            put.expiration_ttl(seconds).execute().await.map_err(worker::Error::from)?;
            found
        }
    };
    if found.is_null() { Err(none()) } else { json(200, &found) }
}

/// The release in `folder`, or in the one of a target beneath it; null when there is none that
/// can be read. Gateways and the installer look at the signature.
async fn look(folder: &str, target: &str) -> Value {
    let base = [folder.trim_end_matches('/'), target].join("/");
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
    let response = Fetch::Request(Request::new(url, Method::Get)?).send().await?;
    let (status, (_, body)) = (response.status_code(), response.into_parts());
    let wrong = |why: &str| Err(worker::Error::RustError(format!("{why} ({status})")));
    let ResponseBody::Stream(stream) = body else { return wrong("an empty file") };
    let bytes = Body::new(Some(stream))?.piece(MANIFEST_BYTES + 1).await?.payload().to_vec();
    if status != 200 || bytes.is_empty() || bytes.len() > MANIFEST_BYTES {
        return wrong("a release's file is there and has 1 to 4096 bytes");
    }
    String::from_utf8(bytes).or_else(|_| wrong("a release's file is UTF-8"))
}
