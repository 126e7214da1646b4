//! The gateway's side of the hub: its connection, its events, its answers.

use super::history::Sample;
use super::pending::Waiter;
use super::viewer::Phase;
use super::{Browser, CallError, Effect, Hub, Record, TransferId};
use crate::limits::{CLOSE_ENDED, KNOWN_SESSIONS, RECONCILE_MS};
use miniserde::{Deserialize, Serialize};
use protocol::commands::{Command, GatewayWatch, SessionDetach};
use protocol::envelope::{Head, peek};
use protocol::events::{self, Event, GatewayHealth, GatewayHello, GatewayOffline, SessionEnded};
use protocol::frame::{Frame, HEADER_BYTES, Kind};
use protocol::limits::{MAX_BINARY_BYTES, MAX_SESSIONS, MAX_TEXT_BYTES, OUTPUT_FRAME_BYTES};

/// The gateway's connection.
#[derive(Debug)]
pub struct Gateway {
    /// Whether it has said hello.
    pub(super) greeted: bool,
    /// Whether it came with a bootstrap token and is to get its own.
    enrolling: bool,
    /// Whether it was told that somebody watches.
    watched: bool,
    /// The sessions that it reported on this connection, until they are compared.
    reconcile: Option<Reconcile>,
}

#[derive(Debug)]
struct Reconcile {
    greeted_at: u64,
    known: Vec<u32>,
}

/// What the socket's attachment keeps of it.
#[derive(Serialize, Deserialize)]
struct Kept {
    greeted: bool,
    enrolling: bool,
    watched: bool,
    /// The id of the last transfer.
    last_transfer: TransferId,
    /// Those under way.
    transfers: Vec<TransferId>,
}

impl Gateway {
    fn attachment(&self, (last_transfer, transfers): (TransferId, Vec<TransferId>)) -> String {
        let Self { greeted, enrolling, watched, .. } = *self;
        crate::json::of(&Kept { greeted, enrolling, watched, last_transfer, transfers })
    }

    /// The connection that an attachment keeps, with its last transfer and those under way.
    pub(super) fn restore(attachment: &str) -> Option<(Self, (TransferId, Vec<TransferId>))> {
        let kept: Kept = miniserde::json::from_str(attachment).ok()?;
        let Kept { greeted, enrolling, watched, last_transfer, transfers } = kept;
        Some((Self { greeted, enrolling, watched, reconcile: None }, (last_transfer, transfers)))
    }

    pub(super) fn reconcile_deadline(&self) -> Option<u64> {
        self.reconcile.as_ref().map(|one| one.greeted_at + RECONCILE_MS)
    }

    fn know(&mut self, session_id: u32) {
        if let Some(reconcile) = &mut self.reconcile {
            // Few; a gateway may make up more, but no room for them.
            if reconcile.known.len() < KNOWN_SESSIONS {
                reconcile.known.push(session_id);
            }
        }
    }
}

impl Hub {
    /// A gateway's socket was accepted; the shell has closed the one before it with 4002.
    pub fn gateway_connected(&mut self, enrolling: bool) {
        self.gateway_gone();
        let (greeted, watched) = (false, false);
        self.gateway = Some(Gateway { greeted, enrolling, watched, reconcile: None });
        self.save_gateway();
    }

    /// The gateway's socket is closed.
    pub fn gateway_closed(&mut self) {
        self.gateway_gone();
    }

    /// Takes a binary message of `len` bytes that begins with `head`. Payloads stay outside.
    pub fn gateway_binary(&mut self, head: &[u8; HEADER_BYTES], len: usize, now: u64) {
        if len > MAX_BINARY_BYTES {
            return self.gateway_too_large();
        }
        if !self.is_online() {
            return;
        }
        let Ok(Frame { kind, id, seq, .. }) = Frame::decode(head) else { return };
        let Some(payload) = len.checked_sub(HEADER_BYTES) else { return };
        match kind {
            Kind::Output if (1..=OUTPUT_FRAME_BYTES).contains(&payload) => {
                self.output(id, seq, payload as u32, now);
            }
            Kind::Output => {}
            Kind::FileChunk => self.file_chunk(id, seq, payload, now),
        }
    }

    /// Takes a text message.
    pub fn gateway_text(&mut self, text: &str, now: u64) {
        if text.len() > MAX_TEXT_BYTES {
            return self.gateway_too_large();
        }
        if text == protocol::PING {
            return self.effects.push(Effect::ToGateway(protocol::PONG.to_owned()));
        }
        let Some(head) = peek(text) else { return };
        let kind = head.kind.clone().unwrap_or_default();
        if kind == "gateway.hello" {
            if let Some((_, Event::GatewayHello(hello))) = events::decode(text) {
                self.greeted(hello, now);
            }
        } else if self.is_online() {
            self.event(&kind, &head, text, now);
        }
    }

