//! File transfers between any control plane and any child: every request is answered once, a failure
//! is told once, the windows hold, and no more children live than the limit says.
//!
//! Each part of an input is an event; its first byte says which, see [`World::event`].

use crate::parts;
use chatcode_gateway::daemon::Message;
use chatcode_gateway::files::{Effect, Slot, Task, Transfers};
use protocol::events::{Event, decode};
use protocol::frame::Frame;
use protocol::limits::{FILE_CHUNK_BYTES, FILE_DEADLINE_MS, FILE_TRANSFERS, FILE_WINDOW_CHUNKS};
use std::collections::{BTreeMap, BTreeSet};

/// Events of one input; more make a run slow and find no more.
const EVENTS: usize = 120;

/// Chunks of an input: each is 128 KiB.
const CHUNKS: u32 = 60;

/// Ids that inputs choose from: enough to reach the limit, few enough to meet again.
const IDS: u8 = 10;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn check(bytes: &[u8]) {
    let mut world = World::default();
    for part in parts(bytes).take(EVENTS) {
        let Some((&kind, rest)) = part.split_first() else { continue };
        world.event(kind, rest);
        world.settle();
    }
    world.end();
}

/// What a child was given and has said.
#[derive(Default)]
struct Child {
    written: u32,
    stored: u32,
    sent_away: bool,
}

/// What the other side knows of a transfer.
#[derive(Default)]
struct Known {
    accepted: bool,
    chunks: u32,
    acked: u32,
}

#[derive(Default)]
struct World {
    transfers: Transfers,
    now: u64,
    requests: u32,
    open: BTreeSet<String>,
    /// Who asked for which transfer.
    begun: BTreeMap<String, u32>,
    children: BTreeMap<Slot, Child>,
    known: BTreeMap<u32, Known>,
    chunks: u32,
}

impl World {
    fn event(&mut self, kind: u8, rest: &[u8]) {
        let byte = |at: usize| rest.get(at).copied().unwrap_or(0);
        let id = u32::from(byte(0) % IDS);
        let slot = self.children.keys().nth(usize::from(byte(0) % IDS)).copied().unwrap_or(0);
        match kind {
            b'u' => {
                let size = u64::from(byte(1)) * FILE_CHUNK_BYTES as u64 / 8 + u64::from(byte(2));
                self.begin(id, Task::Upload(size));
            }
            b'd' => self.begin(id, Task::Download),
            b'c' if self.chunks < CHUNKS => {
                self.chunks += 1;
                let bytes = [FILE_CHUNK_BYTES, usize::from(byte(3))][usize::from(byte(2) % 2)];
                self.transfers.chunk(id, byte(1).into(), &vec![0; bytes], self.now);
            }
            b'e' => {
                let request = self.request();
                let digest = if byte(1) == b'!' { "no digest" } else { SHA256 };
                let ended = self.transfers.end(&request, id, digest, self.now);
                self.refused(&request, ended.is_err());
            }
            b'k' => {
                let seq = u32::from(byte(1));
                if let Some(known) = self.known.get_mut(&id).filter(|one| seq <= one.chunks) {
                    known.acked = known.acked.max(seq);
                }
                self.transfers.ack(id, seq, self.now);
            }
            b'x' => {
                let request = self.request();
                let cancelled = self.transfers.cancel(&request, id, self.now);
                self.refused(&request, cancelled.is_err());
            }
            b'o' => self.say(slot, rest.get(1..).unwrap_or_default()),
            b'O' => self.say(slot, b"open 300000 420 7\n"),
            b's' => self.say(slot, b"stored\n"),
            // A chunk, and one with a short one behind it.
            b'C' | b'D' if self.chunks < CHUNKS => {
                self.chunks += 1;
                let length = u32::try_from(FILE_CHUNK_BYTES).expect("it fits").to_be_bytes();
                let short: &[u8] = if kind == b'D' { b"\0\0\0\x01x" } else { b"" };
                self.say(slot, &[length.as_slice(), &[0; FILE_CHUNK_BYTES], short].concat());
            }
            b'A' => self.say(slot, b"\0\0\0\0ok digest\n"),
            b'a' => self.say(slot, b"ok \n"),
            b'z' => {
                self.children.remove(&slot);
                self.transfers.on_closed(slot, self.now);
            }
            b'l' => {
                self.transfers.link_lost(self.now);
                self.open.clear();
                self.begun.clear();
                self.known.clear();
            }
            b'w' => self.now += u64::from(byte(0)) * u64::from(byte(1)),
            _ => {}
        }
        self.transfers.tick(self.now);
        assert!(
            self.transfers.deadline(false).is_none_or(|at| at > self.now),
            "what was due is done"
        );
    }

