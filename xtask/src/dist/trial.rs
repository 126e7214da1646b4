//! Tries a built gateway: the suite `released`, with its binary, under qemu where it must be.

use super::{Built, emulate};
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
    let test = ["test", "--quiet", "--package", "integration", "--test", "released"];
    // Compiled outside, where whoever runs us owns what is written.
    let mut cargo = run::cargo(root);
    run(cargo.args(test).arg("--no-run"))?;
    let started = Instant::now();
    let mut launcher = emulate::launcher(target)?;
    launcher.arg(cargo.get_program()).args(test).current_dir(root);
    launcher.env("CHATCODE_GATEWAY_BIN", std::path::absolute(&built.binary)?);
    run(&mut launcher)?;
    Ok(Some(started.elapsed()))
}
