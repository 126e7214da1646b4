//! Storms: floods and redraws, on fast and slow ways, and what a person sees of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::process::memory;
use integration::slow_way::Way;
use integration::stream::{Item, find};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How long a storm lasts before a person stops it.
const STORM: Duration = Duration::from_secs(5);

/// Most bytes that the gateway may hold.
const MEMORY: u64 = 16 * 1024 * 1024;

/// A phone on a bad network, a Raspberry Pi behind a slow line.
const SLOW: Way = Way { bytes_per_second: 125_000, round_trip: Duration::from_millis(300) };

/// How long Ctrl-C may take until a person on such a way sees its effect.
const STOPPED_WITHIN: Duration = Duration::from_secs(2);

/// What the storm's line prints when it is stopped.
const STOPPED: &[u8] = b"stopped-2";

/// Whether a person sees that the storm was stopped in what came since this was last asked. `printed`
/// is what came before: frames end anywhere, also within a word.
fn is_stopped(printed: &mut Vec<u8>, items: Vec<Item>) -> bool {
    items.into_iter().any(|item| {
        match item {
            Item::Output(bytes) => printed.extend(bytes),
            Item::Reset { data, .. } => *printed = data,
            Item::Resized { .. } => {}
        }
        let found = find(printed, STOPPED).is_some();
        printed.drain(..printed.len().saturating_sub(STOPPED.len()));
        found
    })
}

/// Starts what only Ctrl-C ends; `stopped-2` is printed then.
fn start(stage: &mut Stage, session_id: u32, program: &str) {
    stage.stream(session_id).keep_log = true;
    // The program may be cut right behind an ESC, and then the terminal's own `^C` begins a string
    // that hides what follows: CAN ends it. On a line of its own it is not wrapped either.
    let told = r"printf '\030\nstopped-%s\n' $((1+1))";
    stage.type_in(session_id, format!("(trap : INT; {program}; {told})\r"));
}

/// Types Ctrl-C and waits until its effect is seen; the time that this takes.
fn stop(stage: &mut Stage, session_id: u32) -> Duration {
    stage.stream(session_id).log.clear();
    let typed = Instant::now();
    stage.type_in(session_id, "\x03");
    let mut printed = Vec::new();
    stage.until("the effect of Ctrl-C", |link| {
        let items = std::mem::take(&mut link.stream(session_id).log);
        is_stopped(&mut printed, items).then_some(())
    });
    typed.elapsed()
}

/// A program that redraws the whole screen without end, 94 KB each time, in synchronised updates.
fn redraw_storm(stage: &mut Stage, session_id: u32) -> String {
    let mut frame = b"\x1b[?2026h\x1b[2J\x1b[H".to_vec();
    let mut n = 0u32;
    while frame.len() < 94_000 {
        let _ = write!(frame, "\x1b[{};{}H\x1b[38;5;{}mx", n % 24 + 1, n % 80 + 1, n % 256);
        n += 1;
    }
    frame.extend_from_slice(b"\x1b[?2026l");
    std::fs::write(stage.gateway.in_workdir(session_id, "frame"), frame).expect("written");
    // One process: between two of a loop's there is none that Ctrl-C would end.
    "yes \"$(cat frame)\"".to_owned()
}

/// Echoes in session 2 while session 1 does what it does; the slowest of them.
fn slowest_echo(stage: &mut Stage) -> Duration {
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let typed = Instant::now();
        stage.type_in(2, format!("echo $(({n}+1000))-here\r"));
        stage.expect(2, format!("{}-here\r\n", n + 1000));
        slowest = slowest.max(typed.elapsed());
        stage.take_for(Duration::from_millis(20));
    }
    slowest
}

fn storm_beside_a_neighbour(program: impl Fn(&mut Stage) -> String) {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.open(2, 80, 24);
    let program = program(&mut stage);
    start(&mut stage, 1, &program);
    stage.take_for(Duration::from_secs(1));
    let slowest = slowest_echo(&mut stage);
    assert!(slowest < Duration::from_secs(1), "an echo took {slowest:?}");
    let pid = stage.gateway.process().id();
    let rss = memory(pid, "VmRSS");
    assert!(rss < MEMORY, "{rss} bytes in the storm");
    let took = stop(&mut stage, 1);
    assert!(took < Duration::from_secs(1), "Ctrl-C took {took:?}");
    eprintln!("slowest echo {slowest:?}, Ctrl-C {took:?}, {rss} bytes");
}

#[test]
fn a_flood_of_yes() {
    storm_beside_a_neighbour(|_| "yes".to_owned());
}

#[test]
fn a_cat_of_500_mb() {
    storm_beside_a_neighbour(|stage| {
        let path = stage.gateway.in_workdir(1, "big");
        let mut file = std::fs::File::create(path).expect("a file");
        let line = b"The quick brown fox jumps over the lazy dog, 0123456789.\r\n";
        let block = line.repeat(20_000);
        for _ in 0..500_000_000 / block.len() {
            file.write_all(&block).expect("written");
        }
        "cat big".to_owned()
    });
}

#[test]
fn a_storm_of_redraws() {
    storm_beside_a_neighbour(|stage| redraw_storm(stage, 1));
}

#[test]
fn ctrl_c_on_a_slow_way_is_seen_at_once() {
    for program in ["yes", "seq 1 1000000000"] {
        let (mut stage, _way) = Stage::behind(SLOW);
        stage.open(1, 80, 24);
        start(&mut stage, 1, program);
        stage.take_for(STORM);
        let items = std::mem::take(&mut stage.stream(1).log);
        assert!(!is_stopped(&mut Vec::new(), items));
        let took = stop(&mut stage, 1);
        eprintln!("{program}: Ctrl-C {took:?}");
        assert!(took < STOPPED_WITHIN, "{program}: Ctrl-C took {took:?}");
        stage.type_in(1, "echo alive-$((1+1))\r");
        stage.expect(1, "alive-2");
    }
}

#[test]
fn a_redraw_storm_costs_a_slow_way_a_screen_a_round_trip() {
    let (mut stage, way) = Stage::behind(SLOW);
    stage.open(1, 80, 24);
    let program = redraw_storm(&mut stage, 1);
    start(&mut stage, 1, &program);
    stage.take_for(STORM);
    let (carried, screens, began) =
        (way.carried(), stage.stream(1).snapshots.len(), Instant::now());
    stage.take_for(STORM);
    let carried = way.carried() - carried;
    let screens = stage.stream(1).snapshots.len() - screens;
    let round_trips = began.elapsed().as_secs_f64() / SLOW.round_trip.as_secs_f64();
    let each = carried as f64 / round_trips;
    eprintln!("{screens} screens, {each:.0} bytes in each of {round_trips:.0} round trips");
    assert!(screens as f64 <= round_trips * 1.2 && screens >= 1, "{screens} in {round_trips}");
    let took = stop(&mut stage, 1);
    eprintln!("Ctrl-C {took:?}");
    assert!(took < STOPPED_WITHIN, "Ctrl-C took {took:?}");
}
