//! How many bytes may be under way to a reader: a window that follows the reader's speed.
//!
//! Everything that is under way must arrive before the answer to a Ctrl-C does. On a fast way the
//! contract's window is milliseconds; at 1 Mbit/s it is two seconds. So the window shrinks to what
//! the way holds and a little more, once acks have come late several times in a row, and grows
//! again when they come soon. The idea is TCP Vegas's: delay tells of a queue before loss does.
//!
//! Offsets are full 64-bit ones, times are milliseconds of any clock that does not go back.

use std::collections::VecDeque;

/// Smallest window in bytes: two frames, so that one can be filled while the other travels.
pub const MIN_WINDOW: u64 = 32 * 1024;

/// An ack is late when its bytes have queued for more than this, in milliseconds.
pub const LATE_MS: u64 = 350;

/// … and soon below this. It is above the hub's coalescing of acks.
pub const SOON_MS: u64 = 150;

/// The queue that a shrunken window leaves, in milliseconds.
pub const QUEUE_MS: u64 = 250;

/// The window after a lag, in bytes, until acks come soon: the reader did not keep up, and nobody
/// knows yet by how much.
pub const LAGGED_WINDOW: u64 = 64 * 1024;

/// Late acks in a row that make a reader slow: one pause is no slow reader.
pub const LATE_ACKS: u32 = 4;

/// Late acks in a row, of bytes sent under the smallest window, that mean that the way itself may
/// have become longer.
const LONGER_WAY_ACKS: u32 = 16;

/// Frames whose time is taken at once; more are under way only when they are tiny.
const MAX_STAMPS: usize = 32;

/// When a byte was sent, and behind how many others.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stamp {
    end: u64,
    at: u64,
    /// Bytes that had to arrive up to this one, itself included.
    ahead: u64,
    aside: u64,
}

/// The shortest time from sending to ack, and how many bytes had to arrive in it: of a way that is
/// known only by full windows, most of the time is theirs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct RoundTrip {
    ms: u64,
    bytes: u64,
}

impl RoundTrip {
    fn of(stamp: Stamp, took: u64) -> Self {
        Self { ms: took, bytes: stamp.ahead }
    }
}

/// The window of one reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Credit {
    max: u64,
    window: u64,
    way: Option<RoundTrip>,
    /// Bytes a second, known only of slow readers.
    rate: Option<u64>,
    /// Bytes a second at which windows that were nearly full have arrived.
    pace: Option<u64>,
    late: u32,
    /// How many of those were of bytes sent under the smallest window.
    late_in_smallest: u32,
    stamps: VecDeque<Stamp>,
    /// How far the stream had been sent when the window last grew.
    grown_at: u64,
    /// Bytes sent outside of the window so far, and how many of them have arrived.
    aside: (u64, u64),
}

impl Credit {
    /// A reader of whom nothing is known: it gets the whole window, `max` bytes.
    pub fn new(max: u64) -> Self {
        Self {
            max,
            window: max,
            way: None,
            rate: None,
            pace: None,
            late: 0,
            late_in_smallest: 0,
            stamps: VecDeque::new(),
            grown_at: 0,
            aside: (0, 0),
        }
    }

    /// Bytes that may be under way.
    pub fn window(&self) -> u64 {
        self.window
    }

    /// Bytes a second that the reader takes; `None` while it is not known to be slow.
    pub fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// Bytes a second that surely arrive at a reader whose window has shrunk, also where acks come
    /// in clumps and do not tell its rate. `None` for a reader with the whole window.
    pub fn pace(&self) -> Option<u64> {
        let pace = self.pace.filter(|_| self.is_shrunken());
        self.rate.into_iter().chain(pace).min()
    }

    /// Bytes up to `end` were sent; `acked` is how far acks have come.
    pub fn sent(&mut self, end: u64, acked: u64, now: u64) {
        if self.stamps.len() < MAX_STAMPS {
            let ahead = end.saturating_sub(acked) + self.aside_under_way();
            self.stamps.push_back(Stamp { end, at: now, ahead, aside: self.aside.0 });
        }
    }

    /// The stream goes on at `at` behind `bytes` that count for no credit, such as a snapshot. A
    /// restart before this one is taken to have arrived, whether it was acked or not.
    pub fn restart(&mut self, at: u64, bytes: u64, now: u64) {
        self.stamps.clear();
        self.aside.1 = self.aside.0;
        self.aside.0 = self.aside.0.saturating_add(bytes);
        self.sent(at, at, now);
    }

    /// The reader fell behind and gets a new beginning.
    pub fn lagged(&mut self) {
        self.window = self.window.min(LAGGED_WINDOW);
    }

