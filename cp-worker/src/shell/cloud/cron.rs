//! What happens each minute: droplets that are due are looked at, owners of idle servers are told.

use super::idle::tell_owners;
use super::{Cloud, Looks};
use crate::shell::db::Db;
use crate::shell::{log, now};
use serde_json::json;
use worker::{Env, Result};

/// One run. It does a bounded part of what there is to do; the next one goes on.
pub async fn run(env: &Env) {
    if let Err(error) = look_at_droplets(env).await {
        log::error("cron_droplets_failed", &error, json!({}));
    }
    if let Err(error) = tell_owners(env).await {
        log::error("cron_notices_failed", &error, json!({}));
    }
}

async fn look_at_droplets(env: &Env) -> Result<()> {
    // What is wrong with its bindings is logged.
    let Ok(Some(cloud)) = Cloud::read(env) else { return Ok(()) };
    let db = Db::new(env)?;
    let looks = Looks::new(env, &db, &cloud);
    let due = db.due_droplets(now()).await?;
    for one in &due {
        looks.look_or_log(one.text("gateway_id")).await;
    }
    if !due.is_empty() {
        log::info("cron", json!({ "droplets": due.len() }));
    }
    Ok(())
}
