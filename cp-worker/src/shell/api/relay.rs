//! What the API asks of a hub.

use crate::hub::CallError;
use crate::shell::respond::{Failure, Outcome};
use miniserde::Deserialize;
use protocol::commands::Command;
use protocol::events::{self, Event};
use worker::web_sys::{self, Headers, ReadableStream, RequestInit};
use worker::{Env, Response, Stub, js_sys};

/// The hub of one gateway.
pub(in crate::shell) struct Relay(Stub);

/// What a hub knows better than the database.
#[derive(Default, Deserialize)]
pub(super) struct HubStatus {
    /// Whether the gateway is connected.
    pub(super) online: bool,
    /// Viewers of each session that has some.
    pub(super) viewers: Vec<(u32, usize)>,
}

impl Relay {
    pub(in crate::shell) fn to(env: &Env, gateway_id: &str) -> Result<Self, Failure> {
        Ok(Self(env.durable_object("HUB")?.id_from_name(gateway_id)?.get_stub()?))
    }

    /// Opens a socket whose end is the hub: the Worker takes no part in it afterwards.
    pub(super) async fn open_socket(&self, operation: &str) -> Outcome {
        // Not by the crate's own request, whose options cost more than all of this file.
        let (init, headers) = (RequestInit::new(), Headers::new().map_err(worker::Error::from)?);
        headers.set("Upgrade", "websocket").map_err(worker::Error::from)?;
        init.set_headers(&headers);
        self.fetch(operation, &init).await
    }

    /// Asks for an operation of the hub's own.
    pub(in crate::shell) async fn tell(
        &self,
        operation: &str,
        body: &str,
    ) -> Result<Response, Failure> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&body.into());
        self.fetch(operation, &init).await
    }

    async fn fetch(&self, operation: &str, init: &RequestInit) -> Result<Response, Failure> {
        let url = format!("https://hub{operation}");
        let request = web_sys::Request::new_with_str_and_init(&url, init);
        let request = request.map_err(worker::Error::from)?;
        Ok(self.0.fetch_with_request(request.into()).await?)
    }

    /// What the hub knows.
    pub(super) async fn status(&self) -> Result<HubStatus, Failure> {
        let text = self.tell("/status", "").await?.text().await?;
        Ok(miniserde::json::from_str(&text).unwrap_or_default())
    }

    /// Sends a command and waits for the gateway's ack; the event that it asked for, if any came.
    pub(super) async fn call(&self, command: Command) -> Result<Option<Event>, CallFailure> {
        // The hub gives the command its own request id.
        let text = command.to_json(Some("api"));
        let mut response = self.tell("/command", &text).await.map_err(CallFailure::Here)?;
        let here = |error: worker::Error| CallFailure::Here(error.into());
        match response.status_code() {
            204 => Ok(None),
            200 => {
                let text = response.text().await.map_err(here)?;
                Ok(events::decode(&text).map(|(_, event)| event))
            }
            _ => {
                let text = response.text().await.map_err(here)?;
                let error = miniserde::json::from_str(&text);
                Err(CallFailure::There(error.unwrap_or_else(|_| CallError::interrupted())))
            }
        }
    }

    /// Lets the hub answer for a file: its response is the browser's.
    pub(super) async fn transfer(
        &self,
        operation: &str,
        command: Command,
        body: Option<&ReadableStream>,
    ) -> Outcome {
        let init = RequestInit::new();
        init.set_method("POST");
        if let Some(body) = body {
            init.set_body(body);
        }
        let command = js_sys::encode_uri_component(&command.to_json(Some("api")));
        self.fetch(&format!("{operation}?{command}"), &init).await
    }
}

/// Why a command failed.
pub(super) enum CallFailure {
    /// On our side.
    Here(Failure),
    /// The hub or the gateway said so.
    There(CallError),
}

impl From<CallFailure> for Failure {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Here(failure) => failure,
            CallFailure::There(error) => error.into(),
        }
    }
}

impl CallFailure {
    /// Whether the hub or the gateway gave this code.
    pub(super) fn is(&self, code: &str) -> bool {
        matches!(self, Self::There(error) if error.code == code)
    }

    /// Whether the command surely had no effect.
    pub(super) fn is_refusal(&self) -> bool {
        let unclear = ["timed_out", "interrupted"];
        matches!(self, Self::There(error) if !unclear.contains(&error.code.as_str()))
    }
}
