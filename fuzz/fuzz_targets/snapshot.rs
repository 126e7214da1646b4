//! Searches for bytes that break the property `snapshot`: what tmux answers when a screen is captured.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("snapshot", bytes));
