//! `dist`: the gateway as it is released, for every target.

mod checks;
mod compile;
pub mod emulate;
mod flags;
mod musl;
mod reproducible;
mod split;
pub mod targets;
mod tools;
mod trial;

use crate::{Result, run};
use compile::Product;
use lexopt::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use targets::{TARGETS, Target};
use tools::Tools;

/// Oldest macOS that the gateway runs on: the first one on Apple's own processors.
const MINIMUM_MACOS: &str = "11.0";

const HELP: &str = "\
The gateway as it is released: built, split from its symbols, checked and tried.

Usage: cargo xtask dist [options]

  --target TRIPLE       only this target; may be given several times (all six)
  --version X.Y.Z       the version that it says (the package's)
  --update-key KEY      minisign public key of its updates, as the second line of a .pub file
                        (without it the binary takes no updates)
  --out DIR             where to put it (target/dist)
  --check-reproducible  build each once more from a copy of the sources, and compare every byte

For each target there are chatcode-gateway-TRIPLE, and chatcode-gateway-TRIPLE.debug with symbols
and lines of the same build id. zig and cargo-zigbuild are installed from PyPI into
target/dist-tools, what is missing of the pinned Rust by rustup. A first build takes minutes for
each target, because the standard library is compiled too; it stays in target/dist-build.

Each binary is checked: architecture, no loader or libraries, position-independent, no writable
code, read-only tables, no executable stack, build id, no folder of this machine. Those for Linux
then hold a session with a real tmux, under qemu where the processor is another (Linux 6.7, or
qemu-user-static registered with the machine). Those for macOS cannot be tried elsewhere.
";

/// What a release is built as.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The version that it says; without it the package's.
    pub version: Option<String>,
    /// Minisign public key that its updates are signed with, as the second line of a `.pub` file;
    /// without it the binary takes no updates.
    pub update_key: Option<String>,
}

/// What was built for a target.
#[derive(Debug)]
pub struct Built {
    /// For which.
    pub target: &'static Target,
    /// The stripped binary.
    pub binary: PathBuf,
    /// Its symbols and lines.
    pub debug: PathBuf,
    /// What the binary weighs, in bytes. More than the target's budget fails `dist` as a whole, and
    /// not the build, so that what grew can be looked at.
    pub bytes: u64,
    /// The checks that it passed.
    pub checks: Vec<&'static str>,
    /// How long compiling took.
    pub took: Duration,
}

/// Where releases are laid out.
pub fn folder(root: &Path) -> PathBuf {
    run::target(root).join("dist")
}

/// `cargo xtask dist`.
///
/// # Errors
/// What could not be built, or is not as it must be.
pub fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let root = run::root()?;
    let (mut wanted, mut options, mut out) = (Vec::new(), Options::default(), folder(&root));
    let mut twice = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            Long("target") => wanted.push(targets::named(&arguments.value()?.string()?)?),
            Long("version") => options.version = Some(arguments.value()?.string()?),
            Long("update-key") => options.update_key = Some(arguments.value()?.string()?),
            Long("check-reproducible") => twice = true,
            Long("out") => out = std::path::absolute(arguments.value()?)?,
            other => return Err(other.unexpected().into()),
        }
    }
    if wanted.is_empty() {
        wanted.extend(&TARGETS);
    }
    let built: Vec<Built> =
        wanted.into_iter().map(|target| build(target, &options, &out)).collect::<Result<_>>()?;
    if twice {
        built.iter().try_for_each(|built| reproducible::check(&root, built, &options))?;
        println!("✓ built twice, the same byte for byte");
    }
    let tried: Vec<Option<Duration>> =
        built.iter().map(|built| trial::trial(&root, built)).collect::<Result<_>>()?;
    report(&built, &tried)
}

/// What `cargo xtask test` asks for: the target of machines as this one, built and checked; its suites
/// try it.
///
/// # Errors
/// As [`command`].
pub fn own(root: &Path) -> Result<()> {
    report(&[native(root)?], &[None])
}

/// Builds the gateway as it is released for machines as this one.
///
/// # Errors
/// As [`build`], and where nothing is released for them.
pub fn native(root: &Path) -> Result<Built> {
    build(targets::native()?, &Options::default(), &folder(root))
}

/// Prints what was built.
///
/// # Errors
/// When one of them weighs more than it may.
fn report(built: &[Built], tried: &[Option<Duration>]) -> Result<()> {
    println!(
        "\n{:<30} {:>9} {:>9} {:>6} {:>8} {:>8}",
        "target", "bytes", "budget", "checks", "built", "tried"
    );
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    for (Built { target, bytes, checks, took, .. }, tried) in built.iter().zip(tried) {
        let (triple, budget, passed) = (target.triple, target.budget, checks.len());
        let tried = tried.map_or_else(|| "not here".to_owned(), seconds);
        let took = seconds(*took);
        println!("{triple:<30} {bytes:>9} {budget:>9} {passed:>6} {took:>8} {tried:>8}");
    }
    let over = built.iter().filter(|built| built.bytes > built.target.budget);
    let over: Vec<&str> = over.map(|built| built.target.triple).collect();
    if over.is_empty() {
        return Ok(());
    }
    Err(format!("over budget: {}; `cargo xtask size` says what grew", over.join(", ")).into())
}

/// What a target is compiled with: what goes to cargo, rustc and the C compiler.
pub fn flags_of(target: &Target) -> serde_json::Value {
    serde_json::json!({
        "profile": flags::PROFILE,
        "cargo": flags::CARGO,
        "rustc": flags::rustc(target, &[], &[]),
        "c": flags::c(target, &[]),
    })
}

/// Name and version of what builds beside the pinned Rust, as PyPI has it.
pub fn tool_versions() -> Vec<(String, String)> {
    tools::versions()
}

/// Builds one target into `out`, and checks what came out.
///
/// # Errors
/// As [`command`], but for a binary over its budget.
pub fn build(target: &'static Target, options: &Options, out: &Path) -> Result<Built> {
    let root = run::root()?;
    println!("▸ {}", target.triple);
    let tools = Tools::ready(&root)?;
    let started = Instant::now();
    let work = run::target(&root).join("dist-build");
    let linked = compile::compile(&root, &tools, target, options, Product::Gateway, &work)?;
    let took = started.elapsed();
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let (binary, debug) = (target.binary_in(out), target.debug_in(out));
    split::split(&tools, target, &linked, &binary, &debug)?;
    let bytes = binary.metadata()?.len();
    let folders = compile::renamed(&root, &tools, &work).into_iter().map(|(folder, _)| folder);
    let checks = checks::check(target, &binary, &debug, &folders.collect::<Vec<_>>())?;
    Ok(Built { target, binary, debug, bytes, checks, took })
}

/// Builds an example of the gateway's package into `out` as a release is built, for tests.
///
/// # Errors
/// As [`build`].
pub fn example(target: &'static Target, name: &'static str, out: &Path) -> Result<PathBuf> {
    let root = run::root()?;
    let tools = Tools::ready(&root)?;
    let (options, work) = (Options::default(), run::target(&root).join("dist-build"));
    let linked = compile::compile(&root, &tools, target, &options, Product::Example(name), &work)?;
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let binary = out.join(format!("{name}-{}", target.triple));
    split::split(&tools, target, &linked, &binary, &binary.with_added_extension("debug"))?;
    Ok(binary)
}
