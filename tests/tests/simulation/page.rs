//! A browser page: reads what the hub sends it, shows it, acks late, twice or not for a while.

use super::terminal::Terminal;
use protocol::events::{Event, decode};
use protocol::frame::Frame;
use protocol::{BASE64, Engine as _};
use std::collections::VecDeque;

/// A message on its way to the page.
pub enum ToPage {
    Text(String),
    Binary(Vec<u8>),
}

/// Bytes that the hub may have under way to one page: what a lagging viewer may owe and one
/// snapshot in base64, with room for small events.
const QUEUE_BYTES: usize = 2 * 256 * 1024 + 128 * 1024 + 2 * 1024 * 1024;

pub struct Page {
    pub queue: VecDeque<ToPage>,
    queued: usize,
    /// What its person sees.
    pub terminal: Option<Terminal>,
    /// Next byte expected.
    pub next: Option<u32>,
    pub stalled: bool,
    pub ended: bool,
    pub snapshots: u32,
    pub replays: u32,
}

impl Page {
    pub fn new(resumed: Option<(Terminal, u32)>) -> Self {
        let (terminal, next) = resumed.unzip();
        Self {
            queue: VecDeque::new(),
            queued: 0,
            terminal,
            next,
            stalled: false,
            ended: false,
            snapshots: 0,
            replays: 0,
        }
    }

    pub fn attach(&self) -> String {
        match self.next {
            Some(next) => format!(r#"{{"type":"viewer.attach","resume_seq":{next}}}"#),
            None => r#"{"type":"viewer.attach"}"#.to_owned(),
        }
    }

    pub fn deliver(&mut self, message: ToPage) {
        self.queued += match &message {
            ToPage::Text(text) => text.len(),
            ToPage::Binary(bytes) => bytes.len(),
        };
        self.queue.push_back(message);
        assert!(self.queued <= QUEUE_BYTES, "the hub piles up {} bytes for a page", self.queued);
    }

    /// Reads one message; returns whether there was one.
    pub fn read(&mut self) -> bool {
        let Some(message) = self.queue.pop_front() else { return false };
        match message {
            ToPage::Binary(bytes) => {
                self.queued -= bytes.len();
                let frame = Frame::decode(&bytes).expect("a frame");
                assert_eq!(Some(frame.seq), self.next, "a gap or a duplicate");
                self.show(frame.payload);
            }
            ToPage::Text(text) => {
                self.queued -= text.len();
                if let Some((_, event)) = decode(&text) {
                    self.event(event);
                }
            }
        }
        true
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::SessionSnapshot(snapshot) => {
                self.snapshots += 1;
                let mut terminal = Terminal::new(snapshot.cols as usize, snapshot.rows as usize);
                terminal.feed(&BASE64.decode(snapshot.data).expect("base64"));
                self.terminal = Some(terminal);
                self.next = Some(snapshot.seq);
            }
            Event::SessionReplay(replay) => {
                self.replays += 1;
                assert_eq!(Some(replay.from_seq), self.next, "a replay from somewhere else");
                self.show(&BASE64.decode(replay.data).expect("base64"));
            }
            Event::SessionResized(resized) => {
                assert_eq!(Some(resized.seq), self.next, "a resize at another place");
                let terminal = self.terminal.as_mut().expect("a terminal");
                terminal.resize(resized.cols as usize, resized.rows as usize);
            }
            Event::SessionEnded(_) => self.ended = true,
            _ => {}
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        self.terminal.as_mut().expect("a terminal").feed(bytes);
        self.next = self.next.map(|next| next.wrapping_add(bytes.len() as u32));
    }
}
