//! One browser's socket on one session: its phase, its positions, and what survives hibernation.

use super::messages::PageId;
use crate::limits::{
    RECOVERY_LINES, RECOVERY_MS, RECOVERY_ROW_BYTES, UNCONFIRMED_SNAPSHOTS, VIEWER_WINDOWS,
};
use protocol::credit::Credit;
use protocol::limits::{DEFAULT_HISTORY_LINES, OUTPUT_WINDOW};
use protocol::seq::{distance, is_before};

/// Where a viewer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, miniserde::Serialize, miniserde::Deserialize)]
pub enum Phase {
    /// Connected, has not asked for the stream yet.
    Idle,
    /// Its replay or snapshot is on the way; live frames are not sent to it.
    Awaiting,
    /// It gets every frame.
    Live,
    /// It fell behind; it gets nothing until it has caught up with what it was sent.
    Lagging,
}

/// A viewer.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewer {
    /// The session that it looks at.
    pub session_id: u32,
    /// Where it stands.
    pub phase: Phase,
    /// Whether it is the session's controller.
    pub control: bool,
    /// Whether a person looks at its page.
    pub focus: bool,
    /// What its page calls itself.
    pub page: Option<PageId>,
    /// The attach whose answer makes it live.
    pub request_id: Option<String>,
    /// Milliseconds: when that attach was sent.
    pub asked_at: u64,
    /// History lines that it wants in snapshots.
    pub history_lines: Option<u32>,
    /// Offset after the last byte that it was sent.
    pub sent: Option<u32>,
    /// Next byte that it expects, by its own acks.
    pub acked: Option<u32>,
    /// Snapshots sent since it last confirmed one.
    pub unconfirmed: u8,
    /// Where the last answer ended; an ack from there on confirms it and all before.
    pub answered_at: u32,
    /// Bytes sent before that answer that were not acked by then, and still count.
    pub carried: u32,
    /// Offset after the last byte that the gateway sent for this session, as the hub knew it.
    pub seen: Option<u32>,
    /// How fast it reads; learnt again after hibernation.
    speed: Box<Speed>,
}

/// What the socket's attachment keeps of a viewer.
#[derive(Debug, PartialEq, miniserde::Serialize, miniserde::Deserialize)]
pub struct Kept {
    session_id: u32,
    phase: Phase,
    control: bool,
    /// Attachments of older versions do not have it.
    focus: Option<bool>,
    page: Option<PageId>,
    request_id: Option<String>,
    asked_at: u64,
    history_lines: Option<u32>,
    sent: Option<u32>,
    acked: Option<u32>,
    unconfirmed: u8,
    answered_at: u32,
    carried: u32,
    seen: Option<u32>,
}

/// How fast a viewer reads, measured by its acks.
#[derive(Clone, Debug, PartialEq)]
struct Speed {
    credit: Credit,
    /// Bytes that it was sent, in an offset that does not wrap.
    sent: u64,
}

impl Default for Speed {
    fn default() -> Self {
        Self { credit: Credit::new(OUTPUT_WINDOW), sent: 0 }
    }
}

impl Speed {
    fn sent(&mut self, bytes: u32, unacked: u32, now: u64) {
        let acked = (self.sent + u64::from(bytes)).saturating_sub(u64::from(unacked));
        self.sent += u64::from(bytes);
        self.credit.sent(self.sent, acked, now);
    }
}

/// What became of a frame offered to a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is to be sent.
    Taken,
    /// It is to be sent, and was the last one for now: the viewer lags.
    TakenLast,
    /// The viewer is not live.
    NotLive,
    /// It does not continue what the viewer was sent: the viewer needs a new beginning.
    Gap,
}

impl Viewer {
    /// A viewer that has just connected.
    pub fn new(session_id: u32) -> Self {
        Self {
            session_id,
            phase: Phase::Idle,
            control: false,
            focus: false,
            page: None,
            request_id: None,
            asked_at: 0,
            history_lines: None,
            sent: None,
            acked: None,
            unconfirmed: 0,
            answered_at: 0,
            carried: 0,
            seen: None,
            speed: Box::default(),
        }
    }

    /// What is to be kept of it.
    pub fn kept(&self) -> Kept {
        Kept {
            session_id: self.session_id,
            phase: self.phase,
            control: self.control,
            focus: Some(self.focus),
            page: self.page,
            request_id: self.request_id.clone(),
            asked_at: self.asked_at,
            history_lines: self.history_lines,
            sent: self.sent,
            acked: self.acked,
            unconfirmed: self.unconfirmed,
            answered_at: self.answered_at,
            carried: self.carried,
            seen: self.seen,
        }
    }

