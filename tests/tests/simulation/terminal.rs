//! A small terminal for the simulation: what tmux keeps and what a page shows, by the same rules.

use std::collections::VecDeque;

/// Lines that scroll off and are kept.
pub const HISTORY: usize = 100;

/// Everything that a person could see.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    pub history: Vec<String>,
    pub rows: Vec<String>,
    pub cursor: (usize, usize),
}

/// A screen with its history.
#[derive(Clone)]
pub struct Terminal {
    pub cols: usize,
    pub rows: usize,
    grid: VecDeque<Vec<char>>,
    history: VecDeque<Vec<char>>,
    x: usize,
    y: usize,
    autowrap: bool,
    /// An escape sequence that is not finished.
    pub unfinished: Vec<u8>,
    half: Vec<u8>,
}

impl Terminal {
    pub fn new(cols: usize, rows: usize) -> Self {
        Self {
            cols,
            rows,
            grid: VecDeque::from(vec![Vec::new(); rows]),
            history: VecDeque::new(),
            x: 0,
            y: 0,
            autowrap: true,
            unfinished: Vec::new(),
            half: Vec::new(),
        }
    }

    /// What is shown, without blanks at the ends of lines.
    pub fn picture(&self) -> Picture {
        let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
        Picture {
            history: self.history.iter().map(text).collect(),
            rows: self.grid.iter().map(text).collect(),
            cursor: (self.x, self.y),
        }
    }

    pub fn cursor(&self) -> (usize, usize) {
        (self.x, self.y)
    }

    pub fn history_lines(&self, wanted: usize) -> impl Iterator<Item = &[char]> {
        let skipped = self.history.len().saturating_sub(wanted);
        self.history.iter().skip(skipped).map(Vec::as_slice)
    }

    pub fn history_size(&self) -> usize {
        self.history.len()
    }

    pub fn visible_lines(&self) -> impl Iterator<Item = &[char]> {
        self.grid.iter().map(Vec::as_slice)
    }

    /// Cuts and pads; no reflow, which is the same on both sides and not what is tested here.
    pub fn resize(&mut self, cols: usize, rows: usize) {
        (self.cols, self.rows) = (cols, rows);
        self.grid.resize(rows, Vec::new());
        for row in self.grid.iter_mut().chain(&mut self.history) {
            row.truncate(cols);
        }
        self.x = self.x.min(cols - 1);
        self.y = self.y.min(rows - 1);
    }

    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if !self.unfinished.is_empty() {
                self.unfinished.push(first);
                self.sequence();
            } else if self.half.is_empty() && is_plain(first) {
                // Nearly everything is plain text, and every schedule prints megabytes of it.
                let run = bytes.iter().position(|&byte| !is_plain(byte)).unwrap_or(bytes.len());
                let (text, after) = bytes.split_at(run);
                self.print(text);
                bytes = after;
                continue;
            } else {
                self.step(first);
            }
            bytes = rest;
        }
    }

    fn step(&mut self, byte: u8) {
        match byte {
            0x1b => {
                self.half.clear();
                self.unfinished.push(byte);
            }
            b'\r' => self.x = 0,
            b'\n' => self.line_feed(),
            0..0x20 => {}
            _ => {
                self.half.push(byte);
                if let Ok(text) = std::str::from_utf8(&self.half) {
                    let character = text.chars().next().expect("a character");
                    self.half.clear();
                    self.place(std::iter::once(character));
                }
            }
        }
    }

    fn print(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let room = self.cols.saturating_sub(self.x).max(1);
            let (now, later) = text.split_at(room.min(text.len()));
            self.place(now.iter().map(|&byte| char::from(byte)));
            text = later;
        }
    }

    /// Prints characters that fit into the row, or one where there is no room.
    fn place(&mut self, characters: impl ExactSizeIterator<Item = char>) {
        if self.x == self.cols {
            if self.autowrap {
                self.x = 0;
                self.line_feed();
            } else {
                self.x = self.cols - 1;
            }
        }
        let row = &mut self.grid[self.y];
        let end = self.x + characters.len();
        if row.len() < end {
            row.resize(end, ' ');
        }
        for (cell, character) in row[self.x..end].iter_mut().zip(characters) {
            *cell = character;
        }
        self.x = end;
    }

    fn line_feed(&mut self) {
        if self.y + 1 < self.rows {
            self.y += 1;
            return;
        }
        self.history.extend(self.grid.pop_front());
        let oldest = if self.history.len() > HISTORY { self.history.pop_front() } else { None };
        let mut empty = oldest.unwrap_or_default();
        empty.clear();
        self.grid.push_back(empty);
    }

    fn sequence(&mut self) {
        let done = match self.unfinished.as_slice() {
            [_, b'['] | [_, b']', ..] if self.unfinished.last() != Some(&b'\\') => false,
            [_, b']', ..] => true,
            [_, b'[', .., last] => {
                let done = (0x40..=0x7e).contains(last);
                if done {
                    self.csi();
                }
                done
            }
            [_, b'(' | b')' | b'*' | b'+'] => false,
            [_, b'c'] => {
                *self = Self::new(self.cols, self.rows);
                true
            }
            _ => true,
        };
        if done {
            self.unfinished.clear();
        }
    }

    fn csi(&mut self) {
        let [_, _, parameters @ .., last] = self.unfinished.as_slice() else { return };
        let mut numbers = parameters.split(|&byte| byte == b';').map(|digits| {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            digits.parse::<usize>().unwrap_or(1).max(1)
        });
        let first = numbers.next().unwrap_or(1);
        match last {
            b'H' => {
                self.y = (first - 1).min(self.rows - 1);
                self.x = (numbers.next().unwrap_or(1) - 1).min(self.cols - 1);
            }
            b'G' => self.x = (first - 1).min(self.cols - 1),
            b'h' | b'l' if parameters == b"?7" => self.autowrap = *last == b'h',
            _ => {}
        }
    }
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}
