//! Snapshots of any replies: no panic, inside the limit or said to be cut, no wild numbers.
//!
//! An input is up to seven parts: the five replies of tmux, what the tracker has seen, and how many
//! history lines are wanted.

use crate::parts;
use chatcode_gateway::session::modes::Modes;
use chatcode_gateway::session::snapshot::{Pane, build};
use protocol::limits::{SNAPSHOT_BYTES, is_terminal_size};

pub(crate) fn check(bytes: &[u8]) {
    let mut parts = parts(bytes);
    let replies: Vec<Vec<u8>> = parts.by_ref().take(5).map(<[u8]>::to_vec).collect();
    let mut modes = Modes::default();
    modes.feed(parts.next().unwrap_or_default());
    let wanted = parts.next().map_or(100, |digits| u32::from(digits.first().copied().unwrap_or(0)));
    let pane = replies.first().and_then(|reply| Pane::read(reply));
    let Some(snapshot) = build(&replies, &modes, wanted, SNAPSHOT_BYTES) else {
        assert!(pane.is_none() || replies.len() != 5, "only senseless replies make no snapshot");
        return;
    };
    assert_eq!(Some(&snapshot.pane), pane.as_ref());
    assert!(is_terminal_size(snapshot.pane.cols, snapshot.pane.rows));
    assert!(snapshot.data.starts_with(b"\x1bc"), "a snapshot is a full reset");
    assert!(snapshot.data.len() <= SNAPSHOT_BYTES, "{} bytes", snapshot.data.len());
    assert!(snapshot.unfinished.len() <= replies[1].len());
    let history = replies[2].iter().filter(|&&byte| byte == b'\n').count();
    assert!(snapshot.history_lines as usize <= history);
    if wanted == 0 {
        assert_eq!((snapshot.history_lines, snapshot.truncated), (0, false));
    }
    assert!(snapshot.data.ends_with(modes.half_character()));
}
