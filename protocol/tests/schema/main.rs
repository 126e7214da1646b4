//! Holds the Rust side of the contract against the JSON Schemas, which are its source of truth.
// Clippy sees test code only inside #[test] functions; the helpers here are tests as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod limits;
mod messages;
mod samples;
mod schemas;
