//! Halting a program's output in the middle of an escape sequence: where, and who is asked to.
//!
//! [`Gate`] finds the place in the output; the binary `halting-pty` relays a program through one.
//! [`Halting`] is the test's side of its socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const ESC: u8 = 0x1b;

/// In the middle of what output halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Behind an ESC.
    Escape,
    /// Behind `ESC [`.
    Introducer,
    /// Behind the first parameter byte of a CSI sequence.
    Parameters,
    /// Within the text of an OSC, DCS or the like.
    Text,
    /// Behind the first byte of a UTF-8 character.
    Character,
}

impl Depth {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Escape, "escape"),
        (Self::Introducer, "introducer"),
        (Self::Parameters, "parameters"),
        (Self::Text, "text"),
        (Self::Character, "character"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(depth, _)| *depth == self).map_or("", |(_, name)| name)
    }

    fn read(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(depth, _)| *depth)
    }
}

/// Text bytes of an OSC before [`Depth::Text`] is reached: behind `0;` of a title.
const TEXT_BYTES: usize = 3;

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// So many bytes of a CSI sequence.
    Csi(usize),
    /// So many bytes of a text.
    Text(usize),
    /// So many bytes of a character are to come.
    Character(u8),
}

/// Lets output pass up to the wanted place.
#[derive(Debug, Default)]
pub struct Gate {
    state: State,
    wanted: Option<(Depth, u32)>,
}

impl Gate {
    /// Halts at the `nth` place (from 1) of this kind from now on.
    pub fn ask(&mut self, depth: Depth, nth: u32) {
        self.wanted = Some((depth, nth.max(1)));
    }

    /// How many of `bytes` may pass, and whether output halts behind them.
    pub fn pass(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, &byte) in bytes.iter().enumerate() {
            let place = self.step(byte);
            let Some((depth, left)) = self.wanted.filter(|(depth, _)| Some(*depth) == place) else {
                continue;
            };
            if left == 1 {
                self.wanted = None;
                return (at + 1, true);
            }
            self.wanted = Some((depth, left - 1));
        }
        (bytes.len(), false)
    }

    /// Takes one byte; in the middle of what it leaves the output.
    fn step(&mut self, byte: u8) -> Option<Depth> {
        let (state, place) = match (self.state, byte) {
            (State::Character(left), 0x80..=0xbf) if left > 1 => (State::Character(left - 1), None),
            (_, ESC) => (State::Escape, Some(Depth::Escape)),
            (_, 0x18 | 0x1a) | (State::Text(_), 0x07) => (State::Ground, None),
            (State::Text(length), _) if length + 1 == TEXT_BYTES => {
                (State::Text(length + 1), Some(Depth::Text))
            }
            (State::Text(length), _) => (State::Text(length + 1), None),
            (State::Escape, b'[') => (State::Csi(0), Some(Depth::Introducer)),
            (State::Escape, b']' | b'P' | b'_' | b'^' | b'X' | b'k') => (State::Text(0), None),
            (State::Escape | State::Csi(_), 0x00..=0x2f) => (self.state, None),
            (State::Csi(0), 0x30..=0x3f) => (State::Csi(1), Some(Depth::Parameters)),
            (State::Csi(length), 0x30..=0x3f) => (State::Csi(length), None),
            (State::Escape | State::Csi(_), _) => (State::Ground, None),
            (_, 0xc2..=0xdf) => (State::Character(1), Some(Depth::Character)),
            (_, 0xe0..=0xef) => (State::Character(2), Some(Depth::Character)),
            (_, 0xf0..=0xf4) => (State::Character(3), Some(Depth::Character)),
            _ => (State::Ground, None),
        };
        self.state = state;
        place
    }
}

/// An order to the relay, one line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Halt at the nth place; answered by `armed`, and by `halted` and the bytes passed later.
    Halt(Depth, u32),
    /// Go on; answered by `going`.
    Go,
    /// Answered by `size COLUMNS ROWS`, what the program's terminal has.
    Size,
    /// Answered by `passed` and the bytes of output so far.
    Passed,
}

