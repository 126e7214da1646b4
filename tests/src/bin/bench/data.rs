//! What programs print in the measurements: four kinds of output, the same bytes in every run.

use crate::Effort;
use integration::patterns::printable_and_escapes;

/// A kind of output.
pub struct Kind {
    /// For keys.
    pub key: &'static str,
    /// For people.
    pub what: &'static str,
    make: fn(usize) -> Vec<u8>,
    /// Bytes of a full run: about two seconds of tmux.
    bytes: usize,
}

/// All kinds.
pub const KINDS: [Kind; 4] = [
    Kind { key: "seq", what: "short lines", make: short_lines, bytes: 14 << 20 },
    Kind { key: "text", what: "plain text", make: text, bytes: 28 << 20 },
    Kind { key: "escapes", what: "heavy escapes", make: escapes, bytes: 14 << 20 },
    Kind { key: "cjk", what: "CJK in UTF-8", make: cjk, bytes: 12 << 20 },
];

impl Kind {
    /// The bytes of a run.
    pub fn content(&self, effort: Effort) -> Vec<u8> {
        self.sized(if effort.quick { self.bytes / 8 } else { self.bytes })
    }

    /// About so many bytes of it.
    pub fn sized(&self, bytes: usize) -> Vec<u8> {
        (self.make)(bytes)
    }
}

fn repeated(pattern: &str, bytes: usize) -> Vec<u8> {
    pattern.repeat(bytes.div_ceil(pattern.len())).into_bytes()
}

/// As `seq` prints.
fn short_lines(bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 16);
    for number in 1.. {
        if out.len() >= bytes {
            break;
        }
        out.extend_from_slice(format!("{number}\n").as_bytes());
    }
    out
}

fn text(bytes: usize) -> Vec<u8> {
    repeated("The quick brown fox jumps over the lazy dog, and then it rests a while; \n", bytes)
}

/// Colours, cursor moves, erasing, scrolling; nothing that a terminal would answer.
fn escapes(bytes: usize) -> Vec<u8> {
    const BLOCK: usize = 64 * 1024;
    let block = printable_and_escapes(7, BLOCK);
    let mut out = Vec::with_capacity(bytes + BLOCK);
    while out.len() < bytes {
        out.extend_from_slice(&block);
        // What the cut left unfinished must not swallow the beginning of the next block.
        out.extend_from_slice(b"\x1b[m\x1b(B\r\n");
    }
    out
}

fn cjk(bytes: usize) -> Vec<u8> {
    repeated("敏捷的棕色狐狸跳过懒狗、そして少し休む。빠른 갈색 여우가 개를 뛰어넘는다.\n", bytes)
}
