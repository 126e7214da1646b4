//! Running schedules: on all cores, with a failure's words kept and its seed named.

use super::fault::Fault;
use super::seen::Seen;
use super::world::World;
use std::cell::RefCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};

thread_local! {
    /// What the panic in this thread's schedule said; `None` while no schedule runs here.
    static WORDS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the words of schedules' panics for us; the gateway's log would drown them.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        use chatcode_gateway::log::{Format, Level, init};
        init(Level::Error, Format::Text);
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let ours = WORDS.with_borrow_mut(|words| {
                words.as_mut().map(|words| *words = panic.to_string()).is_some()
            });
            if !ours {
                others(panic);
            }
        }));
    });
}

fn watched(schedule: impl FnOnce() -> Seen) -> Result<Seen, String> {
    prepare();
    WORDS.set(Some(String::new()));
    let result = catch_unwind(AssertUnwindSafe(schedule));
    let words = WORDS.take().unwrap_or_default();
    result.map_err(|_| words)
}

/// Runs the schedule of `seed`, saying all that happens.
///
/// # Errors
/// What was wrong.
pub fn traced(seed: u64, fault: Option<Fault>) -> Result<Seen, String> {
    watched(|| {
        let mut world = World::new(seed, fault);
        world.trace_all();
        world.run()
    })
}

/// Runs the schedule of `seed` with a fault. Also whether that had a chance to happen.
///
/// # Errors
/// What the fault was caught by.
pub fn with_fault(seed: u64, fault: Fault) -> (bool, Result<(), String>) {
    let mut world = World::new(seed, Some(fault));
    let result = watched(|| world.run());
    (world.is_sprung(), result.map(drop))
}

/// Runs the schedules of `seeds` on all cores; fails with the first seed that does.
pub fn all(seeds: Range<u64>) -> Seen {
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let work = || {
        let mut sum = Seen::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || failed.lock().expect("no poison").is_some() {
                return sum;
            }
            match watched(|| World::new(seed, None).run()) {
                Ok(seen) => sum.add(&seen),
                Err(words) => {
                    let mut failed = failed.lock().expect("no poison");
                    if failed.as_ref().is_none_or(|(first, _)| seed < *first) {
                        *failed = Some((seed, words));
                    }
                }
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            seen.add(&worker.join().expect("a worker catches its panics"));
        }
    });
    if let Some((seed, words)) = failed.into_inner().expect("no poison") {
        panic!("{words}\nreplay with SIMULATION_SEED={seed}");
    }
    seen
}
