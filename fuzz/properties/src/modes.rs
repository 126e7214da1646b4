//! The escape tracker: cuts change nothing, its mirror restores it, its memory is bounded.

use crate::{parts, pieces};
use chatcode_gateway::limits::{TITLE_BYTES, UNFINISHED_BYTES};
use chatcode_gateway::session::modes::Modes;

/// More than all modes, charsets and the pen take in a mirror, title aside.
const MIRROR_BYTES: usize = 512;

pub(crate) fn check(bytes: &[u8]) {
    let mut whole = Modes::default();
    whole.feed(bytes);
    let mut cut = Modes::default();
    for piece in pieces(bytes.get(..4).unwrap_or_default(), bytes) {
        cut.feed(piece);
        bounded(&cut);
    }
    // Whether the mirror is stale is asked after each piece; half a character may make it so.
    let (cut_changed, whole_changed) = (cut.take_changed(), whole.take_changed());
    assert!(cut_changed || !whole_changed);
    assert_eq!(format!("{cut:?}"), format!("{whole:?}"), "cuts anywhere change nothing");
    bounded(&whole);
    restored(&whole);
    for part in parts(bytes) {
        // tmux gives back what it has not finished; the tracker goes on from there.
        whole.resume(part);
        bounded(&whole);
        restored(&whole);
    }
}

fn bounded(modes: &Modes) {
    assert!(modes.unfinished().len() <= UNFINISHED_BYTES);
    assert!(modes.half_character().len() < 4 && modes.last_printed().len() <= 4);
    assert!(modes.mirror().len() <= TITLE_BYTES + MIRROR_BYTES);
}

fn restored(modes: &Modes) {
    let mirror = modes.mirror();
    let mut after = Modes::default();
    after.feed(&mirror);
    assert_eq!(after.mirror(), mirror, "the mirror restores what was mirrored");
    assert_eq!(after.half_character(), modes.half_character());
    assert_eq!(after.pen(), modes.pen());
    assert_eq!(after.unfinished(), b"", "a mirror is whole");
}
