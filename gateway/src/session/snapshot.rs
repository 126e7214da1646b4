//! A snapshot: the bytes that bring an empty terminal to the present screen of a pane.
//!
//! tmux is asked in one command line, so that the answer has one exact place in the output. Rows
//! are placed by CUP with autowrap off: a row that is wider in the browser than in tmux then
//! shifts no other. Facts about `capture-pane` are from tmux 3.0a to 3.7c.

use super::modes::Modes;
use super::row::{Carry, Row, strip_links};
use crate::limits::{SCREENS_BYTES, SNAPSHOT_LINKS_BYTES};
use crate::tmux::parser::PaneId;

/// What `display-message` is asked for, in the order of [`Pane`]'s reader.
const FORMATS: [&str; 22] = [
    "pane_width",
    "pane_height",
    "cursor_x",
    "cursor_y",
    "history_size",
    "alternate_on",
    "alternate_saved_x",
    "alternate_saved_y",
    "cursor_flag",
    "insert_flag",
    "keypad_flag",
    "keypad_cursor_flag",
    "mouse_standard_flag",
    "mouse_button_flag",
    "mouse_all_flag",
    "mouse_sgr_flag",
    "mouse_utf8_flag",
    "origin_flag",
    "wrap_flag",
    "scroll_region_upper",
    "scroll_region_lower",
    "pane_tabs",
];

/// Replies that the command line of [`command`] makes.
pub const REPLIES: usize = 5;

/// The command line that asks tmux for everything that a snapshot needs.
pub fn command(pane: PaneId, history_lines: u32, has_trailing_spaces_flag: bool) -> String {
    let formats = FORMATS.map(|name| format!("#{{{name}}}")).join("|");
    let n = if has_trailing_spaces_flag { " -N" } else { "" };
    // `-S -0` would mean the first visible row, so no history is asked for as one line, unused.
    let start = history_lines.max(1);
    format!(
        "display-message -p -t %{pane} '{formats}' ; capture-pane -p -P -C -t %{pane} ; \
         capture-pane -p -e -S -{start} -E -1 -t %{pane} ; \
         capture-pane -p -e{n} -q -a -t %{pane} ; capture-pane -p -e{n} -t %{pane}\n"
    )
}

/// The pane's state as tmux reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pane {
    /// Columns of cells.
    pub cols: u32,
    /// Rows of cells.
    pub rows: u32,
    /// Column of the cursor from 0; `cols` when a wrap is pending.
    pub cursor_x: u32,
    /// Row of the cursor from 0.
    pub cursor_y: u32,
    history_size: u32,
    /// Whether the alternate screen is shown.
    pub alternate_on: bool,
    saved_x: u32,
    saved_y: u32,
    /// Whether the cursor is shown.
    pub cursor_visible: bool,
    flags: [bool; 9],
    wrap: bool,
    region: (u32, u32),
    tabs: Vec<u32>,
}

/// Sequences of [`Pane::flags`], in the order of [`FORMATS`] from `insert_flag` to `mouse_utf8_flag`,
/// origin mode aside: it also moves the cursor.
const FLAG_SEQUENCES: [&[u8]; 8] = [
    b"\x1b[4h",
    b"\x1b=",
    b"\x1b[?1h",
    b"\x1b[?1000h",
    b"\x1b[?1002h",
    b"\x1b[?1003h",
    b"\x1b[?1006h",
    b"\x1b[?1005h",
];
const ORIGIN: usize = 8;

impl Pane {
    /// Reads the reply to the first command. `None` when the pane is gone or tmux is too strange.
    pub fn read(reply: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(reply).ok()?.trim_end_matches('\n');
        let fields: Vec<&str> = line.split('|').collect();
        let number = |i: usize| fields.get(i).and_then(|f| f.parse::<u32>().ok()).unwrap_or(0);
        let flag = |i: usize| number(i) != 0;
        let pane = Self {
            cols: number(0),
            rows: number(1),
            cursor_x: number(2),
            cursor_y: number(3),
            history_size: number(4),
            alternate_on: flag(5),
            saved_x: number(6),
            saved_y: number(7),
            cursor_visible: flag(8),
            flags: std::array::from_fn(|i| flag(9 + i)),
            wrap: flag(18),
            region: (number(19), number(20)),
            tabs: fields.get(21)?.split(',').filter_map(|tab| tab.parse().ok()).collect(),
        };
        protocol::limits::is_terminal_size(pane.cols, pane.rows).then_some(pane)
    }
}

