//! Versions of releases: `x.y.z`, and which one may replace which.

use crate::Result;
use semver::Version;

/// The oldest version that may be updated to the next release directly. Raise it to the newest
/// release when the next one can no longer read what an older one has left: its state, its record
/// of an update, its tmux options. Older gateways then say which version must come first.
pub const MINIMUM: &str = "0.1.0";

/// Reads `x.y.z`. Pre-releases are no releases: gateways take none.
///
/// # Errors
/// When it is anything else.
pub fn read(text: &str) -> Result<Version> {
    match Version::parse(text) {
        Ok(version) if version.pre.is_empty() && version.build.is_empty() => Ok(version),
        _ => Err(format!("version {text}: a release is x.y.z, three numbers").into()),
    }
}

/// Whether `version` may come after `newest`, the release that is there, and after the oldest one
/// that it replaces.
///
/// # Errors
/// Why not.
pub fn check(version: &Version, newest: Option<&Version>) -> Result<()> {
    match newest {
        Some(newest) if version <= newest => {
            return Err(format!(
                "version {version}: {newest} is released already, and gateways take nothing that is \
                 not newer"
            )
            .into());
        }
        _ => {}
    }
    let minimum = read(MINIMUM)?;
    if *version < minimum {
        return Err(format!(
            "version {version}: xtask/src/release/version.rs says that releases replace {minimum} \
             and later"
        )
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        read(text).expect("a version")
    }

    #[test]
    fn only_three_numbers_are_a_release() {
        for wrong in ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.03", "1.2.3-rc.1", "1.2.3+build"] {
            let said = read(wrong).expect_err(wrong).to_string();
            assert!(said.contains("x.y.z"), "{said}");
        }
        assert_eq!(version("1.20.3"), Version::new(1, 20, 3));
    }

    #[test]
    fn releases_only_go_up() {
        let newest = version("0.9.0");
        assert!(check(&version("0.10.0"), Some(&newest)).is_ok());
        for refused in ["0.9.0", "0.8.99"] {
            let said = check(&version(refused), Some(&newest)).expect_err(refused).to_string();
            assert!(said.contains("0.9.0 is released already"), "{said}");
        }
        assert!(check(&version("99.0.0"), None).is_ok());
        assert!(check(&version("0.0.1"), None).is_err(), "older than what it replaces");
    }
}
