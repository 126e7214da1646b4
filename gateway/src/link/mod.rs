//! The link to the control plane: when to try, what failures mean, whether the peer lives.

pub mod connection;
pub mod handshake;
pub mod policy;
pub mod timed;
pub mod tls;
