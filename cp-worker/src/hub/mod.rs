//! The hub of one gateway as a state machine: events of sockets and clock in, effects out.
//!
//! It holds no socket and reads no clock. Whatever it must know after hibernation it has put into
//! the sockets' attachments (`Effect::SaveBrowser`, `Effect::SaveGateway`) before the timer that
//! keeps the object awake has run out.

mod attach;
mod attention;
mod browser;
mod effects;
mod files;
mod gateway;
pub mod history;
pub mod messages;
pub mod pending;
mod rates;
#[cfg(test)]
mod simulation;
mod stream;
#[cfg(test)]
mod tests;
pub mod transfers;
pub mod viewer;

use miniserde::{Deserialize, Serialize};
use pending::{Pending, Waiter};
use protocol::commands::Command;
use protocol::small_map::SmallMap;
use viewer::{Phase, Viewer};

use crate::limits::SAVE_INTERVAL_MS;
pub use effects::{CallError, Effect, Record};
use files::Transfers;
pub use gateway::Gateway;
use stream::Stream;
pub use transfers::{Step, TransferId};

/// Names a browser's socket within its hub, for as long as the socket lives.
pub type SocketId = u32;

/// Names a request of the HTTP API that waits for the gateway.
pub type CallId = u32;

/// A browser's socket.
#[derive(Clone, Debug, PartialEq)]
enum Browser {
    Watcher,
    Viewer(Viewer),
}

/// What an attachment keeps of a browser.
#[derive(Serialize, Deserialize)]
struct KeptBrowser {
    /// `None` for a watcher.
    #[serde(rename = "Viewer")]
    viewer: Option<viewer::Kept>,
}

impl Browser {
    fn attachment(&self) -> String {
        let viewer = match self {
            Self::Watcher => None,
            Self::Viewer(viewer) => Some(viewer.kept()),
        };
        crate::json::of(&KeptBrowser { viewer })
    }

    fn restore(attachment: &str) -> Option<Self> {
        let KeptBrowser { viewer } = miniserde::json::from_str(attachment).ok()?;
        Some(viewer.map_or(Self::Watcher, |kept| Self::Viewer(Viewer::restore(kept))))
    }
}

#[derive(Debug)]
struct Connected {
    browser: Browser,
    /// The state that the browser was last told; `None` for none so far.
    told: Option<messages::ViewerState>,
    /// Positions changed since the attachment was written.
    unsaved: bool,
}

/// The hub.
#[derive(Debug)]
pub struct Hub {
    gateway_id: String,
    /// Distinguishes the request ids of this instance from those before hibernation.
    instance: u32,
    requests: u32,
    gateway: Option<Gateway>,
    browsers: SmallMap<SocketId, Connected>,
    streams: SmallMap<u32, Stream>,
    pending: Pending,
    transfers: Transfers,
    written: attention::Written,
    rates: rates::Rates,
    /// Sessions whose viewers may have to be told their state.
    touched: Vec<u32>,
    save_at: Option<u64>,
    effects: Vec<Effect>,
}

impl Hub {
    /// A hub without sockets. `instance` is random.
    pub fn new(gateway_id: String, instance: u32) -> Self {
        Self {
            gateway_id,
            instance,
            requests: 0,
            gateway: None,
            browsers: SmallMap::default(),
            streams: SmallMap::default(),
            pending: Pending::default(),
            transfers: Transfers::new(instance),
            written: attention::Written::default(),
            rates: rates::Rates::default(),
            touched: Vec::new(),
            save_at: None,
            effects: Vec::new(),
        }
    }

    /// Takes back the gateway's socket after hibernation, from its attachment.
    pub fn restore_gateway(&mut self, attachment: &str) {
        self.gateway = Gateway::restore(attachment).map(|(gateway, transfers)| {
            self.transfers.restore(transfers);
            gateway
        });
    }

    /// Takes back a browser's socket after hibernation, from its attachment. Called for all
    /// sockets, the gateway's first.
    pub fn restore_browser(&mut self, id: SocketId, attachment: &str) {
        let Some(browser) = Browser::restore(attachment) else { return };
        if let Browser::Viewer(viewer) = &browser
            && viewer.is_attached()
        {
            self.streams.get_or_default(viewer.session_id).restore(viewer.seen);
        }
        self.browsers.insert(id, Connected { browser, told: None, unsaved: false });
    }

    /// Ends the restoring: what the browsers were told before hibernation still holds. Transfers
    /// keep the object awake, so those that are found have lost their shell.
    pub fn restored(&mut self) {
        self.cancel_orphans();
        let states: Vec<_> =
            self.viewers().map(|(id, viewer)| (id, self.state_of(viewer))).collect();
        for (id, state) in states {
            if let Some(connected) = self.browsers.get_mut(&id) {
                connected.told = Some(state);
            }
        }
    }

