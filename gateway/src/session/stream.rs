//! One session's output stream: offsets, ring, credit, batching, and events at their places.
//!
//! Bytes go in at `end`; frames come out at `sent`; viewers confirm up to `acked`. The ring holds
//! what may still be asked for again. Offsets are full 64-bit here and travel modulo 2³².
//!
//! ```text
//!        base ≤ acked ≤ sent ≤ end        sent − acked ≤ OUTPUT_WINDOW, end − sent ≤ RING_BYTES
//! ```
//!
//! Both bounds shrink for a reader that has shown to be slow, so that what it sees is never old.

use crate::limits::{
    BACKLOG_BYTES, BACKLOG_MS, BATCH_MS, HOLD_MS, LIGHT_BYTES, MAX_MARKS, Ms, RECOVERY_BYTES,
    RECOVERY_MS, RING_IDLE_MS, SEQ_STEP,
};
use protocol::credit::Credit;
use protocol::frame::{HEADER_BYTES, Kind, header};
use protocol::limits::{
    LAG_RECOVERY_BYTES, OUTPUT_FRAME_BYTES, OUTPUT_WINDOW, REPLAY_BYTES, RING_BYTES, SNAPSHOT_BYTES,
};
use protocol::seq;
use std::collections::VecDeque;

/// Offset of the first byte of a new session. Not 0, so that a `resume_seq` of 0, which asks for
/// what was printed before the gateway listened, is answered by a snapshot.
const FIRST_OFFSET: u64 = 1;

/// Whether output flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nobody is attached; output is kept for a short absence.
    Detached,
    /// Frames flow as credit allows.
    Live,
    /// The ring was full: output is counted, not kept, until a snapshot.
    Lagged,
}

/// What is to be sent next.
#[derive(Debug, PartialEq, Eq)]
pub enum Out {
    /// A whole binary frame.
    Frame(Vec<u8>),
    /// A text message.
    Text(String),
    /// The answer to a request; its ack follows.
    Answer(String, String),
}

/// An event that waits for its place in the stream.
#[derive(Debug)]
struct Mark {
    at: u64,
    kind: MarkKind,
    text: String,
}

#[derive(Debug, PartialEq, Eq)]
enum MarkKind {
    /// The size or the pane changed here; told anew after any snapshot.
    View,
    /// The answer to a request, and its ack.
    Answer { request_id: String, ack: String },
    /// Output was dropped.
    Lagged,
    /// The snapshot after that.
    Recovery,
    /// The ack of a request that is answered; of no use on another connection.
    Ack,
    /// Anything that must arrive whatever happens.
    Plain,
}

/// The stream. See the module's sentence.
#[derive(Debug)]
pub struct Stream {
    session_id: u32,
    ring: VecDeque<u8>,
    base: u64,
    acked: u64,
    sent: u64,
    end: u64,
    /// Upper bound of `sent` that tmux has confirmed to remember.
    bound: u64,
    bound_asked: u64,
    credit: Credit,
    /// Until when a slow reader is given time for a snapshot; more would be old on arrival.
    hold_until: Option<Ms>,
    mode: Mode,
    marks: VecDeque<Mark>,
    last_resize: u64,
    period_start: Ms,
    period_bytes: usize,
    last_use: Ms,
    acked_total: u64,
    orphans: Vec<String>,
    /// Viewers have been given their place in the stream since it last was detached.
    greeted: bool,
    /// Viewers know of a lag and have not been sent the snapshot that ends it.
    lag_told: bool,
}

impl Stream {
    /// A stream that begins now. `bound` is what tmux remembers of an earlier gateway process.
    pub fn new(session_id: u32, bound: Option<u64>) -> Self {
        let start = bound.unwrap_or(0).max(FIRST_OFFSET);
        Self {
            session_id,
            ring: VecDeque::new(),
            base: start,
            acked: start,
            sent: start,
            end: start,
            bound: start,
            bound_asked: start,
            credit: Credit::new(OUTPUT_WINDOW),
            hold_until: None,
            mode: Mode::Detached,
            marks: VecDeque::new(),
            last_resize: 0,
            period_start: 0,
            period_bytes: 0,
            last_use: 0,
            acked_total: 0,
            orphans: Vec::new(),
            greeted: false,
            lag_told: false,
        }
    }