/// A finished snapshot.
#[derive(Debug)]
pub struct Snapshot {
    /// The pane's state.
    pub pane: Pane,
    /// The bytes for the terminal.
    pub data: Vec<u8>,
    /// History lines in `data`.
    pub history_lines: u32,
    /// Whether history was left out to fit; or of a vast screen colours, or rows.
    pub truncated: bool,
    /// The escape sequence that tmux is in the middle of.
    pub unfinished: Vec<u8>,
}

/// Builds a snapshot from the replies to [`command`]. `None` when they make no sense. History is
/// left out, the oldest first, where the whole would be above `bytes`.
pub fn build(
    replies: &[Vec<u8>],
    modes: &Modes,
    wanted_history: u32,
    bytes: usize,
) -> Option<Snapshot> {
    let [state, unfinished, history, saved, visible] = replies else { return None };
    let pane = Pane::read(state)?;
    let links = history.len() + saved.len() + visible.len() <= SNAPSHOT_LINKS_BYTES;
    let clean = |body: &[u8]| if links { body.to_vec() } else { strip_links(body) };
    let (history, saved, visible) = (clean(history), clean(saved), clean(visible));

    let mut screen = Vec::new();
    let unfinished = octal(unfinished.strip_suffix(b"\n").unwrap_or(unfinished));
    let whole = write_screens(&mut screen, &pane, modes, &saved, &visible);
    write_state(&mut screen, &pane, modes, &visible);
    screen.extend_from_slice(&unfinished);
    screen.extend_from_slice(modes.half_character());

    let rows: Vec<&[u8]> = lines(&history).collect();
    let available = if pane.history_size == 0 || wanted_history == 0 { 0 } else { rows.len() };
    let mut data = PREAMBLE.to_vec();
    let room = bytes.saturating_sub(screen.len() + PREAMBLE.len());
    let kept = write_history(&mut data, rows.get(..available).unwrap_or_default(), &pane, room);
    data.extend_from_slice(&screen);
    let history_lines = u32::try_from(kept).unwrap_or(u32::MAX);
    let truncated = kept < available || !whole;
    Some(Snapshot { pane, data, history_lines, truncated, unfinished })
}

/// Full reset, and what xterm.js keeps through one: a hidden cursor and new line mode. G1 becomes
/// line drawing, which captures shift into; autowrap off.
const PREAMBLE: &[u8] = b"\x1bc\x1b[?25h\x1b[20l\x1b)0\x1b[?7l";

/// Prints as many of the newest history rows as fit into `room` and scrolls them off the screen.
fn write_history(out: &mut Vec<u8>, rows: &[&[u8]], pane: &Pane, room: usize) -> usize {
    let mut carry = Carry::default();
    let mut rendered: Vec<Vec<u8>> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut line = Vec::with_capacity(row.len() + 8);
        Row::new(row).write(&mut line, &mut carry);
        line.extend_from_slice(b"\x1b[m\r\n");
        rendered.push(line);
    }
    let scroll = usize::try_from(pane.rows.saturating_sub(1)).unwrap_or(0);
    let mut left = room.saturating_sub(scroll);
    let fits = rendered.iter().rev().take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let kept = fits.count();
    for line in rendered.iter().skip(rendered.len() - kept) {
        out.extend_from_slice(line);
    }
    if kept > 0 {
        out.resize(out.len() + scroll, b'\n');
    }
    kept
}

