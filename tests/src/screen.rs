//! Screens: the web app's terminal without a window, and tmux's own, in one comparable form.

mod dump;

pub use dump::{Cell, Dump, differences, read_dump, state_differences};

use dump::UNDRAWN;

use crate::PATIENCE;
use crate::link::Link;
use crate::process::Running;
use crate::stream::Item;
use crate::tmux::{Capture, MODES, Tmux};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Output counts as at rest when none came for this long.
const REST: Duration = Duration::from_millis(60);

/// Differences that a failure shows.
const SHOWN: usize = 12;

/// The terminal that is fed by the stream.
const STREAM: u8 = 0;

/// The terminal that tmux's capture is drawn on.
const CAPTURE: u8 = 1;

/// A terminal that sees every byte of the program and no snapshot but the first.
const WHOLE: u8 = 2;

/// The terminals of one test.
pub struct Screen {
    orders: ChildStdin,
    answers: ChildStdout,
    begun: bool,
    /// What the test is at, for messages of failures.
    pub place: String,
    _process: Running,
}

impl Screen {
    /// Starts them.
    pub fn new() -> Self {
        let mut command = Command::new("node");
        command
            .arg(crate::repository().join("tests/node/screen.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let orders = process.child().stdin.take().expect("a pipe");
        let answers = process.child().stdout.take().expect("a pipe");
        Self { orders, answers, begun: false, place: String::new(), _process: process }
    }

    fn order(&mut self, kind: u8, terminal: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short order").to_be_bytes();
        let mut head = vec![kind, terminal];
        head.extend_from_slice(&length);
        self.orders.write_all(&head).expect("the terminals live");
        self.orders.write_all(payload).expect("the terminals live");
    }

    fn size(cols: u32, rows: u32) -> [u8; 4] {
        let short = |cells: u32| u16::try_from(cells).expect("a size").to_be_bytes();
        let ([a, b], [c, d]) = (short(cols), short(rows));
        [a, b, c, d]
    }

    fn dump(&mut self, terminal: u8) -> Dump {
        self.order(b'D', terminal, &[]);
        let mut length = [0; 4];
        self.answers.read_exact(&mut length).expect("the terminals answer");
        let mut text = vec![0; u32::from_be_bytes(length) as usize];
        self.answers.read_exact(&mut text).expect("the terminals answer");
        read_dump(&serde_json::from_slice(&text).expect("JSON"))
    }

    /// Feeds what a stream has collected since the last time.
    pub fn feed(&mut self, items: Vec<Item>) {
        for item in items {
            match item {
                Item::Output(bytes) => {
                    self.order(b'W', STREAM, &bytes);
                    self.order(b'W', WHOLE, &bytes);
                }
                Item::Resized { cols, rows } => {
                    self.order(b'Z', STREAM, &Self::size(cols, rows));
                    self.order(b'Z', WHOLE, &Self::size(cols, rows));
                }
                Item::Reset { cols, rows, data } => self.reset(&Self::size(cols, rows), &data),
            }
        }
    }

    fn reset(&mut self, size: &[u8; 4], data: &[u8]) {
        self.order(b'R', STREAM, size);
        self.order(b'W', STREAM, data);
        if self.begun {
            self.order(b'Z', WHOLE, size);
        } else {
            self.order(b'R', WHOLE, size);
            self.order(b'W', WHOLE, data);
        }
        self.begun = true;
    }

    /// The screen that the stream has made.
    pub fn shown(&mut self) -> Dump {
        self.dump(STREAM)
    }

    /// Asserts that what is not cells is as in a terminal that saw every byte of the program.
    /// For streams of which no byte was missed, while they are at rest.
    pub fn expect_same_state(&mut self) {
        let (shown, whole) = (self.dump(STREAM), self.dump(WHOLE));
        let wrong = state_differences(&shown, &whole);
        let place = &self.place;
        assert!(wrong.is_empty(), "{place}: {}\n{}", wrong.join("\n"), shown.text().join("\n"));
    }

    /// Draws what tmux shows and returns the screen.
    pub fn draw(&mut self, capture: &Capture) -> Dump {
        self.order(b'R', CAPTURE, &Self::size(capture.cols, capture.height));
        let mut bytes = b"\x1b[?7l\x1b[48;2;1;2;3m\x1b[2J\x1b[0m\x1b)0".to_vec();
        for (row, line) in capture.rows.split(|&byte| byte == b'\n').enumerate() {
            // What follows the last line feed is no row.
            if row < capture.height as usize {
                bytes.extend_from_slice(format!("\x1b[{};1H", row + 1).as_bytes());
                bytes.extend_from_slice(&with_overline(line));
            }
        }
        self.order(b'P', CAPTURE, &bytes);
        let mut drawn = self.dump(CAPTURE);
        drawn.cursor = capture.cursor;
        drawn.state = state(capture);
        drawn
    }

    /// Waits until the stream's screen equals tmux's own, both at rest.
    pub fn expect_equal(&mut self, link: &mut Link, tmux: &Tmux, session_id: u32) {
        assert!(link.stream(session_id).keep_log, "the stream's log feeds the screen");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = tmux.capture(session_id);
            self.follow(link, session_id);
            let mut shown = self.shown();
            let late = self.follow(link, session_id);
            let after = tmux.capture(session_id);
            let at_rest = before == after && !late;
            let wrong = if at_rest {
                let drawn = self.draw(&after);
                if !crate::tmux::capabilities().captures_bright_backgrounds {
                    forget_bright_backgrounds(&mut shown, &drawn);
                }
                differences(&shown, &drawn)
            } else {
                vec!["the screen did not come to rest".to_owned()]
            };
            if wrong.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                let some = wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
                panic!(
                    "{}: stream and tmux differ in {} places:\n{some}\n{}\n{}",
                    self.place,
                    wrong.len(),
                    shown.text().join("\n"),
                    link.describe()
                );
            }
        }
    }

