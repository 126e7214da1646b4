//! Our cookies: what they hold is signed with HMAC-SHA256, and scripts never see them.

use super::mac;
use super::token::{from_url_safe, url_safe};
use crate::limits::{OAUTH_STATE_MS, SIGN_IN_MAX_MS};
use hmac::Mac;

/// A cookie that we set.
pub struct Cookie {
    name: &'static str,
    max_age_ms: u64,
}

/// Holds the secret of a browser's sign-in.
pub const SIGN_IN: Cookie = Cookie { name: "chatcode_session", max_age_ms: SIGN_IN_MAX_MS };

/// Holds what a provider's answer must fit.
pub const OAUTH: Cookie = Cookie { name: "chatcode_oauth", max_age_ms: OAUTH_STATE_MS };

impl Cookie {
    /// Signs `payload` as this cookie's value.
    pub fn sign(&self, secret: &[u8], payload: &str) -> Option<String> {
        let mut mac = mac(secret, self.name)?;
        mac.update(payload.as_bytes());
        let signature = url_safe(&mac.finalize().into_bytes());
        Some(format!("{}.{signature}", url_safe(payload.as_bytes())))
    }

    /// What this cookie's value holds, if we signed it.
    pub fn verify(&self, secret: &[u8], value: &str) -> Option<String> {
        let (payload, signature) = value.split_once('.')?;
        let (payload, signature) = (from_url_safe(payload)?, from_url_safe(signature)?);
        let mut mac = mac(secret, self.name)?;
        mac.update(&payload);
        mac.verify_slice(&signature).ok()?;
        String::from_utf8(payload).ok()
    }

    /// This cookie's value in a `Cookie` header.
    pub fn find<'a>(&self, header: &'a str, secure: bool) -> Option<&'a str> {
        header.split(';').find_map(|pair| {
            let name = pair.trim().strip_prefix(prefix(secure))?;
            name.strip_prefix(self.name)?.strip_prefix('=')
        })
    }

    /// The `Set-Cookie` header that sets `value`.
    pub fn set(&self, value: &str, secure: bool) -> String {
        self.header(value, self.max_age_ms / 1_000, secure)
    }

    /// The `Set-Cookie` header that removes it.
    pub fn clear(&self, secure: bool) -> String {
        self.header("", 0, secure)
    }

    fn header(&self, value: &str, max_age: u64, secure: bool) -> String {
        let end = if secure { "; Secure" } else { "" };
        let (prefix, name) = (prefix(secure), self.name);
        format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{end}")
    }
}

/// With this prefix browsers take the cookie over https only and from this very host, so that no
/// neighbour under the same domain can sign a browser in as somebody else.
fn prefix(secure: bool) -> &'static str {
    if secure { "__Host-" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_signed_cookie_verifies_as_what_it_is() {
        let value = SIGN_IN.sign(SECRET, "a.b é").unwrap();
        assert_eq!(SIGN_IN.verify(SECRET, &value), Some("a.b é".to_owned()));
        assert_eq!(SIGN_IN.verify(b"another", &value), None);
        assert_eq!(OAUTH.verify(SECRET, &value), None);
    }

    #[test]
    fn a_changed_cookie_does_not_verify() {
        let value = SIGN_IN.sign(SECRET, "user").unwrap();
        for (at, _) in value.char_indices() {
            let mut changed = value.clone();
            let other = if &value[at..=at] == "A" { "B" } else { "A" };
            changed.replace_range(at..=at, other);
            // The last character of a part carries bits that decode to nothing.
            if changed != value && SIGN_IN.verify(SECRET, &changed).is_some() {
                assert_eq!(from_url_safe(changed.split('.').nth(1).unwrap()), None);
            }
        }
        for foreign in ["", ".", "a.b", "é.é"] {
            assert_eq!(SIGN_IN.verify(SECRET, foreign), None);
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let find = |header| SIGN_IN.find(header, false);
        assert_eq!(find("a=1; chatcode_session=x.y; b=2"), Some("x.y"));
        assert_eq!(find("chatcode_sessions=x"), None);
        assert_eq!(find("xchatcode_session=x"), None);
    }

    #[test]
    fn over_https_only_the_host_itself_sets_it() {
        assert!(SIGN_IN.set("v", true).starts_with("__Host-chatcode_session=v; Path=/; "));
        assert_eq!(SIGN_IN.find("chatcode_session=x; __Host-chatcode_session=y", true), Some("y"));
        assert_eq!(SIGN_IN.find("chatcode_session=x", true), None);
    }

    #[test]
    fn scripts_never_see_the_cookie() {
        assert!(SIGN_IN.set("v", true).contains("; HttpOnly; SameSite=Lax;"));
        assert!(SIGN_IN.set("v", true).ends_with("; Secure"));
        let clear = SIGN_IN.clear(false);
        assert!(clear.starts_with("chatcode_session=; ") && clear.ends_with("Max-Age=0"));
    }
}
