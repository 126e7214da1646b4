//! Tests of the mode tracker.

use super::*;

const STREAM: &[u8] =
    b"\x1b]2;a title\x07\x1b[?2004h\x1b[?1004;25h\x1b[4 q\x1b(0\x0e\x1b[1;31mx\xe4\xb8\xad";

#[test]
fn state_does_not_depend_on_how_the_stream_is_cut() {
    let mut whole = Modes::default();
    whole.feed(STREAM);
    for cut in 0..=STREAM.len() {
        let mut parts = Modes::default();
        let (head, tail) = STREAM.split_at(cut);
        parts.feed(head);
        parts.feed(tail);
        assert_eq!(parts.mirror(), whole.mirror(), "cut at {cut}");
        assert_eq!(parts.last_printed(), "中".as_bytes());
    }
}

#[test]
fn the_mirror_restores_what_was_mirrored() {
    let mut before = Modes::default();
    before.feed(STREAM);
    let mut after = Modes::default();
    after.feed(&before.mirror());
    assert_eq!(after.mirror(), before.mirror());
    assert_eq!(
        after.mirror(),
        b"\x1b[?1004h\x1b[?2004h\x1b[4 q\x1b]2;a title\x1b\\\x1b(0\x1b)B\x1b*B\x1b+B\x0e\x1b[0;1;31m"
    );
}

#[test]
fn what_is_unfinished_is_kept_as_it_came() {
    let mut modes = Modes::default();
    modes.feed(b"abc\x1b[38;2;1");
    assert_eq!(modes.unfinished(), b"\x1b[38;2;1");
    modes.feed(b";2;3m\xf0\x9f\x98");
    assert_eq!(modes.unfinished(), b"");
    assert_eq!(modes.half_character(), b"\xf0\x9f\x98");
    modes.feed(b"\x80");
    assert_eq!(modes.half_character(), b"");
    assert_eq!(modes.last_printed(), "😀".as_bytes());
}

#[test]
fn memory_stays_bounded_in_a_sequence_that_never_ends() {
    let mut modes = Modes::default();
    modes.feed(b"\x1b]2;");
    for _ in 0..1000 {
        modes.feed(&[b'x'; 1000]);
    }
    assert_eq!(modes.unfinished().len(), UNFINISHED_BYTES);
    modes.feed(b"\x07\x1b[?2004h");
    assert!(modes.mirror().starts_with(b"\x1b[?2004h"), "the long title is not kept");
}

#[test]
fn every_tracked_mode_makes_the_mirror_stale() {
    for mode in ["?5", "?12", "?45", "?66", "?1004", "?1007", "?1016", "?2004", "?2031", "20"] {
        for last in ["h", "l"] {
            let mut modes = Modes::default();
            modes.feed(format!("\x1b[{mode}h").as_bytes());
            assert!(modes.take_changed(), "{mode}");
            modes.feed(format!("\x1b[{mode}{last}").as_bytes());
            assert_eq!(modes.take_changed(), last == "l", "{mode}{last}");
        }
    }
}

#[test]
fn pens_come_back_with_the_cursor_and_with_the_main_screen() {
    let pen = |stream: &[u8]| {
        let mut before = Modes::default();
        before.feed(b"\x1b[31m");
        before.feed(stream);
        let mut out = Vec::new();
        before.pen().write(&mut out);
        let mut after = Modes::default();
        after.feed(&before.mirror());
        assert_eq!(after.mirror(), before.mirror());
        String::from_utf8(out).expect("ascii")
    };
    assert_eq!(pen(b"\x1b7\x1b[32m"), "\x1b[0;32m");
    assert_eq!(pen(b"\x1b7\x1b[32m\x1b8"), "\x1b[0;31m");
    assert_eq!(pen(b"\x1b[s\x1b[32m\x1b[u"), "\x1b[0;31m");
    assert_eq!(pen(b"\x1b[?1049h\x1b[32m"), "\x1b[0;32m");
    assert_eq!(pen(b"\x1b[?1049h\x1b[32m\x1b[?1049l"), "\x1b[0;31m");
    assert_eq!(pen(b"\x1b[?1049l"), "\x1b[0;31m");
}

#[test]
fn the_last_mouse_encoding_counts() {
    let mut modes = Modes::default();
    modes.feed(b"\x1b[?1016h\x1b[?1006h");
    assert!(!modes.mirror().starts_with(b"\x1b[?1016h"));
    modes.feed(b"\x1b[?1016h");
    assert!(modes.mirror().starts_with(b"\x1b[?1016h"));
}

#[test]
fn a_full_reset_resets_and_a_soft_one_does_not() {
    let mut modes = Modes::default();
    modes.feed(b"\x1b[?2004h\x1b[31m\x1b(0");
    let before = modes.mirror();
    // tmux obeys DECSTR in no version, and no viewer may.
    modes.feed(b"\x1b[!p");
    assert_eq!(modes.mirror(), before);
    modes.feed(b"\x1b]2;title\x07\x1bc");
    let mut titled = Modes::default();
    titled.feed(b"\x1b]2;title\x07");
    assert_eq!(modes.mirror(), titled.mirror());
}

#[test]
fn broken_characters_do_not_depend_on_cuts_either() {
    let cases: [(&[u8], &[u8]); 4] = [
        (b":\x9f\x98", b"\x98"),
        (b"\xf0\x9f\x98\x80\x80", b"\x80"),
        (b"A\xf0\x9f", b"A"),
        (b"\xf0\x9f\xf0", b"\x9f"),
    ];
    for (text, last) in cases {
        for cut in 0..text.len() {
            let (head, tail) = text.split_at(cut);
            let mut modes = Modes::default();
            modes.feed(head);
            modes.feed(tail);
            assert_eq!(modes.last_printed(), last, "{text:x?} cut at {cut}");
        }
    }
}

#[test]
fn what_is_not_for_the_screen_is_heard() {
    let mut modes = Modes::default();
    modes.feed(b"\x07\x1b]9;done\x07\x1b]0;t\x07\x1bkname\x1b\\");
    let heard = modes.take_heard();
    assert!(heard.bell);
    assert_eq!(heard.commands, [b"9;done".to_vec()]);
    assert!(modes.mirror().starts_with(b"\x1b]2;name\x1b\\"));
    modes.feed(b"\x1b]777;notify;x\x07");
    assert!(!modes.take_heard().bell, "the end of a command is no bell");
    for _ in 0..100 {
        modes.feed(b"\x1b]9;done\x07");
    }
    assert_eq!(modes.take_heard().commands.len(), NOTICES_PER_READ);
}

#[test]
fn what_a_passthrough_wraps_counts() {
    const WRAPPED: &[u8] = b"\x1bPtmux;\x1b\x1b]9;hi\x07\x1b\x1b[?2004h\x1b\x1b[1m\x1b\\";
    for cut in 0..=WRAPPED.len() {
        let mut modes = Modes::default();
        let (head, tail) = WRAPPED.split_at(cut);
        modes.feed(head);
        modes.feed(tail);
        assert_eq!(modes.take_heard().commands, [b"9;hi".to_vec()], "cut at {cut}");
        assert!(modes.mirror().starts_with(b"\x1b[?2004h"));
        assert_eq!(modes.unfinished(), b"");
    }
    let mut modes = Modes::default();
    modes.feed(b"\x1bPtmux;\x1b\x1bPtmux;\x1b\x1b\x1b\x1b[?2004h\x1b\x1b\\\x1b\\");
    assert!(!modes.mirror().starts_with(b"\x1b[?2004h"), "they do not nest");
}
