//! A tracker on the raw stream that keeps what tmux cannot report: modes, pen, charsets, title,
//! the unfinished escape sequence and half a UTF-8 character.
//!
//! It is no terminal: it moves no cursor and draws nothing. Sequences follow ECMA-48 and xterm.

use super::pen::Pen;
use super::printed::Printed;
use crate::limits::{NOTICES_PER_READ, TITLE_BYTES, UNFINISHED_BYTES};

const ESC: u8 = 0x1b;

/// Private modes that are kept, because tmux reports them in no supported version or only in the
/// newest: 5 reverse video, 12 blink, 45 reverse wrap, 66 keypad, 1004 focus, 1007 alternate
/// scroll, 1015/1016 mouse encodings, 2004 bracketed paste, 2031 colour scheme reports.
const TRACKED_MODES: [u16; 10] = [5, 12, 45, 66, 1004, 1007, 1015, 1016, 2004, SCHEME_REPORTS];

/// Mouse encodings that tmux reports. The last one set or reset counts, also among those tracked.
const OTHER_ENCODINGS: [u16; 2] = [1005, 1006];

/// The mode in which a program is told of a new colour scheme.
const SCHEME_REPORTS: u16 = 2031;

/// The mode that keeps the main screen and its pen away, and brings them back.
const ALTERNATE_SCREEN: u16 = 1049;

/// G0 to G3.
const CHARSETS: usize = 4;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// `ESC` and one intermediate byte.
    Intermediate(u8),
    Csi,
    /// OSC, DCS, APC, PM, SOS or tmux's `ESC k`; the byte is what came after `ESC`.
    Text(u8),
    /// … and an `ESC` within it.
    TextEscape(u8),
}

/// The tracker. Feed it every byte of output.
#[derive(Clone, Debug, Default)]
pub struct Modes {
    state: State,
    /// The bytes of the sequence that is not finished yet; empty in ground state.
    unfinished: Vec<u8>,
    overlong: bool,
    printed: Printed,
    modes: u16,
    insert_newline: bool,
    cursor_style: Option<u8>,
    charsets: [Option<u8>; CHARSETS],
    shifted: bool,
    title: Vec<u8>,
    pen: Pen,
    /// The pen that DECRC brings back; where the cursor was is known to tmux alone.
    saved_pen: Pen,
    /// The main screen's pen, while the alternate screen is shown.
    main_pen: Option<Pen>,
    changed: bool,
    heard: Heard,
    /// Within what a tmux passthrough wraps; they do not nest.
    unwrapping: bool,
}

/// What was printed for others than the screen.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The bell rang.
    pub bell: bool,
    /// Bodies of operating system commands that are no title: notifications, colour queries.
    pub commands: Vec<Vec<u8>>,
}

