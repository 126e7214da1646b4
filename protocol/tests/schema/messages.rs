//! Holds the Rust types against the JSON Schemas: names, fields, examples, and what is refused.

use crate::samples::{self, Fill};
use crate::schemas::{Schemas, complaints};
use protocol::commands::{self, Command, Incoming};
use protocol::events::{self, Event};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The two sets of messages that Rust reads and writes.
const SETS: [(&str, &[&str]); 2] =
    [("commands.json", Command::NAMES), ("events.json", Event::NAMES)];

/// A message's text after Rust has read it and written it again; `None` if Rust refuses it.
fn reread(file: &str, text: &str) -> Option<String> {
    if file == "commands.json" {
        match commands::decode(text) {
            Incoming::Command { request_id, command } => {
                Some(command.to_json(request_id.as_deref()))
            }
            _ => None,
        }
    } else {
        events::decode(text).map(|(request_id, event)| event.to_json(request_id.as_deref()))
    }
}

/// `message` without its field `key`.
fn without(message: &Value, key: &str) -> Value {
    let mut message = message.clone();
    message.as_object_mut().expect("an object").remove(key);
    message
}

/// `message` with another value in its field `key`.
fn with(message: &Value, key: &str, value: Value) -> Value {
    let mut message = message.clone();
    message[key] = value;
    message
}

