//! Every statement that the control plane sends to D1.

mod cloud;
mod gateways;
mod people;
mod servers;
mod sessions;

pub use cloud::{NewServer, Row, SealedGrant};
pub use people::{SignedInRow, UserRow};
pub use servers::ServerRow;
pub use sessions::SessionRow;

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{D1Database, Env, Result};

/// The database.
pub struct Db(D1Database);

fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}

/// Integers travel as doubles, exact up to 2⁵³; the column makes integers of them again.
fn number(value: impl TryInto<u64>) -> JsValue {
    JsValue::from_f64(value.try_into().map_or(0.0, |value| value as f64))
}

fn optional(value: Option<i32>) -> JsValue {
    value.map_or(JsValue::NULL, JsValue::from)
}

fn list(ids: &[u32]) -> JsValue {
    text(&serde_json::json!(ids).to_string())
}

impl Db {
    /// The database of this deployment.
    pub fn new(env: &Env) -> Result<Self> {
        Ok(Self(env.d1("DB")?))
    }

    /// Whether it answers at all.
    pub async fn answers(&self) -> Result<()> {
        self.run("SELECT 1", &[]).await
    }

    async fn run(&self, sql: &str, values: &[JsValue]) -> Result<()> {
        self.0.prepare(sql).bind(values)?.run().await.map(|_| ())
    }

    async fn first<T: DeserializeOwned>(&self, sql: &str, values: &[JsValue]) -> Result<Option<T>> {
        self.0.prepare(sql).bind(values)?.first(None).await
    }

    async fn all<T: DeserializeOwned>(&self, sql: &str, values: &[JsValue]) -> Result<Vec<T>> {
        self.0.prepare(sql).bind(values)?.all().await?.results()
    }
}
