//! The measurements, each on a gateway of its own over loopback.

use crate::bare::Bare;
use crate::report::{Budget, Report, percentile};
use integration::fixture::Stage;
use integration::gateway::Gateway;
use integration::mock_cp::MockCp;
use integration::patterns::Random;
use integration::process::{cpu_seconds, memory};
use integration::stream::Acking;
use std::time::{Duration, Instant};

/// Starts that are measured.
const STARTS: usize = 11;

/// Keystrokes that are measured.
const KEYSTROKES: usize = 1000;

/// Runs of each bulk measurement; the best counts.
const RUNS: usize = 3;

/// Sessions of the idle measurement.
const SESSIONS: u32 = 5;

/// How long a gateway rests before its memory is looked at again.
const REST: Duration = Duration::from_secs(60);

const MEGABYTE: f64 = 1e6;

/// From the start of the process to its first frame.
pub fn start_to_hello(report: &mut Report) {
    let cp = MockCp::new();
    let mut gateway = Gateway::new(&cp.url());
    let mut samples: Vec<f64> = (0..STARTS)
        .map(|_| {
            gateway.kill();
            let started = Instant::now();
            gateway.run();
            cp.accept();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let median = percentile(&mut samples, 0.5);
    report.add("start → hello, median", median, "ms", Budget::AtMost(20.0));
}

/// CPU and memory of a gateway that has sessions and nobody who looks at them.
pub fn idle(report: &mut Report, time: Duration) {
    let mut stage = quiet_stage();
    for session_id in 1..=SESSIONS {
        stage.open(session_id, 80, 24);
        stage.detach(session_id);
    }
    // Shells settle, health is told after the creations.
    stage.take_for(Duration::from_secs(3));
    let pid = stage.gateway.process().id();
    let tmux = stage.gateway.tmux.server_pid().expect("a server");
    let (texts, before, tmux_before) = (stage.texts, cpu_seconds(pid), cpu_seconds(tmux));
    stage.take_for(time);
    let share = |seconds: f64| seconds / time.as_secs_f64() * 100.0;
    let used = share(cpu_seconds(pid) - before);
    report.add("idle CPU, 5 sessions", used, "% core", Budget::AtMost(0.02));
    let used = share(cpu_seconds(tmux) - tmux_before);
    report.add("idle CPU of its tmux server", used, "% core", Budget::None);
    let spoke = (stage.texts - texts) as f64;
    report.add("texts sent while nobody watches", spoke, "", Budget::AtMost(0.0));
    let rss = memory(pid, "VmRSS") as f64 / MEGABYTE;
    report.add("RSS, 5 idle sessions", rss, "MB", Budget::AtMost(2.5));
    let anonymous = memory(pid, "RssAnon") as f64 / MEGABYTE;
    report.add("anonymous memory, 5 idle sessions", anonymous, "MB", Budget::AtMost(0.8));
}

/// A stage whose link does not spend time on checks.
fn quiet_stage() -> Stage {
    let mut stage = Stage::with(MockCp::new(), &[("GATEWAY_LOG_LEVEL", "info")]);
    stage.checks_schema = false;
    stage
}

/// From a keystroke to its echo: alone, beside a flood, and through a bare client.
pub fn echo(report: &mut Report) {
    let mut stage = quiet_stage();
    stage.open(1, 80, 24);
    stage.type_in(1, "stty raw -echo; echo raw-$((1+1)); cat\r");
    stage.expect(1, "raw-2");
    let mut samples = keystrokes(&mut stage);
    report.add("keystroke → echo, p50", percentile(&mut samples, 0.5), "ms", Budget::AtMost(1.0));
    report.add("keystroke → echo, p99", percentile(&mut samples, 0.99), "ms", Budget::AtMost(5.0));

    let mut floor = bare_keystrokes();
    let median = percentile(&mut floor, 0.5);
    report.add("  the same, bare tmux -C, p50", median, "ms", Budget::None);
    let late = percentile(&mut floor, 0.99);
    report.add("  the same, bare tmux -C, p99", late, "ms", Budget::None);

    stage.open(2, 80, 24);
    stage.type_in(2, "while :; do seq 1 100000; done\r");
    stage.until("the flood", |link| (link.stream(2).total > 1_000_000).then_some(()));
    let mut samples = keystrokes(&mut stage);
    let median = percentile(&mut samples, 0.5);
    report.add("keystroke → echo beside a flood, p50", median, "ms", Budget::AtMost(5.0));
    let late = percentile(&mut samples, 0.99);
    report.add("keystroke → echo beside a flood, p99", late, "ms", Budget::None);
}

fn keystrokes(stage: &mut Stage) -> Vec<f64> {
    let mut random = Random::new(1);
    let mut samples = Vec::with_capacity(KEYSTROKES);
    for n in 0..KEYSTROKES {
        // Uneven pauses, so that no timer on the way keeps step with us.
        stage.take_for(Duration::from_micros(500 + random.number() % 4000));
        stage.stream(1).unread.clear();
        if let Some(flood) = stage.streams.get_mut(&2) {
            flood.unread.clear();
        }
        let key = [b'a' + u8::try_from(n % 26).expect("a letter")];
        let started = Instant::now();
        stage.type_in(1, key);
        stage.expect(1, key);
        let at = stage.stream(1).last_at.expect("output came");
        samples.push((at - started).as_secs_f64() * 1e3);
    }
    samples
}

fn bare_keystrokes() -> Vec<f64> {
    let mut bare = Bare::start(80, 24);
    bare.type_in("stty raw -echo; echo raw-$((1+1)); cat\r");
    bare.expect("raw-2");
    let mut random = Random::new(1);
    let mut samples = Vec::with_capacity(KEYSTROKES);
    for n in 0..KEYSTROKES {
        std::thread::sleep(Duration::from_micros(500 + random.number() % 4000));
        let key = char::from(b'a' + u8::try_from(n % 26).expect("a letter")).to_string();
        let started = Instant::now();
        bare.type_in(&key);
        samples.push((bare.expect(&key) - started).as_secs_f64() * 1e3);
    }
    samples
}

/// Megabytes a second of short lines and of text, and their share of what a bare client gets.
pub fn bulk(report: &mut Report) {
    let lines: String = (1..=2_000_000).map(|n| format!("{n}\n")).collect();
    let text = "The quick brown fox jumps over the lazy dog, and then it rests for a while; \n";
    let text = text.repeat(32 * 1024 * 1024 / text.len());
    for (name, content) in [("short lines (seq)", lines), ("32 MB of text", text)] {
        let (mut best, mut floor): (f64, f64) = (0.0, 0.0);
        for _ in 0..RUNS {
            floor = floor.max(bare_rate(&content));
            best = best.max(gateway_rate(&content));
        }
        report.add(&format!("bulk, {name}"), best, "MB/s", Budget::None);
        report.add(&format!("  bare tmux -C, {name}"), floor, "MB/s", Budget::None);
        report.add(&format!("  ratio, {name}"), best / floor, "", Budget::AtLeast(0.9));
    }
}

const SCRIPT: &str = "stty raw -echo; printf '<<%s>>' BEGIN; cat bulk; printf '<<%s>>' END\n";

fn bare_rate(content: &str) -> f64 {
    let mut bare = Bare::start(120, 40);
    std::fs::write(bare.home.join("bulk"), content).expect("written");
    std::fs::write(bare.home.join("bulk.sh"), SCRIPT).expect("written");
    bare.type_in("sh bulk.sh\r");
    let started = bare.expect("<<BEGIN>>");
    let ended = bare.expect("<<END>>");
    content.len() as f64 / MEGABYTE / (ended - started).as_secs_f64()
}

fn gateway_rate(content: &str) -> f64 {
    let mut stage = quiet_stage();
    bulk_through(&mut stage, content)
}

fn bulk_through(stage: &mut Stage, content: &str) -> f64 {
    std::fs::write(stage.gateway.in_workdir(1, "bulk"), content).expect("written");
    std::fs::write(stage.gateway.in_workdir(1, "bulk.sh"), SCRIPT).expect("written");
    if !stage.streams.contains_key(&1) {
        stage.open(1, 120, 40);
    }
    stage.stream(1).acking = Acking::Every(32 * 1024);
    stage.type_in(1, "sh bulk.sh\r");
    stage.expect(1, "<<BEGIN>>");
    let started = stage.stream(1).last_at.expect("output came");
    let got = stage.expect_within(Duration::from_secs(300), 1, "<<END>>");
    let ended = stage.stream(1).last_at.expect("output came");
    assert_eq!(got.len(), content.len() + "<<END>>".len(), "every byte came");
    stage.type_in(1, "stty sane\r");
    content.len() as f64 / MEGABYTE / (ended - started).as_secs_f64()
}

/// Memory after 100 MB of output and a minute of rest.
pub fn rest_after_output(report: &mut Report) {
    let mut stage = quiet_stage();
    let line = "a line of ordinary text that is neither short nor long, 70 characters\n";
    let content = line.repeat(25 * 1000 * 1000 / line.len());
    for _ in 0..4 {
        bulk_through(&mut stage, &content);
    }
    stage.detach(1);
    stage.take_for(REST);
    let pid = stage.gateway.process().id();
    let rss = memory(pid, "VmRSS") as f64 / MEGABYTE;
    report.add("RSS after 100 MB and 60 s of rest", rss, "MB", Budget::AtMost(4.0));
}
