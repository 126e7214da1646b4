//! Answers of the HTTP API: JSON, failures with a code, sockets that are closed with a reason.

use super::CLOSE_NOT_SIGNED_IN;
use crate::hub::CallError;
use crate::limits::{CLOSE_ENDED, CLOSE_NOT_FOUND};
use serde::Serialize;
use serde_json::json;
use worker::{Response, Result, WebSocketPair, console_error};

/// What a handler comes to.
pub type Outcome = std::result::Result<Response, Failure>;

/// Why a request failed, as the client is told.
#[derive(Debug)]
pub struct Failure {
    status: u16,
    code: String,
    message: String,
}

impl Failure {
    /// A failure with the given status and code.
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// Status 404.
    pub fn not_found(message: &str) -> Self {
        Self::new(404, "not_found", message)
    }

    /// Status 400.
    pub fn invalid(message: &str) -> Self {
        Self::new(400, "invalid", message)
    }

    /// Status 401.
    pub fn signed_out() -> Self {
        Self::new(401, "not_signed_in", "sign in first")
    }

    /// The session is over; status 409.
    pub fn ended() -> Self {
        Self::new(409, "session_ended", "the session has ended")
    }

    /// As an HTTP response.
    pub fn into_response(self) -> Result<Response> {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        secured(Response::from_json(&body)?.with_status(self.status))
    }
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        console_error!("request failed: {error}");
        Self::new(500, "internal", "something went wrong on our side; it is logged")
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let status = match error.code.as_str() {
            "timed_out" => 504,
            "too_many_commands" => 503,
            _ => 409,
        };
        Self::new(status, &error.code, &error.message)
    }
}

/// A JSON body.
pub fn json<T: Serialize>(status: u16, body: &T) -> Outcome {
    Ok(secured(Response::from_json(body)?.with_status(status))?)
}

/// Status 204.
pub fn nothing() -> Outcome {
    Ok(secured(Response::empty()?.with_status(204))?)
}

/// Answers of the API are for the asker and for now.
fn secured(mut response: Response) -> Result<Response> {
    response.headers_mut().set("Cache-Control", "no-store")?;
    response.headers_mut().set("X-Content-Type-Options", "nosniff")?;
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