    fn request(&mut self) -> String {
        self.requests += 1;
        let request = format!("r{}", self.requests);
        self.open.insert(request.clone());
        request
    }

    fn refused(&mut self, request: &str, refused: bool) {
        if refused {
            assert!(self.open.remove(request), "answered once");
        }
    }

    fn begin(&mut self, id: u32, task: Task) {
        let request = self.request();
        let begun = self.transfers.begin(&request, id, task, Vec::new(), self.now);
        self.refused(&request, begun.is_err());
        if begun.is_ok() {
            self.known.insert(id, Known::default());
            self.begun.insert(request, id);
        }
    }

    /// As the shell does: only what is wanted is read.
    fn say(&mut self, slot: Slot, bytes: &[u8]) {
        let Some(child) = self.children.get_mut(&slot) else { return };
        if self.transfers.wants(slot) {
            child.stored += u32::from(bytes == b"stored\n");
            self.transfers.on_output(slot, bytes, self.now);
        }
    }

    fn settle(&mut self) {
        for text in self.transfers.take_told() {
            self.told(&text);
        }
        for effect in self.transfers.take_effects() {
            match effect {
                Effect::Start(slot, _) => {
                    let new = self.children.insert(slot, Child::default()).is_none();
                    assert!(new, "a slot is never used twice");
                }
                Effect::Write(slot, bytes) => {
                    let Some(child) = self.children.get_mut(&slot) else { continue };
                    assert!(!child.sent_away, "who was sent away is told nothing more");
                    child.written += u32::from(bytes != SHA256.as_bytes());
                    let waiting = child.written.saturating_sub(child.stored);
                    assert!(waiting <= FILE_WINDOW_CHUNKS, "{waiting} chunks wait");
                }
                Effect::Close(slot) | Effect::Kill(slot) => {
                    if let Some(child) = self.children.get_mut(&slot) {
                        child.sent_away = true;
                    }
                }
            }
        }
        assert!(self.children.len() <= 2 * FILE_TRANSFERS, "{} children", self.children.len());
        while let Some(message) = self.transfers.next_message(self.now) {
            match message {
                Message::Text(text) => self.told(&text),
                Message::Binary(frame) => self.sent(&frame),
            }
        }
    }

    fn sent(&mut self, frame: &[u8]) {
        let frame = Frame::decode(frame).expect("a frame of the contract");
        let known = self.known.get_mut(&frame.id).expect("a transfer that goes on");
        assert!(known.accepted, "accepted before it begins");
        assert_eq!(frame.seq, known.chunks, "chunks come in order");
        known.chunks += 1;
        assert!(known.chunks - known.acked <= FILE_WINDOW_CHUNKS, "the window holds");
    }

    fn told(&mut self, text: &str) {
        let (request, event) = decode(text).expect("an event of the contract");
        match event {
            Event::Ack(ack) => {
                let request = request.expect("an ack names its request");
                assert!(self.open.remove(&request), "{request} is answered once");
                if let Some(id) = self.begun.remove(&request) {
                    match self.known.get_mut(&id) {
                        Some(known) if ack.ok => known.accepted = true,
                        _ => drop(self.known.remove(&id)),
                    }
                }
            }
            Event::FileError(error) => self.over(error.transfer_id),
            Event::FileContentEnd(end) => self.over(end.transfer_id),
            Event::FileAck(ack) => assert!(self.known.contains_key(&ack.transfer_id)),
            Event::FileContentBegin(begin) => {
                assert!(self.known.get(&begin.transfer_id).is_some_and(|known| known.accepted));
            }
            other => panic!("{} is none of a transfer's", other.name()),
        }
    }

    fn over(&mut self, id: u32) {
        let known = self.known.remove(&id).expect("told once, of what goes on");
        assert!(known.accepted, "a refusal is an answer, not an event");
    }

    /// All children leave and time goes by: nothing stays, and every request has its answer.
    fn end(&mut self) {
        for slot in std::mem::take(&mut self.children).into_keys() {
            self.transfers.on_closed(slot, self.now);
        }
        self.settle();
        self.now += 2 * FILE_DEADLINE_MS;
        self.transfers.tick(self.now);
        self.settle();
        assert!(self.open.is_empty(), "{:?} have no answer", self.open);
        assert!(self.transfers.is_idle(), "nothing stays");
        assert_eq!(self.transfers.deadline(true), None);
    }
}
