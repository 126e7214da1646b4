//! The chatcode gateway: keeps tmux sessions and relays them over one outbound WebSocket.
//!
//! State machines without I/O (`session`, `tmux::parser`, `link`, `daemon`) stand in a thin shell
//! (`event_loop`). See ARCHITECTURE.md for the map.

pub mod limits;
pub mod session;
pub mod tmux;
