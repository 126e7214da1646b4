//! Searches for bytes that break the property `modes`: program output, for the mode tracker.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("modes", bytes));
