//! Faults that a test switches on, so that a simulation which catches nothing is noticed.

use super::page::Message;
use super::random::Random;
use protocol::frame::HEADER_BYTES;
use std::rc::Rc;

/// Something that a correct program never does. Each happens once in a schedule, if it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The gateway loses the last byte of a frame; its `seq` stays right.
    DropByte,
    /// The gateway changes a byte of a frame; only the screens can show that.
    ChangeByte,
    /// The gateway sends a frame twice.
    DuplicateFrame,
    /// The gateway sends two frames in the wrong order.
    SwapFrames,
    /// The gateway does not ack a request.
    LoseAck,
    /// The gateway acks an attach without an answer before it.
    LoseAnswer,
    /// The gateway does not send the snapshot that follows `session.lagged`.
    LoseRecovery,
    /// The gateway takes every ack for more than it said, and sends beyond its credit.
    ExceedCredit,
    /// tmux forgets the bound of `seq`, which goes back at the next restart of the gateway.
    ForgetBound,
    /// The gateway reads tmux wrongly: a byte of output is lost before it is counted.
    LoseTmuxByte,
    /// The hub acks nothing any more for one session: the window stays closed.
    StopAcks,
    /// The hub gives two messages to a page in the wrong order.
    SwapForPage,
    /// The hub does not give a message to a page.
    LoseForPage,
}

impl Fault {
    /// Chances that pass before the fault happens: below this many, by the seed. What snapshots
    /// heal must not always come early.
    fn patience(self) -> u64 {
        match self {
            Self::ChangeByte | Self::LoseTmuxByte => 150,
            Self::StopAcks | Self::SwapForPage | Self::LoseForPage => 50,
            Self::DropByte | Self::DuplicateFrame | Self::SwapFrames | Self::ExceedCredit => 12,
            Self::LoseAck | Self::LoseAnswer | Self::LoseRecovery | Self::ForgetBound => 3,
        }
    }
}

/// A fault that waits for its moment.
pub struct Trap {
    fault: Fault,
    chances: u64,
    /// Whether it has happened.
    pub sprung: bool,
    /// The frame that is to go behind the next one.
    held: Option<(u32, Message)>,
    /// The session or page that it happened to.
    pub victim: Option<u32>,
}

impl Trap {
    pub fn new(fault: Fault, seed: u64) -> Self {
        // A generator of its own: the schedule is the same with and without the fault.
        let chances = Random::new(!seed).below(fault.patience());
        Self { fault, chances, sprung: false, held: None, victim: None }
    }

    /// Whether `fault` happens now, at one of the moments at which it can.
    pub fn springs(&mut self, fault: Fault) -> bool {
        if self.fault != fault || self.sprung {
            return false;
        }
        if self.chances > 0 {
            self.chances -= 1;
            return false;
        }
        self.sprung = true;
        true
    }

    /// As [`Self::springs`], for faults that last and keep to one victim.
    pub fn holds(&mut self, fault: Fault, victim: u32) -> bool {
        if self.springs(fault) {
            self.victim = Some(victim);
        }
        self.fault == fault && self.victim == Some(victim)
    }

    /// The connection is new: nothing of the old one is held back.
    pub fn link_cut(&mut self) {
        self.held = None;
    }

    /// What the gateway sends instead of `message`.
    pub fn mangle(&mut self, message: Message) -> Vec<Message> {
        match message {
            Message::Binary(bytes) => self.mangle_frame(bytes),
            Message::Text(text) => self.mangle_text(text),
        }
    }

    fn mangle_frame(&mut self, bytes: Rc<[u8]>) -> Vec<Message> {
        let session = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
        if let Some((_, held)) = self.held.take_if(|(of, _)| *of == session) {
            return vec![Message::Binary(bytes), held];
        }
        if bytes.len() > HEADER_BYTES + 1 && self.springs(Fault::DropByte) {
            return vec![Message::Binary(bytes[..bytes.len() - 1].into())];
        }
        let last = bytes[bytes.len() - 1];
        if last.is_ascii_lowercase() && self.springs(Fault::ChangeByte) {
            let mut changed = bytes.to_vec();
            changed.pop();
            changed.push(last.to_ascii_uppercase());
            return vec![Message::Binary(changed.into())];
        }
        if self.springs(Fault::DuplicateFrame) {
            return vec![Message::Binary(Rc::clone(&bytes)), Message::Binary(bytes)];
        }
        if self.springs(Fault::SwapFrames) {
            self.held = Some((session, Message::Binary(bytes)));
            return Vec::new();
        }
        vec![Message::Binary(bytes)]
    }

    fn mangle_text(&mut self, text: Rc<str>) -> Vec<Message> {
        let is = |kind: &str| text.starts_with(&format!(r#"{{"type":"{kind}""#));
        let asked = text.contains(r#""request_id""#);
        let lost = (is("ack") && self.springs(Fault::LoseAck))
            || (is("session.snapshot") && asked && self.springs(Fault::LoseAnswer))
            || (is("session.snapshot") && !asked && self.springs(Fault::LoseRecovery));
        if lost { Vec::new() } else { vec![Message::Text(text)] }
    }
}
