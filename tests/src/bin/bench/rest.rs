//! Memory after much output and a rest: what was allocated for it must be given back.

use crate::report::Report;
use crate::{Effort, MEGABYTE, bulk, quiet_stage};
use integration::process::memory;
use std::time::Duration;

/// How long a gateway rests before its memory is looked at.
const REST: Duration = Duration::from_secs(60);

/// … in a quick run: longer than the gateway keeps an empty ring.
const QUICK_REST: Duration = Duration::from_secs(12);

/// Runs of a quarter of the output.
const PARTS: usize = 4;

/// Resident memory after 100 MB and a minute.
pub fn after_output(report: &mut Report, effort: Effort) {
    let mut stage = quiet_stage(&[]);
    let line = "a line of ordinary text that is neither short nor long, 70 characters\n";
    let content = line.repeat(25 * 1000 * 1000 / line.len() / if effort.quick { 10 } else { 1 });
    for _ in 0..PARTS {
        bulk::through(&mut stage, content.as_bytes());
    }
    stage.detach(1);
    stage.take_for(if effort.quick { QUICK_REST } else { REST });
    let pid = stage.gateway.process().id();
    let megabytes = |name| memory(pid, name) as f64 / MEGABYTE;
    report.add("rest.rss", "RSS after 100 MB of output and a rest", megabytes("VmRSS"), "MB");
    report.add("rest.anonymous", "  anonymous", megabytes("RssAnon"), "MB");
}
