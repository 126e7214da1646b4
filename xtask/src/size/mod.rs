//! `size`: what the gateway's crates and sections weigh, against the budget and the last release.

mod chart;
mod history;
mod image;
mod owner;
mod table;
mod weigh;

use crate::dist::targets::{self, TARGETS, Target};
use crate::{Result, dist, run};
use history::{Entry, History};
use lexopt::prelude::*;
use std::path::{Path, PathBuf};
use table::Report;
use weigh::Weight;

const HELP: &str = "\
What the gateway's crates and sections weigh, against the budget and against the last release.

Usage: cargo xtask size [options]

  --target TRIPLE      only this target; may be given several times (all six)
  --dist DIR           where `cargo xtask dist` put the binaries (target/dist); those that are
                       missing there are built first
  --markdown           tables for a pull request instead of a terminal
  --record VERSION     keep the figures as those of this release in size-report/history.json, and
                       draw size-report/history.svg again

It fails when a binary is over its budget, and names what grew since the last recorded release.
Names of crates come from the symbols of the debug file beside the binary. Generic code counts for
the crate that has it, not for the one that uses it; what no symbol names stands in parentheses.
";

struct Asked {
    targets: Vec<&'static Target>,
    dist: PathBuf,
    markdown: bool,
    record: Option<String>,
}

/// `cargo xtask size`.
///
/// # Errors
/// What is over its budget, or could not be built or read.
pub fn command(arguments: lexopt::Parser) -> Result<()> {
    let root = run::root()?;
    let Some(asked) = read(arguments, &root)? else {
        print!("{HELP}");
        return Ok(());
    };
    let path = root.join("size-report/history.json");
    let mut history = History::load(&path)?;
    let weights: Vec<(&Target, Weight)> = asked
        .targets
        .iter()
        .map(|target| Ok((*target, weigh(target, &asked.dist)?)))
        .collect::<Result<_>>()?;
    report(&weights, &history, &asked)?;
    let Some(version) = asked.record else { return Ok(()) };
    for (target, weight) in weights {
        let (version, target) = (version.clone(), target.triple.to_owned());
        history.record(Entry { version, target, weight });
    }
    history.save(&path)?;
    let picture = path.with_extension("svg");
    std::fs::write(&picture, chart::draw(&history, &TARGETS))
        .map_err(|error| format!("{}: {error}", picture.display()))?;
    eprintln!("recorded {version} in {} and {}", path.display(), picture.display());
    Ok(())
}

/// What is asked for; `None` is help.
fn read(mut arguments: lexopt::Parser, root: &Path) -> Result<Option<Asked>> {
    let (targets, dist) = (Vec::new(), dist::folder(root));
    let mut asked = Asked { targets, dist, markdown: false, record: None };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("target") => asked.targets.push(targets::named(&arguments.value()?.string()?)?),
            Long("dist") => asked.dist = std::path::absolute(arguments.value()?)?,
            Long("markdown") => asked.markdown = true,
            Long("record") => asked.record = Some(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if asked.targets.is_empty() {
        asked.targets.extend(&TARGETS);
    }
    Ok(Some(asked))
}

/// Weighs what `dist` built for the target, and has it built when it is not there.
fn weigh(target: &'static Target, folder: &Path) -> Result<Weight> {
    let (binary, debug) = (target.binary_in(folder), target.debug_in(folder));
    if !binary.exists() || !debug.exists() {
        dist::build(target, &dist::Options::default(), folder)?;
    }
    Ok(weigh::weigh(&image::read(&binary, &debug)?))
}

/// Prints the tables.
///
/// # Errors
/// The verdict on what is over its budget.
fn report(weights: &[(&Target, Weight)], history: &History, asked: &Asked) -> Result<()> {
    let reports: Vec<Report<'_>> = weights
        .iter()
        .map(|(target, weight)| {
            let before = history.last(target.triple, asked.record.as_deref());
            Report { target, weight, before }
        })
        .collect();
    if asked.markdown {
        print!("{}", table::overview(&reports));
        reports.iter().for_each(|report| print!("{}", report.markdown()));
    } else {
        reports.iter().for_each(|report| print!("{}", report.text()));
        println!();
        reports.iter().for_each(|it| println!("{:<32} {}", it.target.triple, it.sentence()));
    }
    let over: Vec<String> = reports.iter().filter_map(Report::verdict).collect();
    if over.is_empty() {
        return Ok(());
    }
    Err(over.join("\n").into())
}
