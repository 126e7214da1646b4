//! Whether what the deployment depends on works.

use crate::shell::db::Db;
use crate::shell::kv::Kv;
use crate::shell::log;
use crate::shell::respond::{Outcome, json};
use serde_json::json;
use worker::{Env, Result};

/// A key that is never there: looking for it is enough.
const NO_KEY: &str = "status";

/// `GET /api/status`.
pub async fn status(env: &Env) -> Outcome {
    let database = word("database", database(env).await);
    let store = word("store", store(env).await);
    let code = if database == store && store == "ok" { 200 } else { 503 };
    let version = env!("CARGO_PKG_VERSION");
    json(code, &json!({ "version": version, "database": database, "store": store }))
}

async fn database(env: &Env) -> Result<()> {
    Db::new(env)?.answers().await
}

async fn store(env: &Env) -> Result<()> {
    Kv::new(env)?.get(NO_KEY).await.map(drop)
}

fn word(part: &str, outcome: Result<()>) -> &'static str {
    match outcome {
        Ok(()) => "ok",
        Err(cause) => {
            log::error("status.failing", &cause, json!({ "part": part }));
            "failing"
        }
    }
}
