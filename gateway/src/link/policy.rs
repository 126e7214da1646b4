//! Policy of the link without I/O: delays between attempts, meaning of failures, liveness.

use crate::limits::{
    BACKOFF_BASE_MS, BACKOFF_MAX_MS, BACKOFF_MIN_MS, LINK_GOOD_BYTES, LINK_GOOD_MS, Ms,
    PING_AFTER_MS, PONG_WITHIN_MS, REFUSED_MS, REPLACED_MS, RETRY_AFTER_MAX_MS,
};
use protocol::{CLOSE_REPLACED, CLOSE_REVOKED};

/// Why an attempt or a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The upgrade was answered by an HTTP status; `retry_after` in seconds if given.
    Status(u16, Option<u64>),
    /// The peer closed with a code.
    Closed(u16),
    /// Anything else, in words.
    Failed(String),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status @ (401 | 403), _) => {
                write!(f, "the token was refused, status {status}: check or renew it")
            }
            Self::Status(status, _) => write!(f, "the control plane answered status {status}"),
            Self::Closed(CLOSE_REVOKED) => f.write_str("the token was revoked: enrol again"),
            Self::Closed(CLOSE_REPLACED) => f.write_str("another gateway uses this id"),
            Self::Closed(code) => write!(f, "closed by the control plane, code {code}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// Delays between attempts: full jitter under a doubling ceiling.
#[derive(Debug)]
pub struct Backoff {
    attempt: u32,
    random: u64,
}

impl Backoff {
    /// `seed` need not be secret, only different on different machines.
    pub fn new(seed: u64) -> Self {
        Self { attempt: 0, random: seed | 1 }
    }

    /// The link was good: the next delay is a short one again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// Milliseconds to wait after `ending`.
    pub fn delay(&mut self, ending: &Ending) -> Ms {
        match ending {
            Ending::Status(401 | 403, _) | Ending::Closed(CLOSE_REVOKED) => REFUSED_MS,
            Ending::Closed(CLOSE_REPLACED) => REPLACED_MS,
            Ending::Status(429 | 503, Some(seconds)) => {
                seconds.saturating_mul(1_000).clamp(BACKOFF_MIN_MS, RETRY_AFTER_MAX_MS)
            }
            _ => self.jittered(),
        }
    }

    fn jittered(&mut self) -> Ms {
        let doublings = self.attempt.min(16);
        self.attempt = self.attempt.saturating_add(1);
        let ceiling = BACKOFF_MAX_MS.min(BACKOFF_BASE_MS << doublings);
        // xorshift64: good enough to spread gateways after a deploy drops them all.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % (ceiling + 1)).max(BACKOFF_MIN_MS)
    }
}

/// What liveness asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// Nothing yet.
    Fine,
    /// Send `ping`.
    Ask,
    /// The peer is gone.
    Dead,
}

/// Whether the peer of a standing connection lives, and whether the connection was good.
#[derive(Debug)]
pub struct Liveness {
    since: Ms,
    last_received: Ms,
    asked: Option<Ms>,
    acked: u64,
}

impl Liveness {
    /// The connection stands.
    pub fn new(now: Ms) -> Self {
        Self { since: now, last_received: now, asked: None, acked: 0 }
    }

    /// Any byte came.
    pub fn received(&mut self, now: Ms) {
        self.last_received = now;
        self.asked = None;
    }

    /// Viewers acknowledged bytes.
    pub fn acked(&mut self, bytes: u64) {
        self.acked = self.acked.saturating_add(bytes);
    }

    /// Whether the back-off starts anew after this connection.
    pub fn was_good(&self, now: Ms) -> bool {
        now >= self.since + LINK_GOOD_MS || self.acked >= LINK_GOOD_BYTES
    }

    /// The machine slept: ask at once.
    pub fn doubt(&mut self, now: Ms) {
        self.last_received = now.saturating_sub(PING_AFTER_MS);
    }

    /// What is to be done now.
    pub fn check(&mut self, now: Ms) -> Pulse {
        match self.asked {
            Some(asked) if now >= asked + PONG_WITHIN_MS => Pulse::Dead,
            Some(_) => Pulse::Fine,
            None if now >= self.last_received + PING_AFTER_MS => {
                self.asked = Some(now);
                Pulse::Ask
            }
            None => Pulse::Fine,
        }
    }

    /// When [`Liveness::check`] has something to say.
    pub fn deadline(&self) -> Ms {
        match self.asked {
            Some(asked) => asked + PONG_WITHIN_MS,
            None => self.last_received + PING_AFTER_MS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_jittered_under_a_doubling_ceiling() {
        let mut backoff = Backoff::new(42);
        let failed = Ending::Failed("x".into());
        let mut highest = [0; 8];
        for _ in 0..500 {
            for (n, highest) in highest.iter_mut().enumerate() {
                let delay = backoff.delay(&failed);
                assert!((100..=30_000.min(1_000 << n)).contains(&delay), "attempt {n}: {delay}");
                *highest = delay.max(*highest);
            }
            backoff.reset();
        }
        assert!(highest[0] > 900 && highest[4] > 14_000 && highest[7] > 28_000, "{highest:?}");
    }

    #[test]
    fn each_ending_has_its_delay() {
        let mut backoff = Backoff::new(1);
        assert_eq!(backoff.delay(&Ending::Status(401, None)), 300_000);
        assert_eq!(backoff.delay(&Ending::Closed(4001)), 300_000);
        assert_eq!(backoff.delay(&Ending::Closed(4002)), 60_000);
        assert_eq!(backoff.delay(&Ending::Status(503, Some(7))), 7_000);
        assert_eq!(backoff.delay(&Ending::Status(429, Some(9_999_999))), 300_000);
        assert!(backoff.delay(&Ending::Status(503, None)) <= 1_000);
    }

    #[test]
    fn silence_is_asked_about_once_and_then_ends_the_link() {
        let mut liveness = Liveness::new(0);
        assert_eq!(liveness.check(24_999), Pulse::Fine);
        assert_eq!(liveness.check(25_000), Pulse::Ask);
        assert_eq!(liveness.check(34_999), Pulse::Fine);
        assert_eq!(liveness.check(35_000), Pulse::Dead);
        liveness.received(35_001);
        assert_eq!(liveness.check(36_000), Pulse::Fine);
        liveness.doubt(40_000);
        assert_eq!(liveness.check(40_000), Pulse::Ask);
    }
}
