//! The JSON Schemas as text, so that any crate's tests can validate the messages that it sees.
//!
//! The documents refer to each other by file name, so all of them go into one registry, each under
//! its own `$id`, which is [`BASE`] and its file name:
//!
//! ```
//! use protocol::schema_text::{ALL, BASE};
//! use serde_json::{Value, json};
//!
//! let mut registry = jsonschema::Registry::new();
//! for (file, text) in ALL {
//!     let document: Value = serde_json::from_str(text)?;
//!     registry = registry.add(format!("{BASE}{file}"), document)?;
//! }
//! let registry = registry.prepare()?;
//! let any_event = jsonschema::options()
//!     .with_registry(&registry)
//!     .build(&json!({ "$ref": format!("{BASE}events.json") }))?;
//! assert!(any_event.is_valid(&json!({
//!     "type": "session.lagged", "schema_version": "1", "session_id": 7, "seq": 0
//! })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// What stands before the file name in every schema's `$id`. A name, not an address.
pub const BASE: &str = "chatcode:/protocol/1/";

/// Values that several messages share.
pub const COMMON: &str = include_str!("../schema/common.json");

/// Any command: control plane to gateway.
pub const COMMANDS: &str = include_str!("../schema/commands.json");

/// Any event: gateway to control plane, and on to browsers.
pub const EVENTS: &str = include_str!("../schema/events.json");

/// Any message between a browser and the hub.
pub const BROWSER: &str = include_str!("../schema/browser.json");

/// Binary frames as JSON objects, and the limits.
pub const FRAMES: &str = include_str!("../schema/frames.json");

/// Every schema's file name and text.
pub const ALL: [(&str, &str); 5] = [
    ("common.json", COMMON),
    ("commands.json", COMMANDS),
    ("events.json", EVENTS),
    ("browser.json", BROWSER),
    ("frames.json", FRAMES),
];