    fn event(&mut self, kind: &str, head: &Head, text: &str, now: u64) {
        match (kind, head.session_id) {
            // Not decoded: a snapshot is large and goes on as it came.
            ("session.snapshot", Some(session_id)) => {
                self.snapshot(session_id, head, text.len(), now);
            }
            ("session.resized" | "session.pane" | "session.lagged", Some(session_id)) => {
                self.pass(session_id, |phase| phase == Phase::Live);
            }
            ("session.error", Some(session_id)) => self.pass(session_id, |_| true),
            _ => match events::decode(text) {
                Some((Some(request_id), Event::Ack(ack))) => self.acked(&request_id, ack, now),
                Some((request_id, Event::SessionReplay(replay))) => {
                    let len = super::messages::encoded_len(&replay.data) as u32;
                    self.replay(replay.session_id, request_id, replay.from_seq, len, now);
                }
                Some((_, Event::SessionAttention(attention))) => self.attention(attention),
                Some((_, Event::SessionEnded(ended))) => self.ended(ended, text),
                Some((_, Event::SessionStarted(started))) => {
                    self.know(started.session_id);
                    self.effects.push(Effect::Record(Record::Started(started.session_id)));
                    self.tell_watchers(text);
                }
                Some((_, Event::GatewayHealth(health))) => self.health(&health, text, now),
                Some((request_id, event)) => self.service(request_id, event, text, now),
                None => {}
            },
        }
    }

    /// Takes an event that is not about sessions.
    fn service(&mut self, request_id: Option<String>, event: Event, text: &str, now: u64) {
        match event {
            Event::SshKeys(_) | Event::AgentsStatus(_) | Event::WorkspaceFolders(_) => {
                if let Some(request_id) = request_id {
                    self.pending.answer(&request_id, text);
                }
            }
            Event::AgentInstallProgress(_)
            | Event::AgentInstalled(_)
            | Event::AgentInstallFailed(_)
            | Event::GatewayUpdated(_)
            | Event::GatewayUpdateFailed(_) => self.tell_watchers(text),
            event => self.file_event(event, now),
        }
    }

    fn health(&mut self, health: &GatewayHealth, text: &str, now: u64) {
        let sessions = health.sessions.iter().take(MAX_SESSIONS);
        // A clock that runs ahead must not keep a session active for ever.
        let activity = sessions.map(|one| (one.session_id, one.last_activity_at.min(now)));
        let (event, activity) = (text.to_owned(), activity.collect());
        self.effects.push(Effect::Record(Record::Health { event, activity }));
        self.effects.push(Effect::Sample(Sample::of(health, now)));
        self.tell_watchers(text);
    }

    fn greeted(&mut self, mut hello: GatewayHello, now: u64) {
        let Some(gateway) = &mut self.gateway else { return };
        gateway.greeted = true;
        let known: Vec<u32> = hello.sessions.iter().map(|one| one.session_id).collect();
        self.effects.push(Effect::Record(Record::Hello {
            version: hello.version.clone(),
            hostname: hello.hostname.clone(),
            system_info: crate::json::of(&hello.system_info),
            sessions: known.clone(),
            max_sessions: hello.max_sessions,
        }));
        gateway.reconcile = Some(Reconcile { greeted_at: now, known });
        if std::mem::take(&mut gateway.enrolling) {
            self.effects.push(Effect::MakeToken);
        }
        self.save_gateway();
        // The bootstrap token is for the hub alone.
        hello.bootstrap_token = None;
        self.tell_watchers(&Event::from(hello).to_json(None));
        self.update_watch();
        self.attach_all(now);
    }

    fn gateway_gone(&mut self) {
        if self.gateway.take().is_none() {
            return;
        }
        self.drop_transfers();
        for waiter in self.pending.take_all() {
            // Nobody is left to be closed for a failed enrolment.
            if waiter != Waiter::Enrolment {
                self.reject(waiter, CallError::offline());
            }
        }
        self.effects.push(Effect::Record(Record::Offline));
        let offline = GatewayOffline { gateway_id: self.gateway_id.clone() };
        self.tell_watchers(&Event::from(offline).to_json(None));
        for connected in self.browsers.values_mut() {
            let Browser::Viewer(viewer) = &mut connected.browser else { continue };
            self.touched.push(viewer.session_id);
            viewer.request_id = None;
            if viewer.phase == Phase::Live {
                viewer.phase = Phase::Awaiting;
            }
        }
        // The next connection starts detached: what this one was told is void.
        for stream in self.streams.values_mut() {
            let seen = stream.seen();
            *stream = super::Stream::default();
            stream.restore(seen);
        }
    }

