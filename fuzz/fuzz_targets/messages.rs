//! Searches for bytes that break the property `messages`: commands, events and their envelope.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("messages", bytes));
