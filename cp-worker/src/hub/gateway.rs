//! The gateway's side of the hub: its connection, its events, its answers.

use super::pending::Waiter;
use super::viewer::Phase;
use super::{Browser, CallError, Effect, Hub, Record};
use crate::limits::{CLOSE_ENDED, CLOSE_NOT_FOUND, COMMAND_TIMEOUT_MS, RECONCILE_MS};
use protocol::commands::{Command, GatewayWatch, SessionDetach};
use protocol::envelope::{Head, codes, peek};
use protocol::events::{self, Event, GatewayHello, GatewayOffline, SessionEnded};
use protocol::frame::{Frame, HEADER_BYTES, Kind};
use protocol::limits::{MAX_BINARY_BYTES, MAX_TEXT_BYTES, OUTPUT_FRAME_BYTES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The gateway's connection. Serialised as it is into the socket's attachment.
#[derive(Debug, Serialize, Deserialize)]
pub struct Gateway {
    /// Whether it has said hello.
    pub(super) greeted: bool,
    /// Whether it came with a bootstrap token and is to get its own.
    enrolling: bool,
    /// Whether it was told that somebody watches.
    watched: bool,
    /// The sessions that it reported on this connection, until they are compared.
    #[serde(skip)]
    reconcile: Option<Reconcile>,
}

#[derive(Debug)]
struct Reconcile {
    greeted_at: u64,
    known: BTreeSet<u32>,
}

impl Gateway {
    pub(super) fn reconcile_deadline(&self) -> Option<u64> {
        self.reconcile.as_ref().map(|one| one.greeted_at + RECONCILE_MS)
    }

    fn know(&mut self, session_id: u32) {
        if let Some(reconcile) = &mut self.reconcile {
            reconcile.known.insert(session_id);
        }
    }
}

impl Hub {
    /// A gateway's socket was accepted; the shell has closed the one before it with 4002.
    pub fn gateway_connected(&mut self, enrolling: bool) {
        self.gateway_gone();
        self.gateway = Some(Gateway { greeted: false, enrolling, watched: false, reconcile: None });
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
        let Ok(Frame { kind: Kind::Output, id, seq, .. }) = Frame::decode(head) else { return };
        let Some(payload) = len.checked_sub(HEADER_BYTES) else { return };
        if (1..=OUTPUT_FRAME_BYTES).contains(&payload) {
            self.output(id, seq, payload as u32, now);
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
                Some((_, Event::GatewayHealth(_))) => {
                    self.effects.push(Effect::Record(Record::Health(text.to_owned())));
                    self.tell_watchers(text);
                }
                _ => {}
            },
        }
    }

    fn greeted(&mut self, mut hello: GatewayHello, now: u64) {
        let Some(gateway) = &mut self.gateway else { return };
        gateway.greeted = true;
        let known: BTreeSet<u32> = hello.sessions.iter().map(|one| one.session_id).collect();
        self.effects.push(Effect::Record(Record::Hello {
            version: hello.version.clone(),
            hostname: hello.hostname.clone(),
            system_info: crate::json::of(&hello.system_info),
            sessions: known.iter().copied().collect(),
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

    /// Attaches for every viewer that had or wanted the stream, after the gateway came back.
    fn attach_all(&mut self, now: u64) {
        let viewers: Vec<_> = self
            .viewers()
            .map(|(id, viewer)| (id, viewer.session_id, viewer.phase, viewer.has_room()))
            .collect();
        for (id, session_id, phase, has_room) in viewers {
            self.touch(session_id);
            match phase {
                Phase::Idle | Phase::Lagging => {}
                Phase::Awaiting | Phase::Live if !has_room => self.set_lagging(id),
                Phase::Awaiting | Phase::Live => self.attach(id, now),
            }
        }
    }

    fn gateway_gone(&mut self) {
        if self.gateway.take().is_none() {
            return;
        }
        for waiter in self.pending.take_all() {
            // Nobody is left to be closed for a failed enrolment.
            if waiter != Waiter::Enrolment {
                self.resolve(waiter, Err(CallError::offline()));
            }
        }
        self.effects.push(Effect::Record(Record::Offline));
        let offline = GatewayOffline { gateway_id: self.gateway_id.clone() };
        self.tell_watchers(&Event::from(offline).to_json(None));
        for connected in self.browsers.values_mut() {
            let Browser::Viewer(viewer) = &mut connected.browser else { continue };
            self.touched.insert(viewer.session_id);
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

    fn snapshot(&mut self, session_id: u32, head: &Head, bytes: usize, now: u64) {
        let Some(seq) = head.seq else { return };
        if let Some(stream) = self.streams.get_mut(&session_id) {
            stream.see(Some(seq));
        }
        match &head.request_id {
            Some(request_id) => {
                if let Some(id) = self.asker(session_id, request_id) {
                    self.restore_viewer(id, seq, bytes, now);
                }
            }
            // The recovery after `session.lagged` is for everybody who is live.
            None => {
                for id in self.live_viewers(session_id) {
                    self.restore_viewer(id, seq, bytes, now);
                }
            }
        }
        self.touch(session_id);
        self.ack_gateway(session_id, now);
    }

    fn restore_viewer(&mut self, id: super::SocketId, seq: u32, bytes: usize, now: u64) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        if viewer.phase == Phase::Live && !viewer.has_room() {
            return self.set_lagging(id);
        }
        viewer.restored(seq, bytes, now);
        self.effects.push(Effect::Pass(id));
        self.save_soon(id, now);
    }

    fn replay(
        &mut self,
        session_id: u32,
        request_id: Option<String>,
        seq: u32,
        len: u32,
        now: u64,
    ) {
        if let Some(stream) = self.streams.get_mut(&session_id) {
            stream.see(Some(seq.wrapping_add(len)));
        }
        let Some(id) = request_id.and_then(|one| self.asker(session_id, &one)) else { return };
        if let Some(viewer) = self.viewer_mut(id) {
            viewer.replayed(seq, len);
            self.effects.push(Effect::Pass(id));
            self.touch(session_id);
            self.ack_gateway(session_id, now);
        }
    }

    /// Who waits for the answer to `request_id`, if that viewer is still there.
    fn asker(&self, session_id: u32, request_id: &str) -> Option<super::SocketId> {
        self.viewers_of(session_id)
            .find(|(_, viewer)| viewer.request_id.as_deref() == Some(request_id))
            .map(|(id, _)| id)
    }

    fn live_viewers(&self, session_id: u32) -> Vec<super::SocketId> {
        self.viewers_of(session_id)
            .filter(|(_, viewer)| viewer.phase == Phase::Live)
            .map(|(id, _)| id)
            .collect()
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
        let result = if ack.ok {
            Ok(())
        } else {
            let error = ack.error.map(|error| CallError::new(&error.code, &error.message));
            Err(error.unwrap_or_else(|| CallError::new("failed", "the server gave no reason")))
        };
        if let Some(waiter) = self.pending.take(request_id) {
            return self.resolve(waiter, result);
        }
        let asker = self.viewers().find(|(_, one)| one.request_id.as_deref() == Some(request_id));
        if let (Some((id, _)), Err(error)) = (asker, result) {
            self.attach_failed(id, &error, now);
        }
    }

    /// The answer that a viewer waits for will not come; the page may ask again.
    fn attach_failed(&mut self, id: super::SocketId, error: &CallError, now: u64) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        viewer.request_id = None;
        self.save_soon(id, now);
        self.tell(id, super::messages::error(&error.code, &error.message));
        if error.code == codes::UNKNOWN_SESSION {
            self.close_browser(id, CLOSE_NOT_FOUND, "no such session", now);
        }
    }

    /// Tells viewers whose attach nobody answered.
    pub(super) fn expire_attaches(&mut self, now: u64) {
        let overdue: Vec<_> = self
            .viewers()
            .filter(|(_, viewer)| viewer.is_asking() && viewer.asked_at + COMMAND_TIMEOUT_MS <= now)
            .map(|(id, _)| id)
            .collect();
        for id in overdue {
            self.attach_failed(id, &CallError::timed_out(), now);
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
        let missing: BTreeSet<u32> = self
            .viewers()
            .map(|(_, viewer)| viewer.session_id)
            .filter(|session_id| !known.contains(session_id))
            .collect();
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
        let known = known.into_iter().collect();
        self.effects.push(Effect::Record(Record::Lost { known, before: greeted_at }));
    }

    fn save_gateway(&mut self) {
        if let Some(gateway) = &self.gateway {
            // Three flags always serialise.
            let attachment = serde_json::to_string(gateway).unwrap_or_default();
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