    /// Whether output flows.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Offset of the next byte that the program prints.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes sent and not acknowledged.
    pub fn unacked(&self) -> u64 {
        self.sent - self.acked
    }

    /// Bytes of memory that the ring holds.
    pub fn memory(&self) -> usize {
        self.ring.capacity()
    }

    /// Bytes that viewers have acknowledged since this was last asked.
    pub fn take_acked(&mut self) -> u64 {
        std::mem::take(&mut self.acked_total)
    }

    /// The program printed `bytes`.
    pub fn push(&mut self, bytes: &[u8], now: Ms) {
        self.last_use = now;
        self.end += bytes.len() as u64;
        if self.mode == Mode::Lagged {
            self.base = self.end;
            return;
        }
        self.ring.extend(bytes);
        match self.mode {
            Mode::Live if self.end - self.sent > self.backlog() => self.lag(),
            Mode::Detached => self.forget_to(self.end.saturating_sub(RING_BYTES as u64)),
            _ => {}
        }
    }

    /// tmux discarded an unknown number of bytes: nobody can resume across this place.
    pub fn jump(&mut self) {
        self.end += 1;
        if self.mode == Mode::Live {
            self.lag();
        } else {
            self.drop_ring();
        }
    }

    /// Unsent bytes that are kept: of a slow reader no more than it takes in [`BACKLOG_MS`].
    fn backlog(&self) -> u64 {
        let slow = self.credit.pace().map(|pace| pace.saturating_mul(BACKLOG_MS) / 1_000);
        slow.map_or(RING_BYTES as u64, |bytes| bytes.clamp(BACKLOG_BYTES, RING_BYTES as u64))
    }

    /// Viewers have everything before `wire`. Out of range it is ignored.
    pub fn ack(&mut self, wire: u32, now: Ms) {
        let Some(offset) = seq::widen(self.sent, wire) else { return };
        if self.mode == Mode::Detached || offset > self.sent {
            return;
        }
        self.credit.acked(offset, now);
        if offset >= self.acked {
            // The reader has the snapshot that it was given time for.
            self.hold_until = None;
        }
        if offset > self.acked {
            self.acked_total += offset - self.acked;
            self.acked = offset;
            if self.mode == Mode::Live {
                self.forget_to(offset);
            }
        }
    }

    /// Whether a snapshot is needed to go on after a lag.
    pub fn wants_recovery(&self, now: Ms) -> bool {
        let few = LAG_RECOVERY_BYTES.min(self.credit.window() / 2);
        self.mode == Mode::Lagged && self.unacked() <= few && !self.is_held(now)
    }

    /// Bytes that the snapshot after a lag may have: a slow reader is not to wait for old history.
    pub fn recovery_bytes(&self) -> usize {
        let slow = self.credit.pace().map(|pace| pace.saturating_mul(RECOVERY_MS) / 1_000);
        let bytes = slow.and_then(|bytes| usize::try_from(bytes).ok());
        bytes.map_or(SNAPSHOT_BYTES, |bytes| bytes.clamp(RECOVERY_BYTES, SNAPSHOT_BYTES))
    }

    /// Answers an attach from the ring. `None` when only a snapshot can answer it.
    pub fn replay(&mut self, wire: u32) -> Option<Vec<u8>> {
        let from = seq::widen(self.end, wire)?;
        if from < self.base || from <= self.last_resize {
            return None;
        }
        match self.mode {
            Mode::Detached if from <= self.end => {
                let data =
                    self.copy(from, self.end.min(from + REPLAY_BYTES as u64).min(self.bound));
                self.acked = from;
                self.sent = from + data.len() as u64;
                self.forget_to(from);
                self.mode = Mode::Live;
                Some(data)
            }
            Mode::Live if from <= self.sent && self.sent - from <= REPLAY_BYTES as u64 => {
                Some(self.copy(from, self.sent))
            }
            _ => None,
        }
    }

