//! A small terminal for the simulation: what tmux keeps and what a page shows, by the same rules.

use std::collections::VecDeque;

/// Lines that scroll off and are kept.
pub const HISTORY: usize = 100;

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

    /// Everything that a person could see, without blanks at the ends of lines.
    pub fn picture(&self) -> (Vec<String>, Vec<String>, usize, usize) {
        let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
        let history = self.history.iter().map(text).collect();
        (history, self.grid.iter().map(text).collect(), self.x, self.y)
    }

    pub fn cursor(&self) -> (usize, usize) {
        (self.x, self.y)
    }

    pub fn history_lines(&self, wanted: usize) -> Vec<String> {
        let skipped = self.history.len().saturating_sub(wanted);
        self.history.iter().skip(skipped).map(|row| row.iter().collect()).collect()
    }

    pub fn history_size(&self) -> usize {
        self.history.len()
    }

    pub fn visible_lines(&self) -> Vec<String> {
        self.grid.iter().map(|row| row.iter().collect()).collect()
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

    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte);
        }
    }

    fn step(&mut self, byte: u8) {
        if !self.unfinished.is_empty() {
            self.unfinished.push(byte);
            self.sequence();
            return;
        }
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
                    self.print(character);
                }
            }
        }
    }

    fn print(&mut self, character: char) {
        if self.x == self.cols {
            if self.autowrap {
                self.x = 0;
                self.line_feed();
            } else {
                self.x = self.cols - 1;
            }
        }
        let row = &mut self.grid[self.y];
        if row.len() <= self.x {
            row.resize(self.x + 1, ' ');
        }
        row[self.x] = character;
        self.x += 1;
    }

    fn line_feed(&mut self) {
        if self.y + 1 < self.rows {
            self.y += 1;
            return;
        }
        self.history.extend(self.grid.pop_front());
        self.grid.push_back(Vec::new());
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    fn sequence(&mut self) {
        let done = match self.unfinished.as_slice() {
            [_, b'['] | [_, b']', ..] if self.unfinished.last() != Some(&b'\\') => false,
            [_, b']', ..] => true,
            [_, b'[', parameters @ .., last] => {
                let done = (0x40..=0x7e).contains(last);
                if done {
                    let (parameters, last) = (parameters.to_vec(), *last);
                    self.csi(&parameters, last);
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

    fn csi(&mut self, parameters: &[u8], last: u8) {
        let text = String::from_utf8_lossy(parameters).into_owned();
        let mut numbers = text.split(';').map(|n| n.parse::<usize>().unwrap_or(1).max(1));
        let first = numbers.next().unwrap_or(1);
        match last {
            b'H' => {
                self.y = (first - 1).min(self.rows - 1);
                self.x = (numbers.next().unwrap_or(1) - 1).min(self.cols - 1);
            }
            b'G' => self.x = (first - 1).min(self.cols - 1),
            b'h' | b'l' if text == "?7" => self.autowrap = last == b'h',
            _ => {}
        }
    }
}
