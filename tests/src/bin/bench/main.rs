//! `bench`: a gateway against the budgets of the design and against floors of the same run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod budgets;
mod bulk;
mod crowd;
mod data;
mod echo;
mod files;
mod idle;
mod instructions;
mod pty;
mod reconnect;
mod report;
mod rest;
mod start;
mod updates;

use integration::fixture::Stage;
use integration::mock_cp::MockCp;
use report::Report;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
Measures the gateway as it is released for this machine: figures beside floors of the same run,
budgets and the last run. CHATCODE_GATEWAY_BIN=/path measures that one instead.

Usage: cargo xtask bench [options]

Options:
  --only NAME     only this measure; may be given several times
  --quick         fewer samples, smaller files, short rests: to see that it works
  --idle SECONDS  length of the idle measurement (60)
  --save          keep the figures as those that later runs are compared with
                  (size-report/bench-last.json)
  --check         exit with 1 when a budget is missed
  --help          this text

Measures:
";

/// Seconds of the idle measurement, unless told otherwise.
const IDLE: u64 = 60;

/// … and in a quick run.
const QUICK_IDLE: u64 = 5;

/// How thorough a run is.
#[derive(Clone, Copy)]
pub struct Effort {
    /// To see that it works, not to quote.
    pub quick: bool,
    /// Length of the idle measurement.
    pub idle: Duration,
}

impl Effort {
    /// `many`, or a tenth of it in a quick run.
    pub fn samples(self, many: usize) -> usize {
        if self.quick { (many / 10).max(1) } else { many }
    }
}

const MEGABYTE: f64 = 1e6;

/// A stage whose gateway and link do not spend time on checks and logs.
fn quiet_stage(environment: &[(&str, &str)]) -> Stage {
    let environment = [&[("GATEWAY_LOG_LEVEL", "info")], environment].concat();
    let mut stage = Stage::with(MockCp::new(), &environment);
    stage.checks_schema = false;
    stage
}

type Measure = fn(&mut Report, Effort);

/// Each measure with its name for `--only` and what it looks at.
const MEASURES: &[(&str, &str, Measure)] = &[
    ("size", "bytes of the binary", start::size),
    ("instructions", "instructions of fixed work in the core (needs valgrind)", instructions::all),
    ("start", "start of the process → hello", start::to_hello),
    ("reconnect", "link cut, tmux client killed, gateway killed → live again", reconnect::all),
    ("echo", "keystroke → echo, alone and beside a flood", echo::all),
    ("bulk", "megabytes a second of four kinds of output", bulk::all),
    ("files", "20 MiB up and down over TLS, and echoes beside them", files::all),
    ("updates", "frames and bytes of a redraw, a line, a spinner", updates::all),
    ("idle", "CPU, processes, messages, memory with 0, 5 and 50 sessions", idle::all),
    ("crowd", "50 sessions on one core, 5 of them busy", crowd::all),
    ("rest", "memory after 100 MB of output", rest::after_output),
];

struct Options {
    only: Vec<String>,
    effort: Effort,
    save: bool,
    check: bool,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("error: {wrong}; see cargo xtask bench --help");
            return ExitCode::from(2);
        }
    };
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|one| one == name);
    let chosen: Vec<_> = MEASURES.iter().filter(|(name, ..)| wanted(name)).collect();
    let mut report = Report::default();
    for (at, (name, what, measure)) in chosen.iter().enumerate() {
        eprintln!("[{}/{}] {name}: {what}", at + 1, chosen.len());
        let started = Instant::now();
        measure(&mut report, options.effort);
        eprintln!("      {:.1} s", started.elapsed().as_secs_f64());
    }
    let missed = report.finish(options.save);
    if options.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        only: Vec::new(),
        effort: Effort { quick: false, idle: Duration::from_secs(IDLE) },
        save: false,
        check: false,
    };
    let mut idle = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                MEASURES.iter().for_each(|(name, what, _)| println!("  {name:<14}  {what}"));
                return Ok(None);
            }
            "--quick" => options.effort.quick = true,
            "--save" => options.save = true,
            "--check" => options.check = true,
            "--idle" => {
                let seconds = arguments.next().and_then(|text| text.parse::<u64>().ok());
                idle = Some(seconds.filter(|&one| one > 0).ok_or("--idle wants seconds")?);
            }
            "--only" => {
                let name = arguments.next().ok_or("--only wants the name of a measure")?;
                if !MEASURES.iter().any(|(known, ..)| *known == name) {
                    return Err(format!("no measure {name}"));
                }
                options.only.push(name);
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let usual = if options.effort.quick { QUICK_IDLE } else { IDLE };
    options.effort.idle = Duration::from_secs(idle.unwrap_or(usual));
    Ok(Some(options))
}
