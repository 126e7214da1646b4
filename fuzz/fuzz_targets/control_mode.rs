//! Searches for bytes that break the property `control_mode`: lines of tmux's control mode.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("control_mode", bytes));
