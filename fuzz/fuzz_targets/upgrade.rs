//! Searches for bytes that break the property `upgrade`: answers to the WebSocket upgrade.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("upgrade", bytes));
