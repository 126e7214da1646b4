//! What must hold on the link at every message, seen where the gateway's socket is.
//!
//! The hub repairs what a wrong gateway sends, so the screens alone would not tell.

use super::page::Message;
use protocol::commands::{self, Command, Incoming};
use protocol::events::{self, Event};
use protocol::frame::Frame;
use protocol::limits::{OUTPUT_WINDOW, REPLAY_BYTES};
use protocol::seq::{distance, is_before};
use std::collections::BTreeMap;

/// One session's stream on this connection.
#[derive(Default)]
struct Flow {
    attached: bool,
    lagged: bool,
    /// Next byte expected, once attached.
    next: u32,
    acked: u32,
    /// The furthest place that was ever told, on any connection.
    furthest: Option<u32>,
}

/// A request without an ack so far.
struct Request {
    name: &'static str,
    attaches: Option<u32>,
    answered: bool,
}

/// Reads along on the link.
#[derive(Default)]
pub struct Contract {
    flows: BTreeMap<u32, Flow>,
    requests: BTreeMap<String, Request>,
    /// Output was dropped and told, so far.
    pub lags: u32,
}

impl Contract {
    /// A new connection: everything starts detached, commands died with the old one.
    pub fn link_up(&mut self) {
        self.requests.clear();
        for flow in self.flows.values_mut() {
            *flow = Flow { furthest: flow.furthest, ..Flow::default() };
        }
    }

    /// Whether viewers of `session` know of a lag and wait for its end.
    pub fn is_lagged(&self, session: u32) -> bool {
        self.flows.get(&session).is_some_and(|flow| flow.lagged)
    }

    /// Where the gateway's stream of an attached session has come to.
    pub fn sent(&self, session: u32) -> Option<u32> {
        self.flows.get(&session).filter(|flow| flow.attached).map(|flow| flow.next)
    }

    /// The gateway is about to read a command.
    pub fn commanded(&mut self, text: &str) {
        let Incoming::Command { request_id, command } = commands::decode(text) else {
            panic!("the hub sends no command: {text:.200}");
        };
        match &command {
            Command::SessionAck(ack) => {
                let flow = self.flows.entry(ack.session_id).or_default();
                let forward = is_before(flow.acked, ack.seq) && !is_before(flow.next, ack.seq);
                if flow.attached && forward {
                    flow.acked = ack.seq;
                }
            }
            Command::SessionDetach(detach) => {
                let flow = self.flows.entry(detach.session_id).or_default();
                (flow.attached, flow.lagged) = (false, false);
            }
            _ => {}
        }
        let Some(id) = request_id else { return };
        let attaches = match &command {
            Command::SessionAttach(attach) => Some(attach.session_id),
            _ => None,
        };
        let request = Request { name: command.name(), attaches, answered: false };
        let before = self.requests.insert(id, request);
        assert!(before.is_none(), "a request id comes twice");
    }

    /// The gateway has sent a message.
    pub fn said(&mut self, message: &Message) {
        match message {
            Message::Binary(bytes) => self.frame(&Frame::decode(bytes).expect("a frame")),
            Message::Text(text) => {
                let Some((request_id, event)) = events::decode(text) else {
                    panic!("no event of the contract: {text:.200}");
                };
                self.event(request_id.as_deref(), &event);
            }
        }
    }

