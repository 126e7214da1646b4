//! The sign-in cookie: a user id and an expiry, signed with HMAC-SHA256.

use super::mac;
use super::token::{from_url_safe, url_safe};
use crate::limits::SIGN_IN_MS;
use hmac::Mac;

/// The cookie's name.
pub const NAME: &str = "chatcode_session";

/// Signs `user_id` in until `expires_at` (milliseconds since the Unix epoch).
pub fn sign(secret: &[u8], user_id: &str, expires_at: u64) -> Option<String> {
    let payload = format!("{expires_at}.{user_id}");
    let mut mac = mac(secret, "cookie")?;
    mac.update(payload.as_bytes());
    let signature = url_safe(&mac.finalize().into_bytes());
    Some(format!("{}.{signature}", url_safe(payload.as_bytes())))
}

/// The user id that a cookie's value signs in at `now` (milliseconds).
pub fn verify(secret: &[u8], value: &str, now: u64) -> Option<String> {
    let (payload, signature) = value.split_once('.')?;
    let (payload, signature) = (from_url_safe(payload)?, from_url_safe(signature)?);
    let mut mac = mac(secret, "cookie")?;
    mac.update(&payload);
    mac.verify_slice(&signature).ok()?;
    let payload = String::from_utf8(payload).ok()?;
    let (expires_at, user_id) = payload.split_once('.')?;
    (now < expires_at.parse().ok()?).then(|| user_id.to_owned())
}

/// The sign-in cookie's value in a `Cookie` header.
pub fn find(header: &str) -> Option<&str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
}

/// The `Set-Cookie` header that signs in with `value`.
pub fn set(value: &str, secure: bool) -> String {
    header(value, SIGN_IN_MS / 1000, secure)
}

/// The `Set-Cookie` header that signs out.
pub fn clear(secure: bool) -> String {
    header("", 0, secure)
}

fn header(value: &str, max_age: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_signed_cookie_verifies_until_it_expires() {
        let value = sign(SECRET, "u.1", 1_000).unwrap();
        assert_eq!(verify(SECRET, &value, 999), Some("u.1".to_owned()));
        assert_eq!(verify(SECRET, &value, 1_000), None);
        assert_eq!(verify(b"another", &value, 0), None);
    }

    #[test]
    fn a_changed_cookie_does_not_verify() {
        let value = sign(SECRET, "user", 1_000).unwrap();
        for (at, _) in value.char_indices() {
            let mut changed = value.clone();
            let other = if &value[at..=at] == "A" { "B" } else { "A" };
            changed.replace_range(at..=at, other);
            // The last character of a part carries bits that decode to nothing.
            if changed != value && verify(SECRET, &changed, 0).is_some() {
                assert_eq!(from_url_safe(changed.split('.').nth(1).unwrap()), None);
            }
        }
        for foreign in ["", ".", "a.b", "é.é"] {
            assert_eq!(verify(SECRET, foreign, 0), None);
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(find("a=1; chatcode_session=x.y; b=2"), Some("x.y"));
        assert_eq!(find("chatcode_sessions=x"), None);
        assert_eq!(find("xchatcode_session=x"), None);
    }

    #[test]
    fn scripts_never_see_the_cookie() {
        assert!(set("v", true).contains("; HttpOnly; SameSite=Lax;"));
        assert!(set("v", true).ends_with("; Secure"));
        assert!(clear(false).starts_with("chatcode_session=; ") && clear(false).contains("=0"));
    }
}
