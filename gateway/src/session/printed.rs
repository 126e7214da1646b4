//! What was printed last: the whole character that REP repeats, and the half one behind it.

/// Enough of a run to find its last character in, and half a character behind it.
const TAIL_BYTES: usize = 8;

/// The bytes of one character, or of its beginning. No heap: one is kept for every printed run.
#[derive(Clone, Copy, Debug, Default)]
struct Character {
    bytes: [u8; 4],
    length: u8,
}

impl Character {
    fn new(source: &[u8]) -> Self {
        let mut bytes = [0; 4];
        let mut length = 0;
        for (to, from) in bytes.iter_mut().zip(source) {
            *to = *from;
            length += 1;
        }
        Self { bytes, length }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// The end of what was printed.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    half: Character,
    last: Character,
}

impl Printed {
    /// A run of bytes that are no controls. Returns whether a half character came or went.
    pub fn run(&mut self, run: &[u8]) -> bool {
        let Some(&last) = run.last() else { return false };
        if last < 0x80 && self.half.is_empty() {
            self.last = Character::new(&[last]);
            return false;
        }
        self.run_beyond_ascii(run)
    }

    /// Only the last character matters, and whether it is whole.
    fn run_beyond_ascii(&mut self, run: &[u8]) -> bool {
        let before = std::mem::take(&mut self.half);
        let end = run.get(run.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        let tail = [before.as_slice(), end].concat();
        let (whole, half) = split_half(&tail);
        self.half = Character::new(half);
        if let Some(last) = last_character(whole) {
            self.last = Character::new(last);
        }
        !before.is_empty() || !half.is_empty()
    }

    /// A control came, or output was missed: half a character stays one.
    pub fn interrupt(&mut self) {
        self.half = Character::default();
    }

    /// The first bytes of a character whose rest is still to come.
    pub fn half(&self) -> &[u8] {
        self.half.as_slice()
    }

    /// The last whole character.
    pub fn last(&self) -> &[u8] {
        self.last.as_slice()
    }
}

/// Bytes of the UTF-8 character that `first` begins; 1 for what begins none.
fn character_bytes(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

/// Where the last character of `text` begins, and how many bytes it should have.
fn last_start(text: &[u8]) -> Option<(usize, usize)> {
    let start = text.iter().rposition(|&b| b & 0xc0 != 0x80)?;
    Some((start, character_bytes(*text.get(start)?)))
}

/// Splits off a character whose rest is still to come.
fn split_half(text: &[u8]) -> (&[u8], &[u8]) {
    match last_start(text) {
        Some((start, bytes)) if text.len() - start < bytes => text.split_at(start),
        _ => (text, &[]),
    }
}

/// The last character. Bytes that continue nothing are one each: a terminal replaces each.
fn last_character(text: &[u8]) -> Option<&[u8]> {
    match last_start(text) {
        Some((start, bytes)) if text.len() - start == bytes => text.get(start..),
        _ => text.last_chunk::<1>().map(<[u8; 1]>::as_slice),
    }
}
