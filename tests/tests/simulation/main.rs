//! Seeded simulation of the whole way: tmux model, gateway, link, hub, pages.
//!
//! The gateway's daemon and the control plane's hub are the real ones; around them are pipes that
//! are cut at arbitrary bytes and a clock that only the schedule moves. In the end every page must
//! show tmux's own screen. Replay one schedule with `SIMULATION_SEED=n`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod model_tmux;
mod page;
mod random;
mod terminal;
mod world;

use world::World;

const SCHEDULES: u64 = 1_500;

#[test]
fn every_page_ends_with_the_screen_of_tmux() {
    let only = std::env::var("SIMULATION_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..SCHEDULES, |seed: u64| seed..seed + 1);
    let mut seen = world::Seen::default();
    for seed in seeds {
        let schedule = std::panic::catch_unwind(|| World::new(seed).run());
        match schedule {
            Ok(events) => seen.add(&events),
            Err(_) => panic!("failed: replay with SIMULATION_SEED={seed}"),
        }
    }
    println!("{seen:?}");
    if only.is_none() {
        seen.assert_all_happened();
    }
}
