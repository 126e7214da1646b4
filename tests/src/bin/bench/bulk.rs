//! Megabytes a second of four kinds of output, beside what a bare `tmux -C` reader gets.

use crate::bare::Bare;
use crate::data::KINDS;
use crate::report::Report;
use crate::{Effort, MEGABYTE, quiet_stage};
use integration::fixture::Stage;
use integration::stream::Acking;
use std::time::Duration;

/// Runs of each measurement; the best of each side counts, and they take turns.
const RUNS: usize = 3;

/// Bytes after which the reader acks.
const ACK: u32 = 32 * 1024;

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(300);

const SCRIPT: &str = "stty raw -echo; printf '<<%s>>' BEGIN; cat bulk; printf '<<%s>>' END\n";

/// All kinds.
pub fn all(report: &mut Report, effort: Effort) {
    for kind in &KINDS {
        let content = kind.content(effort);
        let (mut best, mut floor): (f64, f64) = (0.0, 0.0);
        for _ in 0..if effort.quick { 1 } else { RUNS } {
            floor = floor.max(bare_rate(&content));
            best = best.max(through(&mut quiet_stage(&[]), &content));
        }
        let what = format!("bulk, {}, beside bare tmux -C", kind.what);
        report.beside(format!("bulk.{}", kind.key), &what, (best, floor), "MB/s");
    }
}

fn bare_rate(content: &[u8]) -> f64 {
    let mut bare = Bare::start(1, 120, 40);
    std::fs::write(bare.home.join("bulk"), content).expect("written");
    std::fs::write(bare.home.join("bulk.sh"), SCRIPT).expect("written");
    bare.session(1).type_in("sh bulk.sh\r");
    let started = bare.session(1).expect("<<BEGIN>>");
    let ended = bare.session(1).expect("<<END>>");
    content.len() as f64 / MEGABYTE / (ended - started).as_secs_f64()
}

/// The rate of `content` through session 1, every byte of it.
pub fn through(stage: &mut Stage, content: &[u8]) -> f64 {
    std::fs::write(stage.gateway.in_workdir(1, "bulk"), content).expect("written");
    std::fs::write(stage.gateway.in_workdir(1, "bulk.sh"), SCRIPT).expect("written");
    if !stage.streams.contains_key(&1) {
        stage.open(1, 120, 40);
    }
    stage.stream(1).acking = Acking::Every(ACK);
    stage.type_in(1, "sh bulk.sh\r");
    stage.expect(1, "<<BEGIN>>");
    let started = stage.stream(1).last_at.expect("output came");
    let got = stage.expect_within(PATIENCE, 1, "<<END>>");
    let ended = stage.stream(1).last_at.expect("output came");
    assert_eq!(got.len(), content.len() + "<<END>>".len(), "every byte came");
    stage.type_in(1, "stty sane\r");
    content.len() as f64 / MEGABYTE / (ended - started).as_secs_f64()
}
