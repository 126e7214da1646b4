//! Answers of the HTTP API: JSON, failures with a code, sockets that are closed with a reason.

use super::{CLOSE_NOT_SIGNED_IN, log};
use crate::hub::CallError;
use crate::limits::{CLOSE_ENDED, CLOSE_NOT_FOUND};
use crate::{attachment, status};
use serde::Serialize;
use serde_json::json;
use wasm_bindgen::JsValue;
use worker::js_sys::Date;
use worker::web_sys::ReadableStream;
use worker::{Response, ResponseBody, Result, WebSocketPair};

/// What a handler comes to.
pub type Outcome = std::result::Result<Response, Failure>;

/// Why a request failed, as the client is told.
#[derive(Debug)]
pub struct Failure {
    status: u16,
    code: String,
    message: String,
    /// Seconds.
    retry_after: Option<u64>,
    /// What went wrong on our side, for the log alone.
    cause: Option<String>,
}

impl Failure {
    /// A failure with a code of the table in [`status`].
    pub fn new(code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self { status: status::of(&code), code, message, retry_after: None, cause: None }
    }

    /// The same, with the seconds after which it may go better.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same, with what the log is to say of it.
    pub fn because(mut self, cause: String) -> Self {
        self.cause = Some(cause);
        self
    }

    /// What the log is to say, once.
    pub fn take_cause(&mut self) -> Option<String> {
        self.cause.take()
    }

    /// Status 404.
    pub fn not_found(message: &str) -> Self {
        Self::new("not_found", message)
    }

    /// Status 400.
    pub fn invalid(message: &str) -> Self {
        Self::new("invalid", message)
    }

    /// Status 401.
    pub fn signed_out() -> Self {
        Self::new("not_signed_in", "sign in first")
    }

    /// Whether it is that nobody is signed in, and nothing worse.
    pub fn is_signed_out(&self) -> bool {
        self.code == "not_signed_in"
    }

    /// The session is over; status 409.
    pub fn ended() -> Self {
        Self::new("session_ended", "the session has ended")
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// As an HTTP response.
    pub fn into_response(self) -> Result<Response> {
        // In a hub nobody has asked for it.
        if let Some(cause) = &self.cause {
            log::error("request.failed", cause, json!({ "code": self.code }));
        }
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut response = secured(Response::from_json(&body)?.with_status(self.status))?;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().set("Retry-After", &seconds.to_string())?;
        }
        Ok(response)
    }
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        let failure = Self::new("internal", "something went wrong on our side; it is logged");
        failure.because(error.to_string())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::new(&error.code, &error.message)
    }
}

/// A JSON body.
pub fn json<T: Serialize>(status: u16, body: &T) -> Outcome {
    Ok(secured(Response::from_json(body)?.with_status(status))?)
}

/// A file as a download: never shown, never guessed at, never kept. The stream tells its length.
pub fn file(content: ReadableStream, path: &str, mtime: u64) -> Outcome {
    let mut response = secured(Response::from_body(ResponseBody::Stream(content))?)?;
    let headers = response.headers_mut();
    headers.set("Content-Type", "application/octet-stream")?;
    headers.set("Content-Disposition", &attachment::disposition(path))?;
    // The platform writes dates as HTTP wants them, and none that is not one.
    let changed = Date::new(&JsValue::from_f64(mtime as f64 * 1_000.0));
    if !changed.get_time().is_nan() {
        headers.set("Last-Modified", &String::from(changed.to_utc_string()))?;
    }
    Ok(response)
}

/// A script for a shell.
pub fn script(text: &str) -> Outcome {
    let mut response = secured(Response::ok(text)?)?;
    response.headers_mut().set("Content-Type", "text/x-shellscript; charset=utf-8")?;
    Ok(response)
}

/// Status 302: the browser goes on to `location`.
pub fn redirect(location: &str) -> Outcome {
    let mut response = secured(Response::empty()?.with_status(302))?;
    response.headers_mut().set("Location", location)?;
    Ok(response)
}

/// Status 204.
pub fn nothing() -> Outcome {
    Ok(secured(Response::empty()?.with_status(204))?)
}

/// Headers of every answer of the API: it is for the asker and for now, and never a page. Those of
/// pages are in `web/public/_headers`.
const HEADERS: [(&str, &str); 6] = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Content-Type-Options", "nosniff"),
];

fn secured(mut response: Response) -> Result<Response> {
    for (name, value) in HEADERS {
        response.headers_mut().set(name, value)?;
    }
    Ok(response)
}

/// Accepts a browser's socket only to close it with the failure's close code.
pub fn closed(failure: &Failure) -> Result<Response> {
    let code = match failure.status {
        401 => CLOSE_NOT_SIGNED_IN,
        404 => CLOSE_NOT_FOUND,
        409 => CLOSE_ENDED,
        403 => 1008,
        503 => 1013,
        _ => 1011,
    };
    let pair = WebSocketPair::new()?;
    pair.server.accept()?;
    pair.server.close(Some(code), Some(&failure.message))?;
    Response::from_websocket(pair.client)
}
