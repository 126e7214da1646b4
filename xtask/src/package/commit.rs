//! What packages say of when and by whom they were made: it is the commit's, not this machine's.

use crate::Result;
use crate::run::output;
use std::path::Path;
use std::process::Command;

/// The commit that is packaged.
pub struct Commit {
    /// Its time, in seconds since 1970: what is newer in a package gets it.
    pub seconds: String,
    /// The same as mails and changelogs have it.
    pub date: String,
    /// `NAME <ADDRESS>`.
    pub maintainer: String,
}

impl Commit {
    /// Reads the commit that is checked out in `root`.
    ///
    /// # Errors
    /// When there is none, or nobody answers for the packages.
    pub fn read(root: &Path, maintainer: Option<&str>) -> Result<Self> {
        let shown = |format: &str, date: &str| {
            let mut git = Command::new("git");
            git.current_dir(root).env("TZ", "UTC");
            git.args(["log", "-1", &format!("--format={format}"), &format!("--date={date}")]);
            output(&mut git).ok_or("git log says nothing: packages are made of a commit")
        };
        let maintainer = match maintainer.map(str::to_owned).or_else(of_environment) {
            Some(maintainer) => maintainer,
            None => shown("%an <%ae>", "raw")?,
        };
        if is_somebody(&maintainer) {
            let (seconds, date) = (shown("%ct", "raw")?, shown("%cd", "rfc-local")?);
            return Ok(Self { seconds, date, maintainer });
        }
        Err(format!("--maintainer: {maintainer} is not NAME <ADDRESS>").into())
    }
}

/// As Debian's own tools are told it.
fn of_environment() -> Option<String> {
    let value = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(format!("{} <{}>", value("DEBFULLNAME")?, value("DEBEMAIL")?))
}

fn is_somebody(text: &str) -> bool {
    let (name, address) = text.split_once(" <").unwrap_or_default();
    let address = address.strip_suffix('>').unwrap_or_default();
    let is_plain = |word: &str| !word.is_empty() && !word.contains(char::is_control);
    is_plain(name) && is_plain(address) && address.contains('@') && !address.contains(['<', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_has_a_name_and_an_address() {
        assert!(is_somebody("Ada <ada@example.com>"));
        for nobody in ["", "Ada", "<ada@example.com>", "Ada <ada>", "Ada <a@b>\nX: y <z@z>"] {
            assert!(!is_somebody(nobody), "{nobody}");
        }
    }
}
