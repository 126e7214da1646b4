//! The files of an update: the binary, what was before it, what comes after it, and the record.

use super::attempt::{Disk, Record};
use crate::limits::UPDATE_RECORD_BYTES;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Mode of an installed binary.
pub const BINARY_MODE: u32 = 0o755;

/// What the second name of the running binary ends with until it replaces an older one.
const KEPT_SOON: &str = ".keep";

/// Where everything is. Steps of [`Disk`] return when the disk has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The binary, links resolved.
    pub binary: PathBuf,
    record: PathBuf,
}

/// Where the record of an update is.
pub fn record_path(state: &Path) -> PathBuf {
    state.join("update")
}

impl Files {
    /// The files of this process's binary.
    ///
    /// # Errors
    /// When its name belongs to another binary, because somebody replaced or removed it.
    pub fn own(state: &Path) -> Result<Self, String> {
        let binary = std::env::current_exe().and_then(|path| named(path).canonicalize());
        let binary =
            binary.map_err(|error| format!("cannot find the binary that runs: {error}"))?;
        // Only Linux can tell; elsewhere the name is believed.
        if let Ok(own) = std::fs::metadata("/proc/self/exe")
            && !std::fs::metadata(&binary)
                .is_ok_and(|it| (it.dev(), it.ino()) == (own.dev(), own.ino()))
        {
            let path = binary.display();
            return Err(format!("{path} is not what runs any more: restart the gateway"));
        }
        Ok(Self { binary, record: record_path(state) })
    }

    /// What renews the binary where a package owns it: the package would not know of another one,
    /// and its next version would be a step back.
    pub fn renewed_by(&self) -> Option<&'static str> {
        let mut parts = self.binary.components();
        if self.binary.starts_with("/usr/bin") {
            Some("install its new version by apt")
        } else if parts.any(|part| part.as_os_str() == "Cellar") {
            Some("brew upgrade chatcode-gateway")
        } else {
            None
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.binary.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    }

    /// The new file until it has the binary's name.
    pub fn new_file(&self) -> PathBuf {
        self.beside(".new")
    }

    /// The binary before this one.
    pub fn old_file(&self) -> PathBuf {
        self.beside(".old")
    }

    fn next_record(&self) -> PathBuf {
        self.record.with_extension("new")
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)?;
        self.sync_folder(to)
    }

    /// A second name or, where the file system or its owner allows none, a copy.
    fn second_name(&self, path: &Path) -> io::Result<()> {
        let _ = std::fs::remove_file(path);
        std::fs::hard_link(&self.binary, path).or_else(|_| self.copy(path))
    }

    fn copy(&self, path: &Path) -> io::Result<()> {
        let mut options = File::options();
        let mut copy = options.write(true).create_new(true).mode(BINARY_MODE).open(path)?;
        copy.write_all(&std::fs::read(&self.binary)?)?;
        copy.sync_all()
    }

    fn write_record(&self, text: &str) -> io::Result<()> {
        let temporary = self.next_record();
        let _ = std::fs::remove_file(&temporary);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        self.rename(&temporary, &self.record)
    }
}

impl Disk for Files {
    fn record(&mut self) -> Option<Record> {
        let mut text = String::new();
        let file = File::open(&self.record).ok()?;
        file.take(UPDATE_RECORD_BYTES).read_to_string(&mut text).ok()?;
        Record::decode(&text)
    }

    fn note(&mut self, record: &Record) -> Result<(), String> {
        self.write_record(&record.encode()).map_err(|error| failed("write", &self.record, &error))
    }

    fn forget(&mut self) {
        // A record that comes back after a power failure costs one more trial.
        let _ = std::fs::remove_file(&self.record);
    }

    fn keep(&mut self) -> Result<(), String> {
        let (old, next) = (self.old_file(), self.beside(KEPT_SOON));
        let kept = self.second_name(&next).and_then(|()| self.rename(&next, &old));
        // A rename of one file over its own other name leaves both.
        let _ = std::fs::remove_file(&next);
        kept.map_err(|error| failed("keep the old binary as", &old, &error))
    }

