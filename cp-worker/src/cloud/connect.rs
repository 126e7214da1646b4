//! The way to a person's account and back: what OAuth says.
//! Shapes: <https://docs.digitalocean.com/reference/api/oauth/>.

use crate::limits::GRANT_BYTES;
use serde_json::Value;

/// What the journey of a user is called: an answer counts for the one who left. User ids have no
/// dots, which separate a journey's parts.
pub fn journey(user_id: &str) -> String {
    format!("cloud-{user_id}")
}

/// Where DigitalOcean sends people back to.
pub fn redirect_uri(origin: &str) -> String {
    format!("{origin}/api/cloud/callback")
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
    use crate::auth::oauth::Journey;
    use crate::limits::TOKEN_BYTES;
    use serde_json::json;

    #[test]
    fn a_journey_is_one_users() {
        let journey = Journey::begin(&journey("u_1"), &[9; TOKEN_BYTES], 1_000);
        let ends =
            |user| Journey::is_end(&journey.payload(), &super::journey(user), &journey.state, 1);
        assert!(ends("u_1"));
        assert!(!ends("u_2") && !ends("u_1."));
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
