//! Writes a file that comes through a pipe; it is in its place whole, or nothing is left of it.
//!
//! On standard input come the file's bytes, as many as were announced, and then its digest in hex.
//! An end of the input before that is a cancellation. On standard output go `open`, a line `stored`
//! for every chunk, and the outcome.

use super::beneath::{self, Workspace, failure, refused};
use super::{Failure, argument, hex, say};
use protocol::envelope::codes;
use protocol::limits::FILE_CHUNK_BYTES;
use ring::digest::{Context, SHA256};
use rustix::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RawMode, linkat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

/// Characters of a SHA-256 digest in hex.
const DIGEST_CHARS: usize = 64;

/// Permissions of a new file before the umask.
const NEW_FILE: RawMode = 0o666;

/// Permissions of a file that is not in its place yet.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Where Linux shows a process its open files.
const OPEN_FILES: &str = "/proc/self/fd";

/// Arguments: workspace, folder that a relative path begins at, path, bytes.
pub fn run(arguments: &[String]) -> Result<String, Failure> {
    let workspace = argument(arguments, 0)?;
    let (base, path) = (argument(arguments, 1)?, argument(arguments, 2)?);
    let size: u64 = argument(arguments, 3)?.parse().unwrap_or(0);
    let mut upload = Upload::open(Path::new(workspace), base, path)?;
    say("open");
    let stdin = std::io::stdin().as_fd().try_clone_to_owned();
    let mut stdin = File::from(stdin.map_err(|error| failure(path, error))?);
    upload.receive(&mut stdin, size, || say("stored"))?;
    upload.put()?;
    Ok(String::new())
}

struct Upload {
    /// As it was asked for.
    path: String,
    /// The deepest folder that is there already, and what is to be made beneath it.
    deepest: OwnedFd,
    missing: PathBuf,
    name: OsString,
    temporary: Temporary,
}

impl Upload {
    fn open(workspace: &Path, base: &str, path: &str) -> Result<Self, Failure> {
        let bad = |why: &str| refused(codes::BAD_PATH, path, why);
        let workspace = Workspace::open(workspace).map_err(|error| failure(path, error))?;
        let wanted = workspace.relative(&Path::new(base).join(path)).map_err(bad)?;
        // `a/` and `a/.` name a folder, also where there is none yet.
        let last = path.rsplit('/').next().unwrap_or_default();
        let name = wanted.file_name().filter(|_| !matches!(last, "" | "."));
        let name = name.ok_or_else(|| bad("it names a folder"))?.to_owned();
        let folder = wanted.parent().unwrap_or(Path::new(""));
        let found = workspace.deepest(folder).map_err(|error| failure(path, error));
        let (deepest, missing) = found?;
        if missing.as_os_str().is_empty() {
            mode_there(&deepest, &name, path)?;
        }
        let temporary = Temporary::make(&deepest).map_err(|error| failure(path, error))?;
        Ok(Self { path: path.to_owned(), deepest, missing, name, temporary })
    }

    /// Takes the bytes, and compares them with the digest that follows.
    fn receive(
        &mut self,
        input: &mut impl Read,
        size: u64,
        stored: impl Fn(),
    ) -> Result<(), Failure> {
        let cancelled = |_| refused(codes::CANCELLED, &self.path, "the upload was cancelled");
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; FILE_CHUNK_BYTES];
        let mut left = size;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(FILE_CHUNK_BYTES).min(FILE_CHUNK_BYTES);
            let chunk = buffer.get_mut(..length).unwrap_or_default();
            input.read_exact(chunk).map_err(cancelled)?;
            context.update(chunk);
            let written = self.temporary.file.write_all(chunk);
            written.map_err(|error| failure(&self.path, error))?;
            left = left.saturating_sub(length as u64);
            stored();
        }
        let mut announced = [0; DIGEST_CHARS];
        input.read_exact(&mut announced).map_err(cancelled)?;
        if hex(context.finish().as_ref()).as_bytes() != announced {
            let why = "its SHA-256 is another one than announced; send it again";
            return Err(refused(codes::BAD_CHECKSUM, &self.path, why));
        }
        Ok(())
    }

    /// Puts the file in its place. The folders that it needs are made only now, so that an upload
    /// that fails leaves none.
    fn put(mut self) -> Result<(), Failure> {
        let path = self.path;
        self.temporary.file.sync_all().map_err(|error| failure(&path, error))?;
        let folder = beneath::make(self.deepest, &self.missing);
        let folder = folder.map_err(|error| failure(&path, error))?;
        let mode = mode_there(&folder, &self.name, &path)?.unwrap_or_else(mode_of_new);
        rustix::fs::fchmod(&self.temporary.file, mode).map_err(|error| failure(&path, error))?;
        self.temporary.put(&folder, &self.name).map_err(|error| failure(&path, error))?;
        // Where folders cannot be synced, the file is in its place nevertheless.
        let _ = rustix::fs::fsync(&folder);
        Ok(())
    }
}

