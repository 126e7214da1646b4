//! A browser's sign-in: a random secret in its cookie, whose hash is a row that can be deleted.

use super::{hash, token};
use crate::limits::{SIGN_IN_MAX_MS, SIGN_IN_MS, SIGN_IN_SEEN_MS, TOKEN_BYTES, USER_AGENT_CHARS};

/// Hex digits of an id.
const ID_DIGITS: usize = 64;

/// Makes the secret of a new sign-in.
pub fn secret(random: &[u8; TOKEN_BYTES]) -> String {
    token::encode(random)
}

/// The id of the sign-in that `secret` belongs to. It is no secret: it opens nothing.
pub fn id(key: &[u8], secret: &str) -> Option<String> {
    hash(key, "sign-in", secret)
}

/// Whether `text` can be an id.
pub fn is_id(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == ID_DIGITS && text.bytes().all(is_digit)
}

/// When a sign-in of `created_at` that is used at `now` ends (milliseconds): when it is not used
/// for 30 days, and after a year in any case.
pub fn expires_at(created_at: u64, now: u64) -> u64 {
    (now + SIGN_IN_MS).min(created_at + SIGN_IN_MAX_MS)
}

/// Whether its use at `now` is to be written down: not more often than hourly.
pub fn is_news(last_seen_at: u64, now: u64) -> bool {
    now.saturating_sub(last_seen_at) >= SIGN_IN_SEEN_MS
}

/// What is kept of a `User-Agent` header.
pub fn user_agent(header: &str) -> String {
    header.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn the_id_tells_nothing_of_the_secret() {
        let secret = secret(&[7; TOKEN_BYTES]);
        let id = id(KEY, &secret).unwrap();
        assert!(is_id(&id) && !id.contains(&secret));
        assert_ne!(token::hash(KEY, &secret), Some(id.clone()));
        for bad in ["", &id[1..], &id.replace(&id[..1], "g"), &id.to_uppercase(), &format!("{id}0")]
        {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn it_slides_with_use_and_ends_within_a_year() {
        assert_eq!(expires_at(0, 0), SIGN_IN_MS);
        assert_eq!(expires_at(0, 1_000), SIGN_IN_MS + 1_000);
        assert_eq!(expires_at(5, SIGN_IN_MAX_MS), SIGN_IN_MAX_MS + 5);
        assert!(!is_news(1_000, 1_000 + SIGN_IN_SEEN_MS - 1) && is_news(0, SIGN_IN_SEEN_MS));
        assert!(!is_news(5, 0));
    }

    #[test]
    fn user_agents_are_cut_between_characters() {
        assert_eq!(user_agent("Fire\r\nfox"), "Firefox");
        assert_eq!(user_agent(&"é".repeat(1_000)).chars().count(), USER_AGENT_CHARS);
    }
}
