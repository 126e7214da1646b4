//! A browser page: reads what the hub sends it, shows it, acks late, twice or not for a while.

use super::terminal::Terminal;
use super::wire::{Speed, Wire};
use protocol::events::{Event, decode};
use protocol::frame::Frame;
use protocol::limits::{OUTPUT_WINDOW, SNAPSHOT_BYTES};
use protocol::seq::is_before;
use protocol::{BASE64, Engine as _};
use std::collections::BTreeSet;
use std::rc::Rc;

/// A message of the gateway or the hub. Copies for several pages share its bytes.
#[derive(Clone)]
pub enum Message {
    Text(Rc<str>),
    Binary(Rc<[u8]>),
}

impl Message {
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// Bytes that the hub may have under way to one page: two windows of output, a replay in base64,
/// and two snapshots in base64 with room for small events.
const QUEUE_BYTES: usize = 3 * OUTPUT_WINDOW as usize + 2 * (SNAPSHOT_BYTES * 4 / 3 + 64 * 1024);

/// Errors after which a page asks for the stream again; the web app does so after a while.
const ASK_AGAIN: [&str; 3] = ["timed_out", "tmux_failed", "detached"];

/// What a person still sees after the socket broke, and where the stream was.
pub struct Resumed {
    pub terminal: Terminal,
    pub next: u32,
}

/// A page on one session.
pub struct Page {
    pub session: u32,
    pub inbox: Wire<Message>,
    pub outbox: Wire<String>,
    /// What its person sees.
    pub terminal: Option<Terminal>,
    /// Next byte expected.
    pub next: Option<u32>,
    pub stalled: bool,
    /// Its attach failed; it is to ask again.
    pub refused: bool,
    /// Pastes without an answer so far. Whoever is not the controller gets none but an error.
    pub pastes: BTreeSet<String>,
    pub snapshots: u32,
    pub replays: u32,
}

impl Page {
    pub fn new(session: u32, speed: Speed, resumed: Option<Resumed>) -> Self {
        let (terminal, next) = resumed.map(|one| (one.terminal, one.next)).unzip();
        Self {
            session,
            inbox: Wire::new(speed),
            // Acks are small; only their way counts.
            outbox: Wire::new(Speed { rate: 0, ..speed }),
            terminal,
            next,
            stalled: false,
            refused: false,
            pastes: BTreeSet::new(),
            snapshots: 0,
            replays: 0,
        }
    }

    /// The message that asks for the stream.
    pub fn attach(&self) -> String {
        match self.next {
            Some(next) => format!(r#"{{"type":"viewer.attach","resume_seq":{next}}}"#),
            None => r#"{"type":"viewer.attach"}"#.to_owned(),
        }
    }

    pub fn deliver(&mut self, message: Message, now: u64) {
        let size = message.len();
        self.inbox.put(message, size, now);
        let queued = self.inbox.bytes();
        assert!(queued <= QUEUE_BYTES, "the hub piles up {queued} bytes for a page");
    }

    /// Reads one message; returns whether there was one.
    pub fn read(&mut self, now: u64) -> bool {
        let Some(message) = self.inbox.take(now) else { return false };
        match message {
            Message::Binary(bytes) => {
                let frame = Frame::decode(&bytes).expect("a frame");
                assert_eq!(Some(frame.seq), self.next, "a page sees a gap or a duplicate");
                self.show(frame.payload);
            }
            Message::Text(text) => match decode(&text) {
                Some((request_id, event)) => self.event(request_id, event),
                None => self.refused |= is_refusal(&text),
            },
        }
        true
    }

    fn event(&mut self, request_id: Option<String>, event: Event) {
        match event {
            Event::SessionSnapshot(snapshot) => {
                self.snapshots += 1;
                if let Some(next) = self.next {
                    let back = is_before(snapshot.seq, next);
                    assert!(!back, "seq went back from {next} to {} at a page", snapshot.seq);
                }
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
            Event::Ack(_) => {
                let id = request_id.expect("an ack names its request");
                assert!(self.pastes.remove(&id), "paste {id} was answered twice, or never asked");
            }
            Event::SessionEnded(_) => panic!("no session ends here"),
            _ => {}
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        self.terminal.as_mut().expect("a terminal").feed(bytes);
        self.next = self.next.map(|next| next.wrapping_add(bytes.len() as u32));
    }
}

fn is_refusal(text: &str) -> bool {
    text.contains(r#""type":"error""#)
        && ASK_AGAIN.iter().any(|code| text.contains(&format!(r#""code":"{code}""#)))
}
