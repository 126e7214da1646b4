//! Searches for bytes that break the property `frames`: binary frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("frames", bytes));