    /// Waits until neither the stream nor tmux's screen changes any more.
    pub fn settle(&mut self, link: &mut Link, tmux: &Tmux, session_id: u32) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = tmux.capture(session_id);
            let came = self.follow(link, session_id);
            if !came && before == tmux.capture(session_id) {
                return;
            }
            assert!(Instant::now() < deadline, "{}: the screen does not come to rest", self.place);
        }
    }

    /// Feeds what comes until the output rests. Returns whether anything came.
    fn follow(&mut self, link: &mut Link, session_id: u32) -> bool {
        let mut came = false;
        let deadline = Instant::now() + Duration::from_secs(2);
        loop {
            link.take_for(REST);
            let items = std::mem::take(&mut link.stream(session_id).log);
            let rests = items.is_empty();
            came |= !rests;
            self.feed(items);
            if rests || Instant::now() > deadline {
                return came;
            }
        }
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

/// What a dump's state must say; `!x` is anything but `x`.
fn state(capture: &Capture) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for (on, (_, name, value)) in capture.modes.iter().zip(MODES) {
        if *on {
            state.insert(name.to_owned(), value.to_owned());
        } else {
            // Of a kind of which one is on, the others say nothing.
            state.entry(name.to_owned()).or_insert_with(|| format!("!{value}"));
        }
    }
    state
}

/// Takes bright backgrounds away where a tmux that cannot capture them shows none, and says so.
fn forget_bright_backgrounds(shown: &mut Dump, drawn: &Dump) {
    let mut count = 0;
    for (ours, theirs) in shown.lines.iter_mut().flatten().zip(drawn.lines.iter().flatten()) {
        if let (Cell::Text(_, _, ours, _), Cell::Text(_, _, theirs, _)) = (ours, theirs)
            && ["-", UNDRAWN].contains(&theirs.as_str())
            && ours.parse().is_ok_and(|index| (8..16).contains(&index))
        {
            theirs.clone_into(ours);
            count += 1;
        }
    }
    if count > 0 {
        eprintln!("this tmux captures no bright backgrounds: {count} cells not compared by colour");
    }
}

/// tmux 3.3a prints overline as `5:3`, which xterm.js takes for blink.
fn with_overline(line: &[u8]) -> Vec<u8> {
    let (from, to): (&[u8], &[u8]) = (b"5:3", b"53");
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = crate::stream::find(rest, from) {
        let in_sgr = rest[..at].iter().rev().find(|byte| !b"0123456789;:".contains(byte));
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(if in_sgr == Some(&b'[') { to } else { from });
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Vec<Item> {
        vec![
            Item::Reset { cols: 20, rows: 4, data: Vec::new() },
            Item::Output(text.as_bytes().to_vec()),
        ]
    }

    fn capture(rows: &str, cursor: (u32, u32)) -> Capture {
        Capture { rows: rows.as_bytes().to_vec(), cols: 20, height: 4, cursor, modes: vec![] }
    }

    #[test]
    fn a_screen_equals_its_capture_and_no_other() {
        let mut screen = Screen::new();
        screen.feed(output("a\x1b[1;31mb\x1b[m 日本\r\n\x1b(0qq\x1b(B"));
        let shown = screen.shown();
        let same = screen.draw(&capture("a\x1b[1m\x1b[31mb\x1b[0m 日本\n\x0eqq\x0f\n\n\n", (2, 1)));
        assert_eq!(differences(&shown, &same), Vec::<String>::new());
        let plain = screen.draw(&capture("ab 日本\n\x0eqq\x0f\n\n\n", (2, 1)));
        assert_eq!(differences(&shown, &plain).len(), 1);
        let moved = screen.draw(&capture("a\x1b[1m\x1b[31mb\x1b[0m 日本\n\n\n\n", (3, 1)));
        assert_eq!(differences(&shown, &moved).len(), 3);
    }

    #[test]
    fn a_fill_that_tmux_leaves_out_is_no_difference_but_text_is() {
        let mut screen = Screen::new();
        screen.feed(output("\x1b[44mbar\x1b[K"));
        let shown = screen.shown();
        let same = screen.draw(&capture("\x1b[44mbar\n\n\n\n", (3, 0)));
        assert_eq!(differences(&shown, &same), Vec::<String>::new());
        let less = screen.draw(&capture("\x1b[44mba\n\n\n\n", (3, 0)));
        assert_eq!(differences(&shown, &less).len(), 1);
    }

    #[test]
    fn the_stream_passes_the_byte_filter() {
        let mut screen = Screen::new();
        screen.feed(output("\x1bktitle\x1b\\x\x1b[c\x1b[6n"));
        assert_eq!(screen.shown().text()[0], "x");
        assert_eq!(with_overline(b"\x1b[1;5:3mx5:3"), b"\x1b[1;53mx5:3");
    }
}