/// Returns whether all of it fitted; what is seen comes before what is saved.
fn write_screens(
    out: &mut Vec<u8>,
    pane: &Pane,
    modes: &Modes,
    saved: &[u8],
    visible: &[u8],
) -> bool {
    let mut shown = Vec::new();
    let mut whole = write_rows(&mut shown, visible, SCREENS_BYTES);
    if pane.alternate_on {
        whole &= write_rows(out, saved, SCREENS_BYTES - shown.len());
        cursor(out, pane.saved_x, pane.saved_y);
        // Leaving the alternate screen restores this cursor and this pen.
        modes.main_pen().write(out);
        out.extend_from_slice(b"\x1b[?1049h\x1b[m");
    }
    out.extend_from_slice(&shown);
    whole
}

/// Writes the rows into `room` bytes: without their colours if need be, and then the lowest of
/// them. Returns whether all of it fitted; a program's next redraw brings the rest.
fn write_rows(out: &mut Vec<u8>, body: &[u8], room: usize) -> bool {
    let rows = render(body, |row, out, carry| row.write(out, carry));
    if rows.iter().map(Vec::len).sum::<usize>() <= room {
        rows.iter().for_each(|row| out.extend_from_slice(row));
        return true;
    }
    let rows = render(body, |row, out, carry| row.write_plain(out, carry));
    let mut left = room;
    let fits = rows.iter().rev().take_while(|row| {
        let fits = row.len() <= left;
        left = left.saturating_sub(row.len());
        fits
    });
    let kept = fits.count();
    rows.iter().skip(rows.len() - kept).for_each(|row| out.extend_from_slice(row));
    false
}

