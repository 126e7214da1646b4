//! One file transfer as a state machine: its window, the order of its chunks, its deadlines.

use super::CallError;
use crate::limits::FILE_STALL_MS;
use protocol::credit::{LATE_MS, SOON_MS};
use protocol::envelope::codes;
use protocol::limits::{FILE_BYTES, FILE_CHUNK_BYTES, FILE_DEADLINE_MS, FILE_WINDOW_CHUNKS};
use std::collections::VecDeque;

/// A way to a gateway that seems longer than this, in milliseconds, is one that takes long for a chunk.
const LONGEST_WAY_MS: u64 = 400;

/// Names a transfer on its gateway's connection.
pub type TransferId = u32;

/// What a transfer asks of the shell, which does one after the other; only [`Step::Fail`] does not
/// wait for its turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Read this many bytes of the request's body, then call [`super::Hub::chunk_read`].
    Read(usize),
    /// Answer with a body of this length.
    Begin {
        /// Bytes.
        size: u64,
        /// Unix time in seconds: when the file was last changed.
        mtime: u64,
    },
    /// Write the payload of the message that is being handled, then call
    /// [`super::Hub::chunk_written`].
    Write,
    /// Keep that payload back until [`Step::Finish`]: it is the file's last.
    Hold,
    /// All bytes are there: call [`super::Hub::digested`].
    Digest,
    /// The file is whole: answer, or write what is held back and call [`super::Hub::delivered`].
    Finish,
    /// Nothing comes of it: answer with this, or break the answer off.
    Fail(CallError),
}

/// What follows from an event.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Step(Step),
    /// Tell the gateway that chunks up to this one have arrived.
    Ack(u32),
    /// Tell the gateway the digest of the whole file.
    Close(String),
    /// The transfer is over without success; whether the gateway is to be told.
    Fail(CallError, bool),
}

/// A transfer.
#[derive(Debug)]
pub(super) struct Transfer {
    /// Milliseconds.
    started_at: u64,
    /// Milliseconds: when anything last moved.
    moved_at: u64,
    /// Bytes; of a download known once it begins.
    size: u64,
    /// Chunks asked of the shell, for uploads.
    asked: u32,
    /// Chunks that went to the gateway or came from it.
    passed: u32,
    /// Chunks confirmed by whoever gets them.
    confirmed: u32,
    /// What an upload may have under way. Everything that is sent before a keystroke arrives before
    /// it: so it begins with one chunk, grows while acks come soon and shrinks while they are late.
    window: u32,
    /// Milliseconds: when the chunks under way to the gateway were sent, the oldest first.
    sent_at: VecDeque<u64>,
    /// Milliseconds: the shortest time from sending to ack.
    way: u64,
    /// The whole file's digest: our own for uploads, the gateway's for downloads.
    digest: Option<String>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// An upload that the gateway has not accepted.
    Offered,
    /// An upload whose chunks are on their way.
    Sending,
    /// A download that has not begun.
    Requested,
    /// A download whose chunks are on their way.
    Receiving,
    /// The gateway has no more part in it.
    Delivering,
}

impl Transfer {
    pub(super) fn upload(size: u64, now: u64) -> Self {
        Self::new(size, Stage::Offered, now)
    }

    pub(super) fn download(now: u64) -> Self {
        Self::new(0, Stage::Requested, now)
    }

    fn new(size: u64, stage: Stage, now: u64) -> Self {
        Self {
            started_at: now,
            moved_at: now,
            size,
            asked: 0,
            passed: 0,
            confirmed: 0,
            window: 1,
            sent_at: VecDeque::new(),
            way: LONGEST_WAY_MS,
            digest: None,
            stage,
        }
    }

    fn chunks(&self) -> u32 {
        u32::try_from(self.size.div_ceil(FILE_CHUNK_BYTES as u64)).unwrap_or(u32::MAX)
    }

    /// Bytes of chunk `number`, which is one of the file's.
    fn chunk_len(&self, number: u32) -> usize {
        let before = u64::from(number) * FILE_CHUNK_BYTES as u64;
        // A chunk fits a usize.
        self.size.saturating_sub(before).min(FILE_CHUNK_BYTES as u64) as usize
    }

    /// When [`Transfer::overdue`] becomes true, in milliseconds.
    pub(super) fn deadline(&self) -> u64 {
        (self.started_at + FILE_DEADLINE_MS).min(self.moved_at + FILE_STALL_MS)
    }

    /// Why it took too long, if it did by `now`.
    pub(super) fn overdue(&self, now: u64) -> Option<CallError> {
        if now < self.deadline() {
            return None;
        }
        Some(if self.waits_for_browser() {
            CallError::new("stalled", "the browser did not go on; try again")
        } else {
            CallError::new(codes::TIMED_OUT, "the server did not carry the file in time")
        })
    }

    fn waits_for_browser(&self) -> bool {
        match self.stage {
            Stage::Offered | Stage::Requested => false,
            Stage::Sending => self.asked > self.passed,
            Stage::Receiving => self.passed > self.confirmed,
            Stage::Delivering => true,
        }
    }

    /// Whether the gateway still has a part in it.
    pub(super) fn is_shared(&self) -> bool {
        self.stage != Stage::Delivering
    }

    // Uploads

    /// The gateway awaits the chunks of an upload.
    pub(super) fn accepted(&mut self, now: u64) -> Vec<Next> {
        if self.stage != Stage::Offered {
            return vec![];
        }
        self.moved_at = now;
        self.stage = Stage::Sending;
        if self.size == 0 { vec![Next::Step(Step::Digest)] } else { self.ask() }
    }

