//! Searches for bytes that break the property `transfers`: what a control plane and children say of files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("transfers", bytes));