fn render(body: &[u8], write: fn(&Row<'_>, &mut Vec<u8>, &mut Carry)) -> Vec<Vec<u8>> {
    let mut carry = Carry::default();
    let rows = lines(body).enumerate().filter(|(_, row)| !row.is_empty());
    rows.map(|(y, row)| {
        let mut out = Vec::with_capacity(row.len() + 16);
        cursor(&mut out, 0, u32::try_from(y).unwrap_or(u32::MAX));
        write(&Row::new(row), &mut out, &mut carry);
        out.extend_from_slice(b"\x1b[m");
        out
    })
    .collect()
}

fn write_state(out: &mut Vec<u8>, pane: &Pane, modes: &Modes, visible: &[u8]) {
    let (top, bottom) = pane.region;
    if (top, bottom) != (0, pane.rows - 1) && top < bottom && bottom < pane.rows {
        out.extend_from_slice(format!("\x1b[{};{}r", top + 1, bottom + 1).as_bytes());
    }
    write_tabs(out, pane);
    for (on, sequence) in pane.flags.iter().zip(FLAG_SEQUENCES) {
        if *on {
            out.extend_from_slice(sequence);
        }
    }
    modes.write_modes(out);
    if !pane.cursor_visible {
        out.extend_from_slice(b"\x1b[?25l");
    }
    if pane.flags.get(ORIGIN) == Some(&true) {
        out.extend_from_slice(b"\x1b[?6h");
        cursor(out, pane.cursor_x, pane.cursor_y.saturating_sub(top));
    } else {
        cursor(out, pane.cursor_x, pane.cursor_y);
    }
    write_pending_wrap(out, pane, visible);
    if pane.wrap {
        out.extend_from_slice(b"\x1b[?7h");
    }
    modes.pen().write(out);
    modes.write_charsets(out);
}

/// A cursor beyond the last column waits to wrap: only printing the last character gets it there.
fn write_pending_wrap(out: &mut Vec<u8>, pane: &Pane, visible: &[u8]) {
    if pane.cursor_x < pane.cols {
        return;
    }
    let mut carry = Carry::default();
    for (y, row) in lines(visible).enumerate() {
        let last = Row::new(row).last_character(&mut carry);
        if u32::try_from(y) == Ok(pane.cursor_y)
            && let Some((character, pen, width)) = last
        {
            out.extend_from_slice(b"\x1b[?7h");
            out.extend_from_slice(format!("\x1b[{}G", pane.cols + 1 - width).as_bytes());
            pen.write(out);
            out.extend_from_slice(&character);
            if !pane.wrap {
                out.extend_from_slice(b"\x1b[?7l");
            }
            return;
        }
    }
}

fn write_tabs(out: &mut Vec<u8>, pane: &Pane) {
    let usual = (1..pane.cols).filter(|column| column % 8 == 0);
    if pane.tabs.iter().copied().eq(usual) {
        return;
    }
    out.extend_from_slice(b"\x1b[3g");
    for tab in pane.tabs.iter().filter(|&&tab| tab < pane.cols) {
        out.extend_from_slice(format!("\x1b[{}G\x1bH", tab + 1).as_bytes());
    }
}

fn cursor(out: &mut Vec<u8>, x: u32, y: u32) {
    out.extend_from_slice(
        format!("\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1)).as_bytes(),
    );
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.strip_suffix(b"\n").into_iter().flat_map(|body| body.split(|&b| b == b'\n'))
}

/// Undoes the `\ooo` of `capture-pane -C`.
fn octal(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    crate::tmux::parser::unescape(body, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::limits::SNAPSHOT_BYTES;

    const STATE: &str = "80|24|2|23|179|0|4294967295|4294967295|1|0|0|0|0|0|0|0|0|0|1|0|23|\
        8,16,24,32,40,48,56,64,72\n";

    fn built(history: &[u8], visible: &[u8], wanted: u32) -> Snapshot {
        let replies = [STATE.as_bytes(), b"\n", history, b"\n", visible].map(<[u8]>::to_vec);
        build(&replies, &Modes::default(), wanted, SNAPSHOT_BYTES).expect("a snapshot")
    }

    #[test]
    fn history_is_kept_line_by_line() {
        let snapshot = built(b"1\n2\n3\n", b"a\nb\n", 3);
        assert_eq!((snapshot.history_lines, snapshot.truncated), (3, false));
        assert!(
            snapshot.data.starts_with(&[PREAMBLE, b"1\x1b[m\r\n2\x1b[m\r\n3\x1b[m\r\n\n"].concat())
        );
        assert_eq!(built(b"1\n", b"", 0).history_lines, 0);
    }

    #[test]
    fn a_snapshot_shows_the_cursor_that_the_terminal_may_have_hidden() {
        let data = built(b"", b"", 0).data;
        assert!(data.starts_with(b"\x1bc\x1b[?25h\x1b[20l"), "{data:?}");
    }

    #[test]
    fn a_vast_screen_loses_its_colours_and_then_its_first_rows() {
        let cell = "\x1b[38;2;1;2;3m\x1b[48;2;4;5;6mx\x1b[0m";
        let coloured = built(b"", format!("{}\n", cell.repeat(400)).repeat(200).as_bytes(), 0);
        assert!(coloured.truncated && coloured.data.len() <= SNAPSHOT_BYTES);
        let text = String::from_utf8_lossy(&coloured.data);
        assert_eq!(text.matches(&"x".repeat(400)).count(), 200, "every row, without colours");
        let rows: String = (0..1_000).map(|n| format!("{n:04}{}\n", "日".repeat(498))).collect();
        let wide = built(b"", rows.as_bytes(), 0);
        assert!(wide.truncated && wide.data.len() <= SNAPSHOT_BYTES);
        let text = String::from_utf8_lossy(&wide.data);
        assert!(text.contains("0999日") && !text.contains("0000日"));
    }

    #[test]
    fn a_scroll_region_that_is_none_is_left_out() {
        let state = STATE.replace("|0|23|", "|4294967295|4294967295|");
        let replies = [state.as_bytes(), b"\n", b"", b"\n", b"x\n"].map(<[u8]>::to_vec);
        let snapshot = build(&replies, &Modes::default(), 0, SNAPSHOT_BYTES).expect("a snapshot");
        assert!(!String::from_utf8_lossy(&snapshot.data).contains("\x1b[4294967296"));
    }

    #[test]
    fn the_oldest_history_goes_when_there_is_too_much() {
        let line = [b'x'; 999];
        let history: Vec<u8> = (0..2_000).flat_map(|_| [line.as_slice(), b"\n"].concat()).collect();
        let snapshot = built(&history, b"screen\n", 2_000);
        assert!(snapshot.truncated && snapshot.data.len() <= SNAPSHOT_BYTES);
        assert!(snapshot.history_lines > 1_000, "{}", snapshot.history_lines);
    }
}
