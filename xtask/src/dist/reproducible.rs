//! Whether a build depends on where and when it is made: a copy of the source elsewhere must give the
//! same bytes.

use super::compile::Product;
use super::tools::Tools;
use super::{Built, Options, compile, split};
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds what was built once more, from a copy of the sources, in folders of other names.
///
/// # Errors
/// When a byte differs, with its place; or the second build fails.
pub fn check(root: &Path, built: &Built, options: &Options) -> Result<()> {
    println!("▸ {}: once more from a copy", built.target.triple);
    let folder = crate::run::target(root).join("dist-again");
    let sources = folder.join("a copy of the sources");
    copy(root, &sources)?;
    let tools = Tools::ready(root)?;
    let work = folder.join("build");
    let linked =
        compile::compile(&sources, &tools, built.target, options, Product::Gateway, &work)?;
    // macOS's signature has the name of the file.
    let named = |path: &Path| folder.join(path.file_name().unwrap_or_default());
    let (binary, debug) = (named(&built.binary), named(&built.debug));
    split::split(&tools, built.target, &linked, &binary, &debug)?;
    compare(&built.binary, &binary)?;
    compare(&built.debug, &debug)
}

/// Copies what git knows or would add, as it is now.
fn copy(root: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = git.output().map_err(|error| format!("git: {error}"))?;
    if !listed.status.success() {
        let why = String::from_utf8_lossy(&listed.stderr);
        return Err(format!("git ls-files: {}", why.trim()).into());
    }
    let listed = String::from_utf8(listed.stdout)?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), to.join(name));
        // One that was deleted and not yet committed so.
        if !from.is_file() {
            continue;
        }
        fs::create_dir_all(to.parent().map_or_else(PathBuf::new, Path::to_owned))?;
        fs::copy(&from, &to).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    Ok(())
}

/// Compares two files byte for byte.
fn compare(first: &Path, second: &Path) -> Result<()> {
    let read = |path: &Path| fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    match difference(&read(first)?, &read(second)?) {
        None => Ok(()),
        Some(at) => {
            let (first, second) = (first.display(), second.display());
            Err(format!("not reproducible: {first} and {second} differ from byte {at} on").into())
        }
    }
}

/// The first byte that differs or that only one of them has.
fn difference(first: &[u8], second: &[u8]) -> Option<usize> {
    let differing = first.iter().zip(second).position(|(one, other)| one != other);
    differing.or((first.len() != second.len()).then(|| first.len().min(second.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(difference(b"same", b"same"), None);
        assert_eq!(difference(b"same", b"sane"), Some(2));
        assert_eq!(difference(b"same", b"same and more"), Some(4));
        assert_eq!(difference(b"", b"x"), Some(0));
    }
}
