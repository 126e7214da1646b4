//! SSH keys in `authorized_keys`: which lines are ours, how they are written, how the file changes.
//!
//! The file belongs to the person. A line counts as the gateway's only if it ends with a digest of
//! all that stands before it in the line, which nobody types by chance:
//!
//! ```text
//! expiry-time="20260102000000Z" ssh-ed25519 AAAA… chatcode:my%20laptop:1767312000:mDqW3J…
//! ```
//!
//! So a line that a person wrote is never taken for ours, and one of ours that a person has changed
//! (with `from=`, say) is theirs from then on. No other byte of the file is ever changed: our lines
//! stand at its top, because after a last line without a newline there is no place for one.
//!
//! A key that stands in a line which is not ours is not added a second time: revoking it would say
//! that it is gone while the other line still lets it in.
//!
//! `key`, `label`, `line`, `expiry` and `text` have no I/O; `store` is the file.

pub mod expiry;
pub mod key;
pub mod label;
pub mod line;
pub mod store;
pub mod text;
