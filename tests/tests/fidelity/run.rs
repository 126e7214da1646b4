//! A session whose output can be halted, and the looks that are taken at it.

use crate::case::SIZES;
use chatcode_gateway::session::modes::Modes;
use integration::fixture::Stage;
use integration::halting::{Depth, Halting};
use integration::screen::Screen;
use integration::{PATIENCE, eventually};
use std::time::{Duration, Instant};

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

    /// Writes a file into the session's folder.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.stage.gateway.in_workdir(1, name), content).expect("written");
    }

    /// Waits until tmux shows `text` in a line.
    pub fn until_shown(&self, text: &str, patience: Duration) {
        let tmux = &self.stage.gateway.tmux;
        let shown = || tmux.lines(1).iter().any(|line| line.contains(text)).then_some(());
        let found = integration::wait_for(patience, shown);
        assert!(found.is_some(), "{text:?} does not appear:\n{}", tmux.lines(1).join("\n"));
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
    pub fn leave(&mut self, keys: &str) {
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
    pub fn take_size(&mut self, size: (u32, u32), animated: bool) {
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

    pub fn restart_within(&mut self, halt: Halt) {
        self.halt(halt);
        self.compare("halted");
        self.restart();
        self.compare("after the gateway's restart within a sequence");
        self.relay.go();
    }

    /// All that is looked at of a program that never rests.
    pub fn look_while_halted(&mut self, keys: &[&str], (_, depth, nth): Halt) {
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
