//! What a person asks of the API happens on the machine, and the answer comes back: real control
//! plane, real gateway, real tmux.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod doctor;
mod files;
mod health;
mod install;
mod keys;
#[allow(dead_code)]
#[path = "../update/release.rs"]
mod release;
#[allow(dead_code)]
#[path = "../update/server.rs"]
mod server;
#[allow(dead_code)]
#[path = "../ssh_keys/sshd.rs"]
mod sshd;
mod update;
