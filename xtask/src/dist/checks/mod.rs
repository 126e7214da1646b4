//! What must be true of a binary before anybody gets it.

mod elf;
mod macho;
#[cfg(test)]
mod samples;
mod signature;

use super::targets::Target;
use crate::Result;
use std::path::Path;

/// A check's name, and what is wrong.
pub type Check = (&'static str, std::result::Result<(), String>);

/// Makes a check of what must hold.
fn must(name: &'static str, holds: bool, wrong: impl FnOnce() -> String) -> Check {
    (name, if holds { Ok(()) } else { Err(wrong()) })
}

/// Looks at what was built; gives the names of the checks that it passed.
///
/// `folders` are those of this machine that neither file may name.
///
/// # Errors
/// All that is wrong.
pub fn check(
    target: &Target,
    binary: &Path,
    debug: &Path,
    folders: &[String],
) -> Result<Vec<&'static str>> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let (stripped, symbols) = (read(binary)?, read(debug)?);
    let checks = look(target, &stripped, &symbols, folders);
    let wrong: Vec<String> = checks
        .iter()
        .filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.as_ref().err()?)))
        .collect();
    if wrong.is_empty() {
        return Ok(checks.iter().map(|(name, _)| *name).collect());
    }
    Err(format!("{} is not fit for a release: {}", binary.display(), wrong.join("; ")).into())
}

fn look(target: &Target, stripped: &[u8], symbols: &[u8], folders: &[String]) -> Vec<Check> {
    let mut checks = if target.is_apple() {
        macho::check(target, stripped, symbols)
    } else {
        elf::check(target, stripped, symbols)
    };
    for (name, bytes) in [("no path", stripped), ("no path in .debug", symbols)] {
        let found = folders.iter().find(|folder| contains(bytes, folder.as_bytes()));
        checks.push(must(name, found.is_none(), || {
            format!("it names {}", found.map(String::as_str).unwrap_or_default())
        }));
    }
    checks
}

/// The names of the checks that something is wrong with.
#[cfg(test)]
fn failing(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|(_, outcome)| outcome.is_err()).map(|(name, _)| *name).collect()
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::targets::TARGETS;

    #[test]
    fn a_folder_of_this_machine_is_found_in_either_file() {
        let folders = vec!["/home/ada/chatcode".to_owned()];
        let (clean, dirty) =
            (b"chatcode/src/main.rs".as_slice(), b"x/home/ada/chatcode/y".as_slice());
        let wrong = |stripped, symbols| {
            let mut wrong = failing(&look(&TARGETS[0], stripped, symbols, &folders));
            wrong.retain(|name| name.starts_with("no path"));
            wrong
        };
        assert_eq!(wrong(clean, clean), Vec::<&str>::new());
        assert_eq!(wrong(dirty, clean), ["no path"]);
        assert_eq!(wrong(clean, dirty), ["no path in .debug"]);
    }
}
