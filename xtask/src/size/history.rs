//! What earlier releases weighed: a line a release and target in `size-report/history.json`.

use super::weigh::Weight;
use crate::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One release for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of the release.
    pub version: String,
    /// Its target, as rustc has it.
    pub target: String,
    /// What it weighed.
    #[serde(flatten)]
    pub weight: Weight,
}

/// All releases, in the order in which they were recorded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct History(pub Vec<Entry>);

impl History {
    /// Reads the file; without one there is no history yet.
    ///
    /// # Errors
    /// When it is not what [`History::save`] writes, or its sums are wrong.
    pub fn load(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                Self::read(&text).map_err(|why| format!("{}: {why}", path.display()).into())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    fn read(text: &str) -> Result<Self> {
        let entries: Vec<Entry> = serde_json::from_str(text)?;
        for Entry { version, target, weight } in &entries {
            for part in [&weight.sections, &weight.parts] {
                let sum: u64 = part.values().sum();
                if sum != weight.bytes {
                    let bytes = weight.bytes;
                    return Err(format!("{version} for {target}: {sum} is not {bytes}").into());
                }
            }
        }
        Ok(Self(entries))
    }

    /// Writes the file, an entry a line, so that a change to it can be read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.text()?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(())
    }

    fn text(&self) -> Result<String> {
        let lines: Vec<String> =
            self.0.iter().map(serde_json::to_string).collect::<serde_json::Result<_>>()?;
        Ok(format!("[\n{}\n]\n", lines.join(",\n")))
    }

    /// The last recorded release of a target, other than the one called `except`.
    pub fn last(&self, target: &str, except: Option<&str>) -> Option<&Entry> {
        self.0.iter().rev().find(|it| it.target == target && Some(it.version.as_str()) != except)
    }

    /// Adds a release. If the target has it already, the new one takes its place.
    pub fn record(&mut self, entry: Entry) {
        let same = |it: &&mut Entry| it.version == entry.version && it.target == entry.target;
        match self.0.iter_mut().find(same) {
            Some(old) => *old = entry,
            None => self.0.push(entry),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A release of which only this is told.
    pub fn entry(version: &str, target: &str, parts: &[(&str, u64)]) -> Entry {
        let parts = parts.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect();
        let bytes = super::super::weigh::Bytes::values(&parts).sum();
        let sections = [(".text".to_owned(), bytes)].into();
        let weight = Weight { bytes, sections, parts };
        Entry { version: version.to_owned(), target: target.to_owned(), weight }
    }

    #[test]
    fn what_is_written_is_read_again_an_entry_a_line() {
        let mut history = History::default();
        history.record(entry("0.1.0", "one", &[("a", 5), ("b", 6)]));
        history.record(entry("0.1.0", "other", &[("a", 7)]));
        let text = history.text().expect("text");
        assert_eq!(text.lines().count(), 4, "{text}");
        assert_eq!(History::read(&text).expect("itself"), history);
    }

    #[test]
    fn a_release_recorded_again_takes_its_own_place() {
        let mut history = History::default();
        for (version, bytes) in [("0.1.0", 5), ("0.2.0", 6), ("0.1.0", 9)] {
            history.record(entry(version, "one", &[("a", bytes)]));
        }
        let kept: Vec<_> = history.0.iter().map(|it| (&*it.version, it.weight.bytes)).collect();
        assert_eq!(kept, [("0.1.0", 9), ("0.2.0", 6)]);
    }

    #[test]
    fn the_last_release_is_that_of_the_same_target() {
        let mut history = History::default();
        for (version, target) in [("0.1.0", "one"), ("0.1.0", "other"), ("0.2.0", "one")] {
            history.record(entry(version, target, &[("a", 1)]));
        }
        let version = |target, except| history.last(target, except).map(|it| it.version.as_str());
        assert_eq!(version("one", None), Some("0.2.0"));
        assert_eq!(version("one", Some("0.2.0")), Some("0.1.0"));
        assert_eq!(version("other", None), Some("0.1.0"));
        assert_eq!(version("third", None), None);
    }

    #[test]
    fn sums_that_are_wrong_are_found() {
        let text = r#"[{"version":"0.1.0","target":"one","bytes":5,"sections":{".text":5},"parts":{"a":4}}]"#;
        let error = History::read(text).expect_err("a wrong sum").to_string();
        assert_eq!(error, "0.1.0 for one: 4 is not 5");
        assert!(History::read("{").is_err());
    }
}
