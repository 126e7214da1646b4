//! Searches for bytes that break the property `survey`: tmux's list of sessions.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("survey", bytes));
