//! How often a terminal may change its size: each change makes programs redraw everything.

use crate::limits::{Ms, RESIZES_PER_SECOND};

const SPACING_MS: Ms = 1_000 / RESIZES_PER_SECOND;

/// Lets one size through at a time and never loses the last.
#[derive(Debug, Default)]
pub struct Throttle {
    last: Option<Ms>,
    waiting: Option<(u32, u32)>,
}

impl Throttle {
    /// A new size is wanted.
    pub fn want(&mut self, cols: u32, rows: u32) {
        self.waiting = Some((cols, rows));
    }

    /// The size to apply now, if any.
    pub fn take(&mut self, now: Ms) -> Option<(u32, u32)> {
        if self.deadline()? > now {
            return None;
        }
        self.last = Some(now);
        self.waiting.take()
    }

    /// When a waiting size may be applied.
    pub fn deadline(&self) -> Option<Ms> {
        self.waiting.map(|_| self.last.map_or(0, |last| last + SPACING_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_five_a_second_and_the_last_always() {
        let mut throttle = Throttle::default();
        let mut applied = Vec::new();
        for now in 0..1_000 {
            throttle.want(80 + now as u32, 24);
            applied.extend(throttle.take(now));
        }
        assert_eq!(applied.len(), 5);
        assert_eq!(throttle.take(1_200), Some((1_079, 24)));
        assert_eq!(throttle.take(9_999), None);
    }
}
