//! Holds the constants against the schemas: every limit, the frame layout, the shared bounds.

use crate::schemas::Schemas;
use protocol::frame::{Frame, HEADER_BYTES, Kind};
use protocol::{BASE64, Engine as _, limits};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The names of the public constants in a Rust source.
fn constants(source: &str) -> Vec<&str> {
    source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect()
}

fn values(table: &Value) -> BTreeMap<&str, u64> {
    let entry = |(name, limit): (_, &Value)| (name, limit["value"].as_u64().expect("a number"));
    table.as_object().unwrap().iter().map(|(name, limit)| entry((name.as_str(), limit))).collect()
}

#[test]
fn every_limit_has_the_same_value_in_rust_and_in_the_schema() {
    let schemas = Schemas::load();
    macro_rules! named {
        ($($name:ident),* $(,)?) => { BTreeMap::from([$((stringify!($name), limits::$name as u64)),*]) };
    }
    let mut rust = named![
        MAX_TEXT_BYTES,
        FILE_CHUNK_BYTES,
        MAX_BINARY_BYTES,
        OUTPUT_FRAME_BYTES,
        OUTPUT_WINDOW,
        REPLAY_BYTES,
        SNAPSHOT_BYTES,
        RING_BYTES,
        LAG_RECOVERY_BYTES,
        SEQ_JUMP_BYTES,
        PASTE_BYTES,
        INPUT_BYTES,
        PENDING_INPUT_BYTES,
        MAX_CELLS,
        DEFAULT_HISTORY_LINES,
        MAX_HISTORY_LINES,
        REQUEST_ID_BYTES,
        NAME_CHARS,
        ENV_BYTES,
        GATEWAY_ID_BYTES,
        ATTENTION_TITLE_CHARS,
        MAX_SESSIONS,
        FILE_BYTES,
        FILE_WINDOW_CHUNKS,
        FILE_TRANSFERS,
        FILE_DEADLINE_MS,
        PATH_BYTES,
        KEY_LABEL_CHARS,
        PUBLIC_KEY_BYTES,
        MAX_SSH_KEYS,
        WORKSPACE_FOLDERS,
        MANIFEST_BYTES,
        UPDATE_BYTES,
        ACK_DEADLINE_MS,
    ];
    for name in constants(include_str!("../../src/limits.rs")) {
        assert!(rust.contains_key(name), "limits::{name} is not compared here");
    }
    rust.insert("HEADER_BYTES", HEADER_BYTES as u64);
    assert_eq!(values(&schemas.document("frames.json")["x-limits"]), rust);
}

#[test]
fn close_codes_and_liveness_words_are_the_same() {
    let schemas = Schemas::load();
    let frames = schemas.document("frames.json");
    let codes = BTreeMap::from([
        ("CLOSE_TOO_LARGE", u64::from(protocol::CLOSE_TOO_LARGE)),
        ("CLOSE_REVOKED", u64::from(protocol::CLOSE_REVOKED)),
        ("CLOSE_REPLACED", u64::from(protocol::CLOSE_REPLACED)),
    ]);
    assert_eq!(values(&frames["x-close-codes"]), codes);
    assert_eq!(frames["x-liveness"], json!({ "PING": protocol::PING, "PONG": protocol::PONG }));
}

#[test]
fn frame_examples_are_what_the_codec_reads_and_writes() {
    let schemas = Schemas::load();
    let limits = values(&schemas.document("frames.json")["x-limits"]);
    for (name, definition) in schemas.messages("frames.json") {
        let layout = definition["x-layout"].as_array().unwrap();
        let example = &definition["examples"][0];
        let payload = BASE64.decode(example["payload"].as_str().unwrap()).unwrap();
        let mut bytes = Vec::new();
        for field in layout {
            assert_eq!(field["offset"], bytes.len(), "{name}");
            let value = &example[field["field"].as_str().unwrap()];
            match field["bytes"].as_u64() {
                Some(1) => bytes.push(value.as_u64().unwrap() as u8),
                Some(4) => bytes.extend((value.as_u64().unwrap() as u32).to_be_bytes()),
                _ => bytes.extend(&payload),
            }
        }
        let frame = Frame::decode(&bytes).expect(name);
        assert_eq!(frame.encode(), bytes);
        assert_eq!(frame.payload, payload);
        assert_eq!(frame.kind == Kind::Output, name == "TerminalOutput");

        let limit = limits[layout[3]["maxBytes"].as_str().unwrap()] as usize;
        let fill = |size| [&bytes[..HEADER_BYTES], &vec![0; size]].concat();
        assert!(Frame::decode(&fill(limit)).is_ok(), "{name} of {limit} bytes");
        assert!(Frame::decode(&fill(limit + 1)).is_err(), "{name} of more than {limit} bytes");
        let longest = definition["properties"]["payload"]["maxLength"].as_u64();
        assert_eq!(longest, Some(base64_chars(limit)), "{name}");
    }
}

fn base64_chars(bytes: usize) -> u64 {
    BASE64.encode(vec![0; bytes]).len() as u64
}

#[test]
fn bounds_in_the_schemas_are_the_limits() {
    let schemas = Schemas::load();
    let bound = |name: &str, key: &str| schemas.definitions("common.json")[name][key].as_u64();
    assert_eq!(bound("InputData", "maxLength"), Some(base64_chars(limits::INPUT_BYTES)));
    assert_eq!(bound("PasteData", "maxLength"), Some(base64_chars(limits::PASTE_BYTES)));
    assert_eq!(bound("ReplayData", "maxLength"), Some(base64_chars(limits::REPLAY_BYTES)));
    assert_eq!(bound("SnapshotData", "maxLength"), Some(base64_chars(limits::SNAPSHOT_BYTES)));
    assert_eq!(bound("Cells", "minimum"), Some(1));
    assert_eq!(bound("Cells", "maximum"), Some(u64::from(limits::MAX_CELLS)));
    assert_eq!(bound("HistoryLines", "maximum"), Some(u64::from(limits::MAX_HISTORY_LINES)));
    assert_eq!(bound("RequestId", "maxLength"), Some(limits::REQUEST_ID_BYTES as u64));
    assert_eq!(bound("SessionName", "maxLength"), Some(limits::NAME_CHARS as u64));
    for name in ["GatewayHello", "GatewayHealth"] {
        let sessions = &schemas.definitions("events.json")[name]["properties"]["sessions"];
        assert_eq!(sessions["maxItems"], limits::MAX_SESSIONS, "{name}");
    }
    let gateway_id = schemas.validator("common.json#/$defs/GatewayId");
    for id in ["a", "A-z_0", "", "a b", "ä", &"x".repeat(64), &"x".repeat(65)] {
        assert_eq!(gateway_id.is_valid(&json!(id)), limits::is_gateway_id(id), "{id}");
    }
}

#[test]
fn every_code_and_agent_of_rust_is_one_of_the_schema() {
    let schemas = Schemas::load();
    let code = schemas.validator("common.json#/$defs/Code");
    let source = include_str!("../../src/envelope.rs");
    let codes: Vec<&str> = source
        .lines()
        .filter(|line| line.trim().starts_with("pub const "))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(!codes.is_empty());
    for text in codes {
        assert!(code.is_valid(&json!(text)), "{text}");
    }
    let agents = schemas.definitions("commands.json")["Agent"]["enum"].as_array().unwrap();
    for agent in agents {
        let known = protocol::commands::Agent::from_name(agent.as_str().unwrap()).expect("known");
        let installable = schemas.validator("common.json#/$defs/InstallableAgent").is_valid(agent);
        assert_eq!(known.program().is_some(), installable, "{agent}");
    }
}
