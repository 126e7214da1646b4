//! The documents for people: every command in them is run, on clean machines wherever it changes one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codes;
mod container;
mod documents;
mod elsewhere;
mod place;
#[allow(dead_code)]
#[path = "../update/release.rs"]
mod release;
mod scenes;
mod wares;
