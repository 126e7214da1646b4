//! Searches for bytes that break the property `session`: a session's talk with tmux and its viewers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("session", bytes));
