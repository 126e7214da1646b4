//! `bench`: a gateway against the budgets of the design, and against a bare `tmux -C` reader.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod measure;
mod report;

use integration::gateway::binary;
use report::{Budget, Report};
use std::time::Duration;

/// Seconds of the idle measurement, unless told otherwise.
const IDLE: u64 = 20;

fn main() {
    let mut idle = IDLE;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next().and_then(|value| value.parse().ok())) {
            ("--idle", Some(seconds)) => idle = seconds,
            _ => {
                eprintln!("usage: cargo xtask bench [--idle SECONDS]");
                std::process::exit(2);
            }
        }
    }
    let mut report = Report::default();
    size(&mut report);
    measure::start_to_hello(&mut report);
    measure::idle(&mut report, Duration::from_secs(idle));
    measure::echo(&mut report);
    measure::bulk(&mut report);
    measure::rest_after_output(&mut report);
    let missed = report.finish();
    println!("\n{missed} budgets missed");
}

fn size(report: &mut Report) {
    let bytes = binary().metadata().expect("the gateway is built").len();
    // The budget is that of `dist`, which also rebuilds std for size.
    report.add("binary, this build", bytes as f64, "bytes", Budget::AtMost(1_300_000.0));
}
