//! Harness of the integration tests: a control plane in-process, gateways, tmux and screens.
//!
//! Everything here panics with a description when an expectation fails: that is its job.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod agents;
pub mod api;
pub mod browser;
pub mod cloud;
pub mod connection;
pub mod fixture;
pub mod gateway;
pub mod guest;
pub mod halting;
pub mod link;
pub mod machine;
pub mod minisign;
pub mod mock_cp;
pub mod pasted;
pub mod patterns;
pub mod process;
pub mod pty;
pub mod root;
pub mod schema;
pub mod screen;
pub mod slow_way;
pub mod stack;
pub mod stream;
pub mod tempdir;
pub mod tls;
pub mod tmux;
pub mod transfer;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once, on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Time between two looks at a condition that cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The repository's root folder.
pub fn repository() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("tests/ lies in the repository").to_owned()
}

/// Asks `look` until it answers; panics after `patience` with `what` was waited for.
pub fn eventually<T>(what: &str, patience: Duration, look: impl FnMut() -> Option<T>) -> T {
    wait_for(patience, look).unwrap_or_else(|| panic!("not within {patience:?}: {what}"))
}

/// Asks `look` until it answers, for at most `patience`.
pub fn wait_for<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        let found = look();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
