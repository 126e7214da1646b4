//! `symbolize`: the functions and lines behind the addresses that a fatal signal left in a log.

mod calls;
mod chain;
mod fatal;
mod program;

use crate::{Result, dist, run};
use fatal::{Address, Fatal};
use lexopt::prelude::*;
use program::Program;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const HELP: &str = "\
The functions and lines behind the addresses that a fatal signal left in a gateway's log.

Usage: cargo xtask symbolize [options] [LOG]

  LOG           the log, or the one line of it that matters; without it standard input, as in
                journalctl --unit chatcode-gateway | cargo xtask symbolize
  --dist DIR    where the debug files are; the right one is known by its build id (target/dist)
  --debug FILE  this debug file, or a gateway that was never stripped

  --all         also what earlier calls left on the stack, with a question mark

A release keeps no chain of frames, so every word of the stack may be a return address. Those that
follow no call are left out, for which the binary has to lie beside its debug file, and of the rest
the chain is shown in which calls and functions fit best.
";

/// Where to look for what explains an address.
enum Where {
    Folder(PathBuf),
    File(PathBuf),
}

/// `cargo xtask symbolize`.
///
/// # Errors
/// When there is no fatal line, or nothing that explains it.
pub fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut log, mut all) = (None, false);
    let mut place = Where::Folder(dist::folder(&run::root()?));
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            Long("all") => all = true,
            Long("dist") => place = Where::Folder(arguments.value()?.into()),
            Long("debug") => place = Where::File(arguments.value()?.into()),
            Value(path) if log.is_none() => log = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let (text, name) = read(log.as_deref())?;
    let lines: Vec<Fatal> = text.lines().filter_map(fatal::read).collect();
    if lines.is_empty() {
        return Err(format!("{name} has no line with \"{}\"", fatal::MESSAGE).into());
    }
    for fatal in lines {
        let program = find(&fatal.build, &place)?;
        print!("{}", told(&fatal, &program, all));
    }
    Ok(())
}

fn read(log: Option<&Path>) -> Result<(String, String)> {
    let (mut bytes, mut name) = (Vec::new(), "standard input".to_owned());
    match log {
        Some(path) => {
            name = path.display().to_string();
            bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
        }
        None => drop(std::io::stdin().read_to_end(&mut bytes)?),
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), name))
}

/// The program of a build.
fn find(build: &str, place: &Where) -> Result<Program> {
    let mut seen = Vec::new();
    for path in candidates(place)? {
        match Program::open(&path) {
            Ok(program) if program.build == build => return Ok(program),
            Ok(program) => seen.push(format!("{} is of {}", path.display(), program.build)),
            Err(error) => seen.push(format!("{}: {error}", path.display())),
        }
    }
    let seen = if seen.is_empty() { "no debug file is there".to_owned() } else { seen.join("; ") };
    let place = match place {
        Where::Folder(folder) => format!("in {}", folder.display()),
        Where::File(_) => "there".to_owned(),
    };
    Err(format!(
        "nothing {place} is of build {build}: {seen}; take the debug file that was published with \
         that release, or build its commit with `cargo xtask dist`"
    )
    .into())
}

fn candidates(place: &Where) -> Result<Vec<PathBuf>> {
    let folder = match place {
        Where::File(path) => return Ok(vec![path.clone()]),
        Where::Folder(folder) => folder,
    };
    let entries = std::fs::read_dir(folder).map_err(|error| {
        format!("{}: {error}; name the folder of the debug files with --dist", folder.display())
    })?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "debug")).collect();
    paths.sort();
    Ok(paths)
}

/// Everything about one line, as text.
fn told(fatal: &Fatal, program: &Program, all: bool) -> String {
    let Fatal { signal, version, target, .. } = fatal;
    let mut text = format!("{signal} in version {version} for {target}");
    text += &fatal.fault.as_ref().map(|fault| format!(", touching {fault}")).unwrap_or_default();
    let sender = fatal.sender.as_ref().map(|sender| format!(", sent by process {sender}"));
    text += &sender.unwrap_or_default();
    text += &format!("\nsymbols of {}\n", program.path.display());
    // A return address is behind its call, maybe in the next line or function: so one byte less.
    let mut places: Vec<(u64, u64)> = Vec::new();
    match fatal.pc {
        Address::Inside(at) => places.push((at, at)),
        Address::Elsewhere(at) => text += &format!("  0x{at:x} is outside of the program\n"),
    }
    if program.code.is_none() {
        text += "the binary is not beside its debug file: any word of the stack may be a call\n";
    }
    let calls = fatal.stack.iter().filter(|at| program.follows_call(**at));
    places.extend(calls.map(|at| (*at, at.saturating_sub(1))));
    let address = |index: usize| places.get(index).copied().unwrap_or_default();
    let chain =
        chain::best(places.len(), |outer, inner| program.fit(address(outer).0, address(inner).1));
    for (index, (shown, probe)) in places.iter().enumerate() {
        let mark = match chain.contains(&index) {
            true => ' ',
            false if all => '?',
            false => continue,
        };
        text.push(mark);
        text += &program.explain(*shown, *probe);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let folder = std::env::temp_dir().join(format!("cc-symbolize-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let error = |place| find("12ab", &place).map(|_| ()).expect_err("not there").to_string();
        let empty = error(Where::Folder(folder.clone()));
        assert!(empty.contains("12ab") && empty.contains(&*folder.to_string_lossy()), "{empty}");
        let file = folder.join("chatcode-gateway-x.debug");
        std::fs::write(&file, "text").expect("a file");
        assert!(error(Where::Folder(folder.clone())).contains("chatcode-gateway-x.debug"));
        std::fs::remove_dir_all(&folder).expect("cleaned");
        assert!(error(Where::Folder(folder)).contains("--dist"));
    }

    #[test]
    fn this_program_explains_itself() {
        let own = std::env::current_exe().expect("a path");
        let program = Program::open(&own).expect("an ELF or Mach-O file");
        assert!(find(&program.build, &Where::File(own.clone())).is_ok());
        let other = find("12ab", &Where::File(own)).map(|_| ()).expect_err("another build");
        assert!(other.to_string().contains(&program.build), "{other}");
    }
}
