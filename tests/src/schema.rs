//! Checks what the gateway says against the JSON Schemas, the contract's source of truth.

use jsonschema::{Registry, Validator};
use protocol::schema_text::{ALL, BASE};
use serde_json::{Value, json};
use std::sync::LazyLock;

static EVENTS: LazyLock<Validator> = LazyLock::new(|| {
    let mut registry = Registry::new();
    for (file, text) in ALL {
        let document: Value = serde_json::from_str(text).expect("the schema is JSON");
        registry = registry.add(format!("{BASE}{file}"), document).expect("a schema of its own");
    }
    let registry = registry.prepare().expect("the schemas refer to each other");
    jsonschema::options()
        .with_registry(&registry)
        .build(&json!({ "$ref": format!("{BASE}events.json") }))
        .expect("the schema compiles")
});

/// What is wrong with `text` as an event of a gateway.
///
/// # Errors
/// Each violation, one a line.
pub fn check_event(text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let wrong: Vec<String> =
        EVENTS.iter_errors(&value).map(|error| format!("{error:.300}")).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_passes_and_a_stranger_does_not() {
        let ack = protocol::events::Event::from(protocol::events::Ack { ok: true, error: None });
        check_event(&ack.to_json(Some("r1"))).expect("an ack is an event");
        assert!(check_event(r#"{"type":"ack","schema_version":"1","ok":"yes"}"#).is_err());
        assert!(check_event(r#"{"type":"session.fly","schema_version":"1"}"#).is_err());
    }
}
