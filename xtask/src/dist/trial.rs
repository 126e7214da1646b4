//! Tries a built gateway: the suite `released`, with its binary, under qemu where it must be.

use super::Built;
use crate::emulate::Emulator;
use crate::run::{self, run};
use crate::{Result, needs};
use std::path::Path;
use std::time::{Duration, Instant};

/// Runs the suite; gives how long it took. None for macOS, whose programs cannot be run elsewhere.
///
/// # Errors
/// When it fails, or a program of that processor cannot be run here.
pub fn trial(root: &Path, built: &Built) -> Result<Option<Duration>> {
    let target = built.target;
    if target.is_apple() && !target.is_native() {
        return Ok(None);
    }
    needs::programs(needs::TO_RUN)?;
    println!("▸ {}: a session", target.triple);
    let mut test = run::cargo(root);
    test.args(["test", "--quiet", "--package", "integration", "--test", "released"]);
    // Compiled outside, where whoever runs us owns what is written.
    run(run::again(&test).arg("--no-run"))?;
    let started = Instant::now();
    test.env("CHATCODE_GATEWAY_BIN", std::path::absolute(&built.binary)?);
    if target.is_native() {
        run(&mut test)?;
    } else {
        run(&mut Emulator::of(target)?.around(&test))?;
    }
    Ok(Some(started.elapsed()))
}