    /// After a panic: attachments may be older than what was sent, so nobody's position is
    /// trusted and every live viewer gets a new beginning.
    pub fn distrust(&mut self, now: u64) {
        let ids: Vec<SocketId> = self
            .viewers()
            .filter(|(_, viewer)| viewer.phase == Phase::Live)
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            self.attach_anew(id, now);
        }
        // A viewer that lags acks beyond what its attachment knows of; that must not be held
        // against it, or it would lag for ever.
        for connected in self.browsers.values_mut() {
            if let Browser::Viewer(viewer) = &mut connected.browser
                && viewer.phase == Phase::Lagging
            {
                viewer.restart(None);
            }
        }
    }

    /// What is to be done, in order; empties the list.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.settle();
        std::mem::take(&mut self.effects)
    }

    /// Whether the gateway is connected and has said hello.
    pub fn is_online(&self) -> bool {
        self.gateway.as_ref().is_some_and(|gateway| gateway.greeted)
    }

    /// Sockets of browsers.
    pub fn browser_count(&self) -> usize {
        self.browsers.len()
    }

    /// Viewers of each session that has some.
    pub fn viewer_counts(&self) -> Vec<(u32, usize)> {
        let mut counts = SmallMap::default();
        for (_, viewer) in self.viewers() {
            *counts.get_or_default(viewer.session_id) += 1;
        }
        counts.iter().map(|(session_id, count)| (*session_id, *count)).collect()
    }

    /// What passed in the last minute, as the API shows it.
    pub fn rates(&mut self, now: u64) -> serde_json::Value {
        self.rates.shown(now)
    }

    /// When [`Hub::tick`] is to be called next, in milliseconds; not before something happens
    /// when `None`, and then the object may hibernate.
    pub fn next_deadline(&self) -> Option<u64> {
        let asking = self
            .viewers()
            .filter(|(_, viewer)| viewer.is_asking())
            .map(|(_, viewer)| viewer.asked_at + crate::limits::COMMAND_TIMEOUT_MS);
        let acks = self.streams.values().filter_map(Stream::ack_deadline);
        let reconcile = self.gateway.as_ref().and_then(Gateway::reconcile_deadline);
        asking
            .chain(acks)
            .chain(reconcile)
            .chain(self.save_at)
            .chain(self.pending.next_deadline())
            .chain(self.transfers.next_deadline())
            .min()
    }

    /// Does what has become due by `now` (milliseconds).
    pub fn tick(&mut self, now: u64) {
        for waiter in self.pending.take_overdue(now) {
            self.reject(waiter, CallError::timed_out());
        }
        self.expire_transfers(now);
        self.expire_attaches(now);
        self.reconcile(now);
        let sessions: Vec<u32> = self.streams.keys().copied().collect();
        for session_id in sessions {
            self.ack_gateway(session_id, now);
        }
        if self.save_at.is_some_and(|at| at <= now) {
            self.save_at = None;
            self.save_positions();
        }
    }

    /// Sends `command` for a request of the HTTP API; [`Effect::Answer`] ends it.
    pub fn call(&mut self, call: CallId, command: &Command, now: u64) {
        self.command(Waiter::Call(call), command, now);
    }

    /// Sends the gateway its own token, whose hash is kept by now.
    pub fn enrol(&mut self, auth_token: String, now: u64) {
        let credentials = protocol::commands::GatewayCredentials { auth_token };
        self.command(Waiter::Enrolment, &credentials.into(), now);
    }

    /// Tells the watchers that the list of sessions changed, once it is written.
    pub fn sessions_changed(&mut self) {
        self.tell_watchers(&messages::sessions_changed());
    }

    /// The server was deleted: everybody leaves.
    pub fn revoke(&mut self, now: u64) {
        self.close_gateway(protocol::CLOSE_REVOKED, "server deleted");
        let ids: Vec<SocketId> = self.browsers.keys().copied().collect();
        for id in ids {
            self.close_browser(id, crate::limits::CLOSE_NOT_FOUND, "server deleted", now);
        }
    }

    /// The gateway has been silent for too long.
    pub fn gateway_silent(&mut self) {
        self.close_gateway(1001, "no sign of life");
    }

    fn command(&mut self, waiter: Waiter, command: &Command, now: u64) {
        if !self.is_online() {
            return self.reject(waiter, CallError::offline());
        }
        if self.pending.is_full() {
            return self.reject(waiter, CallError::too_many());
        }
        let request_id = self.next_request_id();
        self.send(command, Some(&request_id));
        self.pending.insert(request_id, waiter, now);
    }

    /// A command was carried out, `answer` is the event that came with it.
    fn fulfil(&mut self, waiter: Waiter, answer: Option<String>, now: u64) {
        match waiter {
            Waiter::Call(call) => self.effects.push(Effect::Answer(call, Ok(answer))),
            Waiter::Enrolment => self.effects.push(Effect::Record(Record::Enrolled)),
            Waiter::Viewer(id, request_id) => self.ack_viewer(id, &request_id, None),
            Waiter::Transfer(id) => self.transfer_accepted(id, now),
            Waiter::Upload(id) => self.upload_done(id),
        }
    }

    /// A command failed.
    fn reject(&mut self, waiter: Waiter, error: CallError) {
        match waiter {
            Waiter::Call(call) => self.effects.push(Effect::Answer(call, Err(error))),
            // The gateway comes back with its bootstrap token and is asked again.
            Waiter::Enrolment => self.close_gateway(1011, "enrolment failed"),
            Waiter::Viewer(id, request_id) => self.ack_viewer(id, &request_id, Some(error)),
            Waiter::Transfer(id) | Waiter::Upload(id) => self.transfer_refused(id, error),
        }
    }

    fn ack_viewer(&mut self, id: SocketId, request_id: &str, error: Option<CallError>) {
        let error =
            error.map(|CallError { code, message }| protocol::events::AckError { code, message });
        let ack = protocol::events::Ack { ok: error.is_none(), error };
        self.tell(id, protocol::events::Event::from(ack).to_json(Some(request_id)));
    }

    fn next_request_id(&mut self) -> String {
        self.requests = self.requests.wrapping_add(1);
        format!("{:x}-{:x}", self.instance, self.requests)
    }

    fn send(&mut self, command: &Command, request_id: Option<&str>) {
        self.effects.push(Effect::ToGateway(command.to_json(request_id)));
    }

    fn tell(&mut self, id: SocketId, text: String) {
        if self.browsers.contains_key(&id) {
            self.effects.push(Effect::ToBrowser(id, text));
        }
    }

    fn tell_watchers(&mut self, text: &str) {
        for (id, connected) in self.browsers.iter() {
            if connected.browser == Browser::Watcher {
                self.effects.push(Effect::ToBrowser(*id, text.to_owned()));
            }
        }
    }

    fn viewers(&self) -> impl Iterator<Item = (SocketId, &Viewer)> {
        self.browsers.iter().filter_map(|(id, connected)| match &connected.browser {
            Browser::Viewer(viewer) => Some((*id, viewer)),
            Browser::Watcher => None,
        })
    }

    fn viewers_of(&self, session_id: u32) -> impl Iterator<Item = (SocketId, &Viewer)> {
        self.viewers().filter(move |(_, viewer)| viewer.session_id == session_id)
    }

    fn viewer_mut(&mut self, id: SocketId) -> Option<&mut Viewer> {
        match &mut self.browsers.get_mut(&id)?.browser {
            Browser::Viewer(viewer) => Some(viewer),
            Browser::Watcher => None,
        }
    }

    fn touch(&mut self, session_id: u32) {
        self.touched.push(session_id);
    }

    fn save_soon(&mut self, id: SocketId, now: u64) {
        if let Some(connected) = self.browsers.get_mut(&id) {
            connected.unsaved = true;
            self.save_at.get_or_insert(now + SAVE_INTERVAL_MS);
        }
    }

    fn state_of(&self, viewer: &Viewer) -> messages::ViewerState {
        let taken = self.viewers_of(viewer.session_id).any(|(_, other)| other.control);
        messages::ViewerState {
            state: match viewer.phase {
                Phase::Idle | Phase::Awaiting => "awaiting",
                Phase::Live => "live",
                Phase::Lagging => "lagging",
            },
            control: match (viewer.control, taken) {
                (true, _) => "you",
                (false, true) => "other",
                (false, false) => "none",
            },
            viewers: self.viewers_of(viewer.session_id).count(),
            gateway: if self.is_online() { "online" } else { "offline" },
        }
    }

    /// Tells the viewers of touched sessions what changed for them, and saves them.
    fn settle(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for session_id in touched {
            let states: Vec<_> = self
                .viewers_of(session_id)
                .map(|(id, viewer)| (id, self.state_of(viewer)))
                .collect();
            for (id, state) in states {
                let Some(connected) = self.browsers.get_mut(&id) else { continue };
                if connected.told.as_ref() != Some(&state) {
                    self.effects.push(Effect::ToBrowser(id, state.to_json()));
                    connected.told = Some(state);
                }
                self.save(id);
            }
        }
    }

    fn save_positions(&mut self) {
        let unsaved: Vec<SocketId> =
            self.browsers.iter().filter(|(_, one)| one.unsaved).map(|(id, _)| *id).collect();
        for id in unsaved {
            self.save(id);
        }
    }

    fn save(&mut self, id: SocketId) {
        let Some(connected) = self.browsers.get_mut(&id) else { return };
        connected.unsaved = false;
        if let Browser::Viewer(viewer) = &mut connected.browser {
            viewer.seen = self.streams.get(&viewer.session_id).and_then(Stream::seen);
        }
        let attachment = connected.browser.attachment();
        self.effects.push(Effect::SaveBrowser(id, attachment));
    }
}