    /// Tells the gateway whether somebody watches, when that changed.
    pub(super) fn update_watch(&mut self) {
        let on = self.browsers.values().any(|one| one.browser == Browser::Watcher);
        let Some(gateway) = self.gateway.as_mut().filter(|gateway| gateway.greeted) else { return };
        if gateway.watched == on {
            return;
        }
        gateway.watched = on;
        self.save_gateway();
        // Nobody waits for the ack.
        let request_id = self.next_request_id();
        self.send(&GatewayWatch { on }.into(), Some(&request_id));
    }

    /// Stops the output of a session that nobody is attached to any more.
    pub(super) fn detach_if_alone(&mut self, session_id: u32) {
        if self.viewers_of(session_id).any(|(_, viewer)| viewer.is_attached()) {
            return;
        }
        if self.streams.remove(&session_id).is_some() && self.is_online() {
            let request_id = self.next_request_id();
            self.send(&SessionDetach { session_id }.into(), Some(&request_id));
        }
    }

    fn pass(&mut self, session_id: u32, to: impl Fn(Phase) -> bool) {
        let ids: Vec<_> = self
            .viewers_of(session_id)
            .filter(|(_, viewer)| to(viewer.phase))
            .map(|(id, _)| Effect::Pass(id))
            .collect();
        self.effects.extend(ids);
    }

    fn acked(&mut self, request_id: &str, ack: events::Ack, now: u64) {
        let error = (!ack.ok).then(|| {
            let error = ack.error.map(|error| CallError::new(&error.code, &error.message));
            error.unwrap_or_else(|| CallError::new("failed", "the server gave no reason"))
        });
        match (self.pending.take(request_id), error) {
            (Some((waiter, answer)), None) => self.fulfil(waiter, answer, now),
            (Some((waiter, _)), Some(error)) => self.reject(waiter, error),
            (None, Some(error)) => self.attach_refused(request_id, &error, now),
            (None, None) => {}
        }
    }

    fn ended(&mut self, ended: SessionEnded, text: &str) {
        let session_id = ended.session_id;
        self.know(session_id);
        self.written.forget(session_id);
        self.effects.push(Effect::Record(Record::Ended {
            session_id,
            reason: ended.reason,
            exit_code: ended.exit_code,
            signal: ended.signal,
        }));
        self.tell_watchers(text);
        self.dismiss(session_id, text);
    }

    /// Gives the viewers of a session its last event and closes them.
    fn dismiss(&mut self, session_id: u32, text: &str) {
        let ids: Vec<_> = self.viewers_of(session_id).map(|(id, _)| id).collect();
        for id in ids {
            self.effects.push(Effect::ToBrowser(id, text.to_owned()));
            self.effects.push(Effect::CloseBrowser(id, CLOSE_ENDED, "session ended"));
            self.browsers.remove(&id);
        }
        self.streams.remove(&session_id);
    }

    fn know(&mut self, session_id: u32) {
        if let Some(gateway) = &mut self.gateway {
            gateway.know(session_id);
        }
    }

    /// Declares lost what the gateway neither has nor reported as ended, a while after its hello.
    pub(super) fn reconcile(&mut self, now: u64) {
        let due = |gateway: &Gateway| gateway.reconcile_deadline().is_some_and(|at| at <= now);
        let Some(gateway) = self.gateway.as_mut().filter(|gateway| due(gateway)) else { return };
        let Some(Reconcile { greeted_at, known }) = gateway.reconcile.take() else { return };
        let mut missing: Vec<u32> = self
            .viewers()
            .map(|(_, viewer)| viewer.session_id)
            .filter(|session_id| !known.contains(session_id))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        for session_id in missing {
            let lost = SessionEnded {
                session_id,
                exit_code: None,
                signal: None,
                reason: "lost".to_owned(),
            };
            let text = Event::from(lost).to_json(None);
            self.tell_watchers(&text);
            self.dismiss(session_id, &text);
        }
        self.effects.push(Effect::Record(Record::Lost { known, before: greeted_at }));
    }

    pub(super) fn save_gateway(&mut self) {
        if let Some(gateway) = &mut self.gateway {
            let attachment = gateway.attachment(self.transfers.kept());
            self.effects.push(Effect::SaveGateway(attachment));
        }
    }

    /// The gateway sent more than a message may hold.
    pub fn gateway_too_large(&mut self) {
        self.close_gateway(protocol::CLOSE_TOO_LARGE, "message too large");
    }

    /// Closes the gateway's socket and takes it for gone at once, whether it answers or not.
    pub(super) fn close_gateway(&mut self, code: u16, reason: &'static str) {
        if self.gateway.is_some() {
            self.effects.push(Effect::CloseGateway(code, reason));
            self.gateway_gone();
        }
    }

    /// Sends a fire-and-forget command.
    pub(super) fn tell_gateway(&mut self, command: &Command) {
        self.send(command, None);
    }
}
