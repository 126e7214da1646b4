//! The log: one line of JSON for each event, with the ids by which lines belong together.
//!
//! Nothing secret comes here: no token, cookie, address, query, title or byte of a terminal.

use super::{now, random_id};
use crate::routes::{Address, Route};
use serde_json::{Value, json};
use std::cell::RefCell;
use worker::{Request, Response, Result, console_error, console_log};

/// The header by which an answer names its line.
const HEADER: &str = "X-Request-Id";

/// Writes that something happened; `fields` is an object.
pub fn info(event: &str, fields: Value) {
    console_log!("{}", line("info", event, fields));
}

/// Writes that something went wrong; `cause` is for who runs the deployment.
pub fn error(event: &str, cause: &dyn std::fmt::Display, mut fields: Value) {
    set(&mut fields, "cause", cause.to_string().into());
    console_error!("{}", line("error", event, fields));
}

fn line(level: &str, event: &str, mut fields: Value) -> Value {
    set(&mut fields, "level", level.into());
    set(&mut fields, "event", event.into());
    fields
}

fn set(fields: &mut Value, name: &str, value: Value) {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// What is known of a request while it is answered.
pub struct Trace {
    started_at: u64,
    fields: RefCell<Value>,
    request_id: String,
}

impl Trace {
    /// Begins with what the address says; `route` is `None` where there is none.
    pub fn new(request: &Request, route: Option<&Route>) -> Self {
        // Without randomness the answer is worth more than its name.
        let request_id = random_id::<8>("").unwrap_or_default();
        let mut fields = json!({ "request_id": request_id, "method": request.method().as_ref() });
        // What has no route is a stranger's text.
        if route.is_some() {
            let Address { pattern, gateway_id, session_id } = Address::of(&request.path());
            set(&mut fields, "route", pattern.into());
            if let Some(id) = gateway_id {
                set(&mut fields, "gateway_id", id.into());
            }
            if let Some(id) = session_id {
                set(&mut fields, "session_id", id.into());
            }
        }
        Self { started_at: now(), fields: RefCell::new(fields), request_id }
    }

    /// Notes who asks.
    pub fn user(&self, user_id: &str) {
        set(&mut self.fields.borrow_mut(), "user_id", user_id.into());
    }

    /// Notes why it failed; `cause` is what went wrong on our side.
    pub fn failed(&self, code: &str, cause: Option<String>) {
        let mut fields = self.fields.borrow_mut();
        set(&mut fields, "code", code.into());
        if let Some(cause) = cause {
            set(&mut fields, "cause", cause.into());
        }
    }

    /// Writes the line, and names it in the answer.
    pub fn end(self, response: Response) -> Result<Response> {
        let mut fields = self.fields.into_inner();
        set(&mut fields, "status", response.status_code().into());
        set(&mut fields, "ms", now().saturating_sub(self.started_at).into());
        match fields.get("cause").and_then(Value::as_str).map(str::to_owned) {
            Some(cause) => error("request", &cause, fields),
            None => info("request", fields),
        }
        // What another object answered has headers that cannot be changed.
        let headers = response.headers().clone();
        headers.set(HEADER, &self.request_id)?;
        Ok(response.with_headers(headers))
    }
}
