//! What an installer prints, as plain lines: without colours, cursor movements and controls.

use std::collections::VecDeque;

/// Bytes of one line that are kept.
const LINE_BYTES: usize = 500;

/// Lines that are told of an installation that failed.
const TAIL_LINES: usize = 20;

/// … and how many bytes they may be together.
const TAIL_BYTES: usize = 4 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    Control,
    String,
}

/// The last lines of an output.
#[derive(Debug, Default)]
pub struct Lines {
    state: State,
    line: Vec<u8>,
    last: VecDeque<String>,
}

impl Lines {
    /// Takes bytes, cut anywhere.
    pub fn take(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.take_byte(byte));
    }

    fn take_byte(&mut self, byte: u8) {
        // A line's end ends everything, so that a broken sequence hides one line at most. Progress
        // bars return to the line's start.
        if matches!(byte, b'\n' | b'\r') {
            self.state = State::Text;
            return self.end_line();
        }
        self.state = match (self.state, byte) {
            (_, 0x1b) => State::Escape,
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']' | b'P' | b'_' | b'^' | b'X') => State::String,
            (State::Escape, 0x20..=0x2f) => State::Escape,
            (State::Control, 0x40..=0x7e) | (State::String, 0x07) | (State::Escape, _) => {
                State::Text
            }
            (State::Text, _) => {
                if self.line.len() < LINE_BYTES {
                    self.line.push(byte);
                }
                State::Text
            }
            (state, _) => state,
        };
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line).replace('\t', " ");
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        if line.trim().is_empty() {
            return;
        }
        if self.last.len() >= TAIL_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.trim_end().to_owned());
    }

    /// The last line that is whole.
    pub fn last(&self) -> Option<&str> {
        self.last.back().map(String::as_str)
    }

    /// The last lines, with `why` as the very last.
    pub fn tail(mut self, why: Option<&str>) -> String {
        self.end_line();
        let lines: Vec<&str> = self.last.iter().map(String::as_str).chain(why).collect();
        let text = lines.join("\n");
        let start = text.ceil_char_boundary(text.len().saturating_sub(TAIL_BYTES));
        text.get(start..).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(output: &[u8]) -> String {
        let mut lines = Lines::default();
        lines.take(output);
        lines.tail(None)
    }

    #[test]
    fn only_the_words_are_left() {
        let output = b"\x1b[1;31mnpm\x1b[0m error\x07\tcode\r\n\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\n\x1b(Bdone\x00";
        assert_eq!(tail(output), "npm error code\nlink\ndone");
        assert_eq!(tail(b"10 %\r20 %\r\r\n\n  \n30 %"), "10 %\n20 %\n30 %");
        assert_eq!(tail("caf\u{e9} \u{9b}31m \u{85}".as_bytes()), "caf\u{e9} 31m");
        assert_eq!(tail(b"\x1b]0;never closed\nnext"), "next");
        assert_eq!(tail(b"bad \xff byte"), "bad \u{fffd} byte");
    }

    #[test]
    fn no_cut_changes_it() {
        let output = "\x1b[38;5;1mcaf\u{e9}\x1b[0m\r\n\x1b]8;;x\x1b\\y".as_bytes();
        for cut in 0..output.len() {
            let mut lines = Lines::default();
            let (head, rest) = output.split_at(cut);
            lines.take(head);
            lines.take(rest);
            assert_eq!(lines.tail(None), "caf\u{e9}\ny", "cut at {cut}");
        }
    }

    #[test]
    fn memory_and_answer_are_bounded() {
        let mut lines = Lines::default();
        for number in 0..1_000 {
            lines.take(format!("{number} {}\n", "\u{e9}".repeat(2_000)).as_bytes());
        }
        assert!(lines.last().is_some_and(|last| last.len() <= LINE_BYTES + 2));
        assert_eq!(lines.last.len(), TAIL_LINES);
        let tail = lines.tail(Some("it took too long"));
        assert!(tail.len() <= TAIL_BYTES && tail.ends_with("it took too long"));
    }
}
