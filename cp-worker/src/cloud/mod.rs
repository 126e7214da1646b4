//! Servers at DigitalOcean: what is asked of it and when, without I/O.

pub mod machine;
