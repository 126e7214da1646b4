//! A program and what is done with it, at three sizes of the terminal: keys, a fresh attach, and a
//! gateway that is killed while the program is in the middle of an escape sequence.

use chatcode_gateway::session::modes::Modes;
use integration::fixture::Stage;
use integration::halting::{Depth, Halting};
use integration::screen::Screen;
use integration::{PATIENCE, eventually};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Columns and rows that a program is shown at, one after the other.
pub const SIZES: [(u32, u32); 3] = [(100, 30), (40, 12), (132, 43)];

/// For programs that show nothing useful on a small screen.
pub const LARGE_SIZES: [(u32, u32); 3] = [(100, 30), (80, 24), (132, 43)];

/// Where output halts at the three sizes, unless the case says otherwise.
const PLACES: [(Depth, u32); 3] =
    [(Depth::Escape, 1), (Depth::Introducer, 2), (Depth::Parameters, 1)];

/// How long a program may take to print what it is to be halted in.
const PRINTING: Duration = Duration::from_secs(15);

/// … before an animated one gets its next key: while it starts, it may lose what is typed.
const NEXT_KEY: Duration = Duration::from_secs(2);

/// Bytes of the end of the output that are kept: longer than any mark that is waited for.
const TAIL_BYTES: usize = 16;

/// Runs programs so that they can be halted.
const RELAY: &str = env!("CARGO_BIN_EXE_halting-pty");

/// What is typed, and the place (from 1) in what is then printed where the output halts.
pub type Halt = (&'static str, Depth, u32);

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
        let mut run = Run::start(&self);
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
}

/// A case that is being looked at.
pub struct Run {
    stage: Stage,
    screen: Screen,
    relay: Halting,
    /// What a gateway that saw every byte would know.
    tracker: Modes,
    /// The end of what the program has printed.
    tail: Vec<u8>,
    /// Bytes of the stream that did not come through the relay: the first shell's.
    other_bytes: u64,
    size: (u32, u32),
}

impl Run {
    /// Starts a gateway, a session and the program.
    pub fn start(case: &Case) -> Self {
        let mut run = Self::shell(case.sizes[0]);
        for (name, content) in &case.files {
            let path = run.stage.gateway.in_workdir(1, name);
            std::fs::write(path, content).expect("written");
        }
        run.type_in(&format!("{}\r", case.start));
        let tmux = &run.stage.gateway.tmux;
        let shown = |line: &String| line.contains(case.shows);
        let found =
            integration::wait_for(case.patience, || tmux.lines(1).iter().any(shown).then_some(()));
        let lines = || tmux.lines(1).join("\n");
        assert!(found.is_some(), "`{}` does not show {:?}:\n{}", case.start, case.shows, lines());
        if case.animated.is_none() {
            run.compare("at the start");
        }
        run
    }

    /// A gateway and a session with a shell whose output can be halted.
    pub fn shell(size: (u32, u32)) -> Self {
        let mut stage = Stage::new();
        stage.stream(1).keep_log = true;
        stage.open(1, size.0, size.1);
        let socket = stage.gateway.home.join("halt");
        // A prompt that holds nothing of this machine.
        let shell = format!("PS1='$ ' exec {RELAY} {} bash --norc --noprofile", socket.display());
        stage.type_in(1, format!("{shell}\r"));
        let relay = Halting::join(&socket);
        let (screen, tracker) = (Screen::new(), Modes::default());
        let mut run =
            Self { stage, screen, relay, tracker, tail: Vec::new(), other_bytes: 0, size };
        run.type_in("clear\r");
        run.compare("at the shell's prompt");
        run.other_bytes = run.stage.stream(1).total - run.relay.passed();
        run
    }

    /// Types.
    pub fn type_in(&mut self, keys: &str) {
        self.stage.type_in(1, keys);
    }

    /// Compares with tmux's own screen, and modes with those of a terminal that saw every byte.
    pub fn compare(&mut self, place: &str) {
        self.screen.place = format!("{}x{} {place}", self.size.0, self.size.1);
        self.at_rest();
        self.screen.expect_same_state();
    }

    /// Leaves the program. tmux has reflowed what it hid, in another way than xterm.js.
    fn leave(&mut self, keys: &str) {
        self.type_in(keys);
        let tmux = &self.stage.gateway.tmux;
        let screen = || tmux.run(&["capture-pane", "-p", "-t", "=cc-1:"]);
        let left = integration::wait_for(PATIENCE, || {
            let state = tmux.format(1, "#{alternate_on} #{cursor_y}");
            let row = state.strip_prefix("0 ")?.parse().ok()?;
            screen().lines().nth(row)?.trim_end().ends_with('$').then_some(())
        });
        assert!(left.is_some(), "{keys:?} does not lead to the shell's prompt:\n{}", screen());
        self.settle();
        self.attach_again();
        self.compare(&format!("left by {keys:?}"));
    }