    /// Everything before `offset` has arrived.
    pub fn acked(&mut self, offset: u64, now: u64) {
        let mut last = None;
        while let Some(stamp) = self.stamps.front().filter(|stamp| stamp.end <= offset) {
            last = Some(*stamp);
            self.stamps.pop_front();
        }
        let Some(stamp) = last else { return };
        self.aside.1 = self.aside.1.max(stamp.aside);
        let took = now.saturating_sub(stamp.at);
        if stamp.ahead > self.window / 2 {
            let sample = stamp.ahead.saturating_mul(1_000) / took.max(1);
            self.pace = Some(self.pace.map_or(sample, |pace| (pace + sample) / 2));
        }
        let way = self.way.filter(|way| way.ms <= took).unwrap_or(RoundTrip::of(stamp, took));
        self.way = Some(way);
        let queued = took - way.ms;
        if queued > LATE_MS {
            self.late(stamp, took, way);
        } else {
            (self.late, self.late_in_smallest) = (0, 0);
            // What was sent under a smaller window says nothing about the present one.
            let is_full = stamp.ahead > self.window / 2 && stamp.end > self.grown_at;
            if queued < SOON_MS && is_full {
                self.grow(stamp.end);
            }
        }
    }

    /// Milliseconds until the ack of what is under way may come, of which `unacked` bytes count for
    /// credit. `None` while the reader is not known to be slow.
    pub fn ack_ms(&self, unacked: u64) -> Option<u64> {
        let bytes = unacked.saturating_add(self.aside_under_way());
        let drain = bytes.saturating_mul(1_000) / self.rate?.max(1);
        Some(drain.saturating_add(self.way.map_or(0, |way| way.ms)))
    }

    /// Whether the reader has shown not to keep up, and has not yet recovered from that.
    fn is_shrunken(&self) -> bool {
        self.window < self.max
    }

    fn aside_under_way(&self) -> u64 {
        self.aside.0 - self.aside.1
    }

    fn late(&mut self, stamp: Stamp, took: u64, way: RoundTrip) {
        self.late += 1;
        self.late_in_smallest += u32::from(stamp.ahead <= MIN_WINDOW);
        if self.late < LATE_ACKS {
            return;
        }
        if self.window == MIN_WINDOW && self.late_in_smallest >= LONGER_WAY_ACKS {
            self.way = Some(RoundTrip::of(stamp, took));
            (self.late, self.late_in_smallest) = (0, 0);
            return;
        }
        // What came behind the bytes by which the way is known made the difference in time; and
        // all of them have arrived in all of the time.
        let more = stamp.ahead.saturating_sub(way.bytes).saturating_mul(1_000) / (took - way.ms);
        let sample = more.max(stamp.ahead.saturating_mul(1_000) / took);
        let rate = self.rate.map_or(sample, |rate| (rate + sample) / 2);
        let held_by_way = rate.saturating_mul(way.ms + QUEUE_MS) / 1_000;
        self.rate = Some(rate);
        self.window = held_by_way.saturating_sub(way.bytes).clamp(MIN_WINDOW, self.window);
    }

