//! Searches for bytes that break the property `update`: manifests, signatures, addresses, answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("update", bytes));