    /// Everything came to rest: nobody may still wait.
    pub fn settled(&self) {
        if let Some((id, request)) = self.requests.first_key_value() {
            panic!("request {id}, a {}, was never answered", request.name);
        }
        if let Some((id, _)) = self.flows.iter().find(|(_, flow)| flow.lagged) {
            panic!("session {id}: no snapshot after session.lagged");
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let id = frame.id;
        let flow = self.flows.entry(id).or_default();
        assert!(flow.attached, "session {id}: output while detached");
        assert!(!flow.lagged, "session {id}: output between session.lagged and its snapshot");
        assert!(!frame.payload.is_empty(), "session {id}: an empty frame");
        flow.is_at(id, frame.seq);
        flow.reach(id, frame.seq.wrapping_add(frame.payload.len() as u32));
        let unacked = u64::from(flow.next.wrapping_sub(flow.acked));
        assert!(unacked <= OUTPUT_WINDOW, "session {id}: {unacked} bytes beyond credit");
    }

    fn event(&mut self, request_id: Option<&str>, event: &Event) {
        match event {
            Event::SessionSnapshot(snapshot) => {
                self.snapshot(snapshot.session_id, snapshot.seq, request_id);
            }
            Event::SessionReplay(replay) => {
                let size = replay.data.trim_end_matches('=').len() * 3 / 4;
                self.replay(replay.session_id, replay.from_seq, size, request_id);
            }
            Event::SessionLagged(lagged) => {
                let id = lagged.session_id;
                let asked = self.requests.values().any(|one| one.attaches == Some(id));
                let flow = self.flows.entry(id).or_default();
                // It may come between an attach and its answer, and then stands nowhere.
                assert!(flow.attached || asked, "session {id}: a lag while detached");
                assert!(!flow.lagged, "session {id}: a lag is told twice");
                if flow.attached {
                    flow.is_at(id, lagged.seq);
                }
                flow.lagged = true;
                self.lags += 1;
            }
            Event::SessionResized(resized) => {
                let flow = self.flows.entry(resized.session_id).or_default();
                assert!(flow.attached, "session {}: a resize while detached", resized.session_id);
                flow.is_at(resized.session_id, resized.seq);
            }
            Event::Ack(ack) => {
                let id = request_id.expect("an ack names its request");
                let request = self.requests.remove(id);
                let request =
                    request.unwrap_or_else(|| panic!("a second ack for {id}, or a wrong one"));
                let silent = ack.ok && request.attaches.is_some() && !request.answered;
                assert!(!silent, "request {id}: an attach acked without replay or snapshot");
            }
            _ => {}
        }
    }

    fn answers(&mut self, session: u32, request_id: &str) {
        let request = self.requests.get_mut(request_id);
        let request = request.filter(|request| request.attaches == Some(session));
        let request = request.unwrap_or_else(|| panic!("{request_id} did not ask for this"));
        assert!(!request.answered, "request {request_id} is answered twice");
        request.answered = true;
    }

    fn snapshot(&mut self, id: u32, seq: u32, request_id: Option<&str>) {
        if let Some(request_id) = request_id {
            self.answers(id, request_id);
        }
        let flow = self.flows.entry(id).or_default();
        match request_id {
            Some(_) if flow.attached && !flow.lagged => flow.is_at(id, seq),
            Some(_) => flow.begin(id, seq),
            None => {
                assert!(flow.lagged, "session {id}: a snapshot that nobody asked for");
                flow.begin(id, seq);
            }
        }
    }

    fn replay(&mut self, id: u32, from: u32, size: usize, request_id: Option<&str>) {
        assert!(size <= REPLAY_BYTES, "session {id}: a replay of {size} bytes");
        self.answers(id, request_id.expect("a replay answers an attach"));
        let end = from.wrapping_add(size as u32);
        let flow = self.flows.entry(id).or_default();
        if flow.attached {
            return flow.is_at(id, end);
        }
        flow.attached = true;
        (flow.next, flow.acked) = (from, from);
        // What is replayed was told before.
        if flow.furthest.is_none_or(|furthest| is_before(furthest, end)) {
            flow.furthest = Some(end);
        }
        flow.next = end;
    }
}

impl Flow {
    /// Nothing is missing before `seq`, and nothing of it was sent.
    fn is_at(&self, id: u32, seq: u32) {
        let off = distance(self.next, seq);
        assert!(off <= 0, "session {id}: a gap of {off} bytes before {seq}");
        assert!(off >= 0, "session {id}: a duplicate of {} bytes at {seq}", off.unsigned_abs());
    }

    fn begin(&mut self, id: u32, seq: u32) {
        (self.attached, self.lagged) = (true, false);
        self.reach(id, seq);
        self.acked = seq;
    }

    fn reach(&mut self, id: u32, seq: u32) {
        if let Some(furthest) = self.furthest {
            assert!(
                !is_before(seq, furthest),
                "session {id}: seq went back from {furthest} to {seq}"
            );
        }
        (self.next, self.furthest) = (seq, Some(seq));
    }
}
