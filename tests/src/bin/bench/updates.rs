//! How many frames and bytes a change of the screen costs: a redraw, a line, a spinner.

use crate::report::Report;
use crate::{Effort, quiet_stage};
use integration::fixture::Stage;
use integration::link::Link;
use std::time::Duration;

/// Bytes of the redraw: a screen of 240 × 65 with a colour for every second cell or so.
const REDRAW: usize = 94 * 1024;

/// Updates of one line, and turns of the spinner.
const UPDATES: u32 = 20;

/// Time without output after which an update is complete.
const QUIET: Duration = Duration::from_millis(300);

/// A shell program each: what it prints between two marks.
pub fn all(report: &mut Report, _: Effort) {
    let mut stage = quiet_stage(&[]);
    stage.open(1, 240, 65);
    std::fs::write(stage.gateway.in_workdir(1, "redraw"), redraw()).expect("written");
    stage.type_in(1, "PS1=; stty -echo; echo ready-$((1+1))\r");
    stage.expect(1, "ready-2");
    stage.take_for(QUIET);

    let cost = run(&mut stage, "cat redraw");
    tell(report, "redraw", "94 KB full-screen redraw", cost, 1);
    let line = r"printf '\033[12;1H\033[2Kstep %d of many, and going on' $i";
    let cost = run(&mut stage, &every("0.1", line));
    tell(report, "line", "one-line update", cost, UPDATES);
    let spinner = r"printf '\r\342\240\213'";
    let cost = run(&mut stage, &every("0.08", spinner));
    tell(report, "spinner", "spinner", cost, UPDATES);
}

fn every(pause: &str, print: &str) -> String {
    format!("for i in $(seq {UPDATES}); do {print}; sleep {pause}; done")
}

struct Cost {
    frames: u64,
    bytes: u64,
}

fn counted(link: &mut Link) -> Cost {
    let stream = link.stream(1);
    Cost { frames: stream.frames, bytes: stream.total }
}

/// Runs a command line and counts what comes until it is quiet.
fn run(stage: &mut Stage, command: &str) -> Cost {
    let before = counted(stage);
    stage.type_in(1, format!("{command}\r"));
    stage.until("the output", |link| (link.stream(1).total > before.bytes).then_some(()));
    loop {
        let seen = stage.stream(1).total;
        stage.take_for(QUIET);
        if stage.stream(1).total == seen {
            break;
        }
    }
    let after = counted(stage);
    stage.stream(1).unread.clear();
    Cost { frames: after.frames - before.frames, bytes: after.bytes - before.bytes }
}

fn tell(report: &mut Report, key: &str, what: &str, cost: Cost, updates: u32) {
    let each = |number: u64| number as f64 / f64::from(updates);
    report.add(format!("updates.{key}.frames"), &format!("{what}: frames"), each(cost.frames), "");
    report.add(format!("updates.{key}.bytes"), &format!("{what}: bytes"), each(cost.bytes), "");
}

/// Cells that change their colour often, ended by a cursor position.
fn redraw() -> Vec<u8> {
    let mut out = b"\x1b[H".to_vec();
    let mut cell = 0_u32;
    while out.len() < REDRAW {
        out.extend_from_slice(format!("\x1b[38;5;{}m#*", cell % 256).as_bytes());
        cell += 1;
    }
    out.extend_from_slice(b"\x1b[m\x1b[1;1H");
    out
}