impl Order {
    /// Reads a line.
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        match words.next()? {
            "halt" => Some(Self::Halt(Depth::read(words.next()?)?, words.next()?.parse().ok()?)),
            "go" => Some(Self::Go),
            "size" => Some(Self::Size),
            "passed" => Some(Self::Passed),
            _ => None,
        }
    }
}

/// The test's side of a relay.
pub struct Halting {
    socket: BufReader<UnixStream>,
}

impl Halting {
    /// Joins the relay that listens at `path`.
    pub fn join(path: &Path) -> Self {
        let socket = crate::eventually("the relay listens", crate::PATIENCE, || {
            UnixStream::connect(path).ok()
        });
        Self { socket: BufReader::new(socket) }
    }

    fn line(&mut self, patience: Duration) -> Option<String> {
        self.socket.get_ref().set_read_timeout(Some(patience)).expect("a time-out");
        let mut line = String::new();
        let length = self.socket.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    }

    fn order(&mut self, line: String) -> String {
        writeln!(self.socket.get_mut(), "{line}").expect("the relay lives");
        self.line(crate::PATIENCE).unwrap_or_else(|| panic!("the relay answers: {line}"))
    }

    /// Whether the program's terminal has this size: tmux passes it on with a delay.
    pub fn has_size(&mut self, (cols, rows): (u32, u32)) -> bool {
        self.order("size".to_owned()) == format!("size {cols} {rows}")
    }

    /// Asks for a halt at the `nth` place (from 1) of what the program prints from now on.
    pub fn halt(&mut self, depth: Depth, nth: u32) {
        assert_eq!(self.order(format!("halt {} {nth}", depth.name())), "armed");
    }

    /// Bytes of output so far.
    pub fn passed(&mut self) -> u64 {
        let line = self.order("passed".to_owned());
        number(&line, "passed ")
    }

    /// Waits for the halt; the bytes of output before it. `None` when it does not come in time.
    pub fn halted(&mut self, patience: Duration) -> Option<u64> {
        self.line(patience).map(|line| number(&line, "halted "))
    }

    /// Lets the output go on.
    pub fn go(&mut self) {
        assert_eq!(self.order("go".to_owned()), "going");
    }
}

fn number(line: &str, name: &str) -> u64 {
    let number = line.strip_prefix(name).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("{name:?} is expected: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(depth: Depth, nth: u32, output: &[u8]) -> &[u8] {
        let mut gate = Gate::default();
        gate.ask(depth, nth);
        // Byte by byte and at once must agree.
        let (whole, halts) = gate.pass(output);
        let mut slow = Gate::default();
        slow.ask(depth, nth);
        let at = output.iter().position(|byte| slow.pass(&[*byte]).1);
        assert_eq!(at.map(|at| at + 1), halts.then_some(whole));
        &output[..whole]
    }

    #[test]
    fn places_are_found() {
        let output = "a\x1b[1;31mé\x1b]0;title\x07日\x1b(B\x1b[Kx\x1b[H".as_bytes();
        assert_eq!(until(Depth::Escape, 1, output), b"a\x1b");
        assert_eq!(until(Depth::Introducer, 2, output).last(), Some(&b'['));
        assert_eq!(until(Depth::Parameters, 1, output), b"a\x1b[1");
        assert!(until(Depth::Text, 1, output).ends_with(b"\x1b]0;t"));
        assert!(until(Depth::Character, 2, output).ends_with(b"\x07\xe6"));
        assert_eq!(until(Depth::Parameters, 2, output), output, "there is no second one");
    }

    #[test]
    fn orders_are_read_as_they_are_written() {
        for (depth, name) in Depth::ALL {
            assert_eq!(depth.name(), name);
            assert_eq!(Order::read(&format!("halt {name} 3\n")), Some(Order::Halt(depth, 3)));
        }
        assert_eq!(Order::read("go"), Some(Order::Go));
        assert_eq!(Order::read("halt here 1"), None);
    }
}