    /// A snapshot of `bytes` was taken at `end`; without a live stream before it, the stream goes
    /// on there. Returns whether it was live already.
    pub fn snapshot_taken(&mut self, bytes: u64, now: Ms) -> bool {
        if self.mode == Mode::Live {
            return true;
        }
        self.credit.restart(self.end, self.unacked().saturating_add(bytes), now);
        if self.mode == Mode::Lagged {
            self.credit.lagged();
            self.hold_until = self.credit.ack_ms(0).map(|ms| now + ms.min(HOLD_MS));
        }
        self.drop_ring();
        self.acked = self.end;
        self.sent = self.end;
        self.mode = Mode::Live;
        false
    }

    /// Queues `text` behind everything printed so far.
    pub fn mark(&mut self, text: String) {
        self.push_mark(self.end, MarkKind::Plain, text);
    }

    /// Queues the ack of a request behind everything before it, for this connection alone.
    pub fn mark_ack(&mut self, text: String) {
        self.push_mark(self.end, MarkKind::Ack, text);
    }

    /// The link is gone: nobody knows the requests of the next one's control plane.
    pub fn forget_acks(&mut self) {
        self.marks.retain(|mark| mark.kind != MarkKind::Ack);
    }

    /// Queues the snapshot that ends a lag; it is for those who are attached then.
    pub fn mark_recovery(&mut self, text: String) {
        self.push_mark(self.end, MarkKind::Recovery, text);
    }

    /// Queues a change of size behind everything printed so far. Returns whether anybody is told.
    pub fn mark_resized(&mut self, text: String) {
        self.last_resize = self.end;
        if self.mode == Mode::Live {
            self.push_mark(self.end, MarkKind::View, text);
        }
    }

    /// Queues which pane is shown behind everything printed so far, if anybody is to be told.
    pub fn mark_pane(&mut self, text: String) {
        if self.mode == Mode::Live {
            self.push_mark(self.end, MarkKind::View, text);
        }
    }

    /// Queues the answer to a request behind everything printed so far, and its ack after it.
    pub fn mark_answer(&mut self, request_id: String, text: String, ack: String) {
        self.push_mark(self.end, MarkKind::Answer { request_id, ack }, text);
    }

    /// Queues the answer to a request behind everything sent so far, and its ack after it.
    pub fn answer_now(&mut self, request_id: String, text: String, ack: String) {
        let mark = Mark { at: self.sent, kind: MarkKind::Answer { request_id, ack }, text };
        let place = self.marks.partition_point(|other| other.at <= mark.at);
        self.marks.insert(place, mark);
    }

    /// Requests whose answers a lag made void; they want a new snapshot.
    pub fn take_orphans(&mut self) -> Vec<String> {
        std::mem::take(&mut self.orphans)
    }

    /// Withdraws the waiting answer to a request. Returns whether there was one.
    pub fn withdraw(&mut self, request_id: &str) -> bool {
        let before = self.marks.len();
        self.marks.retain(
            |mark| !matches!(&mark.kind, MarkKind::Answer { request_id: id, .. } if id == request_id),
        );
        self.marks.len() < before
    }

    /// Nobody is attached any more. Returns the requests whose answers are now void.
    pub fn detach(&mut self) -> Vec<String> {
        self.mode = Mode::Detached;
        // Who comes next may be somebody else, on another way.
        self.credit = Credit::new(OUTPUT_WINDOW);
        self.hold_until = None;
        (self.greeted, self.lag_told) = (false, false);
        self.acked = self.sent;
        self.keep_plain_marks();
        self.take_orphans()
    }

