//! The chatcode gateway: keeps tmux sessions and relays them over one outbound WebSocket.
//!
//! State machines without I/O (`session`, `tmux::parser`, `link`, `daemon`) stand in a thin shell
//! (`event_loop`). See ARCHITECTURE.md for the map.

pub mod agents;
pub mod child;
pub mod command_line;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod event_loop;
pub mod files;
pub mod identity;
pub mod limits;
pub mod link;
pub mod local;
pub mod log;
pub mod notify;
pub mod os;
pub mod private_files;
pub mod service;
pub mod session;
pub use protocol::small_map;
pub mod ssh_keys;
pub mod tmux;
pub mod update;
pub mod words;
