//! Replays the golden vectors, which the browser's codec replays as well.

// Clippy sees test code only inside #[test] functions; the helpers here are tests as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use protocol::commands::{self, Incoming};
use protocol::frame::{Frame, FrameError, Kind};
use protocol::{BASE64, Engine as _, events, seq};
use serde_json::Value;

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The cases of one list, which must not be empty.
fn cases<'a>(vectors: &'a Value, list: &str) -> &'a [Value] {
    let cases = vectors[list].as_array().expect(list);
    assert!(!cases.is_empty());
    cases
}

fn word(case: &Value, key: &str) -> u32 {
    u32::try_from(case[key].as_u64().expect(key)).expect(key)
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().expect(key)
}

/// The bytes that the hexadecimal field `key` and then the field `zeros` stand for.
fn bytes(case: &Value, key: &str) -> Vec<u8> {
    let hex = text(case, key);
    assert!(hex.len().is_multiple_of(2) && hex.is_ascii());
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let mut bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes.resize(bytes.len() + case["zeros"].as_u64().unwrap_or(0) as usize, 0);
    bytes
}

#[test]
fn frames() {
    let vectors = vectors(include_str!("../vectors/frames.json"));
    for case in cases(&vectors, "valid") {
        let (wire, payload) = (bytes(case, "hex"), bytes(case, "payload"));
        let kind = match text(case, "kind") {
            "output" => Kind::Output,
            "file_chunk" => Kind::FileChunk,
            other => panic!("{other}"),
        };
        let frame = Frame { kind, id: word(case, "id"), seq: word(case, "seq"), payload: &payload };
        assert_eq!(Frame::decode(&wire), Ok(frame), "{}", case["name"]);
        assert_eq!(frame.encode(), wire, "{}", case["name"]);
    }
    for case in cases(&vectors, "invalid") {
        let problem = match Frame::decode(&bytes(case, "hex")) {
            Err(FrameError::Short) => "short",
            Err(FrameError::UnknownKind(_)) => "unknown_kind",
            Err(FrameError::TooLarge(_)) => "too_large",
            Ok(frame) => panic!("{}: {:?}", case["name"], frame.kind),
        };
        assert_eq!(problem, text(case, "problem"), "{}", case["name"]);
    }
}

#[test]
fn sequence_arithmetic() {
    let vectors = vectors(include_str!("../vectors/seq.json"));
    for case in cases(&vectors, "distance") {
        let (from, to) = (word(case, "from"), word(case, "to"));
        assert_eq!(case["distance"], seq::distance(from, to), "{case}");
        assert_eq!(case["is_before"], seq::is_before(from, to), "{case}");
    }
    for case in cases(&vectors, "widen") {
        let near = case["near"].as_u64().unwrap();
        assert_eq!(case["offset"].as_u64(), seq::widen(near, word(case, "wire")), "{case}");
    }
    for case in cases(&vectors, "narrow") {
        assert_eq!(word(case, "wire"), seq::narrow(case["offset"].as_u64().unwrap()), "{case}");
    }
}

#[test]
fn base64() {
    let vectors = vectors(include_str!("../vectors/base64.json"));
    for case in cases(&vectors, "valid") {
        let plain = bytes(case, "hex");
        assert_eq!(BASE64.encode(&plain), text(case, "text"));
        assert_eq!(BASE64.decode(text(case, "text")), Ok(plain));
    }
    for case in cases(&vectors, "invalid") {
        assert!(BASE64.decode(case.as_str().unwrap()).is_err(), "{case}");
    }
}

#[test]
fn messages() {
    let vectors = vectors(include_str!("../vectors/messages.json"));
    for case in cases(&vectors, "commands") {
        let becomes = match commands::decode(text(case, "text")) {
            Incoming::Command { .. } => "command",
            Incoming::Refused { code, .. } => code,
            Incoming::Dropped(_) => "dropped",
        };
        assert_eq!(becomes, text(case, "becomes"), "{case}");
    }
    for case in cases(&vectors, "exact") {
        let exact = text(case, "text");
        let again = match text(case, "set") {
            "command" => match commands::decode(exact) {
                Incoming::Command { request_id, command } => command.to_json(request_id.as_deref()),
                other => panic!("{exact}: {other:?}"),
            },
            _ => {
                let (request_id, event) = events::decode(exact).expect(exact);
                event.to_json(request_id.as_deref())
            }
        };
        assert_eq!(again, exact);
    }
}