    /// The viewer of which this was kept.
    pub fn restore(kept: Kept) -> Self {
        Self {
            session_id: kept.session_id,
            phase: kept.phase,
            control: kept.control,
            focus: kept.focus.unwrap_or(false),
            page: kept.page,
            request_id: kept.request_id,
            asked_at: kept.asked_at,
            history_lines: kept.history_lines,
            sent: kept.sent,
            acked: kept.acked,
            unconfirmed: kept.unconfirmed,
            answered_at: kept.answered_at,
            carried: kept.carried,
            seen: kept.seen,
            speed: Box::default(),
        }
    }

    /// Whether it awaits, gets or will again get the stream.
    pub fn is_attached(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether it waits for the answer to an attach that the gateway has been sent.
    pub fn is_asking(&self) -> bool {
        self.phase == Phase::Awaiting && self.request_id.is_some()
    }

    /// Whether another snapshot may be sent without filling memory for a browser that stalls.
    pub fn has_room(&self) -> bool {
        self.unconfirmed < UNCONFIRMED_SNAPSHOTS
    }

    /// Whether it has confirmed every snapshot that it was sent.
    pub fn is_confirmed(&self) -> bool {
        self.unconfirmed == 0
    }

    /// Goes on from `position`, or from a snapshot when there is none. What it was sent before
    /// still lies before it.
    pub fn restart(&mut self, position: Option<u32>) {
        self.carried = self.carried.saturating_add(self.unacked());
        (self.sent, self.acked) = (position, position);
    }

    /// Bytes sent since the last answer that it has not acked.
    fn unacked(&self) -> u32 {
        self.sent.zip(self.acked).map_or(0, |(sent, acked)| sent.wrapping_sub(acked))
    }

    /// Offers a frame of `len` bytes at `seq` and counts it. `fastest` is the pace of the fastest
    /// viewer of the session.
    pub fn offer(&mut self, seq: u32, len: u32, fastest: u64, now: u64) -> Offer {
        if self.phase != Phase::Live {
            return Offer::NotLive;
        }
        if self.sent.is_some_and(|sent| sent != seq) {
            return Offer::Gap;
        }
        let end = seq.wrapping_add(len);
        self.sent = Some(end);
        // Unknown after a reset: learnt here.
        self.acked.get_or_insert(seq);
        self.speed.sent(len, self.unacked(), now);
        if u64::from(self.unacked()) + u64::from(self.carried) <= self.allowance(fastest) {
            return Offer::Taken;
        }
        self.phase = Phase::Lagging;
        self.speed.credit.lagged();
        Offer::TakenLast
    }

    /// Bytes a second that it takes, as far as is known; of one that keeps up there is no end.
    pub fn pace(&self) -> u64 {
        self.speed.credit.pace().unwrap_or(u64::MAX)
    }

    /// Bytes that may be under way to it. The stream does not wait for a viewer that is much slower
    /// than another: a second window would only show it what is old for longer.
    fn allowance(&self, fastest: u64) -> u64 {
        let windows = if self.pace() < fastest / 2 { 1 } else { VIEWER_WINDOWS };
        windows * self.speed.credit.window()
    }

    /// Notes a replay of `len` bytes from `seq`: the viewer is live after it.
    pub fn replayed(&mut self, seq: u32, len: u32) {
        self.acked.get_or_insert(seq);
        let end = seq.wrapping_add(len);
        self.sent = Some(end);
        self.answered(end);
    }

    /// Notes a snapshot of `bytes` after which `seq` comes next: the viewer is live after it.
    pub fn restored(&mut self, seq: u32, bytes: usize, now: u64) {
        self.restart(Some(seq));
        let under_way = u64::from(self.carried).saturating_add(bytes as u64);
        self.speed.credit.restart(self.speed.sent, under_way, now);
        self.unconfirmed = self.unconfirmed.saturating_add(1);
        self.answered(seq);
    }

    fn answered(&mut self, at: u32) {
        self.phase = Phase::Live;
        self.request_id = None;
        self.answered_at = at;
    }

    /// Notes the viewer's own ack; acks outside what it was sent are ignored.
    pub fn ack(&mut self, seq: u32, now: u64) {
        let ahead = self.sent.is_some_and(|sent| is_before(sent, seq));
        let stale = self.acked.is_some_and(|acked| is_before(seq, acked));
        let nothing_sent = self.phase != Phase::Live && self.sent.is_none();
        if ahead || stale || nothing_sent {
            return;
        }
        self.acked = Some(seq);
        let arrived = self.speed.sent.saturating_sub(u64::from(self.unacked()));
        self.speed.credit.acked(arrived, now);
        if distance(self.answered_at, seq) >= 0 {
            (self.unconfirmed, self.carried) = (0, 0);
        }
    }

    /// History lines to ask for when it has fallen behind: a slow viewer is not to wait for them.
    pub fn recovery_lines(&self) -> Option<u32> {
        let Some(pace) = self.speed.credit.pace() else { return self.history_lines };
        let lines = pace.saturating_mul(RECOVERY_MS) / 1_000 / RECOVERY_ROW_BYTES;
        let lines = u32::try_from(lines).unwrap_or(u32::MAX).max(RECOVERY_LINES);
        Some(self.history_lines.unwrap_or(DEFAULT_HISTORY_LINES).min(lines))
    }

    /// Whether it lagged and has acked all that it was sent.
    pub fn is_recovered(&self) -> bool {
        self.phase == Phase::Lagging && self.acked == self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWER_WINDOW: u64 = VIEWER_WINDOWS * OUTPUT_WINDOW;

    fn live(seq: u32) -> Viewer {
        let mut viewer = Viewer::new(1);
        viewer.restored(seq, 0, 0);
        viewer
    }

    #[test]
    fn a_viewer_lags_beyond_two_windows_and_catches_up_by_acks() {
        let mut viewer = live(u32::MAX - 100);
        viewer.ack(u32::MAX - 100, 0);
        let mut seq = u32::MAX - 100;
        let frame = 16 * 1024;
        for _ in 0..VIEWER_WINDOW / u64::from(frame) {
            assert_eq!(viewer.offer(seq, frame, 0, 0), Offer::Taken);
            seq = seq.wrapping_add(frame);
        }
        assert_eq!(viewer.offer(seq, 1, 0, 0), Offer::TakenLast);
        assert_eq!(viewer.offer(seq.wrapping_add(1), 1, 0, 0), Offer::NotLive);
        viewer.ack(seq, 0);
        assert!(!viewer.is_recovered());
        viewer.ack(seq.wrapping_add(2), 0);
        assert!(!viewer.is_recovered(), "ahead of what was sent");
        viewer.ack(seq.wrapping_add(1), 0);
        assert!(viewer.is_recovered());
    }

    #[test]
    fn a_frame_at_another_place_is_not_sent() {
        let mut viewer = live(10);
        assert_eq!(viewer.offer(10, 5, 0, 0), Offer::Taken);
        assert_eq!(viewer.offer(16, 5, 0, 0), Offer::Gap);
        assert_eq!(viewer.offer(10, 5, 0, 0), Offer::Gap);
    }

    #[test]
    fn unknown_positions_are_learnt_from_the_next_frame() {
        let mut viewer = live(10);
        (viewer.sent, viewer.acked) = (None, None);
        assert_eq!(viewer.offer(500, 5, 0, 0), Offer::Taken);
        assert_eq!((viewer.acked, viewer.sent), (Some(500), Some(505)));
    }

    #[test]
    fn snapshots_must_be_confirmed() {
        let mut viewer = live(10);
        assert!(viewer.has_room());
        viewer.restored(20, 0, 0);
        assert!(!viewer.has_room());
        viewer.ack(10, 0);
        assert!(!viewer.has_room(), "an ack from before the snapshot confirms nothing");
        viewer.ack(20, 0);
        assert!(viewer.has_room());
    }

    #[test]
    fn a_new_beginning_does_not_forgive_what_was_sent_before() {
        let mut viewer = live(0);
        let half = VIEWER_WINDOW as u32 / 2;
        assert_eq!(viewer.offer(0, half, 0, 0), Offer::Taken);
        viewer.restored(1_000_000, 0, 0);
        assert_eq!(viewer.offer(1_000_000, half, 0, 0), Offer::Taken);
        assert_eq!(viewer.offer(1_000_000 + half, 1, 0, 0), Offer::TakenLast);
        let mut viewer = live(0);
        assert_eq!(viewer.offer(0, half, 0, 0), Offer::Taken);
        viewer.restored(1_000_000, 0, 0);
        viewer.ack(1_000_000, 0);
        assert_eq!(viewer.offer(1_000_000, half + 1, 0, 0), Offer::Taken);
    }
}
