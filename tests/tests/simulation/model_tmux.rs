//! A model of tmux's control mode: one session, one pane, what the gateway asks and is told.

use super::random::Random;
use super::terminal::Terminal;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// Bytes that a program may print before somebody has to read them; tmux has no such bound.
const UNREAD_BYTES: usize = 4 * 1024 * 1024;

pub struct ModelTmux {
    pub terminal: Terminal,
    /// What the control client will read next.
    unread: VecDeque<u8>,
    attached: bool,
    paused: bool,
    pub seq_bound: String,
    modes: String,
    replies: u32,
    pub typed: Vec<u8>,
}

impl ModelTmux {
    pub fn new() -> Self {
        Self {
            terminal: Terminal::new(20, 6),
            unread: VecDeque::new(),
            attached: false,
            paused: false,
            seq_bound: String::new(),
            modes: String::new(),
            replies: 0,
            typed: Vec::new(),
        }
    }

    /// What a survey of this server answers.
    pub fn survey(&self, gateway_id: &str) -> String {
        let Terminal { cols, rows, .. } = self.terminal;
        let (seq, modes) = (&self.seq_bound, &self.modes);
        let size = format!("{cols}|{rows}|{cols}|{rows}");
        format!("ok 3.3a\n{gateway_id}|1|$0|@1|%1|{size}|100|{seq}|{modes}||cc-1\n")
    }

    pub fn attach(&mut self) {
        self.attached = true;
        self.paused = false;
        self.unread.clear();
        self.say("%begin 1 0 0\n%end 1 0 0\n%session-changed $0 cc-1\n");
    }

    pub fn detach(&mut self) {
        self.attached = false;
        self.unread.clear();
    }

    pub fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// A cut of what the client has to read.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let count = most.min(self.unread.len());
        self.unread.drain(..count).collect()
    }

    /// The program prints; tmux cuts its lines of output anywhere.
    pub fn print(&mut self, bytes: &[u8], random: &mut Random) {
        self.terminal.feed(bytes);
        if !self.attached || self.paused || self.unread.len() > UNREAD_BYTES {
            assert!(self.unread.len() <= UNREAD_BYTES, "the gateway does not drain its client");
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let cut = 1 + random.below(rest.len().min(2_730) as u64) as usize;
            let (head, tail) = rest.split_at(cut);
            rest = tail;
            let mut line = String::from("%output %1 ").into_bytes();
            for &byte in head {
                if byte < 0x20 || byte == b'\\' {
                    line.extend_from_slice(format!("\\{byte:03o}").as_bytes());
                } else {
                    line.push(byte);
                }
            }
            line.push(b'\n');
            self.unread.extend(line);
        }
    }

    /// Lines that the gateway wrote to its client.
    pub fn told(&mut self, bytes: &[u8]) {
        let text = String::from_utf8(bytes.to_vec()).expect("commands are text");
        assert!(text.ends_with('\n'), "whole lines");
        for line in text.lines() {
            assert!(!line.is_empty(), "an empty line detaches the client");
            for command in line.split(" ; ") {
                self.command(command);
            }
        }
    }

    fn command(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        let body = match words[0] {
            "display-message" => self.state(),
            "list-panes" => {
                format!("11 @1 %1 {} {}\n", self.terminal.cols, self.terminal.rows)
            }
            "capture-pane" => self.capture(&words),
            "resize-window" => {
                let number = |flag| {
                    let at = words.iter().position(|word| *word == flag).expect("a size");
                    words[at + 1].parse::<usize>().expect("a number")
                };
                self.reply(String::new());
                self.resize(number("-x"), number("-y"));
                return;
            }
            "set-option" if command.contains("@cc_seq") => {
                words[4].clone_into(&mut self.seq_bound);
                String::new()
            }
            "set-option" if command.contains("window-size") => String::new(),
            "set-option" => {
                self.modes = words[5].trim_matches('\'').to_owned();
                String::new()
            }
            "refresh-client" => {
                self.paused = command.contains("pause'");
                String::new()
            }
            "send-keys" => {
                let keys = words[4..].iter().map(|hex| u8::from_str_radix(hex, 16).expect("hex"));
                self.typed.extend(keys);
                String::new()
            }
            other => panic!("the model does not know {other}"),
        };
        self.reply(body);
    }

    fn resize(&mut self, cols: usize, rows: usize) {
        if (cols, rows) != (self.terminal.cols, self.terminal.rows) {
            self.terminal.resize(cols, rows);
            self.say(&format!(
                "%layout-change @1 b25f,{cols}x{rows},0,0,1 b25f,{cols}x{rows},0,0,1 *\n"
            ));
        }
    }

    fn state(&self) -> String {
        let Terminal { cols, rows, .. } = self.terminal;
        let (x, y) = self.terminal.cursor();
        let history = self.terminal.history_size();
        let tabs: Vec<String> = (1..cols).filter(|c| c % 8 == 0).map(|c| c.to_string()).collect();
        let (bottom, tabs) = (rows - 1, tabs.join(","));
        format!("{cols}|{rows}|{x}|{y}|{history}|0|0|0|1|0|0|0|0|0|0|0|0|0|1|0|{bottom}|{tabs}\n")
    }

    fn capture(&self, words: &[&str]) -> String {
        let mut body = String::new();
        if words.contains(&"-P") {
            for &byte in &self.terminal.unfinished {
                if byte < 0x20 || byte == b'\\' {
                    let _ = write!(body, "\\{byte:03o}");
                } else {
                    body.push(byte.into());
                }
            }
            body.push('\n');
        } else if let Some(at) = words.iter().position(|word| *word == "-S") {
            let wanted = words[at + 1].trim_start_matches('-').parse().expect("a number");
            for line in self.terminal.history_lines(wanted) {
                body.push_str(&line);
                body.push('\n');
            }
        } else if !words.contains(&"-a") {
            for line in self.terminal.visible_lines() {
                body.push_str(&line);
                body.push('\n');
            }
        }
        body
    }

    fn reply(&mut self, body: String) {
        self.replies += 1;
        let n = self.replies;
        self.say(&format!("%begin 1 {n} 1\n{body}%end 1 {n} 1\n"));
    }

    fn say(&mut self, text: &str) {
        if self.attached {
            self.unread.extend(text.bytes());
        }
    }
}
