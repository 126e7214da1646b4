//! `gateway.update`: real signatures, a real server, and a binary that works whatever happens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod downloads;
mod kills;
mod refusals;
mod release;
mod rollback;
mod scene;
mod server;
mod success;
