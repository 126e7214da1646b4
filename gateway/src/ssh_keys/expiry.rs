//! When a key ends, in the form that the host's sshd understands.
//!
//! sshd itself enforces `expiry-time=` since OpenSSH 7.7. It takes the time as the host's local one;
//! since 9.1 also as UTC with a `Z`, for which older versions refuse the key (their release notes).

use crate::child::Failure;
use protocol::envelope::codes;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// First release that enforces an expiry.
pub const ENFORCES: (u32, u32) = (7, 7);

/// First release that reads UTC.
const READS_UTC: (u32, u32) = (9, 1);

/// Latest time with a year of four digits in every zone: 9999-12-30.
const LATEST: u64 = 253_402_128_000;

/// Seconds after a moment in which a clock that is set back makes it come twice.
const SET_BACK_WITHIN: u64 = 3 * 3600;

/// Where sshd lies when it is not in the PATH, which in services often lacks `sbin`.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin"];

/// The end of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Unix time in seconds.
    pub at: u64,
    /// The same as the value of `expiry-time`.
    pub time: String,
}

/// `at` for a host with the sshd `version`. Without an sshd it is local time, which each one reads
/// that may be installed later.
///
/// # Errors
/// `bad_expiry` when it is over, too late, or not enforced by this sshd.
pub fn expiry(at: u64, now: u64, version: Option<(u32, u32)>) -> Result<Expiry, Failure> {
    let bad = |message: String| Failure::new(codes::BAD_EXPIRY, message);
    if at <= now {
        return Err(bad(
            "the expiry is not in the future; look at the clock of the host".to_owned()
        ));
    }
    if at > LATEST {
        return Err(bad("the expiry is after the year 9999".to_owned()));
    }
    let unknown = || bad("cannot tell the time of the expiry: the host's `date` fails".to_owned());
    let time = match version {
        Some(version) if version >= READS_UTC => {
            format!("{}Z", date(at, true).ok_or_else(unknown)?.0)
        }
        Some((major, minor)) if (major, minor) < ENFORCES => {
            return Err(bad(format!(
                "the host's sshd {major}.{minor} cannot end a key (since 7.7 it can): update it, \
                 or add the key without an expiry"
            )));
        }
        _ => local_time(at, |at| date(at, false)).ok_or_else(unknown)?,
    };
    Ok(Expiry { at, time })
}

/// Local time of `at`. Where the clock is set back soon after and the same time comes again, sshd
/// might take the second one: then the key ends earlier, by what the clock is set back.
fn local_time(at: u64, local: impl Fn(u64) -> Option<(String, i64)>) -> Option<String> {
    let (text, offset) = local(at)?;
    let (_, later) = local(at.saturating_add(SET_BACK_WITHIN))?;
    let Some(back) = u64::try_from(offset - later).ok().filter(|back| *back > 0) else {
        return Some(text);
    };
    let again = local(at.saturating_add(back))?.0;
    if again == text { Some(local(at.saturating_sub(back))?.0) } else { Some(text) }
}

/// `YYYYMMDDHHMMSS` and the zone's offset in seconds. sshd knows the machine's zone, not ours.
fn date(at: u64, utc: bool) -> Option<(String, i64)> {
    let mut command = Command::new("date");
    command.env_remove("TZ").env("LC_ALL", "C").stdin(Stdio::null());
    command.args(utc.then_some("-u"));
    match std::env::consts::OS {
        "macos" => command.args(["-r", &at.to_string()]),
        _ => command.args(["-d", &format!("@{at}")]),
    };
    let output = command.arg("+%Y%m%d%H%M%S%z").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (time, zone) = text.trim().split_at_checked(14)?;
    let number: i64 = zone.parse().ok()?;
    let all_digits = time.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| (time.to_owned(), (number / 100) * 3600 + (number % 100) * 60))
}

/// The version of the host's sshd, asked of the program itself. `None` when there is none.
pub fn sshd_version() -> Option<(u32, u32)> {
    // The option is unknown to older ones, which print their version all the same.
    let output = Command::new(sshd()?).arg("-V").stdin(Stdio::null()).output().ok()?;
    let said = [output.stderr, output.stdout].concat();
    read_version(&String::from_utf8_lossy(&said))
}

/// The host's sshd, if it has one.
pub fn sshd() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join("sshd")).find(|path| Path::is_file(path))
}

/// Finds `OpenSSH_9.2p1` in what sshd says.
pub fn read_version(said: &str) -> Option<(u32, u32)> {
    let (_, rest) = said.split_once("OpenSSH_")?;
    let (major, rest) = rest.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_every_release_prints() {
        assert_eq!(read_version("OpenSSH_9.2, OpenSSL 3.0.19 27 Jan 2026\n"), Some((9, 2)));
        let old = "unknown option -- V\nOpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1k\nusage: sshd [-46";
        assert_eq!(read_version(old), Some((8, 4)));
        assert_eq!(read_version("OpenSSH_10.0p2"), Some((10, 0)));
        assert_eq!(read_version("Dropbear v2022.83"), None);
    }

    #[test]
    fn the_form_is_the_one_that_sshd_reads() {
        let of = |version| expiry(1_767_312_000, 1, version);
        assert_eq!(of(Some((9, 1))).expect("utc").time, "20260102000000Z");
        for version in [None, Some((7, 7)), Some((9, 0))] {
            let time = of(version).expect("local").time;
            assert!(time.len() == 14 && !time.contains('Z'), "{time}");
        }
        assert_eq!(of(Some((7, 6))).expect_err("too old").code, codes::BAD_EXPIRY);
        assert!(of(Some((6, 6))).expect_err("too old").message.contains("6.6"));
        for (at, now) in [(5, 5), (5, 6), (LATEST + 1, 6), (u64::MAX, 6)] {
            assert_eq!(expiry(at, now, None).expect_err("bad").code, codes::BAD_EXPIRY);
        }
        expiry(LATEST, 1, None).expect("four digits");
        assert!(expiry(LATEST, 1, Some((9, 9))).expect("utc").time.starts_with("99991230"));
    }

    #[test]
    fn a_time_that_comes_twice_ends_the_key_before_the_first() {
        // The clock goes back by an hour at 100,000: the hour before it comes twice.
        let local = |at: u64| {
            let offset: i64 = if at < 100_000 { 7200 } else { 3600 };
            Some(((i64::try_from(at).expect("small") + offset).to_string(), offset))
        };
        let time = |at| local_time(at, local).expect("a time");
        assert_eq!(time(90_000), "97200");
        assert_eq!(time(96_399), "103599");
        assert_eq!(time(96_400), (96_400 - 3600 + 7200).to_string());
        assert_eq!(time(99_999), (99_999 - 3600 + 7200).to_string());
        // Already the second one: sshd takes it for itself or for the first, which is earlier.
        assert_eq!(time(100_000), "103600");
        assert_eq!(time(110_000), "113600");
    }
}
