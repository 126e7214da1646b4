//! The contract between gateway, control plane and browser: messages, frames, limits, sequences.
//!
//! The JSON Schemas in `protocol/schema` are the source of truth; the types here are written by
//! hand against them and every message that they make is validated against them in the tests.
//! The crate has no I/O and no panics on foreign input; it builds natively and for wasm.
#![forbid(unsafe_code)]

pub mod commands;
pub mod credit;
pub mod envelope;
pub mod events;
pub mod frame;
pub mod limits;
mod message;
pub mod schema_text;
pub mod seq;
pub mod small_map;

/// Value of `schema_version` in every text message of this contract.
pub const SCHEMA_VERSION: &str = "1";

/// Text frame that asks the other side whether it lives; the answer is [`PONG`].
pub const PING: &str = "ping";

/// Answer to [`PING`]. The Durable Object gives it by auto-response, without waking.
pub const PONG: &str = "pong";

/// WebSocket close code: the gateway's token was revoked.
pub const CLOSE_REVOKED: u16 = 4001;

/// WebSocket close code: another connection of the same gateway took this one's place.
pub const CLOSE_REPLACED: u16 = 4002;

/// WebSocket close code: a message was larger than the contract allows.
pub const CLOSE_TOO_LARGE: u16 = 1009;

pub use base64::Engine;

/// The base64 alphabet of every `data` field: standard, with padding.
pub const BASE64: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;
