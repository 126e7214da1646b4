//! AES-256-GCM by the platform's own cipher: one written in Rust would be 8 KB of the Worker.

use crate::cloud::sealing::{KEY_BYTES, join, purpose, split};
use crate::shell::random;
use wasm_bindgen::prelude::*;
use worker::js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Error, Result};

#[wasm_bindgen]
extern "C" {
    type SubtleCrypto;

    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: SubtleCrypto;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &SubtleCrypto,
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn encrypt(
        this: &SubtleCrypto,
        algorithm: &Object,
        key: &JsValue,
        data: &Uint8Array,
    ) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decrypt(
        this: &SubtleCrypto,
        algorithm: &Object,
        key: &JsValue,
        data: &Uint8Array,
    ) -> std::result::Result<Promise, JsValue>;
}

/// Seals `text` as the token `which` of a connection.
pub async fn seal(
    key: &[u8; KEY_BYTES],
    connection_id: &str,
    which: &str,
    text: &str,
) -> Result<String> {
    let nonce = random()?;
    let key = import(key, "encrypt").await?;
    let algorithm = algorithm(&nonce, connection_id, which)?;
    let text = Uint8Array::from(text.as_bytes());
    let sealing = SUBTLE.with(|subtle| subtle.encrypt(&algorithm, &key, &text))?;
    Ok(join(&nonce, &bytes(sealing).await?))
}

/// Opens what [`seal`] made of the same token of the same connection.
///
/// # Errors
/// When it is anything else, which is not said in detail.
pub async fn open(
    key: &[u8; KEY_BYTES],
    connection_id: &str,
    which: &str,
    sealed: &str,
) -> Result<String> {
    let broken = || Error::from("a sealed token does not open");
    let (nonce, sealed) = split(sealed).ok_or_else(broken)?;
    let key = import(key, "decrypt").await?;
    let algorithm = algorithm(&nonce, connection_id, which)?;
    let sealed = Uint8Array::from(sealed.as_slice());
    let opening = SUBTLE.with(|subtle| subtle.decrypt(&algorithm, &key, &sealed))?;
    let text = bytes(opening).await.map_err(|_| broken())?;
    String::from_utf8(text).map_err(|_| broken())
}

async fn import(key: &[u8], usage: &str) -> Result<JsValue> {
    let (key, usages) = (Uint8Array::from(key), Array::of1(&usage.into()));
    let import = SUBTLE.with(|subtle| subtle.import_key("raw", &key, "AES-GCM", false, &usages))?;
    Ok(JsFuture::from(import).await?)
}

fn algorithm(nonce: &[u8], connection_id: &str, which: &str) -> Result<Object> {
    let algorithm = Object::new();
    let place = Uint8Array::from(purpose(connection_id, which).as_bytes());
    Reflect::set(&algorithm, &"name".into(), &"AES-GCM".into())?;
    Reflect::set(&algorithm, &"iv".into(), &Uint8Array::from(nonce))?;
    Reflect::set(&algorithm, &"additionalData".into(), &place)?;
    Ok(algorithm)
}

async fn bytes(promise: Promise) -> Result<Vec<u8>> {
    let buffer: ArrayBuffer = JsFuture::from(promise).await?.unchecked_into();
    Ok(Uint8Array::new(&buffer).to_vec())
}
