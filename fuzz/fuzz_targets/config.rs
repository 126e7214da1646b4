//! Searches for bytes that break the property `config`: configuration files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("config", bytes));
