//! The chatcode control plane: a Worker with one Durable Object per gateway.
//!
//! All but `shell` is plain Rust, tested natively; `shell` binds it to the platform.
// On wasm the bindings' macros expand to unsafe code; there is none of our own.
#![cfg_attr(not(target_arch = "wasm32"), forbid(unsafe_code))]

pub mod attachment;
pub mod auth;
pub mod cloud;
pub mod hub;
mod json;
pub mod limits;
pub mod requests;
pub mod routes;
#[cfg(test)]
mod routes_documented;
#[cfg(target_arch = "wasm32")]
mod shell;
pub mod status;
