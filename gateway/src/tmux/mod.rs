//! tmux as the keeper of terminals: control mode, versions, and how the private server is run.

pub mod layout;
pub mod parser;
pub mod server;
pub mod terminal;
pub mod version;
