//! How often something may be tried: one key in the store for each attempt, counted by their list.
//!
//! The store cannot add to a number, and takes one write a second to a key; so attempts that race
//! would be lost in a counter. Keys of their own are never lost. An attempt is written down first and
//! then counted: of those that race, the last to be written sees all others, so that never more than
//! the limit pass where the store is consistent. Between the platform's places it is within a minute.

use super::hash;
use crate::limits::ATTEMPT_WINDOW_MS;
use std::net::IpAddr;

/// What is limited.
#[derive(Clone, Copy)]
pub struct Rate {
    name: &'static str,
    /// Attempts in an hour.
    limit: usize,
}

/// Links to one address: enough for a person in trouble, too few to be a nuisance.
pub const LINKS_TO_ADDRESS: Rate = Rate { name: "address", limit: 5 };

/// Links asked for from one place, for whatever addresses: a small office.
pub const LINKS_FROM_PLACE: Rate = Rate { name: "place", limit: 20 };

impl Rate {
    /// Prefix of the keys of all attempts of `whom`, who is not named.
    pub fn prefix(self, key: &[u8], whom: &str) -> Option<String> {
        Some(format!("rate:{}:{}:", self.name, hash(key, "rate", whom)?))
    }

    /// Milliseconds until there is room beneath the limit for `room` more than the attempts that
    /// `keys` hold at `now`; `None` when there is.
    pub fn wait(self, keys: &[String], room: usize, now: u64) -> Option<u64> {
        let mut times: Vec<u64> = keys.iter().filter_map(|key| time(key)).collect();
        times.retain(|time| time + ATTEMPT_WINDOW_MS > now);
        times.sort_unstable();
        let over = (times.len() + room).checked_sub(self.limit + 1)?;
        times.get(over).map(|time| time + ATTEMPT_WINDOW_MS - now)
    }
}

/// The key of an attempt at `now`; `random` tells it from others.
pub fn key(prefix: &str, now: u64, random: &str) -> String {
    format!("{prefix}{now:016}:{random}")
}

fn time(key: &str) -> Option<u64> {
    key.rsplit(':').nth(1)?.parse().ok().filter(|time| *time < u64::MAX - ATTEMPT_WINDOW_MS)
}

/// The place that an address of the network stands for: of IPv6 its /64, which one household has
/// to itself, else it would have 2⁶⁴ attempts.
pub fn place(address: &str) -> String {
    match address.trim().parse() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}")
            }
        },
        Ok(IpAddr::V4(v4)) => v4.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(times: &[u64]) -> Vec<String> {
        times.iter().map(|time| key("rate:address:x:", *time, "r")).collect()
    }

    #[test]
    fn the_limit_holds_over_any_hour() {
        let rate = LINKS_TO_ADDRESS;
        let four = keys(&[1, 2, 3, 4]);
        assert_eq!(rate.wait(&four, 1, 5), None);
        let five = keys(&[1_000, 2_000, 3_000, 4_000, 5_000]);
        // What is written down already may stay, a sixth may not.
        assert_eq!(rate.wait(&five, 0, 5_000), None);
        assert_eq!(rate.wait(&five, 1, 5_000), Some(ATTEMPT_WINDOW_MS - 4_000));
        assert_eq!(rate.wait(&five, 1, ATTEMPT_WINDOW_MS + 999), Some(1));
        assert_eq!(rate.wait(&five, 1, ATTEMPT_WINDOW_MS + 1_000), None);
        // More than should be there: as many must pass away.
        let seven = keys(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(rate.wait(&seven, 1, 7), Some(ATTEMPT_WINDOW_MS + 3 - 7));
        assert_eq!(rate.wait(&seven, 0, 7), Some(ATTEMPT_WINDOW_MS + 2 - 7));
    }

    #[test]
    fn foreign_keys_count_for_nothing() {
        for key in ["", ":", "rate:x", "rate:a:b:c:d", &format!("rate:{}:r", u64::MAX)] {
            assert_eq!(LINKS_TO_ADDRESS.wait(&vec![key.to_owned(); 9], 1, 0), None, "{key}");
        }
    }

    #[test]
    fn a_household_is_one_place() {
        assert_eq!(place("203.0.113.9"), "203.0.113.9");
        assert_eq!(place("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(place("2001:db8:1:2::9"), place("2001:db8:1:2:ffff::1"));
        assert_ne!(place("2001:db8:1:2::9"), place("2001:db8:1:3::9"));
        assert_eq!(place("nowhere"), place(""));
    }
}
