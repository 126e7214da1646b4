//! `fuzz`: cargo-fuzz on the targets of `fuzz/`, beginning with their seeds.

use crate::run::{self, output, run};
use crate::{Result, at_root};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long each target runs unless told otherwise.
pub const SECONDS: u32 = 60;

/// Largest input in bytes. Everything that the parsers tell apart fits into much less.
const MAX_BYTES: u32 = 4 * 1024;

/// Memory at which a run counts as a failure, in MiB: the sanitizer takes most of it.
const MEMORY_MIB: u32 = 1_024;

/// cargo-fuzz needs what only a nightly compiler has: sanitizers and coverage.
const TOOLCHAIN: &str = "nightly";

/// Fuzzes one target, or all of them in turn.
///
/// # Errors
/// When the tools are missing and cannot be had, the target is unknown, or an input breaks a
/// property: cargo-fuzz prints it and keeps it in `fuzz/artifacts`.
pub fn fuzz(only: Option<&str>, seconds: u32) -> Result<()> {
    let root = run::root()?;
    let known = targets(&root)?;
    let chosen: Vec<&String> =
        known.iter().filter(|name| only.is_none_or(|it| it == *name)).collect();
    if chosen.is_empty() {
        let only = only.unwrap_or_default();
        return Err(format!("no target {only}; the targets are {}", known.join(", ")).into());
    }
    nightly()?;
    let cargo_fuzz = cargo_fuzz(&root)?;
    let mut failed = Vec::new();
    for name in chosen {
        println!("▸ {name}");
        if fuzz_target(&root, &cargo_fuzz, name, seconds).is_err() {
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// The names of the targets: their files'.
fn targets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = file?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn nightly() -> Result<()> {
    let found = output(Command::new("rustup").args(["run", TOOLCHAIN, "rustc", "--version"]));
    let by_hand = "fuzzing needs a nightly compiler: rustup toolchain install nightly";
    found.map(drop).ok_or_else(|| by_hand.into())
}

/// Where cargo-fuzz is; installed beneath `target` when it is not there yet.
fn cargo_fuzz(root: &Path) -> Result<PathBuf> {
    let tools = run::target(root).join("tools");
    let program = tools.join("bin/cargo-fuzz");
    if !program.is_file() {
        println!("  installing cargo-fuzz");
        let mut install = run::cargo(root);
        install.args(["install", "--quiet", "--locked", "cargo-fuzz", "--root"]).arg(&tools);
        run(&mut install).map_err(|error| format!("cargo-fuzz cannot be installed: {error}"))?;
    }
    Ok(program)
}

fn fuzz_target(root: &Path, cargo_fuzz: &Path, name: &str, seconds: u32) -> Result<()> {
    let folder = run::target(root).join("fuzz");
    // What is found goes to the first folder; the second one holds the seeds of the repository.
    let found = folder.join("corpus").join(name);
    std::fs::create_dir_all(&found)?;
    let program = cargo_fuzz.to_string_lossy();
    let mut command = at_root(&program)?;
    command
        .args(["fuzz", "run", "--fuzz-dir", "fuzz", "--target-dir"])
        .arg(folder.join("build"))
        .arg(name)
        .arg(&found)
        .arg(root.join("fuzz/corpus").join(name))
        .args(["--", "-print_final_stats=1", "-timeout=10"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MAX_BYTES}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .env("RUSTUP_TOOLCHAIN", TOOLCHAIN)
        // The cargo that runs us is the pinned one.
        .env_remove("CARGO");
    run(&mut command)
}
