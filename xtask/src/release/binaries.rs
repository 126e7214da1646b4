//! The binaries of a release: whether all are there, and are what the release says of them.

use crate::dist::targets::Target;
use crate::run::output;
use crate::{Result, needs};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `dist` made for a target.
#[derive(Debug)]
pub struct Binary {
    /// For which.
    pub target: &'static Target,
    /// The stripped binary.
    pub path: PathBuf,
    /// Its symbols and lines.
    pub debug: PathBuf,
}

/// What lies in the folder `dist` for `targets`.
///
/// # Errors
/// When something is missing: all of it is named.
pub fn collect(
    dist: &Path,
    targets: impl IntoIterator<Item = &'static Target>,
) -> Result<Vec<Binary>> {
    let of = |target: &'static Target| {
        let (path, debug) = (target.binary_in(dist), target.debug_in(dist));
        Binary { target, path, debug }
    };
    let binaries: Vec<Binary> = targets.into_iter().map(of).collect();
    let files = binaries.iter().flat_map(|binary| [&binary.path, &binary.debug]);
    let missing: Vec<String> =
        files.filter(|path| !path.is_file()).map(|path| path.display().to_string()).collect();
    match missing.is_empty() {
        true => Ok(binaries),
        false => {
            Err(format!("missing: {}; cargo xtask dist builds them", missing.join(", ")).into())
        }
    }
}

/// Says which binaries weigh more than they may, if any.
///
/// # Errors
/// When one cannot be looked at.
pub fn over_budget(binaries: &[Binary]) -> Result<Option<String>> {
    let mut over = Vec::new();
    for Binary { target, path, .. } in binaries {
        let bytes = path.metadata().map_err(|error| format!("{}: {error}", path.display()))?.len();
        if bytes > target.budget {
            over.push(format!("{} has {bytes} bytes of {}", target.triple, target.budget));
        }
    }
    let reason = || format!("over budget: {}; cargo xtask size says what grew", over.join(", "));
    Ok((!over.is_empty()).then(reason))
}

/// Makes sure that each binary has `key` in it and says that it is `version`, where it can be run
/// here; gives the triples of those that were not run.
///
/// # Errors
/// The first one that is another one.
pub fn check(binaries: &[Binary], version: &str, key: &str) -> Result<Vec<&'static str>> {
    let mut silent = Vec::new();
    for binary in binaries {
        let shown = binary.path.display();
        let bytes = fs::read(&binary.path).map_err(|error| format!("{shown}: {error}"))?;
        if !bytes.windows(key.len()).any(|part| part == key.as_bytes()) {
            return Err(format!(
                "{shown} does not trust this key: build it with cargo xtask dist --update-key {key}"
            )
            .into());
        }
        let Some(mut run) = runner(binary) else {
            silent.push(binary.target.triple);
            continue;
        };
        let says = output(run.arg("version")).unwrap_or_default();
        if says != format!("chatcode-gateway {version}") {
            return Err(format!(
                "{shown} says \"{says:.100}\": build it with cargo xtask dist --version {version}"
            )
            .into());
        }
    }
    Ok(silent)
}

/// What runs a binary on this machine.
fn runner(binary: &Binary) -> Option<Command> {
    let Target { triple, qemu, .. } = binary.target;
    let (processor, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let system = if system == "macos" { "apple-darwin" } else { system };
    if triple.starts_with(&format!("{processor}-")) && triple.contains(system) {
        return Some(Command::new(&binary.path));
    }
    let qemu = qemu.filter(|name| needs::is_on_path(name))?;
    let mut command = Command::new(qemu);
    command.arg(&binary.path);
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::targets::TARGETS;

    /// A script in the place of the binary that runs here.
    fn pretend(folder: &Path, says: &str, key: &str) -> Vec<Binary> {
        let own = TARGETS.iter().find(|target| {
            target.triple.starts_with(std::env::consts::ARCH) && target.triple.contains("linux")
        });
        let own = own.expect("this machine is one of them");
        let path = folder.join(format!("chatcode-gateway-{}", own.triple));
        // Written by another process: what this one has open for writing can be inherited by a child
        // of another test, and could not be run until then.
        let text = folder.join("text");
        fs::write(&text, format!("#!/bin/sh\necho '{says}' # {key}\n")).expect("written");
        let mut install = Command::new("install");
        let done = install.args(["-m", "755"]).args([&text, &path]).status().expect("it runs");
        assert!(done.success());
        fs::write(folder.join(format!("chatcode-gateway-{}.debug", own.triple)), "").expect("it");
        collect(folder, [own]).expect("both files")
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = collect(folder.path(), &TARGETS).expect_err("nothing there").to_string();
        for target in &TARGETS {
            assert!(said.contains(&format!("chatcode-gateway-{}.debug", target.triple)), "{said}");
        }
    }

    #[test]
    fn what_is_over_its_budget_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let binaries = pretend(folder.path(), "", "");
        assert_eq!(over_budget(&binaries).expect("looked at"), None);
        let Binary { target, path, .. } = binaries.first().expect("one");
        let file = fs::File::options().write(true).open(path).expect("opened");
        file.set_len(target.budget + 1).expect("grown");
        let said = over_budget(&binaries).expect("looked at").expect("a reason");
        assert!(said.contains(target.triple), "{said}");
    }

    #[test]
    fn a_binary_of_another_version_or_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let with = |says, key| {
            let binaries = pretend(folder.path(), says, key);
            check(&binaries, "1.2.3", "RWkey").map_err(|error| error.to_string())
        };
        assert_eq!(with("chatcode-gateway 1.2.3", "RWkey"), Ok(vec![]));
        assert!(with("chatcode-gateway 1.2.4", "RWkey").is_err_and(|said| said.contains("1.2.4")));
        assert!(with("chatcode-gateway 1.2.3", "RWother").is_err_and(|said| said.contains("key")));
    }
}
