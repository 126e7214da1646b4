//! Which tmux the integration tests run with: the one in `PATH`, and those that a variable names.

use crate::Result;
use crate::run::output;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Further binaries of tmux to test with, separated by colons.
const BINARIES: &str = "CHATCODE_TMUX_BINARIES";

/// A tmux on this machine.
#[derive(Debug)]
pub struct Tmux {
    /// The program, as an absolute path.
    pub path: PathBuf,
    /// What it says of itself: `tmux 3.3a`.
    pub version: String,
}

impl std::fmt::Display for Tmux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.version, self.path.display())
    }
}

/// The tmux that a gateway on this machine would find.
///
/// # Errors
/// When there is none or it does not run.
pub fn in_path() -> Result<Tmux> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join("tmux"));
    look(&found.into_iter().find(|path| path.is_file()).ok_or("there is no tmux in PATH")?)
}

/// Those that `CHATCODE_TMUX_BINARIES` names.
///
/// # Errors
/// Names the one that does not run.
pub fn named() -> Result<Vec<Tmux>> {
    let list = std::env::var_os(BINARIES).unwrap_or_default();
    let paths = std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty());
    paths.map(|path| look(&path)).collect()
}

fn look(path: &Path) -> Result<Tmux> {
    let path = std::path::absolute(path)?;
    let version = output(Command::new(&path).arg("-V")).filter(|text| text.starts_with("tmux "));
    let version = version.ok_or_else(|| format!("{} is no tmux that runs", path.display()))?;
    Ok(Tmux { path, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tmux_is_refused_by_name() {
        let error = look(Path::new("/bin/echo")).expect_err("echo is no tmux").to_string();
        assert!(error.contains("/bin/echo"), "{error}");
        assert!(look(Path::new("/nowhere/tmux")).is_err());
    }
}