/// Permissions of the file that is to be replaced; what is there and no file is refused.
fn mode_there(folder: &OwnedFd, name: &OsStr, path: &str) -> Result<Option<Mode>, Failure> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(there) if FileType::from_raw_mode(there.st_mode) == FileType::RegularFile => {
            // Not the bits that lend a program its owner's rights: the contents are new.
            Ok(Some(Mode::from_raw_mode(there.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO)))
        }
        Ok(_) => Err(refused(codes::BAD_PATH, path, "a folder, a link or no file is there")),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(failure(path, error)),
    }
}

fn mode_of_new() -> Mode {
    // There is no other way to ask for it.
    let umask = rustix::process::umask(Mode::empty());
    Mode::from_raw_mode(NEW_FILE) & !umask
}

/// A file on its way to its name. Dropped before, it is gone.
struct Temporary {
    file: File,
    /// The name that it has meanwhile: none where the file system does without.
    named: Option<(OwnedFd, String)>,
}

impl Temporary {
    fn make(folder: &OwnedFd) -> Result<Self, Errno> {
        match without_name(folder) {
            Some(file) => Ok(Self { file: file?, named: None }),
            None => Self::with_name(folder),
        }
    }

    fn with_name(folder: &OwnedFd) -> Result<Self, Errno> {
        let name = temporary_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(folder, &name, flags, PRIVATE)?;
        Ok(Self { file: file.into(), named: Some((again(folder)?, name)) })
    }

    fn put(&mut self, folder: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
        if self.named.is_none() {
            let link = |name: &OsStr| {
                let unnamed = format!("{OPEN_FILES}/{}", self.file.as_raw_fd());
                linkat(CWD, unnamed, folder, name, AtFlags::SYMLINK_FOLLOW)
            };
            match link(name) {
                Err(Errno::EXIST) => {}
                outcome => return outcome,
            }
            // Only a rename replaces a file at once.
            let temporary = temporary_name();
            link(temporary.as_ref())?;
            self.named = Some((again(folder)?, temporary));
        }
        if let Some((from, temporary)) = &self.named {
            renameat(from, temporary, folder, name)?;
            self.named = None;
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some((folder, name)) = &self.named {
            let _ = unlinkat(folder, name, AtFlags::empty());
        }
    }
}

/// A file without a name, which is gone with its process whatever ends it. `None` where there are
/// none: the file system or the kernel has to know them, and the name is given through /proc.
#[cfg(target_os = "linux")]
fn without_name(folder: &OwnedFd) -> Option<Result<File, Errno>> {
    if !Path::new(OPEN_FILES).exists() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match openat(folder, ".", flags, PRIVATE) {
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => None,
        outcome => Some(outcome.map(File::from)),
    }
}

#[cfg(not(target_os = "linux"))]
fn without_name(_: &OwnedFd) -> Option<Result<File, Errno>> {
    None
}

/// A name that nobody else chooses.
fn temporary_name() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let process = std::process::id();
    format!(".chatcode-{process}-{}-{}.part", now.as_secs(), now.subsec_nanos())
}

