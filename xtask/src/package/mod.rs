//! `package`: a `.deb` for each architecture that Debian has, and a formula for Homebrew.

mod commit;
mod deb;
mod formula;
mod linked;

use crate::dist::targets::{TARGETS, Target};
use crate::run::{self, output};
use crate::{Result, dist, needs};
use commit::Commit;
use lexopt::prelude::*;
use std::path::{Path, PathBuf};
use std::process::Command;

const HELP: &str = "\
Makes packages of what `cargo xtask dist` built, beside it.

Usage: cargo xtask package [options]

  --dist DIR             where the binaries are (target/dist)
  --target TRIPLE        only the .deb of this target; may be repeated
  --formula              only the formula
  --version X.Y.Z        refuse binaries of another version
  --url URL              where the binaries can be downloaded, for the formula (file://DIR)
  --maintainer WHO       who answers for the .deb, \"NAME <ADDRESS>\" (DEBFULLNAME and DEBEMAIL, or
                         the author of the commit)
  --unchecked            do not ask lintian, as for a binary that is not released

The formula wants the binaries of macOS and of both 64-bit Linux targets. Equal binaries of one
commit give equal packages, byte for byte.
";

/// The program, and the package.
const NAME: &str = "chatcode-gateway";

/// What packages are made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the binaries are, and the packages come to be.
    pub dist: PathBuf,
    /// What the binaries must say that they are.
    pub version: Option<String>,
    /// The folder that they are downloaded from, without a slash at its end.
    pub url: String,
    /// Who answers for the packages, instead of the commit's author.
    pub maintainer: Option<String>,
    /// Whether lintian must have nothing to say.
    pub check: bool,
}

/// `cargo xtask package`.
///
/// # Errors
/// What is missing, or what a step failed with.
pub fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let root = run::root()?;
    let mut targets: Vec<&Target> = Vec::new();
    let mut only_formula = false;
    let (mut url, mut options) = (None, options(dist::folder(&root)));
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            Long("dist") => options.dist = std::path::absolute(arguments.value()?)?,
            Long("target") => targets.push(target(&arguments.value()?.string()?)?),
            Long("formula") => only_formula = true,
            Long("version") => options.version = Some(arguments.value()?.string()?),
            Long("url") => url = Some(arguments.value()?.string()?),
            Long("unchecked") => options.check = false,
            Long("maintainer") => options.maintainer = Some(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    options.url = match url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("file://{}", options.dist.display()),
    };
    let made = match (targets.is_empty(), only_formula) {
        (true, true) => vec![formula(&options)?],
        (true, false) => packages(&root, &options)?,
        (false, false) => debs(&root, &options, &targets)?,
        (false, true) => return Err("give --target or --formula, not both".into()),
    };
    made.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}

/// Those of a folder with nothing else said.
pub fn options(dist: PathBuf) -> Options {
    let url = format!("file://{}", dist.display());
    Options { dist, version: None, url, maintainer: None, check: true }
}

fn target(triple: &str) -> Result<&'static Target> {
    let found = TARGETS.iter().find(|it| it.triple == triple && it.debian.is_some());
    found.ok_or_else(|| format!("Debian has no architecture for {triple}").into())
}

/// All of a release's packages: the paths of what was made.
///
/// # Errors
/// What is missing, or what a step failed with.
pub fn packages(root: &Path, options: &Options) -> Result<Vec<PathBuf>> {
    let targets: Vec<_> = TARGETS.iter().filter(|it| it.debian.is_some()).collect();
    let mut made = debs(root, options, &targets)?;
    made.push(formula(options)?);
    Ok(made)
}

/// The formula alone. Its version is that of a binary that can be run here.
fn formula(options: &Options) -> Result<PathBuf> {
    let first = TARGETS.iter().find(|target| !target.is_apple()).ok_or("no target")?;
    formula::make(options, &version(options, first)?)
}

/// The packages of these targets alone.
///
/// # Errors
/// As [`packages`].
pub fn debs(root: &Path, options: &Options, targets: &[&Target]) -> Result<Vec<PathBuf>> {
    let commit = Commit::read(root, options.maintainer.as_deref())?;
    let make = |target: &&Target| {
        let version = version(options, target)?;
        deb::make(root, options, &commit, target, &version)
    };
    let made = targets.iter().map(make).collect::<Result<Vec<_>>>()?;
    if options.check {
        needs::programs(&[("lintian", "lintian")])?;
        // One by one: it takes packages of one name for one package.
        made.iter().try_for_each(|deb| run::run(&mut lintian(deb)))?;
    }
    Ok(made)
}

/// What fails when Debian's own inspector has anything to say.
fn lintian(deb: &Path) -> Command {
    let mut lintian = Command::new("lintian");
    lintian.args(["--pedantic", "--fail-on", "error,warning,info,pedantic"]);
    // It wants nothing of root, and complains of being it.
    lintian.args(["--allow-root", "--no-cfg"]).arg(deb);
    lintian
}

/// The binary of a target.
fn binary(options: &Options, triple: &str) -> Result<PathBuf> {
    let path = options.dist.join(format!("{NAME}-{triple}"));
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("{} is missing: cargo xtask dist --target {triple}", path.display()).into())
}

/// What the binary of a target prints, on whatever processor this is.
fn said(options: &Options, target: &Target, words: &[&str]) -> Result<String> {
    let binary = binary(options, target.triple)?;
    let own = target.triple.starts_with(std::env::consts::ARCH);
    let emulator = target.qemu.filter(|_| !own);
    if let Some(emulator) = emulator {
        needs::programs(&[(emulator, "qemu-user-static")])?;
    }
    let emulator = emulator.map(PathBuf::from);
    let line: Vec<_> = emulator.into_iter().chain([binary]).collect();
    let (program, rest) = line.split_first().ok_or("no program")?;
    output(Command::new(program).args(rest).args(words)).filter(|it| !it.is_empty()).ok_or_else(
        || {
            let line: Vec<_> = line.iter().map(|word| word.display().to_string()).collect();
            format!("{} {} prints nothing here", line.join(" "), words.join(" ")).into()
        },
    )
}

/// The version that the binary of a target says.
fn version(options: &Options, target: &Target) -> Result<String> {
    let said = said(options, target, &["version"])?;
    let version = said.split_whitespace().last().unwrap_or_default().to_owned();
    match &options.version {
        Some(wanted) if *wanted != version => {
            let triple = target.triple;
            Err(format!("the binary for {triple} is {version}, not {wanted}: build it anew").into())
        }
        _ => Ok(version),
    }
}

/// A text with its `@NAMES@` replaced.
///
/// # Errors
/// When one of them is not in it.
fn filled(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut text = template.to_owned();
    for (name, value) in values {
        let mark = format!("@{name}@");
        if !text.contains(&mark) {
            return Err(format!("the template has no {mark}").into());
        }
        text = text.replace(&mark, value);
    }
    Ok(text)
}

/// A file of `deploy/`, for another place.
///
/// # Errors
/// When it does not say what is to be changed.
fn changed(text: &str, changes: &[(&str, &str)]) -> Result<String> {
    changes.iter().try_fold(text.to_owned(), |text, (from, to)| {
        if text.contains(from) {
            Ok(text.replace(from, to))
        } else {
            Err(format!("the file in deploy/ does not say {from}").into())
        }
    })
}
