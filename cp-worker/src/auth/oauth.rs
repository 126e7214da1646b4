//! Signing in by a provider that knows the person: OAuth's code flow with state and PKCE.

use super::mac;
use super::token::{encode, url_safe};
use crate::limits::{OAUTH_STATE_MS, TOKEN_BYTES};
use crate::requests::SignIn;
use hmac::Mac;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Longest name that a provider may have for a person, in bytes.
const SUBJECT_BYTES: usize = 255;

/// Who knows the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Provider {
    GitHub,
    Google,
}

impl Provider {
    /// The name in addresses and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Google => "google",
        }
    }

    /// The provider of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::GitHub, Self::Google].into_iter().find(|provider| provider.name() == name)
    }

    /// What we ask to be told: the addresses, nothing else.
    pub fn scope(self) -> &'static str {
        match self {
            Self::GitHub => "user:email",
            Self::Google => "openid email",
        }
    }

    /// Where it sends people back to.
    pub fn redirect_uri(self, origin: &str) -> String {
        format!("{origin}/api/auth/{}/callback", self.name())
    }
}

/// A person who is on the way to a provider and back. The browser keeps it in a signed cookie.
pub struct Journey {
    /// Random; comes back with the answer.
    pub state: String,
    provider: String,
    expires_at: u64,
}

impl Journey {
    /// One that begins at `now` (milliseconds).
    pub fn begin(provider: &str, random: &[u8; TOKEN_BYTES], now: u64) -> Self {
        let provider = provider.to_owned();
        Self { state: encode(random), provider, expires_at: now + OAUTH_STATE_MS }
    }

    /// What the cookie holds.
    pub fn payload(&self) -> String {
        format!("{}.{}.{}", self.expires_at, self.provider, self.state)
    }

    /// Whether an answer from `provider` with `state` belongs to the journey that a cookie holds.
    pub fn is_end(payload: &str, provider: &str, state: &str, now: u64) -> bool {
        let mut parts = payload.splitn(3, '.');
        let mut part = || parts.next().unwrap_or_default();
        let (expires_at, for_provider, expected) = (part(), part(), part());
        expires_at.parse().is_ok_and(|at: u64| now < at)
            && for_provider == provider
            && !expected.is_empty()
            && is_same(expected, state)
    }
}

/// Compares in a time that depends on the lengths alone.
fn is_same(left: &str, right: &str) -> bool {
    let differences = left.bytes().zip(right.bytes()).fold(0, |sum, (l, r)| sum | (l ^ r));
    left.len() == right.len() && differences == 0
}

/// PKCE's verifier of a journey: made of its state, so that nothing has to keep it.
pub fn verifier(key: &[u8], state: &str) -> Option<String> {
    let mut mac = mac(key, "pkce")?;
    mac.update(state.as_bytes());
    Some(url_safe(&mac.finalize().into_bytes()))
}

/// PKCE's challenge of a verifier (method `S256`, RFC 7636).
pub fn challenge(verifier: &str) -> String {
    url_safe(&Sha256::digest(verifier.as_bytes()))
}

/// Pairs as a query or a form's body.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        let separator = if text.is_empty() { "" } else { "&" };
        let _ = write!(text, "{separator}{name}=");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// A person as a provider knows them.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's own name for the account, which never changes.
    pub subject: String,
    /// The address, if the provider has verified it: in lower case.
    pub email: Option<String>,
}

/// Reads GitHub's `/user` and `/user/emails`: the primary address counts.
pub fn github_identity(user: &Value, emails: &Value) -> Option<Identity> {
    let subject = user.get("id")?.as_u64()?.to_string();
    let is = |email: &Value, what: &str| email.get(what).and_then(Value::as_bool) == Some(true);
    let mut emails = emails.as_array()?.iter();
    let primary = emails.find(|email| is(email, "primary") && is(email, "verified"));
    Some(Identity { subject, email: primary.and_then(address) })
}

/// Reads Google's userinfo.
pub fn google_identity(user: &Value) -> Option<Identity> {
    let subject = user.get("sub")?.as_str()?.to_owned();
    if subject.is_empty() || subject.len() > SUBJECT_BYTES {
        return None;
    }
    // Some of Google's answers have it as text.
    let verified = match user.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    Some(Identity { subject, email: verified.then(|| address(user)).flatten() })
}

fn address(holder: &Value) -> Option<String> {
    let email = holder.get("email")?.as_str()?.to_owned();
    SignIn { email }.check().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_ends_its_own_journey_only() {
        let journey = Journey::begin("github", &[9; TOKEN_BYTES], 1_000);
        let payload = journey.payload();
        let ends = |provider, state: &str, now| Journey::is_end(&payload, provider, state, now);
        assert!(ends("github", &journey.state, 1_000 + OAUTH_STATE_MS - 1));
        assert!(!ends("github", &journey.state, 1_000 + OAUTH_STATE_MS));
        assert!(!ends("google", &journey.state, 1_000));
        for state in ["", "x", &journey.state[1..], &format!("{}A", journey.state)] {
            assert!(!ends("github", state, 1_000), "{state}");
        }
        for payload in ["", "..", "9.github.", ".github.x", "9", "a.github.x"] {
            assert!(!Journey::is_end(payload, "github", "", 0), "{payload}");
        }
    }

    #[test]
    fn the_challenge_is_the_one_of_the_rfc() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let of = |state| super::verifier(b"key", state).unwrap();
        assert_eq!(of("a").len(), 43);
        assert_ne!(of("a"), of("b"));
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("a", "b c&d=é"), ("e", "~.-_")]), "a=b%20c%26d%3D%C3%A9&e=~.-_");
    }

    #[test]
    fn github_s_primary_address_counts_when_it_is_verified() {
        let user = json!({ "id": 583231, "login": "ada", "email": "public@example.com" });
        let email = |email: &str, primary: bool, verified: bool| json!({ "email": email, "primary": primary, "verified": verified });
        let of = |emails: Value| github_identity(&user, &emails).unwrap().email;
        let other = email("other@example.com", false, true);
        let found = of(json!([other, email("Ada@Example.com", true, true)]));
        assert_eq!(found, Some("ada@example.com".to_owned()));
        assert_eq!(of(json!([other, email("ada@example.com", true, false)])), None);
        assert_eq!(of(json!([])), None);
        assert_eq!(of(json!([email("not one", true, true)])), None);
        assert_eq!(github_identity(&json!({ "id": "1" }), &json!([])), None);
        assert_eq!(github_identity(&user, &json!({ "message": "Not Found" })), None);
        assert_eq!(github_identity(&user, &json!([])).unwrap().subject, "583231");
    }

    #[test]
    fn google_s_address_counts_when_it_is_verified() {
        let of = |verified: Value| {
            let user = json!({ "sub": "107", "email": "A@b.c", "email_verified": verified });
            google_identity(&user).unwrap().email
        };
        assert_eq!(of(json!(true)), Some("a@b.c".to_owned()));
        assert_eq!(of(json!("true")), Some("a@b.c".to_owned()));
        for not in [json!(false), json!("false"), json!(1), Value::Null] {
            assert_eq!(of(not), None);
        }
        for bad in [json!({}), json!({ "sub": "" }), json!({ "sub": 107 }), Value::Null] {
            assert_eq!(google_identity(&bad), None);
        }
    }
}