    /// Drops the events that a later snapshot makes void, remembering who waits for an answer.
    fn keep_plain_marks(&mut self) {
        for mark in &mut self.marks {
            if let MarkKind::Answer { request_id, .. } = &mut mark.kind {
                self.orphans.push(std::mem::take(request_id));
            }
        }
        self.marks.retain(|mark| matches!(mark.kind, MarkKind::Plain | MarkKind::Ack));
    }

    /// Nothing is printed any more, and tmux remembers nothing more. With `hurry` the end is told
    /// even when viewers have not read what comes before it; they are told of the loss.
    pub fn close(&mut self, hurry: bool) {
        self.bound = u64::MAX;
        if hurry && self.mode == Mode::Live && self.end > self.acked + self.credit.window() {
            self.lag();
        }
    }

    /// Whether an event at its place waits to be sent.
    pub fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The bound that tmux should remember before more is sent, if it is time to raise it.
    pub fn wants_bound(&mut self) -> Option<u64> {
        if self.mode != Mode::Live || self.end + SEQ_STEP / 2 <= self.bound_asked {
            return None;
        }
        self.bound_asked = self.end + SEQ_STEP;
        Some(self.bound_asked)
    }

    /// Whoever was to remember a bound may not have heard of it: it is asked again.
    pub fn bound_unheard(&mut self) {
        self.bound_asked = self.bound;
    }

    /// tmux remembers `bound`.
    pub fn bound_confirmed(&mut self, bound: u64) {
        self.bound = self.bound.max(bound);
    }

    /// When [`Stream::next`] or [`Stream::tick`] is worth calling again without any other event.
    /// While the link takes nothing, what could be sent is no reason to wake.
    pub fn deadline(&self, link_takes: bool) -> Option<Ms> {
        let sendable = link_takes && self.mode == Mode::Live && self.sendable_to() > self.sent;
        let batch = sendable.then_some(self.period_start + BATCH_MS);
        let idle = (self.ring.is_empty() && self.ring.capacity() > 0)
            .then_some(self.last_use + RING_IDLE_MS);
        self.hold_until.or(batch).into_iter().chain(idle).min()
    }

    fn is_held(&self, now: Ms) -> bool {
        self.hold_until.is_some_and(|until| now < until)
    }

    /// Ends a hold, and gives memory back that was not used for a while.
    pub fn tick(&mut self, now: Ms) {
        if !self.is_held(now) {
            self.hold_until = None;
        }
        if self.ring.is_empty() && now >= self.last_use + RING_IDLE_MS {
            self.ring = VecDeque::new();
        }
    }

    /// What is to be sent now, if anything.
    pub fn next(&mut self, now: Ms) -> Option<Out> {
        if let Some(out) = self.next_mark() {
            return Some(out);
        }
        if self.mode != Mode::Live || self.is_held(now) {
            return None;
        }
        let to = self.sendable_to();
        let length = usize::try_from(to.checked_sub(self.sent)?).ok()?;
        if length == 0 || !self.is_due(to, length, now) {
            return None;
        }
        let mut frame = Vec::with_capacity(HEADER_BYTES + length);
        frame.extend_from_slice(&header(Kind::Output, self.session_id, seq::narrow(self.sent)));
        self.copy_into(&mut frame, self.sent, to);
        self.credit.sent(to, self.acked, now);
        self.sent = to;
        self.last_use = now;
        self.period_bytes = self.period_bytes.saturating_add(length);
        Some(Out::Frame(frame))
    }

    /// Where the next frame may end: credit, the bound and the next event's place all limit it.
    fn sendable_to(&self) -> u64 {
        let place = self.marks.front().map_or(u64::MAX, |mark| mark.at);
        self.end
            .min(self.sent + OUTPUT_FRAME_BYTES as u64)
            .min(self.acked + self.credit.window())
            .min(self.bound)
            .min(place)
            .max(self.sent)
    }

