//! The manifests: what gateways, the installer and the control plane read of a release.

use super::version::MINIMUM;
use crate::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most bytes of a manifest: what gateways and the control plane read (`protocol::limits`).
const MOST_BYTES: usize = 4096;

/// Where a binary is, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// `https` address.
    pub url: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in small hexadecimal digits.
    pub sha256: String,
}

/// The release as a whole.
#[derive(Debug, Serialize, Deserialize)]
pub struct Whole {
    /// `x.y.z`.
    pub version: String,
    minimum_version: String,
    targets: BTreeMap<String, File>,
}

/// What one target's gateways read.
#[derive(Serialize)]
struct OfTarget<'a> {
    version: &'a str,
    minimum_version: &'a str,
    target: &'a str,
    #[serde(flatten)]
    file: &'a File,
}

impl Whole {
    /// The release `version` of these targets.
    pub fn new(version: &str, targets: BTreeMap<String, File>) -> Self {
        Self { version: version.to_owned(), minimum_version: MINIMUM.to_owned(), targets }
    }

    /// The text of `manifest.json`.
    ///
    /// # Errors
    /// As [`line`].
    pub fn text(&self) -> Result<String> {
        line(self)
    }

    /// The text of each `TRIPLE/manifest.json`.
    ///
    /// # Errors
    /// As [`line`].
    pub fn of_targets(&self) -> Result<Vec<(&str, String)>> {
        let (version, minimum_version) = (&self.version, &self.minimum_version);
        let one = |(target, file): (&'_ String, &'_ File)| {
            line(&OfTarget { version, minimum_version, target, file })
        };
        self.targets.iter().map(|entry| Ok((entry.0.as_str(), one(entry)?))).collect()
    }
}

/// One line that a shell can take apart: ASCII without backslashes, with a newline at its end.
///
/// # Errors
/// When it would be anything else.
fn line(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value)? + "\n";
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if !text.trim_end().bytes().all(is_plain) {
        return Err(format!("a manifest is printable ASCII without backslashes, not {text}").into());
    }
    if text.len() > MOST_BYTES {
        return Err(format!("a manifest has at most {MOST_BYTES} bytes, not {}", text.len()).into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatcode_gateway::identity::Identity;
    use chatcode_gateway::update::manifest::accept;

    fn whole(url: &str) -> Whole {
        let file = File { url: url.to_owned(), size: 7, sha256: "0a".repeat(32) };
        let triples = ["aarch64-apple-darwin", "x86_64-unknown-linux-musl"];
        Whole::new("1.2.3", triples.map(|triple| (triple.to_owned(), file.clone())).into())
    }

    #[test]
    fn a_manifest_is_one_line_in_the_order_of_the_contract() {
        let whole = whole("https://example.com/r/v1.2.3/x");
        let targets = whole.of_targets().expect("manifests");
        let (target, text) = targets.first().expect("one");
        assert_eq!(*target, "aarch64-apple-darwin");
        let sha = "0a".repeat(32);
        assert_eq!(
            *text,
            format!(
                r#"{{"version":"1.2.3","minimum_version":"{MINIMUM}","target":"{target}","url":"https://example.com/r/v1.2.3/x","size":7,"sha256":"{sha}"}}"#
            ) + "\n"
        );
        let text = whole.text().expect("a manifest");
        assert!(text.starts_with(r#"{"version":"1.2.3","minimum_version":""#), "{text}");
        assert!(text.contains(r#""targets":{"aarch64-apple-darwin":{"url":"#), "{text}");
        let read: Whole = serde_json::from_str(&text).expect("read back");
        assert_eq!(read.text().expect("again"), text);
    }

    #[test]
    fn what_a_shell_cannot_read_is_refused() {
        for url in ["https://h/\"", "https://h/\\", "https://h/a b", "https://h/\u{e4}"] {
            assert!(whole(url).text().is_err(), "{url}");
        }
        assert!(whole(&format!("https://h/{}", "x".repeat(MOST_BYTES))).of_targets().is_err());
    }

    #[test]
    fn the_gateway_accepts_what_is_made_and_signed_here() {
        let folder = tempfile::tempdir().expect("a folder");
        let key =
            super::super::signing::Key::throw_away(&folder.path().join("key")).expect("a key");
        let whole = whole("https://example.com/r/v1.2.3/x");
        for (target, text) in whole.of_targets().expect("manifests") {
            let signature = key.sign(text.as_bytes(), "1.2.3", "manifest.json").expect("signed");
            let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
            let own = |version: &str| Identity {
                version: leak(version),
                target: leak(target),
                update_key: leak(&key.public()),
            };
            let taken = accept(&own(MINIMUM), &text, &signature).expect("accepted");
            assert_eq!((taken.version.as_str(), taken.size), ("1.2.3", 7));
            let refused = |version| accept(&own(version), &text, &signature).expect_err("refused");
            assert_eq!(refused("1.2.3").0, "not_newer");
            let (code, why) = refused("0.0.9");
            assert_eq!(code, "too_old");
            assert!(why.contains(&format!("update to {MINIMUM} first")), "{why}");
            let changed = text.replace("\"size\":7", "\"size\":8");
            let refused = accept(&own(MINIMUM), &changed, &signature).expect_err("refused");
            assert_eq!(refused.0, "bad_signature");
        }
    }
}
