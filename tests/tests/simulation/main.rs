//! Seeded simulation of the whole way: tmux model, gateway, link, hub, pages.
//!
//! The gateway's daemon and the control plane's hub are the real ones; around them are lines that
//! are slow and cut at arbitrary bytes, and a clock that only the schedule moves. In the end every
//! page must show tmux's own screen. `SIMULATION_SEED=n` replays one schedule and tells what
//! happens in it; `SIMULATION_SCHEDULES=n` runs so many of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contract;
mod fault;
mod faults;
mod model_tmux;
mod page;
mod random;
mod run;
mod seen;
mod terminal;
mod wire;
mod world;

/// Schedules of a run: about a minute on two cores.
const SCHEDULES: u64 = 10_000;

/// Schedules that are run twice to see that a seed says everything.
const REPLAYED: u64 = 60;

/// A variable's number.
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value}")))
}

#[test]
fn every_page_ends_with_the_screen_of_tmux() {
    if let Some(seed) = number("SIMULATION_SEED") {
        println!("{:?}", run::traced(seed, None).expect("the schedule passes"));
        return;
    }
    let schedules = number("SIMULATION_SCHEDULES").unwrap_or(SCHEDULES);
    let seen = run::all(0..schedules);
    println!("{seen:?}");
    seen.assert_all_happened(schedules);
}

#[test]
fn a_seed_replays_the_same_schedule() {
    let again = run::all(0..REPLAYED);
    assert_eq!(run::all(0..REPLAYED), again);
}
