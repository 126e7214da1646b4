//! SHA-256 of a release's files, and SHA256SUMS as `sha256sum -c` reads it.

use crate::Result;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Digests by file name: small hexadecimal digits.
pub type Sums = BTreeMap<String, String>;

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The digests of all files that lie in `folder` itself.
///
/// # Errors
/// When one cannot be read, or has a name that a list cannot hold.
pub fn of_folder(folder: &Path) -> Result<Sums> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut sums = Sums::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !path.is_file() {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.is_empty() || name.contains(['\n', '\\']) {
            return Err(format!("{}: no name for a release", path.display()).into());
        }
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        sums.insert(name, sha256(&bytes));
    }
    Ok(sums)
}

/// The text of SHA256SUMS.
pub fn text(sums: &Sums) -> String {
    sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn sha256sum_agrees() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("folder")).expect("made");
        for (name, text) in [("a", ""), ("b.deb", "abc"), ("c c", "\0\n")] {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let sums = of_folder(folder.path()).expect("sums");
        assert_eq!(sums.keys().collect::<Vec<_>>(), ["a", "b.deb", "c c"]);
        fs::write(folder.path().join("SHA256SUMS"), text(&sums)).expect("written");
        let check = || {
            let mut command = Command::new("sha256sum");
            command.args(["-c", "--strict", "SHA256SUMS"]).current_dir(folder.path());
            command.output().expect("sha256sum runs").status.success()
        };
        assert!(check());
        fs::write(folder.path().join("a"), "x").expect("written");
        assert!(!check());
    }
}
