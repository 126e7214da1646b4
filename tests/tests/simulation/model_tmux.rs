//! A model of a tmux server in control mode: sessions with panes, what the gateway asks and is told.

use super::random::Random;
use super::terminal::Terminal;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Bytes that may wait for a control client to read them; tmux has no such bound.
const UNREAD_BYTES: usize = 4 * 1024 * 1024;

/// tmux cuts its lines of output there, or before.
const OUTPUT_LINE_BYTES: usize = 2_730;

/// Panes of each session; one is shown.
const PANES: u32 = 2;

struct Pane {
    id: u32,
    terminal: Terminal,
    modes: String,
    paused: bool,
}

/// A session and its control client.
pub struct ModelSession {
    id: u32,
    panes: Vec<Pane>,
    active: usize,
    /// What the control client will read next, from `read_to` on.
    unread: Vec<u8>,
    read_to: usize,
    attached: bool,
    /// The gateway's `@cc_seq`.
    pub seq_bound: String,
    replies: u32,
    /// What was typed and pasted.
    pub typed: Vec<u8>,
}

/// The server.
pub struct ModelTmux {
    pub sessions: BTreeMap<u32, ModelSession>,
    /// Files that the gateway wrote for pastes.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    buffer: Vec<u8>,
}

impl ModelTmux {
    /// Sessions from 1 on. `bound` is what each remembers of an earlier gateway.
    pub fn new(sessions: u32, bound: &str) -> Self {
        let session = |id| (id, ModelSession::new(id, bound.to_owned()));
        Self {
            sessions: (1..=sessions).map(session).collect(),
            files: BTreeMap::new(),
            buffer: Vec::new(),
        }
    }

    /// What a survey of this server answers.
    pub fn survey(&self, gateway_id: &str) -> String {
        let mut answer = "ok 3.3a\n".to_owned();
        for (id, session) in &self.sessions {
            let pane = session.shown();
            let Terminal { cols, rows, .. } = pane.terminal;
            let (number, seq, modes) = (pane.id, &session.seq_bound, &pane.modes);
            let _ = writeln!(
                answer,
                "{gateway_id}|{id}|${id}|@{id}|%{number}|{cols}|{rows}|{cols}|{rows}|100|{seq}|\
                 {modes}||||cc-{id}"
            );
        }
        answer
    }

    /// A session that exists.
    pub fn session(&mut self, id: u32) -> &mut ModelSession {
        self.sessions.get_mut(&id).expect("a session of the model")
    }

    /// Lines that the gateway wrote to the client of session `id`.
    pub fn told(&mut self, id: u32, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).expect("commands are text");
        assert!(text.ends_with('\n'), "whole lines");
        for line in text.lines() {
            assert!(!line.is_empty(), "an empty line detaches the client");
            for command in line.split(" ; ") {
                self.command(id, command);
            }
        }
    }

    fn command(&mut self, id: u32, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        match words[0] {
            "load-buffer" => {
                let path = PathBuf::from(words[3].trim_matches('\''));
                self.buffer = self.files.get(&path).expect("a file to paste").clone();
                self.session(id).reply("");
            }
            "paste-buffer" => {
                let pasted = std::mem::take(&mut self.buffer);
                let session = self.session(id);
                session.typed.extend(pasted);
                session.reply("");
            }
            _ => self.session(id).command(command, &words),
        }
    }
}

impl ModelSession {
    fn new(id: u32, seq_bound: String) -> Self {
        let pane = |n| Pane {
            id: id * 10 + n,
            terminal: Terminal::new(20, 6),
            modes: String::new(),
            paused: false,
        };
        Self {
            id,
            panes: (0..PANES).map(pane).collect(),
            active: 0,
            unread: Vec::new(),
            read_to: 0,
            attached: false,
            seq_bound,
            replies: 0,
            typed: Vec::new(),
        }
    }

    fn shown(&self) -> &Pane {
        &self.panes[self.active]
    }

    /// The screen that everybody must see in the end.
    pub fn screen(&self) -> &Terminal {
        &self.shown().terminal
    }

    pub fn attach(&mut self) {
        self.detach();
        self.attached = true;
        let id = self.id;
        self.say(&format!("%begin 1 0 0\n%end 1 0 0\n%session-changed ${id} cc-{id}\n"));
    }

    pub fn detach(&mut self) {
        self.attached = false;
        self.unread.clear();
        self.read_to = 0;
        self.panes.iter_mut().for_each(|pane| pane.paused = false);
    }

    pub fn has_unread(&self) -> bool {
        self.read_to < self.unread.len()
    }

    /// A cut of what the client has to read.
    pub fn read(&mut self, most: usize) -> &[u8] {
        if !self.has_unread() {
            self.unread.clear();
            self.read_to = 0;
        }
        let from = self.read_to;
        self.read_to = self.unread.len().min(from + most);
        &self.unread[from..self.read_to]
    }

    /// A fault: one byte of output never comes. Returns whether there was one to lose.
    pub fn lose_output(&mut self) -> bool {
        let rest = &self.unread[self.read_to..];
        let line = b"%output ";
        let start = rest.windows(line.len()).rposition(|window| window == line);
        // After the pane's number, where a byte of text is.
        let at = start.map(|at| at + line.len() + 4);
        match at.and_then(|at| rest.get(at).copied().map(|byte| (at, byte))) {
            Some((at, byte)) if byte.is_ascii_lowercase() => {
                self.unread.remove(self.read_to + at);
                true
            }
            _ => false,
        }
    }