    /// Waits until the stream's screen is tmux's own.
    fn at_rest(&mut self) {
        let Stage { link, gateway, .. } = &mut self.stage;
        self.screen.expect_equal(link, &gateway.tmux, 1);
        self.absorb();
    }

    /// Waits until the program rests, whatever it shows.
    fn settle(&mut self) {
        let Stage { link, gateway, .. } = &mut self.stage;
        self.screen.settle(link, &gateway.tmux, 1);
        self.absorb();
    }

    /// Takes note of what was printed.
    fn absorb(&mut self) {
        let bytes = std::mem::take(&mut self.stage.link.stream(1).unread);
        self.tracker.feed(&bytes);
        self.tail.extend_from_slice(&bytes);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
    }

    /// Resizes and waits until the program has drawn its screen again.
    fn take_size(&mut self, size: (u32, u32), animated: bool) {
        if self.size == size {
            return;
        }
        self.size = size;
        self.screen.place = format!("resizing to {size:?}");
        self.stage.resize(1, size.0, size.1);
        self.stage
            .until("the resize", |link| (link.stream(1).sizes.last() == Some(&size)).then_some(()));
        eventually("the program's terminal is resized", PATIENCE, || {
            self.relay.has_size(size).then_some(())
        });
        if animated {
            return;
        }
        self.settle();
        // Lines of the main screen are reflowed by tmux and by xterm.js, each in its own way.
        self.attach_again();
        self.compare("resized");
    }

    /// Detaches and attaches for a snapshot.
    pub fn attach_again(&mut self) {
        self.stage.detach(1);
        self.stage.attach_afresh(1, None);
    }

    /// Makes the program print and halts it where `halt` says, with everything before it received.
    fn halt(&mut self, (keys, depth, nth): Halt) {
        self.relay.halt(depth, nth);
        self.type_in(keys);
        let passed = self.relay.halted(PRINTING);
        self.receive(passed, (keys, depth, nth));
    }

    /// As [`Self::halt`], of a program that prints by itself or on one of `keys`.
    fn halt_animated(&mut self, keys: &[&str], (depth, nth): (Depth, u32)) {
        self.relay.halt(depth, nth);
        let deadline = Instant::now() + 2 * PRINTING;
        let mut keys = keys.iter().cycle();
        let mut passed = None;
        while passed.is_none() && Instant::now() < deadline {
            self.type_in(keys.next().unwrap_or(&""));
            passed = self.relay.halted(NEXT_KEY);
        }
        self.receive(passed, ("", depth, nth));
    }

    /// Waits until all that passed before the halt has come.
    fn receive(&mut self, passed: Option<u64>, (keys, depth, nth): Halt) {
        let Some(passed) = passed else {
            self.stage.take_for(Duration::ZERO);
            let printed = String::from_utf8_lossy(&self.stage.stream(1).unread).into_owned();
            panic!(
                "{}: no {depth:?} number {nth} in what {keys:?} printed; choose another key or \
                 place: {printed:?}",
                self.screen.place
            );
        };
        let total = passed + self.other_bytes;
        self.stage.until("the output before the halt", |link| {
            (link.stream(1).total >= total).then_some(())
        });
        assert_eq!(self.stage.stream(1).total, total, "{}", self.screen.place);
        self.absorb();
    }

    /// Waits until the stream ends with `tail`, of at most [`TAIL_BYTES`].
    pub fn until_printed(&mut self, tail: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        while !self.tail.ends_with(tail) {
            let came = self.stage.take_one(deadline);
            let text = String::from_utf8_lossy(tail);
            assert!(came, "{}: the gateway does not send {text:?}", self.screen.place);
            self.absorb();
        }
    }

    /// Kills and restarts the gateway while the program is halted, and attaches afresh.
    pub fn restart(&mut self) {
        self.absorb();
        let mirror: String = self.tracker.mirror().iter().map(|b| format!("{b:02x}")).collect();
        let tmux = &self.stage.gateway.tmux;
        eventually("tmux keeps what only the gateway knows", PATIENCE, || {
            (tmux.format(1, "#{@cc_modes}") == mirror).then_some(())
        });
        self.stage.kill_and_restart_gateway();
        self.stage.attach_afresh(1, None);
    }

    fn restart_within(&mut self, halt: Halt) {
        self.halt(halt);
        self.compare("halted");
        self.restart();
        self.compare("after the gateway's restart within a sequence");
        self.relay.go();
    }

    /// All that is looked at of a program that never rests.
    fn look_while_halted(&mut self, keys: &[&str], (_, depth, nth): Halt) {
        if self.size == SIZES[0] {
            self.halt_animated(keys, (depth, nth));
            self.compare("halted");
            self.relay.go();
        }
        self.halt_animated(keys, (depth, nth));
        self.attach_again();
        self.compare("after a fresh attach within a sequence");
        self.restart();
        self.compare("after the gateway's restart within a sequence");
        self.relay.go();
        self.halt_animated(keys, (Depth::Escape, 2));
        self.compare("halted again after the restart");
        self.relay.go();
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
