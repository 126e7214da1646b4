//! `chatcode-gateway doctor`: looks at all that can be wrong, and says what to do.
//!
//! Small probes ask the machine, the network and programs, each within a time; what they found goes
//! through pure functions that make findings of it. So every finding can be had in a test.
//!
//! Nothing that runs is disturbed. The token is shown to the control plane by a request that asks
//! for no WebSocket: a second connection would replace the gateway's own.

mod agents;
mod certificate;
mod configuration;
mod disk;
mod memory;
mod network;
mod program;
mod report;
mod service;
mod ssh;
mod terminal;
mod times;

use crate::config::Values;
use report::Report;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Longest run of the whole command.
const WHOLE: Duration = Duration::from_secs(10);

/// When the command must be done. Each step has its own time, and never more than is left.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    /// What a step may take.
    fn within(self, step: Duration) -> Duration {
        step.min(self.0.saturating_duration_since(Instant::now()))
    }
}

/// Runs every check and prints what was found. Gives back the exit code.
pub fn run(json: bool, flags: &Values) -> u8 {
    let report = examine(flags, &|name| std::env::var(name).ok());
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = if json { report.to_json() } else { report.to_text(colour) };
    // Whoever stopped reading wanted no more.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    report.exit_code()
}

fn examine(flags: &Values, environment: &dyn Fn(&str) -> Option<String>) -> Report {
    let deadline = Deadline(Instant::now() + WHOLE);
    let settings = configuration::examine(flags, environment);
    let mut findings = settings.findings;
    let mut not_checked = Vec::new();
    match &settings.link {
        Some((url, bearer)) => {
            let found = network::examine(url, bearer, deadline);
            let is_there = |check: &&str| found.iter().any(|finding| finding.check == *check);
            not_checked.extend(network::CHECKS.into_iter().filter(|check| !is_there(check)));
            findings.extend(found);
        }
        None => not_checked.extend(network::CHECKS),
    }
    findings.extend(terminal::examine(deadline));
    match &settings.folders {
        Some(folders) => findings.extend(disk::examine(folders)),
        None => not_checked.extend(disk::CHECKS),
    }
    findings.push(memory::examine());
    findings.extend(ssh::examine(environment("HOME"), deadline));
    match service::ask(environment("HOME"), deadline) {
        Some(state) => findings.push(service::judge(state)),
        None => not_checked.push(service::CHECK),
    }
    findings.push(agents::examine(environment("SHELL"), deadline));
    Report { findings, not_checked }
}
