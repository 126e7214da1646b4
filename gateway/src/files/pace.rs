//! How many bytes of all downloads together may be on their way, so that a keystroke's echo finds
//! the way free.
//!
//! Everything that is sent before an echo arrives before it. So what is under way shrinks while
//! acks come late and grows while they come soon, as [`protocol::credit`] does for a terminal. Two
//! things differ. A reader that is slow itself must not hold up the others: a connection delivers
//! in order, so an ack of any download tells that all that was sent before has passed the way. And
//! at least one chunk may always be under way: at 1 Mbit/s that is a second in which an echo waits.

use crate::limits::Ms;
use protocol::credit::{LATE_MS, SOON_MS};
use protocol::limits::FILE_CHUNK_BYTES;
use std::collections::VecDeque;

/// Smallest number of bytes that may be under way: one chunk.
const MIN_WINDOW: u64 = FILE_CHUNK_BYTES as u64;

/// Largest: what a way of 100 Mbit/s and 80 ms holds.
const MAX_WINDOW: u64 = 8 * MIN_WINDOW;

/// A way that seems longer than this, in milliseconds, is one that takes long for a chunk.
const LONGEST_WAY_MS: Ms = 400;

/// After this long without an ack, or twice as long as the last one took, it is the readers that are
/// slow, not the way: one more chunk may go, and if another reader acks it, the way is known to be
/// free. If nobody does, the next one waits twice as long.
const SILENCE_MS: Ms = 1_000;

/// Longest silence before one more chunk goes.
const LONGEST_SILENCE_MS: Ms = 30_000;

/// A chunk under way.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    transfer_id: u32,
    seq: u32,
    /// Bytes of all downloads up to its end.
    end: u64,
    at: Ms,
    /// Bytes under way when it was sent, itself included.
    ahead: u64,
}

/// The window of all downloads of one connection.
#[derive(Debug)]
pub struct Pace {
    window: u64,
    sent: u64,
    arrived: u64,
    /// When a chunk was last sent or acked, and how long a silence has to be from then on.
    touched: Ms,
    silence: Ms,
    /// Shortest time from sending to ack.
    way: Ms,
    /// What was sent when the window last shrank: acks of that tell nothing new.
    shrunk_at: u64,
    stamps: VecDeque<Stamp>,
}

impl Pace {
    /// Of a connection of which nothing is known: one chunk, and more as acks come.
    pub fn new() -> Self {
        Self {
            window: MIN_WINDOW,
            sent: 0,
            arrived: 0,
            touched: 0,
            silence: SILENCE_MS,
            way: LONGEST_WAY_MS,
            shrunk_at: 0,
            stamps: VecDeque::new(),
        }
    }

    /// When a chunk of `bytes` may be sent; a time that has passed means now.
    pub fn next_at(&self, bytes: u64) -> Ms {
        let under_way = self.under_way();
        if under_way == 0 || under_way.saturating_add(bytes) <= self.window {
            0
        } else {
            self.touched.saturating_add(self.silence)
        }
    }

    /// A chunk was sent.
    pub fn sent(&mut self, transfer_id: u32, seq: u32, bytes: u64, now: Ms) {
        if self.under_way() > 0 && now >= self.touched.saturating_add(self.silence) {
            self.silence = (self.silence * 2).min(LONGEST_SILENCE_MS);
        }
        self.sent = self.sent.saturating_add(bytes);
        self.touched = now;
        let (end, ahead) = (self.sent, self.under_way());
        self.stamps.push_back(Stamp { transfer_id, seq, end, at: now, ahead });
    }

    /// The reader of a download has all chunks before `next`.
    pub fn acked(&mut self, transfer_id: u32, next: u32, now: Ms) {
        let is_it = |stamp: &Stamp| stamp.transfer_id == transfer_id && stamp.seq < next;
        let Some(last) = self.stamps.iter().rposition(is_it) else { return };
        let Some(stamp) = self.stamps.drain(..=last).next_back() else { return };
        self.arrived = stamp.end;
        self.touched = now;
        let took = now.saturating_sub(stamp.at);
        self.silence = took.saturating_mul(2).clamp(SILENCE_MS, LONGEST_SILENCE_MS);
        self.way = self.way.min(took);
        let queued = took - self.way;
        if queued > LATE_MS && stamp.end > self.shrunk_at {
            self.window = (self.window / 2).max(MIN_WINDOW);
            self.shrunk_at = self.sent;
        } else if queued < SOON_MS && stamp.ahead > self.window / 2 {
            self.window = (self.window + MIN_WINDOW).min(MAX_WINDOW);
        }
    }

