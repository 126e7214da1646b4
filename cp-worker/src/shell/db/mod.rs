//! Every statement that the control plane sends to D1.

mod cloud;
mod d1;
mod gateways;
mod people;
mod servers;
mod sessions;

pub use cloud::{NewServer, Row, SealedGrant};
pub use people::{SignedInRow, UserRow};
pub use servers::ServerRow;
pub use sessions::SessionRow;

use d1::{Database, Statement};
use miniserde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{Env, Error, Result};

/// The database.
pub struct Db(Database);

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
        Ok(Self(Database::new(env)?))
    }

    /// Whether it answers at all.
    pub async fn answers(&self) -> Result<()> {
        self.run("SELECT 1", &[]).await
    }

    fn statement(&self, sql: &str, values: &[JsValue]) -> Result<Statement> {
        self.0.prepare(sql).bind(values)
    }

    async fn run(&self, sql: &str, values: &[JsValue]) -> Result<()> {
        self.statement(sql, values)?.rows().await.map(drop)
    }

    /// Whether a statement that returns what it changed did so.
    async fn changed(&self, sql: &str, values: &[JsValue]) -> Result<bool> {
        Ok(self.statement(sql, values)?.rows().await? != "[]")
    }

    async fn first<T: Deserialize>(&self, sql: &str, values: &[JsValue]) -> Result<Option<T>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    async fn all<T: Deserialize>(&self, sql: &str, values: &[JsValue]) -> Result<Vec<T>> {
        let rows = self.statement(sql, values)?.rows().await?;
        let unreadable = |_| Error::RustError("a row is not what was asked for".to_owned());
        miniserde::json::from_str(&rows).map_err(unreadable)
    }
}
