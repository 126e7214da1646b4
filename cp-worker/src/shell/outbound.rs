//! Requests to others: bounded in time and size, and not redirected when anything secret goes along.

use super::streams::Body;
use crate::limits::{OUTBOUND_BYTES, OUTBOUND_MS};
use serde_json::Value;
use wasm_bindgen::JsCast;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{
    AbortSignal, Headers, RequestInit, RequestRedirect, Response, WorkerGlobalScope,
};
use worker::{Error, Result, js_sys};

/// What came back.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    headers: Headers,
    body: String,
}

impl Answer {
    /// Whether the status says that it was done.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, with what is not UTF-8 replaced.
    pub fn text(self) -> String {
        self.body
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).ok().flatten()
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Asks `url`, which is ours or an operator's choice, never a visitor's. A redirect is an answer
/// like any other: what we send is for the one we asked.
///
/// # Errors
/// When nothing comes back in time, or too much. The cause holds nothing of what was sent.
pub async fn ask(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Answer> {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_redirect(RequestRedirect::Manual);
    if let Some(body) = body {
        init.set_body(&body.into());
    }
    let all = Headers::new()?;
    for (name, value) in headers {
        all.set(name, value)?;
    }
    init.set_headers(&all);
    send(url, &init).await
}

/// Reads what is public. Redirects are followed: nothing of ours goes along.
///
/// # Errors
/// As [`ask`].
pub async fn read(url: &str) -> Result<Answer> {
    send(url, &RequestInit::new()).await
}

async fn send(url: &str, init: &RequestInit) -> Result<Answer> {
    init.set_signal(Some(&AbortSignal::timeout_with_u32(OUTBOUND_MS)));
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let answer = JsFuture::from(scope.fetch_with_str_and_init(url, init)).await?;
    let answer: Response = answer.unchecked_into();
    let read = Body::new(answer.body())?.piece(OUTBOUND_BYTES + 1).await?;
    if read.len() > OUTBOUND_BYTES {
        return Err(Error::RustError("the answer is too large".to_owned()));
    }
    let body = String::from_utf8_lossy(&read.payload().to_vec()).into_owned();
    Ok(Answer { status: answer.status(), headers: answer.headers(), body })
}
