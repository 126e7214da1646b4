//! How soon a session lives again after its link, its tmux client or its gateway was cut off.

use crate::report::{Report, percentile};
use crate::{Effort, quiet_stage};
use integration::fixture::Stage;
use integration::process::{children, signal};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Times that each is measured.
const TIMES: usize = 11;

/// Time for the gateway's delay to return to its shortest: a link must have lived so long.
const GOOD_LINK: Duration = Duration::from_millis(10_500);

/// The three ways.
pub fn all(report: &mut Report, effort: Effort) {
    let mut stage = quiet_stage(&[]);
    stage.open(1, 80, 24);
    // So that a shell's prompt does not come in between.
    stage.type_in(1, "stty -echo; PS1=; echo ready-$((1+1))\r");
    stage.expect(1, "ready-2");
    link_cut(report, &mut stage, effort.samples(TIMES).min(5));
    client_killed(report, &mut stage, effort.samples(TIMES));
    gateway_killed(report, &mut stage, effort.samples(TIMES));
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1e3
}

fn link_cut(report: &mut Report, stage: &mut Stage, times: usize) {
    let [mut waits, mut hellos, mut replays] = [const { Vec::new() }; 3];
    for _ in 0..times {
        stage.take_for(GOOD_LINK);
        let attempts = stage.cp.attempts().len();
        let cut = Instant::now();
        stage.cut();
        stage.reconnect();
        let hello = Instant::now();
        let attempt = stage.cp.attempts()[attempts];
        stage.attach(1, None);
        stage.type_in(1, "echo live\r");
        stage.expect(1, "live");
        waits.push(milliseconds(cut, attempt));
        hellos.push(milliseconds(attempt, hello));
        replays.push(milliseconds(hello, Instant::now()));
    }
    let replayed = stage.stream(1).replays.len();
    assert!(replayed >= times, "a short absence is replayed, {replayed} of {times}");
    let mut tell = |key: &str, what: &str, mut samples: Vec<f64>| {
        let what = format!("link cut: {what}, median");
        report.add(format!("reconnect.{key}"), &what, percentile(&mut samples, 0.5), "ms");
    };
    tell("delay", "to the next attempt (random)", waits);
    tell("hello", "attempt → hello", hellos);
    tell("live", "hello → replayed and echoing", replays);
}

/// tmux lets go of the control client: the gateway attaches again and repairs by a snapshot.
fn client_killed(report: &mut Report, stage: &mut Stage, times: usize) {
    let gateway = stage.gateway.process().id();
    let mut samples = Vec::new();
    for _ in 0..times {
        let snapshots = stage.stream(1).snapshots.len();
        let started = Instant::now();
        for client in children(gateway) {
            signal(client, Signal::KILL);
        }
        stage.until("the snapshot of the new client", |link| {
            (link.stream(1).snapshots.len() > snapshots).then_some(())
        });
        samples.push(milliseconds(started, Instant::now()));
    }
    let median = percentile(&mut samples, 0.5);
    report.add("reconnect.client", "tmux client killed → attached, snapshot", median, "ms");
}

fn gateway_killed(report: &mut Report, stage: &mut Stage, times: usize) {
    let mut samples = Vec::new();
    for _ in 0..times {
        let started = Instant::now();
        stage.kill_and_restart_gateway();
        stage.attach(1, None);
        samples.push(milliseconds(started, Instant::now()));
    }
    let median = percentile(&mut samples, 0.5);
    report.add("reconnect.gateway", "gateway killed, restarted → snapshot", median, "ms");
}
