//! GatewayHub, the Durable Object: carries socket events to the hub and its effects back.

use super::config::token_secret;
use super::jobs::{Job, Jobs};
use super::mailbox::Mailbox;
use super::respond::Failure;
use super::sockets::{BROWSER_TAG, GATEWAY_TAG, Peer, Sender, Sockets};
use super::timer::Timer;
use super::{log, now, random, respond};
use crate::auth::token;
use crate::hub::{CallError, CallId, Effect, Hub, SocketId, TransferId};
use crate::limits::{CLOSE_NOT_SIGNED_IN, MAX_BROWSERS};
use futures_channel::oneshot;
use protocol::commands::{Command, Incoming};
use protocol::frame::HEADER_BYTES;
use protocol::limits::MAX_TEXT_BYTES;
use protocol::small_map::SmallMap;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::js_sys::{ArrayBuffer, JsString, Uint8Array, decode_uri_component};
use worker::web_sys::ReadableStream;
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocketPair,
    WebSocketRequestResponsePair, durable_object, web_sys,
};

/// The Durable Object of one gateway. The attribute exports construction, `fetch` and `alarm`; the
/// socket handlers below are exported by hand, so that they are synchronous, which keeps messages
/// in order, and get the message itself, which keeps payloads out of our memory.
#[durable_object(alarm)]
pub struct GatewayHub {
    core: Rc<Core>,
}

/// What the object's events and its background tasks share. No borrow is held across an await.
pub struct Core {
    pub(super) state: State,
    pub(super) env: Env,
    pub(super) gateway_id: String,
    pub(super) hub: RefCell<Hub>,
    pub(super) sockets: RefCell<Sockets>,
    pub(super) jobs: Jobs,
    calls: RefCell<SmallMap<CallId, oneshot::Sender<Answer>>>,
    last_call: Cell<CallId>,
    /// The transfers under way.
    pub(super) transfers: RefCell<SmallMap<TransferId, Rc<Mailbox>>>,
    timer: Timer,
    instance: u32,
    started_at: u64,
}

type Answer = std::result::Result<Option<String>, CallError>;

impl DurableObject for GatewayHub {
    fn new(state: State, env: Env) -> Self {
        if let Ok(pair) = WebSocketRequestResponsePair::new(protocol::PING, protocol::PONG) {
            state.set_websocket_auto_response(&pair);
        }
        let gateway_id = state.id().name().unwrap_or_default();
        // Without randomness ids may repeat ones from before hibernation, which time tells apart.
        let instance = random().map_or(now() as u32, u32::from_le_bytes);
        let mut hub = Hub::new(gateway_id.clone(), instance);
        let (sockets, gateway, browsers) = Sockets::restore(&state);
        if let Some(attachment) = gateway {
            hub.restore_gateway(&attachment);
        }
        for (id, attachment) in browsers {
            hub.restore_browser(id, &attachment);
        }
        hub.restored();
        let core = Core {
            state,
            env,
            gateway_id,
            hub: RefCell::new(hub),
            sockets: RefCell::new(sockets),
            jobs: Jobs::default(),
            calls: RefCell::default(),
            last_call: Cell::new(0),
            transfers: RefCell::default(),
            timer: Timer::default(),
            instance,
            started_at: now(),
        };
        let core = Rc::new(core);
        let weak = Rc::downgrade(&core);
        core.timer.on_fire(move || {
            if let Some(core) = weak.upgrade() {
                core.timer.fired();
                core.drive(None, |hub| hub.tick(now()));
            }
        });
        Self { core }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let url = request.inner().url();
        let argument = url.split_once('?').map_or("", |(_, argument)| argument);
        let core = &self.core;
        match request.path().as_str() {
            "/gateway" => core.accept_gateway(argument == "enrol"),
            "/watch" => core.accept_browser(None, argument),
            "/view" => {
                let (session_id, sign_in_id) = argument.split_once('&').unwrap_or((argument, ""));
                core.accept_browser(session_id.parse().ok(), sign_in_id)
            }
            "/sign-out" => core.sign_out(argument),
            "/command" => core.command(&request.text().await?).await,
            "/upload" | "/download" => {
                let body = request.inner().body();
                core.transfer(argument, body).await.or_else(Failure::into_response)
            }
            "/changed" => core.done(|hub| hub.sessions_changed()),
            "/revoke" => {
                core.forget_history()?;
                core.done(|hub| hub.revoke(now()))
            }
            "/rates" => Response::from_json(&core.hub.borrow_mut().rates(now())),
            "/history" => Response::from_json(&core.history()?),
            "/status" => Response::from_json(&json!({
                "online": core.hub.borrow().is_online(),
                "viewers": core.hub.borrow().viewer_counts(),
            })),
            "/instance" => Response::from_json(&json!({
                "instance": core.instance, "started_at": core.started_at,
            })),
            _ => Response::error("no such operation", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.core.sweep().await?;
        Response::empty()
    }
}

#[wasm_bindgen]
impl GatewayHub {
    /// Called when this instance takes over from one that panicked.
    #[wasm_bindgen(js_name = afterPanic)]
    pub fn after_panic(&self) {
        self.core.drive(None, |hub| hub.distrust(now()));
    }

    /// Takes a message. Binary ones are known by their first bytes and passed on as they are.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, socket: web_sys::WebSocket, message: JsValue) {
        let now = now();
        let Some(sender) = self.core.sockets.borrow().sender(&socket) else { return };
        self.core.sockets.borrow_mut().heard(sender, now);
        if let Some(buffer) = message.dyn_ref::<ArrayBuffer>() {
            let len = buffer.byte_length();
            let head = head_of(buffer, len);
            self.core.drive(Some(&message), |hub| match sender {
                Sender::Gateway => hub.gateway_binary(&head, len as usize, now),
                Sender::Browser(id) => hub.browser_binary(id, len as usize, now),
            });
            return;
        }
        let Some(string) = message.dyn_ref::<JsString>() else { return };
        if sender == Sender::Gateway {
            // Whether anybody looks decides what becomes of `session.attention`.
            self.core.drop_silent_focus();
        }
        // Looked at before the copy: our memory never shrinks.
        let too_large = string.length() as usize > MAX_TEXT_BYTES;
        let text = if too_large { String::new() } else { String::from(string) };
        self.core.drive(Some(&message), |hub| match (sender, too_large) {
            (Sender::Gateway, true) => hub.gateway_too_large(),
            (Sender::Gateway, false) => hub.gateway_text(&text, now),
            (Sender::Browser(id), true) => hub.browser_too_large(id, now),
            (Sender::Browser(id), false) => hub.browser_text(id, &text, now),
        });
    }

    /// A socket was closed by its other end, which waits for the answer.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(
        &self,
        socket: web_sys::WebSocket,
        code: u16,
        reason: String,
        _clean: bool,
    ) {
        // Codes that only describe a close must not be sent in one.
        let code = if matches!(code, 1005 | 1006 | 1015) { 1000 } else { code };
        let _ = socket.close_with_code_and_reason(code, &reason);
        self.core.gone(&socket);
    }

