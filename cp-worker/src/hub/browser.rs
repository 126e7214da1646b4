//! The browsers' side of the hub: watchers and viewers, control, what viewers ask.

use super::messages::{self, PageId, ViewerMessage, decoded_len, is_color};
use super::pending::Waiter;
use super::viewer::{Phase, Viewer};
use super::{Browser, Connected, Effect, Hub, SocketId};
use protocol::commands::{SessionAttach, SessionColors, SessionInput, SessionPaste, SessionResize};
use protocol::envelope::codes;
use protocol::events::{Event, GatewayOffline};
use protocol::limits::{
    INPUT_BYTES, MAX_HISTORY_LINES, MAX_TEXT_BYTES, PASTE_BYTES, REQUEST_ID_BYTES, is_terminal_size,
};

impl Hub {
    /// A watcher's socket was accepted as `id`.
    pub fn watcher_connected(&mut self, id: SocketId) {
        self.add(id, Browser::Watcher);
        if !self.is_online() {
            let offline = GatewayOffline { gateway_id: self.gateway_id.clone() };
            self.tell(id, Event::from(offline).to_json(None));
        }
        self.update_watch();
    }

    /// A viewer's socket was accepted as `id`.
    pub fn viewer_connected(&mut self, id: SocketId, session_id: u32) {
        self.add(id, Browser::Viewer(Viewer::new(session_id)));
        self.touch(session_id);
    }

    fn add(&mut self, id: SocketId, browser: Browser) {
        self.browsers.insert(id, Connected { browser, told: None, unsaved: false });
        self.save(id);
    }

    /// A browser's socket is closed.
    pub fn browser_closed(&mut self, id: SocketId, now: u64) {
        match self.browsers.remove(&id).map(|connected| connected.browser) {
            Some(Browser::Viewer(viewer)) => {
                self.touch(viewer.session_id);
                if viewer.is_attached() {
                    self.detach_if_alone(viewer.session_id);
                    self.ack_gateway(viewer.session_id, now);
                }
            }
            Some(Browser::Watcher) => self.update_watch(),
            None => {}
        }
    }

    /// Takes a binary message; no browser has a reason to send one.
    pub fn browser_binary(&mut self, id: SocketId, len: usize, now: u64) {
        if len > protocol::limits::MAX_BINARY_BYTES {
            return self.browser_too_large(id, now);
        }
        self.error(id, "malformed", "binary messages are not expected here");
    }

    /// Takes a text message.
    pub fn browser_text(&mut self, id: SocketId, text: &str, now: u64) {
        if text.len() > MAX_TEXT_BYTES {
            return self.browser_too_large(id, now);
        }
        if text == protocol::PING {
            return self.tell(id, protocol::PONG.to_owned());
        }
        if self.viewer_mut(id).is_none() {
            return self.error(id, "malformed", "a watcher only listens");
        }
        match ViewerMessage::read(text) {
            Some(message) => self.viewer_message(id, message, now),
            None => self.error(id, "malformed", "not a viewer's message, or a field is missing"),
        }
    }

    fn viewer_message(&mut self, id: SocketId, message: ViewerMessage, now: u64) {
        match message {
            ViewerMessage::Attach { resume_seq, history_lines, page } => {
                self.viewer_page(id, page);
                return self.viewer_attach(id, resume_seq, history_lines, now);
            }
            ViewerMessage::Ack { seq } => self.viewer_ack(id, seq, now),
            ViewerMessage::Take => self.set_controller(id, true),
            ViewerMessage::Release => self.set_controller(id, false),
            ViewerMessage::Input { data } => self.input(id, data, now),
            ViewerMessage::Paste { data, request_id } => self.paste(id, data, request_id, now),
            ViewerMessage::Resize { cols, rows } => self.resize(id, cols, rows),
            ViewerMessage::Colors { foreground, background } => {
                self.colors(id, foreground, background);
            }
            ViewerMessage::Focus { on } => self.focus(id, on),
        }
        self.recover(id, now);
    }

    /// Gives a viewer that lagged a new beginning once it has caught up.
    fn recover(&mut self, id: SocketId, now: u64) {
        let Some(viewer) = self.viewer_mut(id).filter(|viewer| viewer.is_recovered()) else {
            return;
        };
        let session_id = viewer.session_id;
        // It speaks and has nothing left to ack: it does not stall.
        viewer.unconfirmed = 0;
        self.attach_anew(id, now);
        self.ack_gateway(session_id, now);
    }

    /// A page that comes back has the control that it had: its connection before may be dead
    /// without anybody having noticed.
    fn viewer_page(&mut self, id: SocketId, page: Option<PageId>) {
        let first = |viewer: &&mut Viewer| viewer.page.is_none() && page.is_some();
        let Some(viewer) = self.viewer_mut(id).filter(first) else { return };
        viewer.page = page;
        let session_id = viewer.session_id;
        if self.viewers_of(session_id).any(|(_, other)| other.control && other.page == page) {
            self.set_controller(id, true);
        }
    }

