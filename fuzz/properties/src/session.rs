//! A whole session between any tmux and any viewers: its stream has no gap, its credit holds, every
//! message is one of the contract, and nobody gets two acks.
//!
//! Each part of an input is an event; its first byte says which, see [`World::event`].

use crate::parts;
use chatcode_gateway::session::stream::Out;
use chatcode_gateway::session::{Effect, Place, Remembered, Session};
use chatcode_gateway::tmux::version::{Capabilities, Version};
use protocol::events::{Event, SessionEnded, decode};
use protocol::frame::Frame;
use protocol::limits::OUTPUT_WINDOW;
use protocol::{BASE64, Engine as _, seq};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Events of one input; more make a run slow and find no more.
const EVENTS: usize = 100;

/// Enough to overrun the ring once, with credit; more makes a run slow.
const FLOOD_KIB: u32 = 1_600;

/// Most that a session keeps: ring, credit, and the spare room of growing buffers.
const MEMORY_BYTES: usize = 4 * 1024 * 1024;

pub(crate) fn check(bytes: &[u8]) {
    let mut world = World::new(bytes.first().copied().unwrap_or_default());
    for part in parts(bytes.get(1..).unwrap_or_default()).take(EVENTS) {
        let Some((&kind, rest)) = part.split_first() else { continue };
        world.event(kind, rest);
        world.look();
    }
}

struct World {
    session: Session,
    now: u64,
    requests: u32,
    open: BTreeSet<String>,
    /// Next byte that the reader expects, once it knows.
    next: Option<u32>,
    /// KiB that floods may still print.
    flood: u32,
}

impl World {
    fn new(version: u8) -> Self {
        let version =
            ["tmux 3.0a", "tmux 3.1c", "tmux 3.3a", "tmux 3.7c"][usize::from(version % 4)];
        let can: Capabilities = Version::read(version).expect("a version").capabilities();
        let place = Place { cols: 80, rows: 24, window_size: (80, 24), ..Place::default() };
        let remembered = Remembered { agent: true, ..Remembered::default() };
        let folder = PathBuf::from("/nowhere");
        let mut session = Session::new(1, place, can, folder, &remembered, 0);
        session.client_started(0);
        Self { session, now: 0, requests: 0, open: BTreeSet::new(), next: None, flood: FLOOD_KIB }
    }

    fn event(&mut self, kind: u8, rest: &[u8]) {
        let byte = |at: usize| rest.get(at).copied().map(u32::from);
        match kind {
            b't' => self.session.on_tmux(rest, self.now),
            // What every client says first; without it nothing is ever asked of tmux.
            b'T' => self.session.on_tmux(b"%begin 1 1 0\n%end 1 1 0\n", self.now),
            // So many KiB of output.
            b'f' => {
                let line = [b"%output %0 ".as_slice(), &[b'x'; 1_024], b"\n"].concat();
                let count = (byte(0).unwrap_or(1) * 8).min(self.flood);
                self.flood -= count;
                for _ in 0..count {
                    self.session.on_tmux(&line, self.now);
                }
            }
            b'a' => {
                let resume = byte(0).and_then(|back| Some(self.next?.wrapping_sub(back)));
                let id = self.request();
                self.session.attach(id, resume.filter(|_| rest.len() > 1), byte(2), self.now);
            }
            b's' => {
                let id = self.request();
                self.session.snapshot(id, byte(0), self.now);
            }
            b'k' => {
                if let Some(next) = self.next {
                    self.session.ack(next.wrapping_sub(byte(0).unwrap_or(0)), self.now);
                }
            }
            b'i' => self.session.input(rest, self.now),
            b'p' => {
                let id = self.request();
                self.session.paste(id, rest.to_vec(), self.now);
            }
            b'c' => {
                let text = String::from_utf8_lossy(rest);
                let (one, other) = text.split_once(' ').unwrap_or((&text, "#102030"));
                self.session.colours(one, other, self.now);
            }
            b'n' => self.session.notify(&String::from_utf8_lossy(rest), self.now),
            b'r' => self.session.resize(byte(0).unwrap_or(0) * 5, byte(1).unwrap_or(9), self.now),
            b'd' => {
                self.session.detach(self.now);
                assert!(!self.session.is_attached());
            }
            b'w' => self.now += u64::from(byte(0).unwrap_or(1)) * u64::from(byte(1).unwrap_or(1)),
            b'l' => {
                self.session.client_lost();
                self.session.client_started(0);
            }
            b'x' => {
                self.session.link_lost(self.now);
                self.open.clear();
                self.next = None;
            }
            b'e' if !self.session.is_ended() => {
                let ended = SessionEnded {
                    session_id: 1,
                    exit_code: None,
                    signal: None,
                    reason: "exited".to_owned(),
                };
                self.session.end(ended, &[]);
            }
            _ => {}
        }
        self.session.tick(self.now);
    }

    fn request(&mut self) -> String {
        self.requests += 1;
        let id = format!("r{}", self.requests);
        self.open.insert(id.clone());
        id
    }

    fn look(&mut self) {
        for line in self.session.take_to_tmux().split(|&byte| byte == b'\n') {
            let plain = line.iter().all(|byte| (0x20..0x7f).contains(byte));
            assert!(plain, "a line for tmux: {:?}", String::from_utf8_lossy(line));
        }
        for effect in self.session.take_effects() {
            if let Effect::Send(text) = effect {
                self.message(&text, false);
            }
        }
        while let Some(out) = self.session.next_out(self.now) {
            match out {
                Out::Frame(bytes) => self.frame(&bytes),
                Out::Text(text) | Out::Answer(_, text) => self.message(&text, true),
            }
            assert!(self.session.unacked() <= OUTPUT_WINDOW, "{}", self.session.unacked());
        }
        while let Some(event) = self.session.take_attention() {
            self.message(&event.to_json(None), false);
        }
        assert!(self.session.memory() <= MEMORY_BYTES, "{}", self.session.memory());
    }

    fn frame(&mut self, bytes: &[u8]) {
        let frame = Frame::decode(bytes).expect("a frame of the contract");
        let length = u32::try_from(frame.payload.len()).expect("a short frame");
        assert!(length > 0 && self.session.is_attached());
        assert_eq!(Some(frame.seq), self.next, "no gap, no duplicate");
        self.next = Some(frame.seq.wrapping_add(length));
    }

    fn message(&mut self, text: &str, in_stream: bool) {
        let Some((request_id, event)) = decode(text) else { panic!("no event: {text:.300}") };
        match event {
            Event::Ack(_) => {
                let id = request_id.expect("an ack answers a request");
                assert!(self.open.remove(&id), "{id} is acked twice");
            }
            Event::SessionReplay(replay) if in_stream => {
                let length = BASE64.decode(&replay.data).expect("base64").len();
                let length = u32::try_from(length).expect("a short replay");
                self.next = Some(replay.from_seq.wrapping_add(length));
            }
            Event::SessionSnapshot(snapshot) if in_stream => {
                let back = self.next.is_some_and(|next| seq::is_before(snapshot.seq, next));
                assert!(!back, "seq never goes back");
                self.next = Some(snapshot.seq);
            }
            // Before the answer to an attach nobody counts yet.
            Event::SessionLagged(lagged) => {
                assert!(self.next.is_none_or(|next| next == lagged.seq), "{lagged:?}");
            }
            _ => {}
        }
    }
}