    fn under_way(&self) -> u64 {
        self.sent - self.arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A way of some bandwidth and round trip, with a download that always has more.
    struct Way {
        pace: Pace,
        bytes_per_ms: u64,
        round_trip: Ms,
        now: Ms,
        free_at: Ms,
        arriving: VecDeque<(Ms, u32)>,
        chunks: u32,
        arrived: u32,
        longest_queue: Ms,
    }

    impl Way {
        fn new(bytes_per_ms: u64, round_trip: Ms) -> Self {
            let arriving = VecDeque::new();
            let pace = Pace::new();
            let (now, free_at, chunks, arrived, longest_queue) = (1, 0, 0, 0, 0);
            Self {
                pace,
                bytes_per_ms,
                round_trip,
                now,
                free_at,
                arriving,
                chunks,
                arrived,
                longest_queue,
            }
        }

        fn run(&mut self, ms: Ms) {
            let until = self.now + ms;
            self.longest_queue = 0;
            while self.now < until {
                while self.pace.next_at(MIN_WINDOW) <= self.now {
                    self.pace.sent(1, self.chunks, MIN_WINDOW, self.now);
                    self.chunks += 1;
                    self.free_at = self.free_at.max(self.now) + MIN_WINDOW / self.bytes_per_ms;
                    self.arriving.push_back((self.free_at + self.round_trip, self.chunks));
                    self.longest_queue = self.longest_queue.max(self.free_at - self.now);
                }
                self.now += 1;
                while let Some((_, next)) = self.arriving.pop_front_if(|(at, _)| *at <= self.now) {
                    self.arrived = next;
                    self.pace.acked(1, next, self.now);
                }
            }
        }

        /// Bytes a millisecond that arrived in some time.
        fn rate(&mut self, ms: Ms) -> u64 {
            let before = self.arrived;
            self.run(ms);
            u64::from(self.arrived - before) * MIN_WINDOW / ms
        }
    }

    #[test]
    fn a_fast_way_is_filled_soon() {
        let mut near = Way::new(1_000_000, 1);
        near.run(30);
        assert_eq!(near.pace.window, MAX_WINDOW);
        let mut far = Way::new(12_500, 80);
        far.run(1_500);
        assert!(far.rate(3_000) > 10_000, "100 Mbit/s and 80 ms");
    }

    #[test]
    fn a_slow_way_holds_a_chunk_and_little_more() {
        for (bytes_per_ms, round_trip, most) in [
            (62, 100, 2_200),
            (125, 300, 1_100),
            (125, 20, 1_100),
            (500, 50, 600),
            (1_250, 50, 500),
        ] {
            let mut way = Way::new(bytes_per_ms, round_trip);
            for second in 0..60 {
                way.run(1_000);
                let queue = way.longest_queue;
                // Before the first acks it is not known how slow it is.
                let most = if second < 5 { 2 * most } else { most };
                assert!(queue <= most, "{bytes_per_ms} B/ms, second {second}: {queue} ms");
            }
            let rate = way.rate(60_000);
            assert!(rate * 100 >= bytes_per_ms * 70, "{rate} of {bytes_per_ms} bytes a ms");
        }
    }

    #[test]
    fn a_way_that_becomes_slow_is_relieved() {
        let mut way = Way::new(100_000, 5);
        way.run(1_000);
        assert_eq!(way.pace.window, MAX_WINDOW);
        way.bytes_per_ms = 250;
        way.run(15_000);
        way.run(5_000);
        assert!(way.longest_queue <= 1_100, "{} ms", way.longest_queue);
    }

    #[test]
    fn a_reader_that_acks_nothing_holds_nobody_up_for_long() {
        let mut pace = Pace::new();
        pace.sent(1, 0, MIN_WINDOW, 10);
        assert_eq!(pace.next_at(MIN_WINDOW), 1_010);
        pace.sent(2, 0, MIN_WINDOW, 1_010);
        pace.acked(2, 1, 1_012);
        assert_eq!(pace.under_way(), 0, "what was sent before has passed the way");
        assert_eq!(pace.next_at(MIN_WINDOW), 0);
        pace.acked(1, 1, 9_000);
        assert_eq!(pace.window, 2 * MIN_WINDOW, "a late reader is no slow way");
    }
}