    /// Asks for as many chunks as the window allows.
    fn ask(&mut self) -> Vec<Next> {
        let mut next = vec![];
        while self.asked < self.chunks() && self.asked - self.confirmed < self.window {
            next.push(Next::Step(Step::Read(self.chunk_len(self.asked))));
            self.asked += 1;
        }
        next
    }

    /// The body gave `len` bytes. The number of the chunk that they make, if they are to be sent.
    pub(super) fn read(&mut self, len: usize, now: u64) -> (Option<u32>, Vec<Next>) {
        if self.stage != Stage::Sending || self.passed >= self.asked {
            return (None, vec![]);
        }
        if len != self.chunk_len(self.passed) {
            let error = CallError::new("invalid", "the body is shorter than its Content-Length");
            return (None, vec![Next::Fail(error, true)]);
        }
        let number = self.passed;
        self.moved_at = now;
        self.passed += 1;
        self.sent_at.push_back(now);
        let whole = self.passed == self.chunks();
        (Some(number), if whole { vec![Next::Step(Step::Digest)] } else { vec![] })
    }

    /// The gateway has the chunks before `seq`. Acks outside what was sent are ignored.
    pub(super) fn gateway_acked(&mut self, seq: u32, now: u64) -> Vec<Next> {
        if self.stage != Stage::Sending || seq <= self.confirmed || seq > self.passed {
            return vec![];
        }
        self.moved_at = now;
        self.pace((seq - self.confirmed) as usize, now);
        self.confirmed = seq;
        let mut next = self.ask();
        next.extend(self.close());
        next
    }

    /// Learns from the ack of the `count` oldest chunks under way how long the way's queue is.
    fn pace(&mut self, count: usize, now: u64) {
        let Some(sent_at) = self.sent_at.drain(..count.min(self.sent_at.len())).next_back() else {
            return;
        };
        let took = now.saturating_sub(sent_at);
        self.way = self.way.min(took);
        match took - self.way {
            queued if queued > LATE_MS => self.window = (self.window / 2).max(1),
            queued if queued < SOON_MS => self.window = (self.window + 1).min(FILE_WINDOW_CHUNKS),
            _ => {}
        }
    }

    /// Closes an upload once all chunks have arrived and their digest is known.
    fn close(&mut self) -> Option<Next> {
        let whole = self.confirmed == self.chunks();
        self.digest.take_if(|_| whole).map(Next::Close)
    }

    // Downloads

    /// The gateway announces the file.
    pub(super) fn begun(&mut self, size: u64, mtime: u64, now: u64) -> Vec<Next> {
        if self.stage != Stage::Requested {
            return vec![out_of_turn()];
        }
        if size > FILE_BYTES {
            let error = CallError::new(codes::TOO_LARGE, "files are limited to 20 MiB");
            return vec![Next::Fail(error, true)];
        }
        self.moved_at = now;
        self.stage = Stage::Receiving;
        self.size = size;
        vec![Next::Step(Step::Begin { size, mtime })]
    }

    /// Chunk `seq` of `len` bytes came.
    pub(super) fn received(&mut self, seq: u32, len: usize, now: u64) -> Vec<Next> {
        let fits = self.stage == Stage::Receiving
            && seq == self.passed
            && seq < self.chunks()
            && len == self.chunk_len(seq)
            && self.passed - self.confirmed < FILE_WINDOW_CHUNKS;
        if !fits {
            return vec![out_of_turn()];
        }
        self.moved_at = now;
        self.passed += 1;
        if self.passed < self.chunks() {
            return vec![Next::Step(Step::Write)];
        }
        let mut next = vec![Next::Step(Step::Hold)];
        next.extend(self.ack_held());
        next
    }

    /// The browser has taken the next chunk.
    pub(super) fn written(&mut self, now: u64) -> Vec<Next> {
        if self.confirmed >= self.passed {
            return vec![];
        }
        self.moved_at = now;
        self.confirmed += 1;
        match self.ack_held() {
            Some(ack) => vec![ack],
            None if self.stage == Stage::Receiving => vec![Next::Ack(self.confirmed)],
            None => vec![],
        }
    }

    /// Acks the chunk that is held back once it is the only one: the gateway may wait for that
    /// before it tells the digest, and nothing more can come.
    fn ack_held(&self) -> Option<Next> {
        let whole = self.passed == self.chunks() && self.confirmed + 1 == self.passed;
        (whole && self.stage == Stage::Receiving).then_some(Next::Ack(self.passed))
    }

    /// The gateway has sent all.
    pub(super) fn ended(&mut self, sha256: String, now: u64) -> Vec<Next> {
        if self.stage != Stage::Receiving || self.passed != self.chunks() {
            return vec![out_of_turn()];
        }
        self.moved_at = now;
        self.digest = Some(sha256);
        self.stage = Stage::Delivering;
        vec![Next::Step(Step::Digest)]
    }

    /// The shell knows the digest of all that passed.
    pub(super) fn digested(&mut self, sha256: &str, now: u64) -> Vec<Next> {
        self.moved_at = now;
        match (self.stage, &self.digest) {
            (Stage::Sending, None) => {
                self.digest = Some(sha256.to_owned());
                self.close().into_iter().collect()
            }
            (Stage::Delivering, Some(announced)) if announced == sha256 => {
                vec![Next::Step(Step::Finish)]
            }
            (Stage::Delivering, _) => {
                let error = CallError::new(codes::BAD_CHECKSUM, "the file arrived damaged");
                vec![Next::Fail(error, false)]
            }
            _ => vec![],
        }
    }
}

fn out_of_turn() -> Next {
    let message = "the server sent a part of the file out of turn; try again";
    Next::Fail(CallError::new(codes::BAD_CHUNK, message), true)
}
