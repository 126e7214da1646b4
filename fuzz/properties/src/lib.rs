//! What must hold for any bytes from outside. Each target takes bytes and panics when it does not.
//!
//! cargo-fuzz looks for inputs that break them; `tests/tests/fuzz.rs` tries a fixed number on every run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod config;
mod control_mode;
mod frames;
mod hub;
mod messages;
mod modes;
pub mod mutate;
mod session;
mod snapshot;
mod ssh_keys;
mod survey;
mod transfers;
mod update;
mod upgrade;

/// A parser and what must hold for it.
pub struct Target {
    /// Of the folder in `fuzz/corpus` and of the file in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// Panics, with what was expected, when a property does not hold for these bytes.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 13] = [
    Target { name: "config", check: config::check },
    Target { name: "control_mode", check: control_mode::check },
    Target { name: "frames", check: frames::check },
    Target { name: "hub", check: hub::check },
    Target { name: "messages", check: messages::check },
    Target { name: "modes", check: modes::check },
    Target { name: "session", check: session::check },
    Target { name: "snapshot", check: snapshot::check },
    Target { name: "ssh_keys", check: ssh_keys::check },
    Target { name: "survey", check: survey::check },
    Target { name: "transfers", check: transfers::check },
    Target { name: "update", check: update::check },
    Target { name: "upgrade", check: upgrade::check },
];

/// Stands between the parts of an input that has several. It occurs in no UTF-8 text.
const PART: u8 = 0xfe;

/// Checks `bytes` against the target called `name`.
///
/// # Panics
/// When a property does not hold, or there is no such target.
pub fn check(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target's name");
    (target.check)(bytes);
}

/// Cuts `bytes` in pieces whose sizes `sizes` chooses: 1 to 64 bytes, over and over.
fn pieces<'a>(sizes: &'a [u8], mut bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().copied().chain([0]).cycle();
    std::iter::from_fn(move || {
        let size = usize::from(sizes.next()? % 64) + 1;
        let (head, tail) = bytes.split_at(size.min(bytes.len()));
        bytes = tail;
        (!head.is_empty()).then_some(head)
    })
}

/// The parts of an input.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == PART)
}