    fn viewer_attach(
        &mut self,
        id: SocketId,
        resume_seq: Option<u32>,
        history_lines: Option<u32>,
        now: u64,
    ) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        let session_id = viewer.session_id;
        viewer.history_lines = history_lines.map(|lines| lines.min(MAX_HISTORY_LINES));
        let has_room = viewer.has_room();
        if has_room {
            viewer.restart(resume_seq);
        }
        self.streams.get_or_default(session_id);
        if !self.viewers_of(session_id).any(|(_, viewer)| viewer.control) {
            self.set_controller(id, true);
        }
        self.touch(session_id);
        if has_room {
            self.attach(id, now)
        } else {
            self.set_lagging(id)
        }
        self.ack_gateway(session_id, now);
    }

    /// Asks the gateway for the viewer's place in the stream; what comes before the answer is not
    /// sent to it.
    pub(super) fn attach(&mut self, id: SocketId, now: u64) {
        let lines = self.viewer_mut(id).and_then(|viewer| viewer.history_lines);
        self.attach_for(id, lines, now);
    }

    fn attach_for(&mut self, id: SocketId, history_lines: Option<u32>, now: u64) {
        let request_id = self.is_online().then(|| self.next_request_id());
        let Some(viewer) = self.viewer_mut(id) else { return };
        viewer.phase = Phase::Awaiting;
        viewer.request_id.clone_from(&request_id);
        viewer.asked_at = now;
        let attach =
            SessionAttach { session_id: viewer.session_id, resume_seq: viewer.sent, history_lines };
        self.touch(attach.session_id);
        if let Some(request_id) = request_id {
            self.send(&attach.into(), Some(&request_id));
        }
    }

    /// Attaches for a fresh snapshot.
    pub(super) fn attach_anew(&mut self, id: SocketId, now: u64) {
        if let Some(viewer) = self.viewer_mut(id) {
            if !viewer.has_room() {
                return self.set_lagging(id);
            }
            viewer.restart(None);
            let lines = viewer.recovery_lines();
            self.attach_for(id, lines, now);
        }
    }

    pub(super) fn set_lagging(&mut self, id: SocketId) {
        if let Some(viewer) = self.viewer_mut(id) {
            viewer.phase = Phase::Lagging;
            viewer.request_id = None;
            let session_id = viewer.session_id;
            self.touch(session_id);
        }
    }

    fn viewer_ack(&mut self, id: SocketId, seq: u32, now: u64) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        let session_id = viewer.session_id;
        viewer.ack(seq, now);
        self.save_soon(id, now);
        self.ack_gateway(session_id, now);
    }

    fn set_controller(&mut self, id: SocketId, on: bool) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        let session_id = viewer.session_id;
        viewer.control = on;
        for (other, connected) in self.browsers.iter_mut() {
            if let Browser::Viewer(viewer) = &mut connected.browser
                && *other != id
                && viewer.session_id == session_id
                && on
            {
                viewer.control = false;
            }
        }
        self.touch(session_id);
    }

    fn input(&mut self, id: SocketId, data: String, now: u64) {
        let Some(session_id) = self.controlled(id) else { return };
        match decoded_len(&data) {
            None => self.error(id, "malformed", "data is not base64"),
            Some(len) if len > INPUT_BYTES => {
                self.error(id, codes::INVALID_PAYLOAD, "input is limited to 48 KiB; use paste");
            }
            Some(_) => {
                self.rates.input(session_id, now);
                self.tell_gateway(&SessionInput { session_id, data }.into());
            }
        }
    }

    fn paste(&mut self, id: SocketId, data: String, request_id: String, now: u64) {
        if !(1..=REQUEST_ID_BYTES).contains(&request_id.len()) {
            return self.error(id, "malformed", "request_id has 1 to 64 bytes");
        }
        let Some(session_id) = self.controlled(id) else { return };
        match decoded_len(&data) {
            None => self.error(id, "malformed", "data is not base64"),
            Some(len) if len > PASTE_BYTES => {
                self.error(id, codes::INVALID_PAYLOAD, "a paste is limited to 1 MiB");
            }
            Some(_) => {
                let paste = SessionPaste { session_id, data };
                self.command(Waiter::Viewer(id, request_id), &paste.into(), now);
            }
        }
    }

    fn resize(&mut self, id: SocketId, cols: u32, rows: u32) {
        let Some(session_id) = self.controlled(id) else { return };
        if is_terminal_size(cols, rows) {
            self.tell_gateway(&SessionResize { session_id, cols, rows }.into());
        } else {
            self.error(id, codes::BAD_SIZE, "columns and rows are 1 to 1000");
        }
    }

    fn colors(&mut self, id: SocketId, foreground: String, background: String) {
        let Some(session_id) = self.controlled(id) else { return };
        if is_color(&foreground) && is_color(&background) {
            self.tell_gateway(&SessionColors { session_id, foreground, background }.into());
        } else {
            self.error(id, codes::INVALID_PAYLOAD, "colours are #rrggbb in lower case");
        }
    }

    /// The session that viewer `id` controls and can reach; tells it when there is none.
    fn controlled(&mut self, id: SocketId) -> Option<u32> {
        let online = self.is_online();
        let viewer = self.viewer_mut(id)?;
        let session_id = viewer.session_id;
        if !viewer.control {
            self.error(id, "not_controller", "another browser types here; take control first");
            return None;
        }
        if !online {
            self.error(id, "gateway_offline", "the server is not connected");
            return None;
        }
        Some(session_id)
    }

    fn error(&mut self, id: SocketId, code: &str, message: &str) {
        self.tell(id, messages::error(code, message));
    }

    /// A browser sent more than a message may hold.
    pub fn browser_too_large(&mut self, id: SocketId, now: u64) {
        self.close_browser(id, protocol::CLOSE_TOO_LARGE, "message too large", now);
    }

    /// Closes a browser's socket and takes it for gone at once, whether it answers or not.
    pub fn close_browser(&mut self, id: SocketId, code: u16, reason: &'static str, now: u64) {
        self.effects.push(Effect::CloseBrowser(id, code, reason));
        self.browser_closed(id, now);
    }
}
