//! Many sessions on one core, as on the smallest server: 45 idle and 5 that flood.

use crate::report::{Report, percentile};
use crate::{Effort, quiet_stage};
use integration::fixture::Stage;
use integration::patterns::Random;
use integration::process::Usage;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sessions, as many as a gateway keeps.
const SESSIONS: u32 = 50;

/// Those that flood.
const BUSY: u32 = 5;

/// Keystrokes that are measured.
const KEYSTROKES: usize = 200;

/// Bytes of each flood after which it is under way.
const UNDER_WAY: u64 = 200_000;

/// How long a loaded core may take to get there.
const PATIENCE: Duration = Duration::from_secs(120);

/// The echo of an idle session and who uses the core.
pub fn all(report: &mut Report, effort: Effort) {
    let mut stage = quiet_stage(&[("GATEWAY_MAX_SESSIONS", "50")]);
    let gateway = stage.gateway.process().id();
    if !pin(gateway) {
        return report.skip("crowd", "taskset is missing (on Debian in util-linux)");
    }
    for session_id in 1..=SESSIONS {
        // What the gateway starts from now on stays on its core.
        stage.open(session_id, 80, 24);
    }
    let echoing = SESSIONS;
    stage.type_in(echoing, "stty raw -echo; echo raw-$((1+1)); exec cat\r");
    stage.expect(echoing, "raw-2");
    for session_id in 1..=BUSY {
        stage.type_in(session_id, "while :; do seq 1 100000; done\r");
    }
    stage.until_within(PATIENCE, "the floods", |link| {
        (1..=BUSY).all(|id| link.stream(id).total > UNDER_WAY).then_some(())
    });
    let tmux = stage.gateway.tmux.server_pid().expect("a server");
    let (own, theirs, started) = (Usage::of(gateway), Usage::of(tmux), Instant::now());
    let flooded = total(&stage);
    let mut samples = keystrokes(&mut stage, echoing, effort.samples(KEYSTROKES));
    let seconds = started.elapsed().as_secs_f64();
    let share =
        |pid, before: &Usage| (Usage::of(pid).cpu_seconds - before.cpu_seconds) / seconds * 100.0;
    let what = "one core, 45 idle and 5 flooding: echo";
    report.add("crowd.echo.p50", &format!("{what}, p50"), percentile(&mut samples, 0.5), "ms");
    report.add("crowd.echo.p99", &format!("{what}, p99"), percentile(&mut samples, 0.99), "ms");
    report.add("crowd.cpu", "  CPU of the gateway", share(gateway, &own), "% core");
    report.add("crowd.tmux_cpu", "  CPU of its tmux server", share(tmux, &theirs), "% core");
    let rate = (total(&stage) - flooded) as f64 / crate::MEGABYTE / seconds;
    report.add("crowd.rate", "  output of the five together", rate, "MB/s");
}

fn total(stage: &Stage) -> u64 {
    stage.streams.values().map(|stream| stream.total).sum()
}

/// Keeps a process, and what it starts from now on, on the first core.
fn pin(pid: u32) -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", "-p", "0", &pid.to_string()]).stdout(Stdio::null());
    taskset.status().is_ok_and(|status| status.success())
}

fn keystrokes(stage: &mut Stage, session_id: u32, count: usize) -> Vec<f64> {
    let mut random = Random::new(1);
    let sample = |n: usize| {
        stage.take_for(Duration::from_micros(500 + random.number() % 20_000));
        stage.streams.values_mut().for_each(|stream| stream.unread.clear());
        let key = [b'a' + u8::try_from(n % 26).expect("a letter")];
        let started = Instant::now();
        stage.type_in(session_id, key);
        stage.expect(session_id, key);
        let at = stage.stream(session_id).last_at.expect("output came");
        (at - started).as_secs_f64() * 1e3
    };
    (0..count).map(sample).collect()
}
