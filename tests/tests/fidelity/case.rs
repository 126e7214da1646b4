//! A program and what is done with it, at three sizes of the terminal: keys, a fresh attach, and a
//! gateway that is killed while the program is in the middle of an escape sequence.

use crate::run::{Halt, Run};
use integration::PATIENCE;
use integration::halting::Depth;
use std::fmt::Write as _;
use std::time::Duration;

/// Columns and rows that a program is shown at, one after the other.
pub const SIZES: [(u32, u32); 3] = [(100, 30), (40, 12), (132, 43)];

/// For programs that show nothing useful on a small screen.
pub const LARGE_SIZES: [(u32, u32); 3] = [(100, 30), (80, 24), (132, 43)];

/// Where output halts at the three sizes, unless the case says otherwise.
const PLACES: [(Depth, u32); 3] =
    [(Depth::Escape, 1), (Depth::Introducer, 2), (Depth::Parameters, 1)];

/// A program and what is done with it.
pub struct Case {
    files: Vec<(&'static str, String)>,
    start: String,
    shows: &'static str,
    keys: &'static [&'static str],
    halts: [Halt; 3],
    sizes: [(u32, u32); 3],
    leave: &'static [&'static str],
    animated: Option<&'static [&'static str]>,
    patience: Duration,
}

impl Case {
    /// A program that is started by typing `start` and is up when tmux shows `shows`.
    pub fn new(start: impl Into<String>, shows: &'static str) -> Self {
        Self {
            files: Vec::new(),
            start: start.into(),
            shows,
            keys: &[],
            halts: PLACES.map(|(depth, nth)| ("\x0c", depth, nth)),
            sizes: SIZES,
            leave: &[],
            animated: None,
            patience: PATIENCE,
        }
    }

    /// A bash script that prints and ends. Its screen is drawn again for each halt.
    pub fn script(text: impl Into<String>) -> Self {
        let again = PLACES.map(|(depth, nth)| (". ./script\r", depth, nth + 1));
        let start = ". ./script; echo script-$((1+1))";
        Self::new(start, "script-2").file("script", text).halts(again)
    }

    /// A file that it needs, beside it.
    pub fn file(mut self, name: &'static str, content: impl Into<String>) -> Self {
        self.files.push((name, content.into()));
        self
    }

    /// Keys after each of which the screens are compared, a third at each size.
    pub fn keys(mut self, keys: &'static [&'static str]) -> Self {
        self.keys = keys;
        self
    }

    /// A key on which it prints enough to be halted in; Ctrl-L unless said otherwise.
    pub fn redraw(self, key: &'static str) -> Self {
        self.halts(PLACES.map(|(depth, nth)| (key, depth, nth)))
    }

    /// Halts so many places later than usual.
    pub fn later(mut self, by: u32) -> Self {
        self.halts = self.halts.map(|(key, depth, nth)| (key, depth, nth + by));
        self
    }

    /// Where it is halted at each size.
    pub fn halts(mut self, halts: [Halt; 3]) -> Self {
        self.halts = halts;
        self
    }

    /// Other sizes.
    pub fn sizes(mut self, sizes: [(u32, u32); 3]) -> Self {
        self.sizes = sizes;
        self
    }

    /// How it is left; each key is compared on the screen that was there before it.
    pub fn leave(mut self, keys: &'static [&'static str]) -> Self {
        self.leave = keys;
        self
    }

    /// It prints without being asked, or on these keys, typed in turn: its screens are compared
    /// only while it is halted.
    pub fn animated(mut self, keys: &'static [&'static str]) -> Self {
        self.animated = Some(keys);
        self
    }

    /// It may take this long to start.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Does all of it.
    pub fn check(self) {
        let mut run = self.start();
        let shares = self.keys.chunks(self.keys.len().div_ceil(3).max(1)).map(<[_]>::to_vec);
        let mut shares = shares.chain(std::iter::repeat(Vec::new()));
        for (size, halt) in self.sizes.into_iter().zip(self.halts) {
            run.take_size(size, self.animated.is_some());
            if let Some(keys) = self.animated {
                run.look_while_halted(keys, halt);
                continue;
            }
            for keys in shares.next().into_iter().flatten() {
                run.type_in(keys);
                run.compare(&format!("after {keys:?}"));
            }
            run.attach_again();
            run.compare("after a fresh attach");
            run.restart_within(halt);
            run.compare("after the gateway's restart and the rest of the output");
        }
        if let Some((last, others)) = self.leave.split_last() {
            for keys in others {
                run.type_in(keys);
                run.compare(&format!("after {keys:?}"));
            }
            run.leave(last);
        }
    }

    /// Starts a gateway, a session and the program.
    fn start(&self) -> Run {
        let mut run = Run::shell(self.sizes[0]);
        for (name, content) in &self.files {
            run.write(name, content);
        }
        run.type_in(&format!("{}\r", self.start));
        run.until_shown(self.shows, self.patience);
        if self.animated.is_none() {
            run.compare("at the start");
        }
        run
    }
}

/// A source file.
pub fn source() -> String {
    let mut text = String::from("#include <stdio.h>\n\n/* A comment. é 日本 */\n");
    for n in 0..120 {
        let _ = writeln!(text, "int f{n}(int x) {{\n\treturn x + {n}; // \"text\" é 日本\n}}");
    }
    text
}

/// A script that makes a git repository with branches and merges, always the same.
pub fn repository() -> &'static str {
    "export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'\n\
     export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b\n\
     git init -q -b main; seq 60 >f; git add f; git commit -q -m 'first é'\n\
     for n in 1 2 3 4 5 6; do\n\
     git checkout -q -b side-$n; sed -i \"${n}s/$/ side/\" f; git commit -q -a -m \"side $n 日本\"\n\
     git checkout -q main; sed -i \"$((n + 20))s/$/ main/\" f; git commit -q -a -m \"main $n\"\n\
     git merge -q --no-ff -m \"merge $n\" side-$n; git tag v$n\n\
     done\n"
}