fn again(folder: &OwnedFd) -> Result<OwnedFd, Errno> {
    openat(folder, ".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("cc-upload-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).expect("a scratch folder");
            Self(path)
        }

        fn open(&self, path: &str) -> Result<Upload, Failure> {
            Upload::open(&self.0, "", path)
        }

        fn open_any(&self, path: &str) -> Upload {
            self.open(path).expect("open")
        }

        /// The same with a temporary file that has a name.
        fn open_named(&self, path: &str) -> Upload {
            let mut upload = self.open(path).expect("open");
            upload.temporary = Temporary::with_name(&upload.deepest).expect("a file");
            upload
        }

        fn names(&self) -> Vec<String> {
            let entries =
                std::fs::read_dir(&self.0).expect("a folder").map(|entry| entry.expect("one"));
            let mut names: Vec<String> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn input(content: &[u8]) -> Vec<u8> {
        let digest = ring::digest::digest(&SHA256, content);
        [content, hex(digest.as_ref()).as_bytes()].concat()
    }

    fn complete(mut upload: Upload, content: &[u8]) -> Result<(), Failure> {
        upload.receive(&mut input(content).as_slice(), content.len() as u64, || {})?;
        upload.put()
    }

    #[test]
    fn a_file_comes_into_place_with_and_without_a_name_before() {
        let scratch = Scratch::new("place");
        complete(scratch.open("new").expect("open"), b"one").expect("in place");
        complete(scratch.open_named("named"), b"two").expect("in place");
        let script = scratch.0.join("script");
        for open in [Scratch::open_named, Scratch::open_any] {
            std::fs::write(&script, "old").expect("written");
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o4751))
                .expect("set");
            complete(open(&scratch, "script"), b"new").expect("replaced");
            assert_eq!(std::fs::read(&script).expect("read"), b"new");
            let mode = script.metadata().expect("there").permissions().mode();
            assert_eq!(mode & 0o7777, 0o751, "its mode is kept, not the owner's rights");
        }
        assert_eq!(scratch.names(), ["named", "new", "script"]);
    }

    #[test]
    fn what_fails_leaves_neither_file_nor_folder() {
        let scratch = Scratch::new("fails");
        let code = |outcome: Result<(), Failure>| outcome.expect_err("it fails").code;
        for open in [Scratch::open_named, Scratch::open_any] {
            let make = |scratch: &Scratch| open(scratch, "a/b/file");
            let mut upload = make(&scratch);
            assert_eq!(code(upload.receive(&mut b"abc".as_slice(), 4, || {})), codes::CANCELLED);
            drop(upload);
            let mut upload = make(&scratch);
            assert_eq!(code(upload.receive(&mut b"abcd".as_slice(), 4, || {})), codes::CANCELLED);
            drop(upload);
            let mut wrong = input(b"abcd");
            wrong[0] = b'x';
            let mut upload = make(&scratch);
            assert_eq!(code(upload.receive(&mut wrong.as_slice(), 4, || {})), codes::BAD_CHECKSUM);
            drop(upload);
            assert_eq!(scratch.names(), Vec::<String>::new());
        }
        complete(scratch.open("a/b/file").expect("open"), b"").expect("in place");
        assert!(scratch.0.join("a/b/file").is_file());
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let scratch = Scratch::new("kinds");
        std::fs::create_dir(scratch.0.join("folder")).expect("a folder");
        symlink("/etc/passwd", scratch.0.join("link")).expect("a link");
        for path in ["folder", "link", "new/", "new/.", ".", "", "..", "/etc/passwd", "link/x"] {
            let code = scratch.open(path).map(drop).expect_err(path).code;
            assert_eq!(code, codes::BAD_PATH, "{path}");
        }
        let late = scratch.open("late").expect("open");
        symlink("/etc/passwd", scratch.0.join("late")).expect("a link");
        assert_eq!(complete(late, b"x").expect_err("a link").code, codes::BAD_PATH);
        assert_eq!(scratch.names(), ["folder", "late", "link"]);
    }

    #[test]
    fn a_folder_that_vanishes_is_missed() {
        let scratch = Scratch::new("vanishes");
        std::fs::create_dir(scratch.0.join("folder")).expect("a folder");
        let upload = scratch.open("folder/file").expect("open");
        std::fs::remove_dir_all(scratch.0.join("folder")).expect("removed");
        assert_eq!(complete(upload, b"x").expect_err("gone").code, codes::NOT_FOUND);
        assert_eq!(scratch.names(), Vec::<String>::new());
    }
}