    /// The program of the shown pane prints, or one `aside`; lines are cut anywhere.
    pub fn print(&mut self, bytes: &[u8], aside: bool, random: &mut Random) {
        let at = (self.active + usize::from(aside)) % self.panes.len();
        let pane = &mut self.panes[at];
        pane.terminal.feed(bytes);
        if !self.attached || pane.paused {
            return;
        }
        let unread = self.unread.len() - self.read_to;
        assert!(unread <= UNREAD_BYTES, "the gateway does not drain its client");
        let name = format!("%output %{} ", pane.id);
        let mut rest = bytes;
        while !rest.is_empty() {
            let most = rest.len().min(OUTPUT_LINE_BYTES);
            let (head, tail) = rest.split_at(1 + random.below(most as u64) as usize);
            rest = tail;
            self.unread.extend_from_slice(name.as_bytes());
            escape(head, &mut self.unread);
            self.unread.push(b'\n');
        }
    }

    /// A person looks at another pane.
    pub fn switch_pane(&mut self) {
        self.active = (self.active + 1) % self.panes.len();
        let (window, pane) = (self.id, self.shown().id);
        self.say(&format!("%window-pane-changed @{window} %{pane}\n"));
    }

    fn command(&mut self, command: &str, words: &[&str]) {
        let target = words.iter().position(|word| *word == "-t").and_then(|at| words.get(at + 1));
        let pane = target.and_then(|name| name.strip_prefix('%')?.parse::<u32>().ok());
        let at = pane.and_then(|id| self.panes.iter().position(|pane| pane.id == id));
        let at = at.unwrap_or(self.active);
        let body = match words[0] {
            "display-message" => state(&self.panes[at].terminal),
            "list-panes" => self.list_panes(),
            "capture-pane" => capture(&self.panes[at].terminal, words),
            "resize-window" => return self.resize_window(words),
            "set-option" if command.contains("@cc_seq") => {
                words[4].clone_into(&mut self.seq_bound);
                String::new()
            }
            "set-option" if command.contains("@cc_modes") => {
                words[5].trim_matches('\'').clone_into(&mut self.panes[at].modes);
                String::new()
            }
            "set-option" => String::new(),
            "refresh-client" => {
                self.refresh(words[2].trim_matches('\''));
                String::new()
            }
            "send-keys" => {
                let keys = words[4..].iter().map(|hex| u8::from_str_radix(hex, 16).expect("hex"));
                self.typed.extend(keys);
                String::new()
            }
            other => panic!("the model does not know {other}"),
        };
        self.reply(&body);
    }

    /// `%5:pause` or `%5:continue`.
    fn refresh(&mut self, what: &str) {
        let (pane, verb) = what.trim_start_matches('%').split_once(':').expect("a pane's state");
        let id: u32 = pane.parse().expect("a pane");
        let pane = self.panes.iter_mut().find(|pane| pane.id == id).expect("a pane of ours");
        pane.paused = verb == "pause";
    }

    fn list_panes(&self) -> String {
        let line = |(n, pane): (usize, &Pane)| {
            let (active, Terminal { cols, rows, .. }) = (n == self.active, &pane.terminal);
            format!("1{} @{} %{} {cols} {rows}\n", u8::from(active), self.id, pane.id)
        };
        self.panes.iter().enumerate().map(line).collect()
    }

    fn resize_window(&mut self, words: &[&str]) {
        let number = |flag| {
            let at = words.iter().position(|word| *word == flag).expect("a size");
            words[at + 1].parse::<usize>().expect("a number")
        };
        self.reply("");
        let (cols, rows) = (number("-x"), number("-y"));
        if (cols, rows) == (self.screen().cols, self.screen().rows) {
            return;
        }
        self.panes.iter_mut().for_each(|pane| pane.terminal.resize(cols, rows));
        let layout = format!("b25f,{cols}x{rows},0,0,{}", self.shown().id);
        self.say(&format!("%layout-change @{} {layout} {layout} *\n", self.id));
    }

    fn reply(&mut self, body: &str) {
        self.replies += 1;
        let n = self.replies;
        self.say(&format!("%begin 1 {n} 1\n{body}%end 1 {n} 1\n"));
    }

    fn say(&mut self, text: &str) {
        if self.attached {
            self.unread.extend_from_slice(text.as_bytes());
        }
    }
}

/// As tmux writes bytes that are no text.
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        if byte < 0x20 || byte == b'\\' {
            out.extend([b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
        } else {
            out.push(byte);
        }
    }
}

fn state(terminal: &Terminal) -> String {
    let Terminal { cols, rows, .. } = *terminal;
    let (x, y) = terminal.cursor();
    let history = terminal.history_size();
    let tabs: Vec<String> = (1..cols).filter(|c| c % 8 == 0).map(|c| c.to_string()).collect();
    let (bottom, tabs) = (rows - 1, tabs.join(","));
    format!("{cols}|{rows}|{x}|{y}|{history}|0|0|0|1|0|0|0|0|0|0|0|0|0|1|0|{bottom}|{tabs}\n")
}

fn capture(terminal: &Terminal, words: &[&str]) -> String {
    let mut body = String::new();
    if words.contains(&"-P") {
        let mut escaped = Vec::new();
        escape(&terminal.unfinished, &mut escaped);
        body.extend(escaped.iter().map(|&byte| char::from(byte)));
        body.push('\n');
    } else if let Some(at) = words.iter().position(|word| *word == "-S") {
        let wanted = words[at + 1].trim_start_matches('-').parse().expect("a number");
        terminal.history_lines(wanted).for_each(|line| add_line(&mut body, line));
    } else if !words.contains(&"-a") {
        terminal.visible_lines().for_each(|line| add_line(&mut body, line));
    }
    body
}

fn add_line(body: &mut String, line: &[char]) {
    body.extend(line);
    body.push('\n');
}