    fn grow(&mut self, acked: u64) {
        self.grown_at = self.stamps.back().map_or(acked, |stamp| stamp.end);
        self.window = (self.window + self.window / 2).min(self.max);
        self.rate = self.rate.filter(|_| self.is_shrunken()).map(|rate| rate + rate / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 256 * 1024;
    const FRAME: u64 = 16 * 1024;

    /// A way of some bandwidth and round trip, with a sender that always has more to send.
    struct Way {
        credit: Credit,
        bytes_per_ms: u64,
        round_trip: u64,
        now: u64,
        sent: u64,
        acked: u64,
        free_at: u64,
        arriving: VecDeque<(u64, u64)>,
    }

    impl Way {
        fn new(bytes_per_ms: u64, round_trip: u64) -> Self {
            let credit = Credit::new(MAX);
            let arriving = VecDeque::new();
            Self {
                credit,
                bytes_per_ms,
                round_trip,
                now: 0,
                sent: 0,
                acked: 0,
                free_at: 0,
                arriving,
            }
        }

        /// Sends an echo, as a person types it.
        fn echo(&mut self) {
            self.send(1);
            self.now += self.round_trip + 1;
            self.deliver();
        }

        fn send(&mut self, bytes: u64) {
            self.sent += bytes;
            self.credit.sent(self.sent, self.acked, self.now);
            self.free_at = self.free_at.max(self.now) + bytes / self.bytes_per_ms;
            self.arriving.push_back((self.free_at + self.round_trip, self.sent));
        }

        fn deliver(&mut self) {
            while let Some((_, end)) = self.arriving.pop_front_if(|(at, _)| *at <= self.now) {
                self.acked = end;
                self.credit.acked(end, self.now);
            }
        }

        fn flood(&mut self, ms: u64) {
            let until = self.now + ms;
            while self.now < until {
                while self.sent - self.acked + FRAME <= self.credit.window() {
                    self.send(FRAME);
                }
                self.now += 1;
                self.deliver();
            }
        }

        fn queue_ms(&self) -> u64 {
            self.free_at.saturating_sub(self.now)
        }
    }

    #[test]
    fn a_fast_reader_keeps_the_whole_window() {
        for round_trip in [0, 20, 300] {
            let mut way = Way::new(100_000, round_trip);
            way.echo();
            way.flood(5_000);
            assert_eq!((way.credit.window(), way.credit.rate()), (MAX, None), "{round_trip} ms");
        }
    }

    #[test]
    fn a_slow_way_holds_little_within_three_seconds_and_stays_full() {
        let mut way = Way::new(125, 300);
        way.echo();
        way.flood(3_500);
        let acked = way.acked;
        for _ in 0..50 {
            way.flood(200);
            assert!(way.queue_ms() < 500, "{} ms are queued", way.queue_ms());
        }
        let rate = (way.acked - acked) / 10;
        assert!(rate > 115_000, "{rate} bytes a second of 125,000");
        let known = way.credit.rate().expect("slow");
        assert!((100_000..150_000).contains(&known), "{known}");
    }

    #[test]
    fn a_slow_way_is_not_taken_for_a_longer_one() {
        for (rate, round_trip) in [8, 16, 32, 64, 125, 250]
            .into_iter()
            .flat_map(|rate| [5, 100, 300, 700].map(|ms| (rate, ms)))
        {
            let mut way = Way::new(rate, round_trip);
            way.echo();
            // What was sent before the way was known has arrived.
            way.flood(4 * MAX / rate);
            let most = 5 * MIN_WINDOW / 2 / rate;
            for _ in 0..300 {
                way.flood(200);
                let queue = way.queue_ms();
                assert!(queue < most, "{queue} ms are queued: {rate} bytes/ms, {round_trip} ms");
            }
        }
    }

    #[test]
    fn a_reader_that_becomes_fast_gets_the_window_back() {
        let mut way = Way::new(125, 100);
        way.echo();
        way.flood(5_000);
        assert!(way.credit.window() < MAX / 2);
        way.bytes_per_ms = 50_000;
        way.flood(5_000);
        assert_eq!((way.credit.window(), way.credit.rate()), (MAX, None));
    }

    #[test]
    fn after_a_lag_little_is_under_way_until_acks_come_soon() {
        let mut way = Way::new(100_000, 5);
        way.credit.lagged();
        assert_eq!(way.credit.window(), LAGGED_WINDOW);
        way.flood(200);
        assert_eq!(way.credit.window(), MAX);
    }

    #[test]
    fn a_way_that_becomes_longer_is_not_taken_for_a_queue_for_ever() {
        let mut way = Way::new(10_000, 10);
        way.echo();
        way.flood(1_000);
        way.round_trip = 900;
        way.flood(60_000);
        assert!(way.credit.window() > 4 * MIN_WINDOW, "{}", way.credit.window());
    }

    #[test]
    fn acks_that_were_withheld_once_change_nothing() {
        let mut credit = Credit::new(MAX);
        credit.sent(1, 0, 0);
        credit.acked(1, 1);
        for frame in 1..=3 {
            credit.sent(1 + frame * FRAME, 1, 10);
        }
        for frame in 1..=3 {
            credit.acked(1 + frame * FRAME, 5_000);
        }
        assert_eq!((credit.window(), credit.rate()), (MAX, None));
    }

    #[test]
    fn the_pace_of_a_shrunken_window_is_known_without_late_acks() {
        let mut credit = Credit::new(MAX);
        credit.sent(1, 0, 0);
        credit.acked(1, 300);
        assert_eq!(credit.pace(), None);
        credit.lagged();
        credit.sent(1 + LAGGED_WINDOW, 1, 1_000);
        credit.acked(1 + LAGGED_WINDOW, 1_800);
        assert_eq!((credit.rate(), credit.pace()), (None, Some(LAGGED_WINDOW * 1_000 / 800)));
    }

    #[test]
    fn a_snapshot_is_under_way_although_it_counts_for_no_credit() {
        let mut way = Way::new(125, 300);
        way.echo();
        way.flood(5_000);
        let before = way.credit.ack_ms(0).expect("slow");
        way.credit.restart(way.sent + 1, 250_000, way.now);
        let after = way.credit.ack_ms(0).expect("slow");
        assert!(before == 301 && (1_800..3_300).contains(&after), "{before} {after}");
        way.credit.acked(way.sent + 1, way.now + 2_300);
        assert_eq!(way.credit.ack_ms(0), Some(301));
    }
}
