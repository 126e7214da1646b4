//! Servers at DigitalOcean: what is asked of it and when, without I/O.

pub mod answers;
pub mod connect;
pub mod machine;
pub mod options;
pub mod requests;
pub mod sealing;
pub mod user_data;
