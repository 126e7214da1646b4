//! Fidelity: for real programs, the web app's screen made from the stream is tmux's own screen.
//!
//! Each is compared live, after a fresh attach, and after a `kill -9` and restart of the gateway in
//! the middle of an escape sequence, at three sizes. What is not cells (modes, pen, title, …) is
//! compared with a terminal that saw every byte and no snapshot.
//!
//! Known differences, which the cases avoid: tmux and xterm.js reflow long lines of the main screen
//! differently, until the next snapshot; DECSC's position is lost in a snapshot; flags, joined
//! emoji, Indic and Thai have other widths; tmux lacks the UK character set.
//!
//! The tests wait more than they work: more threads than cores are faster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod case;
mod editors;
mod modes;
mod run;
mod terminal_features;
mod tools;