    /// A socket broke.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self, socket: web_sys::WebSocket, _error: JsValue) {
        self.core.gone(&socket);
    }
}

fn head_of(buffer: &ArrayBuffer, len: u32) -> [u8; HEADER_BYTES] {
    let mut head = [0; HEADER_BYTES];
    if len as usize >= HEADER_BYTES {
        Uint8Array::new_with_byte_offset_and_length(buffer, 0, HEADER_BYTES as u32)
            .copy_to(&mut head);
    }
    head
}

impl Core {
    /// Lets an event happen to the hub and carries out what follows from it.
    pub(super) fn drive(self: &Rc<Self>, message: Option<&JsValue>, event: impl FnOnce(&mut Hub)) {
        let (effects, deadline) = {
            let mut hub = self.hub.borrow_mut();
            event(&mut hub);
            (hub.take_effects(), hub.next_deadline())
        };
        for effect in effects {
            self.apply(effect, message);
        }
        // Until then there is something to be sent or saved; later nothing keeps the object awake.
        self.timer.set(deadline, now());
    }

    fn apply(self: &Rc<Self>, effect: Effect, message: Option<&JsValue>) {
        let mut sockets = self.sockets.borrow_mut();
        match effect {
            Effect::ToGateway(text) => sockets.gateway.iter().for_each(|peer| peer.send(&text)),
            Effect::ToBrowser(id, text) => {
                sockets.browser(id).into_iter().for_each(|peer| peer.send(&text));
            }
            Effect::Pass(id) => {
                if let (Some(peer), Some(message)) = (sockets.browser(id), message) {
                    peer.pass(message);
                }
            }
            Effect::CloseGateway(code, reason) => {
                let peer = sockets.remove(Sender::Gateway);
                peer.iter().for_each(|peer| peer.close(code, reason));
            }
            Effect::CloseBrowser(id, code, reason) => {
                let peer = sockets.remove(Sender::Browser(id));
                peer.iter().for_each(|peer| peer.close(code, reason));
            }
            Effect::SaveGateway(part) => {
                sockets.gateway.iter().for_each(|peer| peer.save(part.clone()))
            }
            Effect::SaveBrowser(id, part) => {
                sockets.browser(id).into_iter().for_each(|peer| peer.save(part.clone()));
            }
            Effect::Answer(call, result) => {
                drop(sockets);
                self.add_job(Job::Answer(call, result));
            }
            Effect::Transfer(id, step) => self.post(id, step, message),
            Effect::Record(record) => {
                drop(sockets);
                self.add_job(Job::Record(record));
            }
            Effect::Sample(sample) => {
                if let Err(error) = self.keep_sample(&sample) {
                    self.log_error("history.failed", &error);
                }
            }
            Effect::Runaway(session_id, bytes_per_second) => {
                log::info(
                    "session.runaway",
                    json!({
                        "gateway_id": self.gateway_id, "session_id": session_id,
                        "bytes_per_second": bytes_per_second,
                    }),
                );
            }
            Effect::MakeToken => {
                drop(sockets);
                self.add_job(Job::MakeToken);
            }
        }
    }