    fn replace(&mut self) -> Result<(), String> {
        self.rename(&self.new_file(), &self.binary)
            .map_err(|error| failed("replace", &self.binary, &error))
    }

    fn restore(&mut self) -> Result<(), String> {
        let old = self.old_file();
        self.rename(&old, &self.binary).map_err(|error| failed("restore", &old, &error))
    }

    fn discard(&mut self) {
        let unfinished = [self.new_file(), self.beside(KEPT_SOON), self.next_record()];
        for path in unfinished {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Linux says so of a binary whose name was given away, also when it got it back since.
fn named(path: PathBuf) -> PathBuf {
    match path.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(name) => PathBuf::from(OsStr::from_bytes(name)),
        None => path,
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::super::attempt::{Phase, begin, go_back, start, swap};
    use super::super::attempt::{Start, undo};
    use super::*;

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn what_a_package_owns_is_renewed_by_its_manager() {
        for (binary, by) in [
            ("/usr/bin/chatcode-gateway", Some("apt")),
            ("/opt/homebrew/Cellar/chatcode-gateway/1.0.0/bin/chatcode-gateway", Some("brew")),
            ("/usr/local/bin/chatcode-gateway", None),
            ("/home/ada/.local/bin/chatcode-gateway", None),
        ] {
            let files = Files { binary: binary.into(), record: PathBuf::new() };
            let found = files.renewed_by();
            assert_eq!(found.is_some(), by.is_some(), "{binary}");
            assert!(by.is_none_or(|by| found.is_some_and(|words| words.contains(by))), "{binary}");
        }
    }

    #[test]
    fn where_there_are_no_second_names_a_copy_is_kept() {
        let folder = std::env::temp_dir().join(format!("cc-copy-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let files = Files { binary: folder.join("gw"), record: record_path(&folder) };
        std::fs::write(&files.binary, "old").expect("written");
        files.copy(&files.old_file()).expect("copied");
        assert_eq!(text(&files.old_file()), "old");
        let mode = std::fs::metadata(files.old_file()).expect("there").mode();
        assert_eq!(mode & 0o100, 0o100, "it can be run");
        assert!(files.copy(&files.old_file()).is_err(), "nothing is overwritten");
        std::fs::remove_dir_all(&folder).expect("cleaned");
    }

    #[test]
    fn names_change_hands_and_nothing_else_is_left() {
        let folder = std::env::temp_dir().join(format!("cc-install-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut files = Files { binary: folder.join("gw"), record: record_path(&folder) };
        std::fs::write(&files.binary, "old").expect("written");
        let record = Record {
            phase: Phase::Fetching,
            version: "2.0.0".to_owned(),
            request_id: "r1".to_owned(),
            why: String::new(),
        };
        assert_eq!(files.record(), None);
        for round in 0..2 {
            begin(&mut files, &record).expect("noted");
            std::fs::write(files.new_file(), "new").expect("written");
            swap(&mut files, &record).expect("swapped");
            assert_eq!(
                (text(&files.binary), text(&files.old_file())),
                ("new".into(), "old".into())
            );
            if round == 0 {
                undo(&mut files);
                assert_eq!(text(&files.binary), "old");
                let failed = start(&mut files, "1.0.0");
                assert!(matches!(failed, Start::Failed(..)), "{failed:?}");
            }
        }
        let Start::Trial(record) = start(&mut files, "2.0.0") else { panic!("a trial") };
        assert_eq!(go_back(&mut files, record, "no\nlink"), Start::Yield);
        assert_eq!(text(&files.binary), "old");
        let Start::Failed(record, (_, why)) = start(&mut files, "1.0.0") else { panic!("told") };
        assert_eq!((record.request_id.as_str(), why), ("r1", "2.0.0 was given up: no link".into()));
        files.forget();
        let names = std::fs::read_dir(&folder).expect("a folder").flatten();
        let names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["gw"]);
        std::fs::remove_dir_all(&folder).expect("cleaned");
    }
}
