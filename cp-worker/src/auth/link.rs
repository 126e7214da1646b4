//! Mailed links that sign in once: their token, what is kept of it, and the mail.

use super::{hash, token};
use crate::limits::{LINK_MS, TOKEN_BYTES};
use serde_json::{Value, json};

/// Characters of a token.
const TOKEN_CHARS: usize = (TOKEN_BYTES * 8).div_ceil(6);

/// Subject of the mail.
pub const SUBJECT: &str = "Sign in to chatcode";

/// What the store keeps of a link.
pub struct Record {
    /// Who it signs in.
    pub email: String,
    /// Milliseconds since the Unix epoch.
    pub expires_at: u64,
}

impl Record {
    /// The record of a link that is made at `now`.
    pub fn new(email: String, now: u64) -> Self {
        Self { email, expires_at: now + LINK_MS }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        json!({ "email": self.email, "expires_at": self.expires_at }).to_string()
    }

    /// Reads it back, unless it has expired: the store may keep it a little longer.
    pub fn read(text: &str, now: u64) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let email = value.get("email")?.as_str()?.to_owned();
        let expires_at = value.get("expires_at")?.as_u64()?;
        (now < expires_at).then_some(Self { email, expires_at })
    }
}

/// What the store finds a token by; `None` for what cannot be one.
pub fn hash_of(key: &[u8], token: &str) -> Option<String> {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if token.len() != TOKEN_CHARS || !token.bytes().all(is_digit) {
        return None;
    }
    hash(key, "sign-in-link", token)
}

/// Makes a token.
pub fn token(random: &[u8; TOKEN_BYTES]) -> String {
    token::encode(random)
}

/// The text of the mail. The token stands behind `#`, so that no server's log and no `Referer`
/// ever has it, and it works only when a person confirms, so that programs which open the links
/// of mails to look at them spoil nothing.
pub fn mail(origin: &str, token: &str) -> String {
    let minutes = LINK_MS / 60_000;
    format!(
        "Open this link to sign in to chatcode:\n\n\
         {origin}/sign-in/confirm#token={token}\n\n\
         It works once and for {minutes} minutes.\n\n\
         If you did not ask for it, somebody typed your address; you need not do anything.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_record_is_read_back_until_it_expires() {
        let text = Record::new("ada@example.com".into(), 1_000).to_text();
        let record = Record::read(&text, 1_000 + LINK_MS - 1).unwrap();
        assert_eq!(record.email, "ada@example.com");
        assert!(Record::read(&text, 1_000 + LINK_MS).is_none());
        for bad in ["", "null", "[]", "{}", r#"{"email":"a@b"}"#, r#"{"email":1,"expires_at":9}"#] {
            assert!(Record::read(bad, 0).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_what_can_be_a_token_is_looked_for() {
        let token = token(&[0xFB; TOKEN_BYTES]);
        let hash = hash_of(KEY, &token).unwrap();
        assert!(!hash.contains(&token) && token::hash(KEY, &token) != Some(hash));
        for bad in ["", &token[1..], &format!("{token}A"), &token.replace('-', "+")] {
            assert_eq!(hash_of(KEY, bad), None, "{bad}");
        }
    }

    #[test]
    fn the_token_never_reaches_a_server_by_itself() {
        let text = mail("https://chatcode.example", "TOKEN");
        assert!(text.contains("\nhttps://chatcode.example/sign-in/confirm#token=TOKEN\n"));
    }
}
