//! What DigitalOcean's answers mean. Shapes: API v2, <https://docs.digitalocean.com/reference/api/>.

use super::machine::{Answer, Call, Power, View};
use crate::limits::{BACKOFF_MAX_MS, BACKOFF_MIN_MS, CLOUD_SENTENCE_CHARS};
use serde_json::Value;

/// The meaning of an answer to `call` about the droplet called `name`; `wait_ms` is what
/// [`wait`] read in its headers.
pub fn answer(call: Call, name: &str, status: u16, body: &Value, wait_ms: u64) -> Answer {
    match (status, call) {
        (200..300, Call::Create | Call::Get(_)) => shown(body.get("droplet").and_then(view)),
        (200..300, Call::Find) => match body.get("droplets").and_then(Value::as_array) {
            Some(list) => found(list, name),
            None => Answer::Lost,
        },
        (200..300, _) => Answer::Done,
        (401, _) => Answer::NoAccess,
        (404, Call::Get(_) | Call::Delete(_) | Call::Act(..)) => Answer::Missing,
        (429, _) => Answer::Throttled(wait_ms),
        (400..500, Call::Create | Call::Delete(_) | Call::Act(..)) if status != 408 => {
            Answer::Refused(sentence(body))
        }
        _ => Answer::Lost,
    }
}

/// What was done is not readable: it is looked at again.
fn shown(view: Option<View>) -> Answer {
    view.map_or(Answer::Lost, Answer::Shown)
}

/// The oldest droplet of exactly this name. The list is filtered by DigitalOcean, but what is found
/// here may be deleted, so that nothing else may come through.
fn found(list: &[Value], name: &str) -> Answer {
    let ours = list.iter().filter(|one| {
        one.get("name").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(name))
    });
    ours.filter_map(view).min_by_key(|view| view.id).map_or(Answer::Nothing, Answer::Shown)
}

fn view(droplet: &Value) -> Option<View> {
    let power = match droplet.get("status").and_then(Value::as_str) {
        Some("new") => Power::New,
        Some("active") => Power::Active,
        Some("off") => Power::Off,
        _ => Power::Other,
    };
    let id = droplet.get("id")?.as_u64().filter(|id| *id > 0)?;
    Some(View { id, power, ip_address: public_address(droplet) })
}

/// The public IPv4 address, which a droplet has a while after it is made.
fn public_address(droplet: &Value) -> Option<String> {
    let networks = droplet.get("networks")?.get("v4")?.as_array()?;
    let public = networks
        .iter()
        .find(|network| network.get("type").and_then(Value::as_str) == Some("public"))?;
    let address = public.get("ip_address")?.as_str()?;
    address.parse::<std::net::Ipv4Addr>().ok().map(|_| address.to_owned())
}

/// DigitalOcean's own words for what it did not do, on one line.
pub fn sentence(body: &Value) -> String {
    let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
    let clean: String =
        message.chars().filter(|c| !c.is_control()).take(CLOUD_SENTENCE_CHARS).collect();
    let clean = clean.trim();
    let clean = if clean.is_empty() { "DigitalOcean refused, and did not say why." } else { clean };
    clean.to_owned()
}

/// Milliseconds to wait after too many requests, from the headers `retry-after` (seconds) and
/// `ratelimit-reset` (Unix time in seconds).
pub fn wait(retry_after: Option<&str>, reset: Option<&str>, now: u64) -> u64 {
    let seconds = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
    let until = seconds(reset).map(|at| at.saturating_mul(1_000).saturating_sub(now));
    let wait = seconds(retry_after).map(|seconds| seconds.saturating_mul(1_000)).or(until);
    wait.unwrap_or_default().clamp(BACKOFF_MIN_MS, BACKOFF_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::machine::Action;
    use serde_json::json;

    fn droplet(id: u64, name: &str) -> Value {
        json!({
            "id": id, "name": name, "status": "active",
            "networks": { "v4": [
                { "ip_address": "10.0.0.2", "type": "private" },
                { "ip_address": "203.0.113.7", "type": "public" },
            ], "v6": [] },
        })
    }

    #[test]
    fn statuses_say_whether_it_was_done() {
        let act = Call::Act(7, Action::Shutdown);
        let nothing = Value::Null;
        let read = |call, status, body: &Value| answer(call, "a-1", status, body, 5);
        let own = json!({ "droplet": droplet(7, "a-1") });
        let view = View { id: 7, power: Power::Active, ip_address: Some("203.0.113.7".into()) };
        assert_eq!(read(Call::Create, 202, &own), Answer::Shown(view.clone()));
        assert_eq!(read(Call::Get(7), 200, &own), Answer::Shown(view));
        assert_eq!(read(Call::Create, 202, &nothing), Answer::Lost);
        assert_eq!(read(Call::Create, 202, &json!({ "droplet": { "id": "7" } })), Answer::Lost);
        assert_eq!(read(Call::Delete(7), 204, &nothing), Answer::Done);
        assert_eq!(read(act, 201, &nothing), Answer::Done);
        for call in [Call::Get(7), Call::Delete(7), act] {
            assert_eq!(read(call, 404, &nothing), Answer::Missing);
        }
        for call in [Call::Create, Call::Find, Call::Get(7), Call::Delete(7), act] {
            assert_eq!(read(call, 401, &nothing), Answer::NoAccess);
            assert_eq!(read(call, 429, &nothing), Answer::Throttled(5));
            for status in [302, 408, 500, 502, 503] {
                assert_eq!(read(call, status, &nothing), Answer::Lost, "{call:?} {status}");
            }
        }
        let refusal = json!({ "id": "unprocessable_entity", "message": "over\n your limit " });
        assert_eq!(read(Call::Create, 422, &refusal), Answer::Refused("over your limit".into()));
        assert_eq!(read(Call::Find, 422, &refusal), Answer::Lost);
        assert!(matches!(read(act, 422, &nothing), Answer::Refused(why) if why.len() > 10));
    }

    #[test]
    fn only_what_has_our_name_is_found() {
        let others = json!({ "droplets": [droplet(1, "a-10"), droplet(2, "b"), { "id": 3 }, 4] });
        assert_eq!(answer(Call::Find, "a-1", 200, &others, 0), Answer::Nothing);
        let ours = json!({ "droplets": [droplet(9, "a-1"), droplet(8, "A-1"), droplet(1, "a")] });
        let found = answer(Call::Find, "a-1", 200, &ours, 0);
        assert!(matches!(found, Answer::Shown(View { id: 8, .. })), "{found:?}");
        assert_eq!(answer(Call::Find, "a-1", 200, &json!({ "droplets": 1 }), 0), Answer::Lost);
    }

    #[test]
    fn waits_are_read_and_bounded() {
        assert_eq!(wait(Some("60"), None, 0), 60_000);
        assert_eq!(wait(None, Some("1100"), 1_000_000), 100_000);
        assert_eq!(wait(Some("1"), None, 0), BACKOFF_MIN_MS);
        assert_eq!(wait(Some("soon"), Some("99999999999999999999"), 0), BACKOFF_MIN_MS);
        assert_eq!(wait(None, Some("18446744073709551615"), 0), BACKOFF_MAX_MS);
    }

    #[test]
    fn a_strange_address_is_none() {
        let mut strange = droplet(7, "a");
        strange["networks"]["v4"][1]["ip_address"] = json!("<script>");
        assert_eq!(view(&strange).unwrap().ip_address, None);
        assert_eq!(sentence(&json!({ "message": "x".repeat(9_999) })).len(), CLOUD_SENTENCE_CHARS);
    }
}
