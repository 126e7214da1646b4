//! The way to a person's account and back: OAuth's texts, and the state that ties both ends
//! together. Shapes: <https://docs.digitalocean.com/reference/api/oauth/>.

use crate::auth::token;
use crate::limits::{CONNECT_MS, GRANT_BYTES};
use serde_json::Value;
use std::fmt::Write as _;

/// The cookie's name.
pub const COOKIE: &str = "chatcode_cloud";

/// Where the cookie is sent to.
pub const PATH: &str = "/api/cloud";

/// The cookie's value: `state`, until when it counts, and a signature that names the user.
pub fn sign(secret: &[u8], state: &str, user_id: &str, now: u64) -> Option<String> {
    let expires_at = now + CONNECT_MS;
    Some(format!(
        "{expires_at}.{state}.{}",
        token::hash(secret, &text(expires_at, state, user_id))?
    ))
}

/// Whether the answer with `state` is the one that this user's browser waits for.
pub fn verify(secret: &[u8], cookie: &str, state: &str, user_id: &str, now: u64) -> bool {
    let mut parts = cookie.split('.');
    let (expires_at, signature) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(expires_at), Some(_), Some(signature), None) => (expires_at, signature),
        _ => return false,
    };
    let Ok(expires_at) = expires_at.parse::<u64>() else { return false };
    // The signature is over the state that came back: another one does not fit it.
    now < expires_at && token::matches(secret, &text(expires_at, state, user_id), signature)
}

fn text(expires_at: u64, state: &str, user_id: &str) -> String {
    format!("cloud-state.{expires_at}.{state}.{user_id}")
}

/// The `Set-Cookie` header for a value; an empty one takes it away.
pub fn set_cookie(value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let max_age = if value.is_empty() { 0 } else { CONNECT_MS / 1_000 };
    format!("{COOKIE}={value}; Path={PATH}; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}")
}

/// The cookie's value in a `Cookie` header.
pub fn find_cookie(header: &str) -> Option<&str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Names and values as a form sends them, and as stand behind the `?` of an address.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
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

/// What lets us into an account.
pub struct Grant {
    /// For requests.
    pub access_token: String,
    /// For the next grant; good for one use.
    pub refresh_token: String,
    /// Milliseconds until the access token is worthless.
    pub expires_in_ms: u64,
}

/// The grant in an answer of `/token` or `/refresh`.
pub fn grant(body: &Value) -> Option<Grant> {
    let token = |name: &str| {
        let token = body.get(name)?.as_str()?;
        let fits = (1..=GRANT_BYTES).contains(&token.len());
        (fits && token.bytes().all(|byte| byte.is_ascii_graphic())).then(|| token.to_owned())
    };
    Some(Grant {
        access_token: token("access_token")?,
        refresh_token: token("refresh_token")?,
        expires_in_ms: body.get("expires_in")?.as_u64()?.saturating_mul(1_000),
    })
}

/// The account that a body of `/v2/account` describes: its id, which is the team's where there is
/// one, because that is what the grant is for; and the address.
pub fn account(body: &Value) -> Option<(String, String)> {
    let account = body.get("account")?;
    let text = |value: Option<&Value>| {
        let text = value?.as_str()?;
        ((1..=254).contains(&text.len()) && !text.chars().any(char::is_control))
            .then(|| text.to_owned())
    };
    let team = account.get("team").and_then(|team| text(team.get("uuid")));
    Some((team.or_else(|| text(account.get("uuid")))?, text(account.get("email"))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_state_is_one_users_and_for_ten_minutes() {
        let cookie = sign(SECRET, "st-ate", "u_1", 1_000).unwrap();
        let verify = |cookie: &str, state, user, now| verify(SECRET, cookie, state, user, now);
        assert!(verify(&cookie, "st-ate", "u_1", 1_000 + CONNECT_MS - 1));
        assert!(!verify(&cookie, "st-ate", "u_1", 1_000 + CONNECT_MS));
        assert!(!verify(&cookie, "state", "u_1", 1_000));
        assert!(!verify(&cookie, "st-ate", "u_2", 1_000));
        assert!(!super::verify(b"another", &cookie, "st-ate", "u_1", 1_000));
        let later = cookie.replacen(&(1_000 + CONNECT_MS).to_string(), "99999999999999", 1);
        for bad in ["", "a.b", "1.st-ate.", &later, &format!("{cookie}.x")] {
            assert!(!verify(bad, "st-ate", "u_1", 1_000), "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_set_found_and_taken_away() {
        let set = set_cookie("v", true);
        assert!(set.starts_with("chatcode_cloud=v; Path=/api/cloud; HttpOnly; SameSite=Lax;"));
        assert!(set.ends_with("Max-Age=600; Secure"), "{set}");
        assert!(set_cookie("", false).ends_with("Max-Age=0"));
        assert_eq!(find_cookie("chatcode_session=a; chatcode_cloud=1.b.c"), Some("1.b.c"));
        assert_eq!(find_cookie("xchatcode_cloud=1"), None);
    }

    #[test]
    fn values_are_written_so_that_they_arrive() {
        let text = form(&[("a", "b c&=é+/"), ("d", "x_~.-")]);
        assert_eq!(text, "a=b%20c%26%3D%C3%A9%2B%2F&d=x_~.-");
    }

    #[test]
    fn grants_and_accounts_are_read_or_refused() {
        let body = json!({ "access_token": "a", "refresh_token": "r", "expires_in": 2592000 });
        let read = grant(&body).unwrap();
        assert_eq!((read.access_token.as_str(), read.expires_in_ms), ("a", 2_592_000_000));
        for (name, value) in [
            ("access_token", json!("")),
            ("access_token", json!("a\nb")),
            ("refresh_token", json!("x".repeat(GRANT_BYTES + 1))),
            ("refresh_token", json!(null)),
            ("expires_in", json!(-1)),
        ] {
            let mut bad = body.clone();
            bad[name] = value;
            assert!(grant(&bad).is_none(), "{bad}");
        }
        let team = json!({ "uuid": "u", "email": "a@b.c", "team": { "uuid": "t" } });
        assert_eq!(account(&json!({ "account": team })), Some(("t".into(), "a@b.c".into())));
        let alone = json!({ "account": { "uuid": "u", "email": "a@b.c" } });
        assert_eq!(account(&alone), Some(("u".into(), "a@b.c".into())));
        assert_eq!(account(&json!({ "account": { "uuid": "u" } })), None);
    }
}
