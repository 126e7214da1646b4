//! What a release is made from: the commit, its time, and whether it is all that there is.

use crate::Result;
use crate::run::output;
use std::path::Path;
use std::process::Command;

/// A commit.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its hash.
    pub commit: String,
    /// Its time, RFC 3339 in UTC: what a release says of time, so that two runs say the same.
    pub time: String,
    /// Whether files here are not what it has.
    pub is_changed: bool,
}

/// The commit that is checked out in `root`.
///
/// # Errors
/// When git does not know.
pub fn look(root: &Path) -> Result<Source> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        // The times of a log are local ones.
        command.current_dir(root).env("TZ", "UTC").args(arguments);
        output(&mut command)
            .ok_or_else(|| format!("git {} failed in {}", arguments.join(" "), root.display()))
    };
    let format = ["--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H %cd"];
    let line = git(&["show", "--no-patch", format[0], format[1], "HEAD"])?;
    let (commit, time) = line.split_once(' ').ok_or("git shows no commit")?;
    let changes = git(&["status", "--porcelain"])?;
    Ok(Source { commit: commit.to_owned(), time: time.to_owned(), is_changed: !changes.is_empty() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.current_dir(folder).args(["-c", "user.name=x", "-c", "user.email=ada@example.com"]);
        command.env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05+02:00").args(arguments);
        assert!(command.output().expect("git runs").status.success(), "{arguments:?}");
    }

    #[test]
    fn a_commit_is_told_from_what_came_after_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert!(look(folder).is_err(), "no repository");
        git(folder, &["init", "-q"]);
        assert!(look(folder).is_err(), "no commit");
        std::fs::write(folder.join("file"), "1").expect("written");
        git(folder, &["add", "."]);
        git(folder, &["commit", "-q", "-m", "one"]);
        let source = look(folder).expect("a commit");
        assert_eq!((source.commit.len(), source.is_changed), (40, false));
        assert_eq!(source.time, "2026-01-02T01:04:05Z");
        std::fs::write(folder.join("other"), "2").expect("written");
        assert!(look(folder).expect("a commit").is_changed);
    }
}