fn strings(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn every_definition_is_valid_described_and_shown_by_valid_examples() {
    let schemas = Schemas::load();
    for (file, document) in schemas.documents() {
        assert!(jsonschema::draft202012::meta::is_valid(document), "{file}");
        for (name, definition) in schemas.definitions(file) {
            let place = format!("{file}#/$defs/{name}");
            assert!(definition["description"].is_string(), "{place} has no description");
            let examples = definition["examples"].as_array().expect(&place);
            assert!(!examples.is_empty(), "{place} has no examples");
            let validator = schemas.validator(&place);
            for example in examples {
                assert_eq!(complaints(&validator, example), [""; 0], "{place}: {example}");
            }
            for (field, property) in definition["properties"].as_object().into_iter().flatten() {
                let told =
                    ["description", "$ref", "const"].iter().any(|key| property.get(key).is_some());
                assert!(told, "{place}: {field} has no description");
            }
        }
    }
}

#[test]
fn names_are_the_same_in_the_schema_and_in_rust() {
    let schemas = Schemas::load();
    for (file, names) in SETS {
        let kind = |definition: &Value| definition["properties"]["type"]["const"].clone();
        let listed: Vec<Value> = schemas.messages(file).iter().map(|(_, d)| kind(d)).collect();
        assert_eq!(json!(listed), json!(names), "{file}");
        let messages = schemas.definitions(file).values().filter(|d| kind(d).is_string()).count();
        assert_eq!(messages, names.len(), "{file}: every message is listed at the root");
    }
}

#[test]
fn fire_and_forget_commands_alone_need_no_request_id() {
    for (_, definition) in Schemas::load().messages("commands.json") {
        let name = definition["properties"]["type"]["const"].as_str().unwrap();
        let required = strings(&definition["required"]).contains("request_id");
        assert_eq!(required, !Command::is_unacked(name), "{name}");
    }
}

#[test]
fn examples_survive_rust_unchanged_and_unknown_fields_are_ignored() {
    let schemas = Schemas::load();
    for (file, _) in SETS {
        let root = schemas.validator(file);
        for (name, definition) in schemas.messages(file) {
            for example in definition["examples"].as_array().unwrap() {
                let foreign = with(example, "zz", json!([{ "a": null }]));
                for message in [example, &foreign] {
                    assert_eq!(complaints(&root, message), [""; 0], "{name}: {message}");
                    let again = reread(file, &message.to_string()).expect(name);
                    assert_eq!(&serde_json::from_str::<Value>(&again).unwrap(), example, "{name}");
                }
            }
        }
    }
}

#[test]
fn rust_writes_exactly_the_fields_of_the_schema() {
    let schemas = Schemas::load();
    for (fill, request_id) in [(Fill::All, Some("r-1")), (Fill::Fewest, None)] {
        let all = matches!(fill, Fill::All);
        let commands = samples::commands(fill).into_iter().map(|command| {
            let needed = request_id.or((!Command::is_unacked(command.name())).then_some("r-1"));
            ("commands.json", command.name(), command.to_json(needed))
        });
        let events = samples::events(fill).into_iter().map(|event| {
            let needed = request_id.or((event.name() == "ack").then_some("r-1"));
            ("events.json", event.name(), event.to_json(needed))
        });
        let made: Vec<_> = commands.chain(events).collect();
        let names: Vec<_> = made.iter().map(|(_, name, _)| *name).collect();
        assert_eq!(names, [Command::NAMES, Event::NAMES].concat(), "a sample for every message");

        for (file, name, text) in &made {
            let message: Value = serde_json::from_str(text).unwrap();
            let (_, definition) = schemas
                .messages(file)
                .into_iter()
                .find(|(_, definition)| definition["properties"]["type"]["const"] == *name)
                .expect(name);
            assert_eq!(complaints(&schemas.validator(file), &message), [""; 0], "{text}");
            expect_fields(&schemas, file, definition, &message, all);
            assert_eq!(reread(file, text).as_deref(), Some(text.as_str()));
        }
    }
}

/// Fails unless `value` has exactly the fields of `definition`: all of them, or the required.
fn expect_fields(schemas: &Schemas, file: &str, definition: &Value, value: &Value, all: bool) {
    if let Some(reference) = definition["$ref"].as_str() {
        let (owner, _, target) = schemas.resolve(file, reference);
        return expect_fields(schemas, owner, target, value, all);
    }
    if let Some(items) = definition.get("items") {
        let values = value.as_array().expect("an array");
        assert!(!values.is_empty(), "the sample shows no item of {definition}");
        return values.iter().for_each(|value| expect_fields(schemas, file, items, value, all));
    }
    let Some(properties) = definition["properties"].as_object() else { return };
    let present: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = if all {
        properties.keys().map(String::as_str).collect()
    } else {
        strings(&definition["required"])
    };
    assert_eq!(present, expected, "{value}");
    for (field, value) in value.as_object().unwrap() {
        expect_fields(schemas, file, &properties[field], value, all);
    }
}

#[test]
fn bad_messages_are_refused() {
    let schemas = Schemas::load();
    for file in ["commands.json", "events.json", "browser.json", "frames.json"] {
        for (name, definition) in schemas.definitions(file) {
            let Some(properties) = definition["properties"].as_object() else { continue };
            let validator = schemas.validator(&format!("{file}#/$defs/{name}"));
            let example = &definition["examples"][0];
            for field in strings(&definition["required"]) {
                let bad = without(example, field);
                assert!(!validator.is_valid(&bad), "{name} without {field}");
            }
            for (field, property) in properties {
                for value in wrong_values(&schemas, file, property) {
                    let bad = with(example, field, value);
                    assert!(!validator.is_valid(&bad), "{name}: {field}: {:.200}", bad.to_string());
                }
            }
        }
    }
}

/// Values that `property` must refuse: other types, and the first ones beyond its bounds.
fn wrong_values(schemas: &Schemas, file: &str, property: &Value) -> Vec<Value> {
    let mut rule = property.clone();
    if let Some(reference) = property["$ref"].as_str() {
        rule = schemas.resolve(file, reference).2.clone();
    }
    let mut wrong = vec![Value::Null];
    let others = [
        ("string", json!("x")),
        ("integer", json!(1)),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("object", json!({})),
    ];
    let own = match rule["type"].as_str() {
        Some("number") => "integer",
        Some(own) => own,
        None if rule["const"].is_u64() => "integer",
        None => "string",
    };
    wrong.extend(others.into_iter().filter(|(kind, _)| *kind != own).map(|(_, value)| value));
    if let Some(low) = rule["minimum"].as_i64() {
        wrong.push(json!(low - 1));
    }
    if let Some(high) = rule["maximum"].as_i64() {
        wrong.push(json!(high + 1));
    }
    if own == "integer" && rule["type"] == "integer" {
        wrong.push(json!(1.5));
    }
    if let Some(longest) = rule["maxLength"].as_u64() {
        // Four characters more, so that base64 stays well-formed and only the length is wrong.
        wrong.push(json!("a".repeat(longest as usize + 4)));
    }
    if rule["contentEncoding"] == "base64" {
        wrong.extend(["a", "ab", "ab=", "a===", "====", "ab!=", "ab c", "-_-_"].map(Value::from));
    }
    if rule.get("enum").is_some() || rule.get("const").is_some() {
        wrong.push(if own == "string" { json!("no such word") } else { json!(99) });
    }
    if rule["minLength"] == 1 {
        wrong.push(json!(""));
    }
    if let Some(most) = rule["maxItems"].as_u64() {
        let item = schemas.resolve(file, rule["items"]["$ref"].as_str().unwrap()).2;
        wrong.push(json!(vec![&item["examples"][0]; most as usize + 1]));
    }
    wrong
}

#[test]
fn rust_refuses_the_shapes_that_the_schema_refuses() {
    let schemas = Schemas::load();
    let envelope = ["type", "schema_version", "request_id"];
    for (file, _) in SETS {
        for (name, definition) in schemas.messages(file) {
            let example = &definition["examples"][0];
            for field in strings(&definition["required"]) {
                if file == "events.json" && field == "request_id" {
                    continue; // The reader of an ack looks for its request_id itself.
                }
                let bad = without(example, field).to_string();
                assert_eq!(reread(file, &bad), None, "{name} without {field}");
            }
            let properties = definition["properties"].as_object().unwrap();
            for field in properties.keys().filter(|field| !envelope.contains(&field.as_str())) {
                // No field of a message is a list of lists, and none is a list of anything at all.
                let bad = with(example, field, json!([[]])).to_string();
                assert_eq!(reread(file, &bad), None, "{name}: {field}");
            }
        }
    }
}

/// Bad values of one field that no generated case above reaches: patterns and nested objects.
#[test]
fn foreign_text_is_refused_by_pattern() {
    let schemas = Schemas::load();
    let sha = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    let cases = [
        ("common.json#/$defs/GatewayId", vec![json!("a b"), json!("../x"), json!("é"), json!("")]),
        ("common.json#/$defs/GatewayId", vec![json!("x".repeat(65))]),
        ("common.json#/$defs/SessionName", vec![json!("a\nb"), json!("\u{9b}"), json!("\u{7f}")]),
        ("common.json#/$defs/KeyLabel", vec![json!("a\nssh-rsa AAAA")]),
        ("common.json#/$defs/Sha256", vec![json!(sha), json!(&sha[1..])]),
        ("common.json#/$defs/Fingerprint", vec![json!("MD5:aa:bb"), json!("SHA256:")]),
        ("common.json#/$defs/Code", vec![json!("Bad Code"), json!("")]),
        ("commands.json#/$defs/Env", vec![json!({ "GATEWAY_AUTH_TOKEN": "x" })]),
        ("commands.json#/$defs/Env", vec![json!({ "1A": "x" }), json!({ "A": "\0" })]),
        ("commands.json#/$defs/Env", vec![json!({ "A-B": "x" }), json!({ "A": 1 })]),
    ];
    for (reference, values) in cases {
        let validator = schemas.validator(reference);
        for value in values {
            assert!(!validator.is_valid(&value), "{reference}: {value}");
        }
    }
    let ack = schemas.validator("events.json#/$defs/Ack");
    let head = json!({ "type": "ack", "schema_version": "1", "request_id": "a", "ok": true });
    assert!(ack.is_valid(&head));
    assert!(!ack.is_valid(&with(&head, "ok", json!(false))), "a refusal says why");
    assert!(!ack.is_valid(&with(&head, "error", json!({ "code": "io", "message": "" }))));
}
