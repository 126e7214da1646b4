//! Searches for bytes that break the property `ssh_keys`: the file authorized_keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("ssh_keys", bytes));