    /// Light traffic leaves at once; under load a frame is filled for up to [`BATCH_MS`].
    fn is_due(&mut self, to: u64, length: usize, now: Ms) -> bool {
        if now >= self.period_start + BATCH_MS {
            self.period_start = now;
            self.period_bytes = 0;
            return true;
        }
        let before_event = self.marks.front().is_some_and(|mark| mark.at == to);
        length == OUTPUT_FRAME_BYTES || before_event || self.period_bytes < LIGHT_BYTES
    }

    fn next_mark(&mut self) -> Option<Out> {
        let front = self.marks.front_mut()?;
        let reached = self.mode != Mode::Live || (front.at <= self.sent && front.at <= self.bound);
        if !reached {
            return None;
        }
        // An answer is followed by its ack: the mark stays until both have been handed out.
        if let MarkKind::Answer { request_id, ack } = &mut front.kind {
            let (request_id, ack) = (std::mem::take(request_id), std::mem::take(ack));
            let text = std::mem::replace(&mut front.text, ack);
            front.kind = MarkKind::Ack;
            self.greeted = true;
            return Some(Out::Answer(request_id, text));
        }
        let mark = self.marks.pop_front()?;
        match mark.kind {
            MarkKind::Lagged => self.lag_told = true,
            MarkKind::Recovery => self.lag_told = false,
            _ => {}
        }
        Some(Out::Text(mark.text))
    }

    fn push_mark(&mut self, at: u64, kind: MarkKind, text: String) {
        // Only a flood of resizes behind a closed window gets here; the newest size counts.
        if self.marks.len() >= MAX_MARKS {
            self.marks.retain(|mark| mark.kind != MarkKind::View);
        }
        self.marks.push_back(Mark { at, kind, text });
    }

    /// Latest wins: what was not sent is dropped, and said so once.
    fn lag(&mut self) {
        if !self.greeted {
            return self.start_over();
        }
        let lagged = protocol::events::Event::from(protocol::events::SessionLagged {
            session_id: self.session_id,
            seq: seq::narrow(self.sent),
        });
        crate::log!(
            Debug,
            "output was dropped for a slow reader",
            session = self.session_id,
            window = self.credit.window(),
            unacked = self.unacked()
        );
        self.mode = Mode::Lagged;
        self.drop_ring();
        // One that is not told yet names the right place; `sent` has gone on with its snapshot.
        let untold = self.marks.iter().position(|mark| mark.kind == MarkKind::Lagged);
        let untold = untold.and_then(|at| self.marks.remove(at));
        self.keep_plain_marks();
        if !self.lag_told {
            let text = lagged.to_json(None);
            let mark = Mark { at: self.sent, kind: MarkKind::Lagged, text };
            self.marks.push_front(untold.unwrap_or(mark));
        }
    }

    /// A flood came before anybody was given a place in the stream: nobody has lost anything, and
    /// who waits gets another snapshot.
    fn start_over(&mut self) {
        self.mode = Mode::Detached;
        self.drop_ring();
        self.keep_plain_marks();
    }

    fn drop_ring(&mut self) {
        self.ring.clear();
        self.base = self.end;
    }

    fn forget_to(&mut self, offset: u64) {
        let count = usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let count = count.min(self.ring.len());
        self.ring.drain(..count);
        self.base += count as u64;
    }

    fn copy(&self, from: u64, to: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.copy_into(&mut out, from, to);
        out
    }

    fn copy_into(&self, out: &mut Vec<u8>, from: u64, to: u64) {
        let start = usize::try_from(from.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let count = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        let (front, back) = self.ring.as_slices();
        let head = front.get(start..).unwrap_or_default();
        let head = head.get(..count.min(head.len())).unwrap_or_default();
        out.extend_from_slice(head);
        let rest = back.get(start.saturating_sub(front.len())..).unwrap_or_default();
        out.extend_from_slice(rest.get(..(count - head.len()).min(rest.len())).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;
