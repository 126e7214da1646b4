//! The hub's sockets as JavaScript objects: who is who, sending without copying, attachments.

use crate::hub::SocketId;
use miniserde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use worker::js_sys::Object;
use worker::{State, WebSocket, js_sys, web_sys};

/// Tag of the gateway's socket.
pub const GATEWAY_TAG: &str = "gateway";

/// Tag of browsers' sockets.
pub const BROWSER_TAG: &str = "browser";

#[wasm_bindgen]
extern "C" {
    /// A socket that sends a JavaScript value as it is.
    type RawSocket;

    #[wasm_bindgen(method, catch, js_name = send)]
    fn send_value(this: &RawSocket, value: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = serializeAttachment)]
    fn serialize_attachment(this: &RawSocket, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = deserializeAttachment)]
    fn deserialize_attachment(this: &RawSocket) -> JsValue;

    /// A state that tells when a socket's ping was last answered by itself.
    type RawState;

    #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
    fn auto_response_at(
        this: &RawState,
        socket: &web_sys::WebSocket,
    ) -> Result<Option<js_sys::Date>, JsValue>;
}

/// What a socket's attachment holds.
#[derive(Serialize, Deserialize)]
struct Attachment {
    id: SocketId,
    accepted_at: u64,
    /// The hub's own part.
    hub: String,
}

/// One socket.
pub struct Peer {
    /// The hub's name for it; 0 for a gateway.
    pub id: SocketId,
    socket: WebSocket,
    accepted_at: u64,
    heard_at: u64,
}

impl Peer {
    /// A socket that was accepted at `now` (milliseconds).
    pub fn new(id: SocketId, socket: WebSocket, now: u64) -> Self {
        Self { id, socket, accepted_at: now, heard_at: now }
    }

    fn restore(socket: WebSocket) -> Option<(Self, String)> {
        let raw: &web_sys::WebSocket = socket.as_ref();
        let text = raw.unchecked_ref::<RawSocket>().deserialize_attachment().as_string()?;
        let Attachment { id, accepted_at, hub } = miniserde::json::from_str(&text).ok()?;
        Some((Self { id, socket, accepted_at, heard_at: accepted_at }, hub))
    }

    fn is(&self, socket: &web_sys::WebSocket) -> bool {
        Object::is(self.socket.as_ref(), socket)
    }

    /// Sends text. A socket that is closing is not an error: its close event follows.
    pub fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Sends a message as it came, without a copy in our memory.
    pub fn pass(&self, message: &JsValue) {
        let socket: &web_sys::WebSocket = self.socket.as_ref();
        let _ = socket.unchecked_ref::<RawSocket>().send_value(message);
    }

    /// Closes the socket.
    pub fn close(&self, code: u16, reason: &str) {
        let _ = self.socket.close(Some(code), Some(reason));
    }

    /// Keeps the hub's part of the attachment.
    pub fn save(&self, hub: String) {
        let attachment = Attachment { id: self.id, accepted_at: self.accepted_at, hub };
        let socket: &web_sys::WebSocket = self.socket.as_ref();
        let text = crate::json::of(&attachment);
        let _ = socket.unchecked_ref::<RawSocket>().serialize_attachment(&text);
    }

    /// Milliseconds: the last sign of life, also of pings that were answered in our sleep.
    pub fn last_sign(&self, state: &State) -> u64 {
        let state = state.as_raw().unchecked_ref::<RawState>();
        let answered = state.auto_response_at(self.socket.as_ref()).ok().flatten();
        let answered = answered.map_or(0, |date| date.get_time() as u64);
        self.heard_at.max(answered)
    }
}

/// Whose message it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The gateway's.
    Gateway,
    /// A browser's.
    Browser(SocketId),
}

/// All sockets of a hub.
#[derive(Default)]
pub struct Sockets {
    /// The gateway's, the newest if there are several.
    pub gateway: Option<Peer>,
    /// The browsers'.
    pub browsers: Vec<Peer>,
}

impl Sockets {
    /// Finds the sockets that survived hibernation, with the hub's parts of their attachments.
    pub fn restore(state: &State) -> (Self, Option<String>, Vec<(SocketId, String)>) {
        let open = |tag: &str| {
            let sockets = state.get_websockets_with_tag(tag).into_iter();
            sockets
                .filter(|socket| {
                    let socket: &web_sys::WebSocket = socket.as_ref();
                    socket.ready_state() == web_sys::WebSocket::OPEN
                })
                .filter_map(Peer::restore)
                .collect::<Vec<_>>()
        };
        let newest = open(GATEWAY_TAG).into_iter().max_by_key(|(peer, _)| peer.accepted_at);
        let (gateway, gateway_part) = newest.unzip();
        let (browsers, parts): (Vec<_>, Vec<_>) = open(BROWSER_TAG)
            .into_iter()
            .map(|(peer, part)| (peer.id, peer, part))
            .fold((Vec::new(), Vec::new()), |(mut peers, mut parts), (id, peer, part)| {
                peers.push(peer);
                parts.push((id, part));
                (peers, parts)
            });
        (Self { gateway, browsers }, gateway_part, parts)
    }

    /// Whose `socket` is; `None` for one that the hub has given up.
    pub fn sender(&self, socket: &web_sys::WebSocket) -> Option<Sender> {
        if self.gateway.as_ref().is_some_and(|peer| peer.is(socket)) {
            return Some(Sender::Gateway);
        }
        let peer = self.browsers.iter().find(|peer| peer.is(socket))?;
        Some(Sender::Browser(peer.id))
    }

    /// Notes a sign of life.
    pub fn heard(&mut self, sender: Sender, now: u64) {
        let peer = match sender {
            Sender::Gateway => self.gateway.as_mut(),
            Sender::Browser(id) => self.browsers.iter_mut().find(|peer| peer.id == id),
        };
        if let Some(peer) = peer {
            peer.heard_at = now;
        }
    }

    /// A browser's socket.
    pub fn browser(&self, id: SocketId) -> Option<&Peer> {
        self.browsers.iter().find(|peer| peer.id == id)
    }

    /// The browsers whose sockets carry a tag of their own; all for an empty one.
    pub fn browsers_tagged(&self, state: &State, tag: &str) -> Vec<SocketId> {
        let tag = if tag.is_empty() { BROWSER_TAG } else { tag };
        let senders = state.get_websockets_with_tag(tag);
        let senders = senders.iter().filter_map(|socket| self.sender(socket.as_ref()));
        senders
            .filter_map(|sender| match sender {
                Sender::Browser(id) => Some(id),
                Sender::Gateway => None,
            })
            .collect()
    }

    /// Gives up a socket.
    pub fn remove(&mut self, sender: Sender) -> Option<Peer> {
        match sender {
            Sender::Gateway => self.gateway.take(),
            Sender::Browser(id) => {
                let at = self.browsers.iter().position(|peer| peer.id == id)?;
                Some(self.browsers.swap_remove(at))
            }
        }
    }
}
