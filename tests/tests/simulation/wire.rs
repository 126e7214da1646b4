//! A direction of a connection: bytes take time, come in order, and can be cut anywhere.

use super::random::Random;
use std::collections::VecDeque;

/// How fast a connection is.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Milliseconds from end to end.
    pub latency: u64,
    /// Bytes a millisecond; 0 for as many as there are.
    pub rate: u64,
}

impl Speed {
    /// As between two processes of one machine.
    pub const AT_ONCE: Self = Self { latency: 0, rate: 0 };

    /// Between data centres mostly, sometimes over a bad line.
    pub fn of_link(random: &mut Random) -> Self {
        if random.one_in(2) {
            return Self::AT_ONCE;
        }
        Self { latency: random.one_of(&[1, 10, 80]), rate: random.one_of(&[0, 2_000, 100]) }
    }

    /// From fibre down to a phone in a train.
    pub fn of_page(random: &mut Random) -> Self {
        if random.one_in(2) {
            return Self::AT_ONCE;
        }
        Self { latency: random.one_of(&[5, 60, 400]), rate: random.one_of(&[0, 1_000, 60, 4]) }
    }
}

struct UnderWay<T> {
    message: T,
    size: usize,
    /// Milliseconds: not before.
    arrives: u64,
}

/// Messages under way in one direction.
pub struct Wire<T> {
    pub speed: Speed,
    queue: VecDeque<UnderWay<T>>,
    bytes: usize,
    /// Bytes of the first message that have crossed already.
    crossed: usize,
    /// Microseconds: when the last byte put will have left.
    busy_until: u64,
}

impl<T> Wire<T> {
    pub fn new(speed: Speed) -> Self {
        Self { speed, queue: VecDeque::new(), bytes: 0, crossed: 0, busy_until: 0 }
    }

    /// Bytes under way.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a message could be taken at `now`.
    pub fn has_arrived(&self, now: u64) -> bool {
        self.queue.front().is_some_and(|first| first.arrives <= now)
    }

    /// Sends `message` of `size` bytes at `now` (milliseconds).
    pub fn put(&mut self, message: T, size: usize, now: u64) {
        let takes = (size as u64 * 1_000).checked_div(self.speed.rate).unwrap_or(0);
        self.busy_until = self.busy_until.max(now * 1_000) + takes;
        let arrives = self.busy_until / 1_000 + self.speed.latency;
        self.bytes += size;
        self.queue.push_back(UnderWay { message, size, arrives });
    }

    /// The next message that has come by `now`.
    pub fn take(&mut self, now: u64) -> Option<T> {
        if !self.has_arrived(now) {
            return None;
        }
        let first = self.queue.pop_front()?;
        self.bytes -= first.size;
        self.crossed = 0;
        Some(first.message)
    }

    /// As [`Self::take`], within an allowance of bytes: what is not whole goes on next time.
    pub fn take_within(&mut self, allowance: &mut usize, now: u64) -> Option<T> {
        let left = self.queue.front()?.size - self.crossed;
        if left > *allowance {
            self.crossed += *allowance;
            *allowance = 0;
            return None;
        }
        let taken = self.take(now)?;
        *allowance -= left;
        Some(taken)
    }

    /// The line is good again: what is under way comes after its latency.
    pub fn hurry(&mut self, now: u64) {
        self.speed.rate = 0;
        self.busy_until = now * 1_000;
        for one in &mut self.queue {
            one.arrives = one.arrives.min(now + self.speed.latency);
        }
    }

    /// What is under way, for a fault that changes its order.
    pub fn swap_last_two(&mut self) -> bool {
        let count = self.queue.len();
        if count < 2 || (count == 2 && self.crossed > 0) {
            return false;
        }
        let arrives = [self.queue[count - 2].arrives, self.queue[count - 1].arrives];
        self.queue.swap(count - 2, count - 1);
        self.queue[count - 2].arrives = arrives[0];
        self.queue[count - 1].arrives = arrives[1];
        true
    }
}
