//! From a keystroke to its echo: through the gateway, bare tmux and a raw terminal, idle and beside
//! a session that floods.

use crate::bare::Bare;
use crate::pty::Pty;
use crate::report::{Report, percentile};
use crate::{Effort, quiet_stage};
use integration::fixture::Stage;
use integration::patterns::Random;
use std::time::{Duration, Instant};

/// Keystrokes that are measured.
const KEYSTROKES: usize = 1000;

const RAW_CAT: &str = "stty raw -echo; echo raw-$((1+1)); exec cat";
const FLOOD: &str = "while :; do seq 1 100000; done";

/// Bytes of the flood after which it is under way.
const UNDER_WAY: u64 = 1_000_000;

/// Something that echoes a key, and says when.
trait Echo {
    /// Lets time pass and throws away what comes.
    fn wait(&mut self, time: Duration);
    /// Types a key and waits for it; when it came.
    fn key(&mut self, key: &str) -> Instant;
}

/// Alone, then beside the flood, each with its floors.
pub fn all(report: &mut Report, effort: Effort) {
    let count = effort.samples(KEYSTROKES);
    let mut stage = quiet_stage(&[]);
    stage.open(1, 80, 24);
    stage.type_in(1, format!("{RAW_CAT}\r"));
    stage.expect(1, "raw-2");
    let mut bare = Bare::start(2, 80, 24);
    bare.session(1).type_in(&format!("{RAW_CAT}\r"));
    bare.session(1).expect("raw-2");
    let mut pty = Pty::start(RAW_CAT);
    pty.expect("raw-2");

    let idle = [keystrokes(&mut stage, count), keystrokes(&mut bare, count)];
    add(report, "echo.idle", "keystroke → echo", idle, keystrokes(&mut pty, count));

    stage.open(2, 80, 24);
    stage.type_in(2, format!("{FLOOD}\r"));
    stage.until("the flood", |link| (link.stream(2).total > UNDER_WAY).then_some(()));
    let through = keystrokes(&mut stage, count);
    // One flood at a time.
    drop(stage);
    bare.session(2).type_in(&format!("{FLOOD}\r"));
    bare.session(2).expect("99999");
    let beside = keystrokes(&mut bare, count);
    drop(bare);
    let mut flood = Pty::start(FLOOD);
    let mut raw = Beside { pty, flood: &mut flood };
    let floor = keystrokes(&mut raw, count);
    add(report, "echo.flood", "keystroke → echo beside a flood", [through, beside], floor);
}

fn add(
    report: &mut Report,
    key: &str,
    what: &str,
    [mut through, mut bare]: [Vec<f64>; 2],
    mut raw: Vec<f64>,
) {
    report.times(key, what, &mut through, &mut bare);
    let raw = (percentile(&mut bare, 0.5), percentile(&mut raw, 0.5));
    report.beside(format!("{key}.floor"), "  its floor, bare tmux -C, beside a raw PTY", raw, "ms");
}

fn keystrokes(echo: &mut impl Echo, count: usize) -> Vec<f64> {
    let mut random = Random::new(1);
    let sample = |n: usize| {
        // Uneven pauses, so that no timer on the way keeps step with us.
        echo.wait(Duration::from_micros(500 + random.number() % 4000));
        let key = char::from(b'a' + u8::try_from(n % 26).expect("a letter")).to_string();
        let started = Instant::now();
        (echo.key(&key) - started).as_secs_f64() * 1e3
    };
    (0..count).map(sample).collect()
}

impl Echo for Stage {
    fn wait(&mut self, time: Duration) {
        self.take_for(time);
        self.streams.values_mut().for_each(|stream| stream.unread.clear());
    }

    fn key(&mut self, key: &str) -> Instant {
        self.type_in(1, key);
        self.expect(1, key);
        self.stream(1).last_at.expect("output came")
    }
}

impl Echo for Bare {
    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
        self.session(2).discard();
    }

    fn key(&mut self, key: &str) -> Instant {
        self.session(1).type_in(key);
        self.session(1).expect(key)
    }
}

impl Echo for Pty {
    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn key(&mut self, key: &str) -> Instant {
        self.type_in(key);
        self.expect(key)
    }
}

/// A raw terminal, and another that floods.
struct Beside<'a> {
    pty: Pty,
    flood: &'a mut Pty,
}

impl Echo for Beside<'_> {
    fn wait(&mut self, time: Duration) {
        self.pty.wait(time);
        self.flood.discard();
    }

    fn key(&mut self, key: &str) -> Instant {
        self.pty.key(key)
    }
}
