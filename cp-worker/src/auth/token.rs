//! Gateway tokens: made from randomness, kept as HMAC-SHA256, compared in constant time.

use super::mac;
use crate::limits::TOKEN_BYTES;
use hmac::Mac;
use protocol::BASE64;
use protocol::Engine as _;

/// Longest token that is looked at, in bytes; ours have 43.
const MAX_TOKEN_CHARS: usize = 256;

/// Writes random bytes as a token, in the URL-safe alphabet without padding.
pub fn encode(random: &[u8; TOKEN_BYTES]) -> String {
    url_safe(random)
}

/// The URL-safe base64 of `bytes`, without padding.
pub(super) fn url_safe(bytes: &[u8]) -> String {
    BASE64.encode(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
}

/// The bytes that [`url_safe`] wrote.
pub(super) fn from_url_safe(text: &str) -> Option<Vec<u8>> {
    let mut padded = text.replace('-', "+").replace('_', "/");
    while !padded.len().is_multiple_of(4) {
        padded.push('=');
    }
    BASE64.decode(padded).ok()
}

/// What the database keeps of `token`: the HMAC under the deployment's secret, in hex.
pub fn hash(secret: &[u8], token: &str) -> Option<String> {
    super::hash(secret, "gateway-token", token)
}

/// The bootstrap token of a server's droplet: the same for one attempt whenever it is made, so that
/// it need not be kept, and unknown to whoever has only the database.
pub fn of_droplet(secret: &[u8], gateway_id: &str, attempt: u64) -> Option<String> {
    super::hash(secret, "droplet-bootstrap", &format!("{gateway_id}.{attempt}"))
}

/// Whether `hash` is that of `token`, in a time that tells nothing about either.
pub fn matches(secret: &[u8], token: &str, hash: &str) -> bool {
    let Some(mut mac) = mac(secret, "gateway-token") else { return false };
    mac.update(token.as_bytes());
    let Some(expected) = from_hex(hash) else { return false };
    mac.verify_slice(&expected).is_ok()
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
    )
}

/// The bearer token of an `Authorization` header.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    let plausible = !token.is_empty() && token.len() <= MAX_TOKEN_CHARS;
    (scheme.eq_ignore_ascii_case("bearer") && plausible).then_some(token)
}

/// What the database keeps of a gateway's tokens.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    /// Of its own token.
    pub auth: Option<String>,
    /// Of the token that it was sent but has not acknowledged.
    pub next_auth: Option<String>,
    /// Of the bootstrap token, until it is burnt.
    pub bootstrap: Option<String>,
    /// Milliseconds since the Unix epoch after which the bootstrap token is void.
    pub bootstrap_expires_at: u64,
}

/// As what a gateway is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It has its own token.
    Known,
    /// It has its own token, and its ack of it was lost: the enrolment is to be completed.
    CompleteEnrolment,
    /// It came with a bootstrap token and is to get its own.
    Enrol,
}

/// Decides about `token` at `now` (milliseconds).
pub fn admit(secret: &[u8], token: &str, hashes: &Hashes, now: u64) -> Option<Admission> {
    let is =
        |hash: &Option<String>| hash.as_deref().is_some_and(|hash| matches(secret, token, hash));
    if is(&hashes.auth) {
        Some(Admission::Known)
    } else if is(&hashes.next_auth) {
        Some(Admission::CompleteEnrolment)
    } else if is(&hashes.bootstrap) && now < hashes.bootstrap_expires_at {
        Some(Admission::Enrol)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_matches_its_own_hash_only() {
        let token = encode(&[0xFB; TOKEN_BYTES]);
        assert_eq!(token.len(), 43);
        let hash = hash(SECRET, &token).unwrap();
        assert_eq!(hash.len(), 64);
        assert!(matches(SECRET, &token, &hash));
        assert!(!matches(SECRET, &token[1..], &hash));
        assert!(!matches(b"another secret", &token, &hash));
        for bad in ["", "zz", "é", &hash[1..], &hash[2..]] {
            assert!(!matches(SECRET, &token, bad), "{bad}");
        }
    }

    #[test]
    fn a_droplet_s_token_is_its_own() {
        let of = |id, attempt| of_droplet(SECRET, id, attempt).unwrap();
        assert_eq!(of("gw_1", 1), of("gw_1", 1));
        assert_eq!(of("gw_1", 1).len(), 64);
        assert_ne!(of("gw_1", 1), of("gw_1", 2));
        assert_ne!(of("gw_1", 11), of("gw_11", 1));
        assert!(of_droplet(b"another secret", "gw_1", 1) != Some(of("gw_1", 1)));
        assert!(!matches(SECRET, "gw_1.1", &of("gw_1", 1)));
    }

    #[test]
    fn the_bearer_is_read_from_its_header() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for header in ["", "Bearer", "Bearer ", "Basic abc", &format!("Bearer {:0300}", 0)] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }

    #[test]
    fn enrolment_survives_a_lost_ack_and_burns_the_bootstrap_token() {
        let of = |token: &str| hash(SECRET, token);
        let new = Hashes { bootstrap: of("boot"), bootstrap_expires_at: 100, ..Hashes::default() };
        assert_eq!(admit(SECRET, "boot", &new, 99), Some(Admission::Enrol));
        assert_eq!(admit(SECRET, "boot", &new, 100), None);
        assert_eq!(admit(SECRET, "other", &new, 0), None);
        let sent = Hashes { next_auth: of("own"), ..new };
        assert_eq!(admit(SECRET, "own", &sent, 99), Some(Admission::CompleteEnrolment));
        assert_eq!(admit(SECRET, "boot", &sent, 99), Some(Admission::Enrol));
        let enrolled = Hashes { auth: of("own"), ..Hashes::default() };
        assert_eq!(admit(SECRET, "own", &enrolled, 1_000), Some(Admission::Known));
        assert_eq!(admit(SECRET, "boot", &enrolled, 0), None);
    }
}
