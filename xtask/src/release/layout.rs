//! The folder of releases: a version's own folder first, then what names it.

use super::manifest::Whole;
use super::signing::Key;
use super::{sums, version};
use crate::Result;
use semver::Version;
use std::fs;
use std::path::{Path, PathBuf};

/// The manifest's name, in the root and in each target's folder.
const MANIFEST: &str = "manifest.json";

/// The list of digests.
const SUMS: &str = "SHA256SUMS";

/// A version's folder while it is being filled.
pub struct Staged {
    out: PathBuf,
    folder: PathBuf,
    version: String,
}

/// The newest release that `out` offers, if any.
///
/// # Errors
/// When there is a manifest that cannot be read.
pub fn newest(out: &Path) -> Result<Option<Version>> {
    let path = out.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    let wrong = |why: String| format!("{}: {why}", path.display());
    let whole: Whole = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let version = version::read(&whole.version).map_err(|error| wrong(error.to_string()))?;
    Ok(Some(version))
}

impl Staged {
    /// An empty folder beside what is served. What a broken run has left is deleted.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(out: &Path, version: &str) -> Result<Self> {
        let folder = out.join(format!(".v{version}.new"));
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { out: out.to_owned(), folder, version: version.to_owned() })
    }

    /// Where the files go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes a file along by its own name.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn take(&self, file: &Path) -> Result<()> {
        let name = file.file_name().ok_or_else(|| format!("{}: no file", file.display()))?;
        fs::copy(file, self.folder.join(name))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(())
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        write(&self.folder.join(name), text)
    }

    /// Signs what is there, gives the folder its name, and only then names it in the manifests: who
    /// reads one finds all that it says. The version's folder has them too, so that it can be served
    /// as the whole in its turn.
    ///
    /// # Errors
    /// When a file cannot be written or signed.
    pub fn publish(self, whole: &Whole, key: &Key) -> Result<()> {
        let sums = sums::text(&sums::of_folder(&self.folder)?);
        self.signed(&self.folder, SUMS, &sums, key)?;
        let mut manifests = vec![(String::new(), whole.text()?)];
        manifests.extend(whole.of_targets()?.into_iter().map(|(to, text)| (to.to_owned(), text)));
        for (target, text) in &manifests {
            self.signed(&self.folder.join(target), MANIFEST, text, key)?;
        }
        let place = self.out.join(format!("v{}", self.version));
        remove(&place)?;
        fs::rename(&self.folder, &place)
            .map_err(|error| format!("{}: {error}", place.display()))?;
        // The root comes last: it says what is newest.
        for (target, _) in manifests.iter().rev() {
            for name in [MANIFEST.to_owned(), format!("{MANIFEST}.minisig")] {
                let text = fs::read_to_string(place.join(target).join(&name))?;
                write(&self.out.join(target).join(name), &text)?;
            }
        }
        Ok(())
    }

    fn signed(&self, folder: &Path, name: &str, text: &str, key: &Key) -> Result<()> {
        write(&folder.join(name), text)?;
        let target = folder.strip_prefix(&self.folder)?.join(name);
        let signature = key.sign(text.as_bytes(), &self.version, &target.to_string_lossy())?;
        write(&folder.join(format!("{name}.minisig")), &signature)
    }
}

/// Writes a file as a whole or not at all, and its folder where there is none.
fn write(path: &Path, text: &str) -> Result<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, text).and_then(|()| fs::rename(&new, path)).map_err(failed)?;
    Ok(())
}

/// Deletes a folder, if it is there.
///
/// # Errors
/// When it cannot be deleted.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()).into())
        }
        _ => Ok(()),
    }
}

/// All files beneath a folder, sorted, as they are named from there.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", next.display());
        for entry in fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder)?.to_string_lossy().into_owned()),
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::File;
    use super::*;

    fn release(out: &Path, key: &Key, version: &str) {
        let staged = Staged::new(out, version).expect("a folder");
        staged.write("binary", version).expect("written");
        let file = File {
            url: format!("https://example.com/v{version}/binary"),
            size: 5,
            sha256: sums::sha256(version.as_bytes()),
        };
        let whole = Whole::new(version, [("some-target".to_owned(), file)].into());
        staged.publish(&whole, key).expect("published");
    }

    #[test]
    fn versions_stay_and_the_manifests_name_the_newest() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::throw_away(&folder.path().join("key")).expect("a key");
        let out = folder.path().join("releases");
        assert!(newest(&out).expect("none").is_none());
        for version in ["0.9.0", "0.10.0"] {
            release(&out, &key, version);
            assert_eq!(newest(&out).expect("read").expect("one").to_string(), version);
        }
        let of = |place: &str| {
            let names = ["manifest.json", "manifest.json.minisig"];
            let target = names.map(|name| format!("{place}some-target/{name}"));
            names.map(|name| format!("{place}{name}")).into_iter().chain(target)
        };
        let mut wanted: Vec<String> = of("").collect();
        for version in ["v0.9.0/", "v0.10.0/"] {
            wanted.extend(of(version));
            wanted.extend(
                ["SHA256SUMS", "SHA256SUMS.minisig", "binary"].map(|f| format!("{version}{f}")),
            );
        }
        wanted.sort();
        assert_eq!(files(&out).expect("files"), wanted);
        let read = |name: &str| fs::read_to_string(out.join(name)).expect(name);
        assert_eq!(read("some-target/manifest.json"), read("v0.10.0/some-target/manifest.json"));
        let signature = read("some-target/manifest.json.minisig");
        assert!(
            signature.contains("trusted comment: chatcode 0.10.0 file:some-target/manifest.json")
        );
        assert_eq!(read("v0.9.0/SHA256SUMS").lines().count(), 1);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_no_empty_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("manifest.json"), "{}").expect("written");
        let said = newest(folder.path()).expect_err("refused").to_string();
        assert!(said.contains("manifest.json"), "{said}");
    }
}
