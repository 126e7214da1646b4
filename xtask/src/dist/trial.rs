//! Tries a built gateway: the suite `released`, with its binary, under qemu where it must be.

use super::Built;
use super::emulate;
use crate::run::run;
use crate::{Result, needs, run as running};
use std::path::Path;
use std::time::{Duration, Instant};

/// Runs the suite; gives how long it took. None for macOS, whose programs cannot be run elsewhere.
///
/// # Errors
/// When it fails, or a program of that processor cannot be run here.
pub fn trial(root: &Path, built: &Built) -> Result<Option<Duration>> {
    if built.target.is_apple() {
        return Ok(None);
    }
    needs::programs(needs::TO_RUN)?;
    println!("▸ {}: a session", built.target.triple);
    let test = ["test", "--quiet", "--package", "integration", "--test", "released"];
    // Compiled outside, where whoever runs us owns what is written.
    run(running::cargo(root).args(test).arg("--no-run"))?;
    let started = Instant::now();
    let cargo = running::cargo(root);
    let mut launcher = emulate::launcher(built.target)?;
    launcher.arg(cargo.get_program()).args(test).current_dir(root);
    launcher.env("CHATCODE_GATEWAY_BIN", std::path::absolute(&built.binary)?);
    run(&mut launcher)?;
    Ok(Some(started.elapsed()))
}