    fn done(self: &Rc<Self>, event: impl FnOnce(&mut Hub)) -> Result<Response> {
        self.drive(None, event);
        Ok(Response::empty()?.with_status(204))
    }

    fn accept_gateway(self: &Rc<Self>, enrolling: bool) -> Result<Response> {
        let old = self.sockets.borrow_mut().gateway.take();
        if let Some(old) = old {
            old.close(protocol::CLOSE_REPLACED, "another connection took this one's place");
        }
        let pair = WebSocketPair::new()?;
        self.state.accept_websocket_with_tags(&pair.server, &[GATEWAY_TAG]);
        self.sockets.borrow_mut().gateway = Some(Peer::new(0, pair.server, now()));
        self.drive(None, |hub| hub.gateway_connected(enrolling));
        Response::from_websocket(pair.client)
    }

    /// Accepts a viewer of `session_id`, or a watcher, in a browser that is signed in.
    fn accept_browser(
        self: &Rc<Self>,
        session_id: Option<u32>,
        sign_in_id: &str,
    ) -> Result<Response> {
        if self.hub.borrow().browser_count() >= MAX_BROWSERS {
            let failure = Failure::new("too_many_browsers", "too many open pages");
            return respond::closed(&failure);
        }
        self.drop_silent_gateway();
        let id = SocketId::from_le_bytes(random()?);
        let pair = WebSocketPair::new()?;
        self.state.accept_websocket_with_tags(&pair.server, &[BROWSER_TAG, sign_in_id]);
        self.sockets.borrow_mut().browsers.push(Peer::new(id, pair.server, now()));
        self.drive(None, |hub| match session_id {
            Some(session_id) => hub.viewer_connected(id, session_id),
            None => hub.watcher_connected(id),
        });
        self.arm_sweep();
        Response::from_websocket(pair.client)
    }

    /// Closes the browsers of a sign-in that ended; all when it is empty.
    fn sign_out(self: &Rc<Self>, sign_in_id: &str) -> Result<Response> {
        let ids = {
            let sockets = self.sockets.borrow();
            sockets.browsers_tagged(&self.state, sign_in_id)
        };
        self.done(|hub| {
            for id in ids {
                hub.close_browser(id, CLOSE_NOT_SIGNED_IN, "signed out", now());
            }
        })
    }

    fn gone(self: &Rc<Self>, socket: &web_sys::WebSocket) {
        let Some(sender) = self.sockets.borrow().sender(socket) else { return };
        self.sockets.borrow_mut().remove(sender);
        self.drive(None, |hub| match sender {
            Sender::Gateway => hub.gateway_closed(),
            Sender::Browser(id) => hub.browser_closed(id, now()),
        });
    }

    /// Sends a command of the contract and answers when the gateway has acked it.
    async fn command(self: &Rc<Self>, text: &str) -> Result<Response> {
        let Incoming::Command { command, .. } = protocol::commands::decode(text) else {
            return Response::error("not a command", 400);
        };
        match self.call(&command).await {
            Ok(None) => Ok(Response::empty()?.with_status(204)),
            Ok(Some(event)) => Response::ok(event),
            Err(error) => Ok(Response::ok(crate::json::of(&error))?.with_status(409)),
        }
    }

    /// Carries a file; `command` is the one of the contract, encoded for an address.
    async fn transfer(
        self: &Rc<Self>,
        command: &str,
        body: Option<ReadableStream>,
    ) -> respond::Outcome {
        let text = decode_uri_component(command).map(String::from).unwrap_or_default();
        match protocol::commands::decode(&text) {
            Incoming::Command { command: Command::FileUploadBegin(begin), .. } => {
                self.upload(begin, body).await
            }
            Incoming::Command { command: Command::FileDownload(download), .. } => {
                self.download(download).await
            }
            _ => Err(Failure::invalid("not a transfer")),
        }
    }

    async fn call(self: &Rc<Self>, command: &Command) -> Answer {
        let call = self.last_call.get().wrapping_add(1);
        self.last_call.set(call);
        let (answer, answered) = oneshot::channel();
        self.calls.borrow_mut().insert(call, answer);
        self.drive(None, |hub| hub.call(call, command, now()));
        answered.await.unwrap_or_else(|_| Err(CallError::interrupted()))
    }

    /// Ends a call.
    pub(super) fn answer(&self, call: CallId, result: Answer) {
        if let Some(answer) = self.calls.borrow_mut().remove(&call) {
            let _ = answer.send(result);
        }
    }

    /// Makes the gateway's own token. Its hash is kept before the gateway hears of it, so that a
    /// lost ack locks nobody out.
    pub(super) async fn make_token(self: &Rc<Self>) -> Result<()> {
        let token = token::encode(&random()?);
        let Some(hash) =
            token_secret(&self.env).ok().and_then(|secret| token::hash(&secret, &token))
        else {
            self.log_error("gateway.enrolment_failed", &"no TOKEN_SECRET");
            return Ok(());
        };
        self.db()?.set_next_auth_hash(&self.gateway_id, &hash).await?;
        self.drive(None, |hub| hub.enrol(token, now()));
        Ok(())
    }
}
