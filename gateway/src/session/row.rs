//! One captured row: text with SGR sequences and shifts, written again for a browser's terminal.

use super::pen::Pen;

const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// What goes on from one captured row to the next: `capture-pane -e` prints only changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carry {
    pen: Pen,
    /// Line drawing is shifted in.
    shifted: bool,
}

/// A row as `capture-pane -e` prints it.
pub struct Row<'a> {
    bytes: &'a [u8],
}

/// A piece of a row.
enum Piece<'a> {
    Sgr(&'a [u8]),
    /// Another escape sequence, passed on as it is.
    Sequence(&'a [u8]),
    Shift(u8),
    Text(&'a [u8]),
}

impl<'a> Row<'a> {
    /// A row.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Writes the row at the cursor; what goes on from the row before is begun again.
    pub fn write(&self, out: &mut Vec<u8>, carry: &mut Carry) {
        if carry.pen != Pen::default() {
            carry.pen.write(out);
        }
        if carry.shifted {
            out.push(SHIFT_OUT);
        }
        // tmux changes foreground and background by a sequence each; one is enough for a cell.
        let mut stale = false;
        for piece in pieces(self.bytes) {
            if let Piece::Sgr(parameters) = piece {
                carry.pen.apply(parameters);
                stale = true;
                continue;
            }
            if std::mem::take(&mut stale) {
                carry.pen.write(out);
            }
            match piece {
                Piece::Shift(byte) => {
                    carry.shifted = byte == SHIFT_OUT;
                    out.push(byte);
                }
                Piece::Sgr(_) => {}
                Piece::Sequence(bytes) | Piece::Text(bytes) => out.extend_from_slice(bytes),
            }
        }
        if carry.shifted {
            out.push(SHIFT_IN);
        }
    }

    /// Writes the row's characters without their colours and attributes.
    pub fn write_plain(&self, out: &mut Vec<u8>, carry: &mut Carry) {
        if carry.shifted {
            out.push(SHIFT_OUT);
        }
        for piece in pieces(self.bytes) {
            match piece {
                Piece::Shift(byte) => {
                    carry.shifted = byte == SHIFT_OUT;
                    out.push(byte);
                }
                Piece::Text(bytes) => out.extend_from_slice(bytes),
                Piece::Sgr(_) | Piece::Sequence(_) => {}
            }
        }
        if carry.shifted {
            out.push(SHIFT_IN);
        }
    }

    /// The last character of the row with its combining marks, its pen and its width in cells.
    /// Also moves what is carried to the row's end.
    pub fn last_character(&self, carry: &mut Carry) -> Option<(Vec<u8>, Pen, u32)> {
        let mut last = None;
        for piece in pieces(self.bytes) {
            match piece {
                Piece::Sgr(parameters) => carry.pen.apply(parameters),
                Piece::Shift(byte) => carry.shifted = byte == SHIFT_OUT,
                Piece::Sequence(_) => {}
                Piece::Text(bytes) => {
                    let text = String::from_utf8_lossy(bytes);
                    let start = text.char_indices().rev().find(|(_, c)| !is_combining(*c));
                    let Some((at, character)) = start else { continue };
                    let mut bytes = text.get(at..).unwrap_or_default().as_bytes().to_vec();
                    if carry.shifted {
                        bytes.insert(0, SHIFT_OUT);
                        bytes.push(SHIFT_IN);
                    }
                    last = Some((bytes, carry.pen, if is_wide(character) { 2 } else { 1 }));
                }
            }
        }
        last
    }
}

/// Removes OSC 8 hyperlinks, which can be a hundred times the text that they stand behind.
pub fn strip_links(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for piece in pieces(body) {
        match piece {
            Piece::Sequence(bytes) if bytes.starts_with(b"\x1b]8;") => {}
            Piece::Sgr(parameters) => {
                out.extend_from_slice(b"\x1b[");
                out.extend_from_slice(parameters);
                out.push(b'm');
            }
            Piece::Shift(byte) => out.push(byte),
            Piece::Sequence(bytes) | Piece::Text(bytes) => out.extend_from_slice(bytes),
        }
    }
    out
}

fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let (piece, rest) = match bytes {
            [] => return None,
            [0x1b, b'[', ..] => {
                let end = bytes.iter().skip(2).position(|b| (0x40..=0x7e).contains(b));
                let (head, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 3));
                match head {
                    [_, _, parameters @ .., b'm'] => (Piece::Sgr(parameters), rest),
                    _ => (Piece::Sequence(head), rest),
                }
            }
            [0x1b, b']', ..] => {
                let end = bytes.windows(2).position(|w| w == b"\x1b\\").map(|at| at + 2);
                let (head, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                (Piece::Sequence(head), rest)
            }
            [0x1b, ..] => {
                let (head, rest) = bytes.split_at(bytes.len().min(2));
                (Piece::Sequence(head), rest)
            }
            [shift @ (SHIFT_OUT | SHIFT_IN), rest @ ..] => (Piece::Shift(*shift), rest),
            _ => {
                let end = bytes.iter().position(|b| matches!(*b, 0x1b | SHIFT_OUT | SHIFT_IN));
                let (head, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                (Piece::Text(head), rest)
            }
        };
        bytes = rest;
        Some(piece)
    })
}

fn is_combining(character: char) -> bool {
    matches!(character as u32,
        0x300..=0x36f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x200d | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f | 0x1f3fb..=0x1f3ff)
}

/// East Asian wide and emoji blocks; enough to find the cell where a row's last character begins.
fn is_wide(character: char) -> bool {
    matches!(character as u32,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[&str]) -> Vec<String> {
        let mut carry = Carry::default();
        let write = |row: &&str| {
            let mut out = Vec::new();
            Row::new(row.as_bytes()).write(&mut out, &mut carry);
            String::from_utf8(out).expect("text")
        };
        rows.iter().map(write).collect()
    }

    #[test]
    fn pen_and_line_drawing_go_on_from_row_to_row() {
        let rows = written(&["a\x1b[31mb", "c\x1b[39m\x0eqq", "xx\x0fy"]);
        assert_eq!(rows[0], "a\x1b[0;31mb");
        assert_eq!(rows[1], "\x1b[0;31mc\x1b[0m\x0eqq\x0f");
        assert_eq!(rows[2], "\x0exx\x0fy");
    }

    #[test]
    fn a_cell_takes_one_sequence() {
        let rows = written(&["\x1b[38;2;1;2;3m\x1b[48;2;4;5;6mx\x1b[0m", "y"]);
        assert_eq!(rows, ["\x1b[0;38;2;1;2;3;48;2;4;5;6mx", "y"]);
    }

    #[test]
    fn the_last_character_is_found_with_its_marks_and_width() {
        let last = |row: &str| Row::new(row.as_bytes()).last_character(&mut Carry::default());
        let (bytes, _, width) = last("ab\x1b[1mce\u{301}").expect("a character");
        assert_eq!((bytes.as_slice(), width), ("e\u{301}".as_bytes(), 1));
        assert_eq!(last("x中").map(|(_, _, width)| width), Some(2));
        assert_eq!(last("x\x0eq").map(|(bytes, ..)| bytes), Some(vec![0x0e, b'q', 0x0f]));
        assert!(last("").is_none());
    }

    #[test]
    fn links_are_removed_and_nothing_else() {
        let body = b"a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\\x1b[1mc\n\x0eq\x0f";
        assert_eq!(strip_links(body), b"ab\x1b[1mc\n\x0eq\x0f");
    }
}
