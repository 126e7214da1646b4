//! The manifest of an update: what it says, and whether it is one for this build. No I/O.

use super::signature;
use super::url::Url;
use crate::identity::Identity;
use miniserde::Deserialize;
use protocol::envelope::codes;
use protocol::limits::{MANIFEST_BYTES, UPDATE_BYTES};

/// Bytes of a SHA-256 digest.
pub const DIGEST_BYTES: usize = 32;

/// A manifest that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `x.y.z`.
    pub version: String,
    /// The oldest version that it may replace; without it, any.
    pub minimum_version: Option<String>,
    /// Where the binary is.
    pub url: Url,
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; DIGEST_BYTES],
}

/// As the JSON has it.
#[derive(Deserialize)]
struct Raw {
    version: String,
    minimum_version: Option<String>,
    target: String,
    url: String,
    size: u64,
    sha256: String,
}

/// A code of the contract, and what is wrong in words.
pub type Refusal = (&'static str, String);

/// Accepts or refuses an update for the build `own`. Nothing is read of what is not signed.
///
/// # Errors
/// `bad_manifest`, `bad_signature`, `wrong_target`, `not_newer` or `too_old`, with words.
pub fn accept(own: &Identity, manifest: &str, signature: &str) -> Result<Manifest, Refusal> {
    if manifest.len() > MANIFEST_BYTES || signature.len() > MANIFEST_BYTES {
        let message = format!("manifest and signature have at most {MANIFEST_BYTES} bytes each");
        return Err((codes::BAD_MANIFEST, message));
    }
    signature::verify(own.update_key, manifest.as_bytes(), signature)
        .map_err(|why| (codes::BAD_SIGNATURE, format!("the update is not trusted: {why}")))?;
    let (target, manifest) = read(manifest).map_err(|why| (codes::BAD_MANIFEST, why))?;
    if target != own.target {
        let message = format!("the update is for {target}, this gateway is {}", own.target);
        return Err((codes::WRONG_TARGET, message));
    }
    // A build without an ordinary version cannot tell what is newer than itself.
    if number(own.version).is_none_or(|own| number(&manifest.version) <= Some(own)) {
        let message = format!("{} is not newer than {}", manifest.version, own.version);
        return Err((codes::NOT_NEWER, message));
    }
    match &manifest.minimum_version {
        Some(minimum) if number(own.version) < number(minimum) => {
            let message = format!(
                "{} replaces {minimum} and later, this is {}: update to {minimum} first",
                manifest.version, own.version
            );
            Err((codes::TOO_OLD, message))
        }
        _ => Ok(manifest),
    }
}

/// Reads the JSON; gives the target and what is not compared with this build.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(text: &str) -> Result<(String, Manifest), String> {
    let raw: Raw = miniserde::json::from_str(text)
        .map_err(|_| "the manifest is not {version, target, url, size, sha256}".to_owned())?;
    let mut versions = std::iter::once(&raw.version).chain(&raw.minimum_version);
    if let Some(wrong) = versions.find(|version| number(version).is_none()) {
        return Err(format!("version {wrong:.100}: a release is x.y.z, three numbers"));
    }
    if raw.size == 0 || raw.size > UPDATE_BYTES {
        return Err(format!("size {}: a binary has 1 to {UPDATE_BYTES} bytes", raw.size));
    }
    let Some(sha256) = digest(&raw.sha256) else {
        return Err("sha256 has 64 digits from 0 to f".to_owned());
    };
    let url = Url::read(&raw.url)?;
    let Raw { version, minimum_version, target, size, .. } = raw;
    Ok((target, Manifest { version, minimum_version, url, size, sha256 }))
}

/// `x.y.z` as numbers without leading zeros. Pre-releases are no releases: none is signed.
fn number(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.');
    let mut next = || {
        let part = parts.next()?;
        let plain = part == "0" || !part.starts_with('0');
        (plain && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let numbers = [next()?, next()?, next()?];
    parts.next().is_none().then_some(numbers)
}

fn digest(text: &str) -> Option<[u8; DIGEST_BYTES]> {
    let mut bytes = [0; DIGEST_BYTES];
    if text.len() != 2 * DIGEST_BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let digit = |letter: u8| char::from(letter).to_digit(16);
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(version: &str, url: &str, size: &str, sha256: &str) -> String {
        format!(
            r#"{{"version":"{version}","target":"t","url":"{url}","size":{size},"sha256":"{sha256}","x":[]}}"#
        )
    }

    #[test]
    fn a_manifest_is_read() {
        let sha = "0aF".repeat(21) + "0";
        let (target, manifest) = read(&json("1.20.3", "https://h/x", "7", &sha)).expect("good");
        assert_eq!((target.as_str(), manifest.size), ("t", 7));
        assert_eq!(manifest.sha256.get(..3), Some([0x0a, 0xf0, 0xaf].as_slice()));
        for (version, url, size, sha256) in [
            ("1.2", "https://h/", "7", sha.as_str()),
            ("1.2.3-rc1", "https://h/", "7", &sha),
            ("1.2.03", "https://h/", "7", &sha),
            ("1.2.+3", "https://h/", "7", &sha),
            ("1.2.3.4", "https://h/", "7", &sha),
            ("1.2.99999999999", "https://h/", "7", &sha),
            ("1..3", "https://h/", "7", &sha),
            ("1.2.3", "http://h/", "7", &sha),
            ("1.2.3", "https://h/", "0", &sha),
            ("1.2.3", "https://h/", "-1", &sha),
            ("1.2.3", "https://h/", "16777217", &sha),
            ("1.2.3", "https://h/", "7", "0a"),
            ("1.2.3", "https://h/", "7", &"0g".repeat(32)),
            ("1.2.3", "https://h/", "7", &"\u{e4}".repeat(32)),
        ] {
            assert!(read(&json(version, url, size, sha256)).is_err(), "{version} {url} {size}");
        }
        for text in ["", "{}", "[]", "7", "{\"version\":1}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_minimum_is_read_where_there_is_one() {
        let plain = json("1.2.3", "https://h/", "7", &"0a".repeat(32));
        let with = |minimum: &str| {
            let text = plain.replacen('{', &format!(r#"{{"minimum_version":{minimum},"#), 1);
            read(&text).map(|(_, manifest)| manifest.minimum_version)
        };
        assert_eq!(read(&plain).map(|(_, manifest)| manifest.minimum_version), Ok(None));
        assert_eq!(with("null"), Ok(None));
        assert_eq!(with(r#""1.0.10""#), Ok(Some("1.0.10".to_owned())));
        for wrong in [r#""1.0""#, r#""""#, "7", r#""any""#] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        assert!(number("0.10.0") > number("0.9.9") && number("1.0.0") > number("0.99.99"));
        assert!(number("0.0.1") > number("0.0.0") && number("2.0.0") == number("2.0.0"));
    }
}
