//! The key-value store: small texts that expire by themselves.

use wasm_bindgen::prelude::*;
use worker::js_sys::{JSON, Object, Promise, Reflect};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Result};

#[wasm_bindgen]
extern "C" {
    /// The binding. By hand, because the crate's goes through serde for each call, which costs
    /// more than all that is asked of it.
    type Namespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &Namespace, key: &str) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(
        this: &Namespace,
        key: &str,
        value: &str,
        options: &Object,
    ) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &Namespace, key: &str) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn list(this: &Namespace, options: &Object) -> std::result::Result<Promise, JsValue>;
}

/// The store.
pub struct Kv(Namespace);

impl Kv {
    /// The store of this deployment.
    ///
    /// # Errors
    /// When it is not bound.
    pub fn new(env: &Env) -> Result<Self> {
        let binding = Reflect::get(env, &"KV".into())?;
        if binding.is_undefined() {
            return Err(worker::Error::RustError("KV is not bound".to_owned()));
        }
        Ok(Self(binding.unchecked_into()))
    }

    /// The value of a key; `None` when it has none, or none any more.
    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        Ok(JsFuture::from(self.0.get(key)?).await?.as_string())
    }

    /// Keeps a value for so many seconds; the platform wants at least 60.
    pub async fn put(&self, key: &str, value: &str, seconds: u64) -> Result<()> {
        let options = Object::new();
        Reflect::set(&options, &"expirationTtl".into(), &JsValue::from_f64(seconds as f64))?;
        JsFuture::from(self.0.put(key, value, &options)?).await?;
        Ok(())
    }

    /// Forgets a key.
    pub async fn delete(&self, key: &str) -> Result<()> {
        JsFuture::from(self.0.delete(key)?).await?;
        Ok(())
    }

    /// The keys that begin with `prefix`, in order; at most the first thousand.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let options = Object::new();
        Reflect::set(&options, &"prefix".into(), &prefix.into())?;
        let listed = JsFuture::from(self.0.list(&options)?).await?;
        let text = JSON::stringify(&listed)?.as_string().unwrap_or_default();
        let listed: serde_json::Value = serde_json::from_str(&text)?;
        let keys = listed.get("keys").and_then(serde_json::Value::as_array);
        let name = |key: &serde_json::Value| Some(key.get("name")?.as_str()?.to_owned());
        Ok(keys.map(|keys| keys.iter().filter_map(name).collect()).unwrap_or_default())
    }
}
