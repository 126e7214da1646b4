//! The hub with a few sockets: whatever browsers and a gateway say, it says only what the contract
//! knows, to sockets that exist, and its timers advance.
//!
//! Each line of an input is an event; its first byte says which, see [`World::event`].

use cp_worker::hub::{Effect, Hub, TransferId};
use protocol::commands::{FileDownload, FileUploadBegin, Incoming, decode};
use protocol::frame::HEADER_BYTES;
use protocol::limits::FILE_CHUNK_BYTES;
use std::collections::BTreeMap;

/// Events of one input; more make a run slow and find no more.
const EVENTS: usize = 200;

/// Longest time between two events, in milliseconds.
const DAYS_MS: u64 = 2 * 24 * 3_600_000;

/// Longer than any frame may be.
const FRAME_BYTES: usize = 200_000;

/// Bytes of a file for each byte of the event that sends it: not a whole number of chunks.
const FILE_STEP_BYTES: u64 = 100_000;

/// What every file's digest is here.
const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Ticks in a row that may each set a new deadline in the past.
const TICKS: usize = 8;

pub(crate) fn check(bytes: &[u8]) {
    let mut world = World {
        hub: Hub::new("gw".to_owned(), 1),
        now: 1_000,
        saved: BTreeMap::new(),
        gateway: None,
        files: Vec::new(),
    };
    for line in bytes.split(|&byte| byte == b'\n').take(EVENTS) {
        let Some((&kind, rest)) = line.split_first() else { continue };
        world.event(kind, rest);
        world.settle();
    }
}

struct World {
    hub: Hub,
    now: u64,
    /// Open browser sockets and their attachments.
    saved: BTreeMap<u32, String>,
    /// The gateway socket's attachment, while it is open.
    gateway: Option<String>,
    /// The transfers that were started.
    files: Vec<TransferId>,
}

impl World {
    fn event(&mut self, kind: u8, rest: &[u8]) {
        let id = rest.first().map_or(0, |byte| u32::from(byte % 8));
        let after = String::from_utf8_lossy(rest.get(1..).unwrap_or_default());
        match kind {
            b'c' => {
                self.gateway = Some(String::new());
                self.hub.gateway_connected(id == 1);
            }
            b'd' => {
                self.gateway = None;
                self.hub.gateway_closed();
            }
            b'g' if self.gateway.is_some() => {
                self.hub.gateway_text(&String::from_utf8_lossy(rest), self.now);
            }
            b'f' if self.gateway.is_some() => self.frame(rest),
            b'w' | b'v' if !self.saved.contains_key(&id) => {
                self.saved.insert(id, String::new());
                match kind {
                    b'w' => self.hub.watcher_connected(id),
                    _ => self.hub.viewer_connected(id, u32::from(after.len() > 1)),
                }
            }
            b'x' => {
                self.saved.remove(&id);
                self.hub.browser_closed(id, self.now);
            }
            b'b' if self.saved.contains_key(&id) => self.hub.browser_text(id, &after, self.now),
            b'n' if self.saved.contains_key(&id) => {
                self.hub.browser_binary(id, after.len(), self.now);
            }
            b't' => {
                self.now += rest.iter().fold(0, |sum, &byte| (sum * 4 + u64::from(byte)) % DAYS_MS)
            }
            b'u' => self.start_file(id, after.len()),
            b'o' => self.carry_file(id, after.len()),
            b'h' => self.hibernate(),
            b'p' => self.hub.distrust(self.now),
            _ => {}
        }
        if self.hub.next_deadline().is_some_and(|at| at <= self.now) {
            self.hub.tick(self.now);
        }
    }

    fn frame(&mut self, rest: &[u8]) {
        let mut head = [0; HEADER_BYTES];
        for (to, from) in head.iter_mut().zip(rest) {
            *to = *from;
        }
        // The length is the shell's word, not the peer's; it is never below what was read.
        let length = rest.get(HEADER_BYTES..).unwrap_or_default();
        let length =
            length.iter().fold(0, |sum, &byte| (sum * 3 + usize::from(byte)) % FRAME_BYTES);
        self.hub.gateway_binary(&head, HEADER_BYTES + length, self.now);
    }

    /// A browser sends a file, or wants one.
    fn start_file(&mut self, id: u32, len: usize) {
        let (transfer_id, session_id) = (0, None);
        let started = if id.is_multiple_of(2) {
            let (dest_path, size) = ("a".to_owned(), len as u64 * FILE_STEP_BYTES);
            let begin = FileUploadBegin { transfer_id, session_id, dest_path, size };
            self.hub.upload(begin, self.now)
        } else {
            let path = "a".to_owned();
            self.hub.download(FileDownload { transfer_id, session_id, path }, self.now)
        };
        self.files.extend(started);
    }

    /// The shell has done a part of a transfer, also of one that is over.
    fn carry_file(&mut self, id: u32, what: usize) {
        let Some(id) = self.files.get(id as usize).copied() else { return };
        match what % 6 {
            0 => drop(self.hub.chunk_read(id, FILE_CHUNK_BYTES, self.now)),
            1 => drop(self.hub.chunk_read(id, what, self.now)),
            2 => self.hub.chunk_written(id, self.now),
            3 => self.hub.digested(id, DIGEST, self.now),
            4 => self.hub.delivered(id),
            _ => self.hub.client_gone(id, self.now),
        }
    }

    /// The object is forgotten and rebuilt from its sockets' attachments.
    fn hibernate(&mut self) {
        self.hub = Hub::new("gw".to_owned(), 2);
        if let Some(attachment) = &self.gateway {
            self.hub.restore_gateway(attachment);
        }
        for (id, attachment) in &self.saved {
            self.hub.restore_browser(*id, attachment);
        }
        self.hub.restored();
    }

    fn settle(&mut self) {
        for _ in 0..TICKS {
            for effect in self.hub.take_effects() {
                self.effect(effect);
            }
            match self.hub.next_deadline() {
                Some(at) if at <= self.now => self.hub.tick(self.now),
                _ => return,
            }
        }
        panic!(
            "the next deadline stays in the past: {:?} at {}",
            self.hub.next_deadline(),
            self.now
        );
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::ToGateway(text) => {
                let known =
                    text == protocol::PONG || matches!(decode(&text), Incoming::Command { .. });
                assert!(known, "no command of the contract: {text}");
            }
            Effect::ToBrowser(id, text) => {
                assert!(self.saved.contains_key(&id), "socket {id} is not open");
                let known = text == protocol::PONG
                    || serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| {
                        value["schema_version"] == "1" && value["type"].is_string()
                    });
                assert!(known, "no message of the contract: {text}");
            }
            Effect::Pass(id) => assert!(self.saved.contains_key(&id), "socket {id} is not open"),
            Effect::CloseGateway(..) => self.gateway = None,
            Effect::CloseBrowser(id, ..) => drop(self.saved.remove(&id)),
            Effect::SaveGateway(attachment) => {
                if let Some(saved) = &mut self.gateway {
                    *saved = attachment;
                }
            }
            Effect::SaveBrowser(id, attachment) => {
                if let Some(saved) = self.saved.get_mut(&id) {
                    *saved = attachment;
                }
            }
            Effect::MakeToken => self.hub.enrol("a-token".to_owned(), self.now),
            Effect::Answer(..)
            | Effect::Transfer(..)
            | Effect::Record(_)
            | Effect::Sample(_)
            | Effect::Runaway(..) => {}
        }
    }
}
