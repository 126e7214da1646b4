//! The database's binding. By hand: the crate's decodes each type of row from JavaScript's objects,
//! which costs the Worker more than one text that a small decoder reads.

use wasm_bindgen::prelude::*;
use worker::js_sys::{Array, JSON, Promise, Reflect};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Error, Result};

#[wasm_bindgen]
extern "C" {
    type RawDatabase;

    #[wasm_bindgen(method)]
    fn prepare(this: &RawDatabase, sql: &str) -> RawStatement;

    #[wasm_bindgen(method, catch)]
    fn batch(this: &RawDatabase, statements: &Array) -> std::result::Result<Promise, JsValue>;

    type RawStatement;

    #[wasm_bindgen(method, catch, variadic)]
    fn bind(this: &RawStatement, values: &Array) -> std::result::Result<RawStatement, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn all(this: &RawStatement) -> std::result::Result<Promise, JsValue>;
}

/// The database.
pub struct Database(RawDatabase);

/// A statement.
pub struct Statement(RawStatement);

impl Database {
    /// The database of this deployment.
    ///
    /// # Errors
    /// When it is not bound.
    pub fn new(env: &Env) -> Result<Self> {
        let binding = Reflect::get(env, &"DB".into())?;
        if binding.is_undefined() {
            return Err(Error::RustError("DB is not bound".to_owned()));
        }
        Ok(Self(binding.unchecked_into()))
    }

    /// A statement with places for values.
    pub fn prepare(&self, sql: &str) -> Statement {
        Statement(self.0.prepare(sql))
    }

    /// Runs statements in order, all or none.
    pub async fn batch(&self, statements: Vec<Statement>) -> Result<()> {
        let all: Array = statements.into_iter().map(|statement| statement.0).collect();
        JsFuture::from(self.0.batch(&all)?).await?;
        Ok(())
    }
}

impl Statement {
    /// The same with its values.
    pub fn bind(self, values: &[JsValue]) -> Result<Self> {
        Ok(Self(self.0.bind(&values.iter().collect())?))
    }

    /// Runs it; its rows as JSON.
    pub async fn rows(self) -> Result<String> {
        let outcome = JsFuture::from(self.0.all()?).await?;
        Ok(JSON::stringify(&Reflect::get(&outcome, &"results".into())?)?.into())
    }
}