impl Modes {
    /// Looks at output.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.state == State::Ground && byte >= 0x20 {
                let run = bytes.iter().position(|&b| b < 0x20).unwrap_or(bytes.len());
                let (printed, rest) = bytes.split_at(run);
                self.changed |= self.printed.run(printed);
                bytes = rest;
                continue;
            }
            self.step(byte);
            bytes = rest;
        }
    }

    /// The unfinished escape sequence as it was received, for terminals that saw none of it.
    pub fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// The first bytes of a UTF-8 character whose rest is still to come.
    pub fn half_character(&self) -> &[u8] {
        self.printed.half()
    }

    /// The pen.
    pub fn pen(&self) -> &Pen {
        &self.pen
    }

    /// The pen that comes back when the alternate screen is left.
    pub fn main_pen(&self) -> Pen {
        self.main_pen.unwrap_or_default()
    }

    /// Output was missed: what was unfinished is so no more, or it is `unfinished` of tmux.
    pub fn resume(&mut self, unfinished: &[u8]) {
        self.finish();
        self.printed.interrupt();
        self.feed(unfinished);
    }

    /// Whether anything changed since this was last asked, so that the mirror is stale.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether the program asked to be told of changes between a dark and a light scheme.
    pub fn wants_scheme_reports(&self) -> bool {
        self.has_mode(SCHEME_REPORTS)
    }

    fn has_mode(&self, mode: u16) -> bool {
        let bit = TRACKED_MODES.iter().position(|&known| known == mode);
        bit.is_some_and(|bit| self.modes & (1 << bit) != 0)
    }

    /// What was heard since this was last asked.
    pub fn take_heard(&mut self) -> Heard {
        std::mem::take(&mut self.heard)
    }

    /// Writes the sequences that bring a reset terminal to these modes, pen and charsets aside.
    pub fn write_modes(&self, out: &mut Vec<u8>) {
        for (bit, mode) in TRACKED_MODES.iter().enumerate() {
            if self.modes & (1 << bit) != 0 {
                out.extend_from_slice(format!("\x1b[?{mode}h").as_bytes());
            }
        }
        if self.insert_newline {
            out.extend_from_slice(b"\x1b[20h");
        }
        if let Some(style) = self.cursor_style {
            out.extend_from_slice(format!("\x1b[{style} q").as_bytes());
        }
        if !self.title.is_empty() {
            out.extend_from_slice(b"\x1b]2;");
            out.extend_from_slice(&self.title);
            out.extend_from_slice(b"\x1b\\");
        }
    }

    /// Writes the designations of G0–G3 and the shift state.
    pub fn write_charsets(&self, out: &mut Vec<u8>) {
        for (set, charset) in b"()*+".iter().zip(self.charsets) {
            out.extend_from_slice(&[ESC, *set, charset.unwrap_or(b'B')]);
        }
        out.push(if self.shifted { 0x0e } else { 0x0f });
    }

    /// Everything as sequences that [`Modes::feed`] understands: the form of the mirror in tmux.
    pub fn mirror(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.saved_pen != Pen::default() {
            self.saved_pen.write(&mut out);
            out.extend_from_slice(b"\x1b7");
        }
        if let Some(pen) = self.main_pen {
            pen.write(&mut out);
            out.extend_from_slice(b"\x1b[?1049h");
        }
        self.write_modes(&mut out);
        self.write_charsets(&mut out);
        self.pen.write(&mut out);
        out.extend_from_slice(self.printed.half());
        out
    }

    fn step(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.control(byte),
            _ if byte == 0x18 || byte == 0x1a => self.finish(),
            State::Text(kind) => self.text(kind, byte),
            State::TextEscape(kind) => self.text_escape(kind, byte),
            _ if byte == ESC => self.begin(),
            _ if byte < 0x20 => self.control(byte),
            State::Escape => self.escape(byte),
            State::Intermediate(first) => {
                if byte >= 0x30 {
                    self.designate(first, byte);
                    self.finish();
                } else {
                    self.keep(byte);
                }
            }
            State::Csi => {
                self.keep(byte);
                if (0x40..=0x7e).contains(&byte) {
                    self.csi(byte);
                    self.finish();
                }
            }
        }
    }

    fn control(&mut self, byte: u8) {
        self.printed.interrupt();
        match byte {
            ESC => self.begin(),
            0x07 => self.heard.bell = true,
            0x0e | 0x0f => {
                self.shifted = byte == 0x0e;
                self.changed = true;
            }
            _ => {}
        }
    }

    fn begin(&mut self) {
        self.state = State::Escape;
        self.unfinished.clear();
        self.unfinished.push(ESC);
        self.overlong = false;
    }

    fn keep(&mut self, byte: u8) {
        if self.unfinished.len() < UNFINISHED_BYTES {
            self.unfinished.push(byte);
        } else {
            self.overlong = true;
        }
    }

    fn finish(&mut self) {
        self.state = State::Ground;
        self.unfinished.clear();
        self.unfinished.shrink_to(64);
    }

    fn escape(&mut self, byte: u8) {
        self.keep(byte);
        match byte {
            b'[' => self.state = State::Csi,
            b']' | b'P' | b'_' | b'^' | b'X' | b'k' => self.state = State::Text(byte),
            0x20..=0x2f => self.state = State::Intermediate(byte),
            b'c' => {
                // Titles outlive a reset, in tmux and in browsers.
                let (title, heard) = (std::mem::take(&mut self.title), self.take_heard());
                let unwrapping = self.unwrapping;
                *self = Self { changed: true, title, heard, unwrapping, ..Self::default() };
            }
            b'>' => {
                self.set_mode(66, false);
                self.finish();
            }
            b'7' => {
                self.save_pen();
                self.finish();
            }
            b'8' => {
                self.set_pen(self.saved_pen);
                self.finish();
            }
            _ => self.finish(),
        }
    }

    fn designate(&mut self, set: u8, charset: u8) {
        if let Some(slot) =
            b"()*+".iter().position(|&s| s == set).and_then(|i| self.charsets.get_mut(i))
        {
            *slot = Some(charset);
            self.changed = true;
        }
    }

    fn text(&mut self, kind: u8, byte: u8) {
        match byte {
            0x07 if kind == b']' => {
                self.osc();
                self.finish();
            }
            ESC => {
                self.keep(byte);
                self.state = State::TextEscape(kind);
            }
            _ => self.keep(byte),
        }
    }

    fn text_escape(&mut self, kind: u8, byte: u8) {
        if byte == b'\\' {
            self.unfinished.pop();
            match kind {
                b']' => self.osc(),
                b'k' => self.set_title(2),
                b'P' => return self.passthrough(),
                _ => {}
            }
            self.finish();
        } else if kind == b'P' {
            // tmux's passthrough doubles ESC within its string; the string goes on.
            self.keep(byte);
            self.state = State::Text(kind);
        } else {
            self.begin();
            self.step(byte);
        }
    }

    /// `OSC 0` and `OSC 2` set the title; the rest is for others.
    fn osc(&mut self) {
        let body = self.unfinished.get(2..).unwrap_or_default();
        if body.starts_with(b"0;") || body.starts_with(b"2;") {
            self.set_title(4);
        } else if !self.overlong && self.heard.commands.len() < NOTICES_PER_READ {
            self.heard.commands.push(body.to_vec());
        }
    }

    /// The title begins at `start` of the sequence. Viewers take `ESC k` for one too.
    fn set_title(&mut self, start: usize) {
        let title = self.unfinished.get(start..).unwrap_or_default();
        let title: Vec<u8> = title.iter().copied().filter(|&b| b >= 0x20).collect();
        if !self.overlong && title.len() <= TITLE_BYTES && title != self.title {
            self.title = title;
            self.changed = true;
        }
    }

    /// `ESC P tmux; …` wraps sequences for the terminal around tmux, with each `ESC` doubled.
    /// Viewers unwrap it, so what is in it counts.
    fn passthrough(&mut self) {
        let body = self.unfinished.get(2..).unwrap_or_default();
        let inner = body.strip_prefix(b"tmux;").filter(|_| !self.overlong && !self.unwrapping);
        let mut escaped = false;
        let inner: Vec<u8> = inner
            .unwrap_or_default()
            .iter()
            .copied()
            .filter(|&byte| {
                // The second ESC of a pair is the one that stays.
                escaped = byte == ESC && !escaped;
                !escaped
            })
            .collect();
        self.finish();
        self.unwrapping = true;
        self.feed(&inner);
        self.unwrapping = false;
    }

    fn csi(&mut self, last: u8) {
        let body = self.unfinished.get(2..).unwrap_or_default();
        let Some((_, body)) = body.split_last().filter(|_| !self.overlong) else { return };
        match (last, body) {
            (b'm', parameters) if parameters.iter().all(|b| (b'0'..=b';').contains(b)) => {
                let mut pen = self.pen;
                pen.apply(parameters);
                self.set_pen(pen);
            }
            (b's', b"") => self.save_pen(),
            (b'u', b"") => self.set_pen(self.saved_pen),
            (b'h' | b'l', [b'?', modes @ ..]) => {
                let modes = modes.to_vec();
                self.set_modes(&modes, last == b'h');
            }
            (b'h' | b'l', b"20") => {
                self.changed |= self.insert_newline != (last == b'h');
                self.insert_newline = last == b'h';
            }
            (b'q', [digits @ .., b' ']) => {
                let style = std::str::from_utf8(digits).ok().map(|d| d.parse().unwrap_or(0));
                self.cursor_style = style.filter(|style| (1..=6).contains(style));
                self.changed = true;
            }
            _ => {}
        }
    }

    fn set_modes(&mut self, parameters: &[u8], on: bool) {
        for mode in parameters.split(|&b| b == b';') {
            let mode = std::str::from_utf8(mode).ok().and_then(|mode| mode.parse().ok());
            let Some(mode) = mode else { continue };
            if OTHER_ENCODINGS.contains(&mode) {
                self.set_mode(1015, false);
                self.set_mode(1016, false);
            }
            if mode == ALTERNATE_SCREEN {
                self.show_alternate(on);
            }
            self.set_mode(mode, on);
        }
    }

    fn set_pen(&mut self, pen: Pen) {
        self.changed |= pen != self.pen;
        self.pen = pen;
    }

    fn save_pen(&mut self) {
        self.changed |= self.saved_pen != self.pen;
        self.saved_pen = self.pen;
    }

    fn show_alternate(&mut self, on: bool) {
        self.changed |= on != self.main_pen.is_some();
        if on {
            self.main_pen.get_or_insert(self.pen);
        } else if let Some(pen) = self.main_pen.take() {
            self.pen = pen;
        }
    }

    fn set_mode(&mut self, mode: u16, on: bool) {
        let Some(bit) = TRACKED_MODES.iter().position(|&known| known == mode) else { return };
        let before = self.modes;
        self.modes = if on { before | 1 << bit } else { before & !(1 << bit) };
        self.changed |= before != self.modes;
    }

    /// The character that REP would repeat.
    pub fn last_printed(&self) -> &[u8] {
        self.printed.last()
    }
}

#[cfg(test)]
mod tests;
