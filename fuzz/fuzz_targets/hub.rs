//! Searches for bytes that break the property `hub`: what browsers and gateways say to the hub.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_properties::check("hub", bytes));
