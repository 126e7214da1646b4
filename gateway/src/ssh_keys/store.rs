//! The file `~/.ssh/authorized_keys`: read within bounds, replaced as a whole or not at all.
//!
//! The temporary file beside it is the lock, too: who holds it may write and rename it. So several
//! gateways of one user cannot lose each other's keys, and what a killed one left is taken over.

use crate::child::Failure;
use crate::private_files::make_private_folder;
use protocol::envelope::codes;
use rustix::fs::{FlockOperation, OFlags, flock};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes: ten thousand keys.
const FILE_BYTES: u64 = 1024 * 1024;

/// Name of the temporary file, beside the real one so that it can be renamed over it.
const TEMPORARY: &str = ".authorized_keys.chatcode";

/// Times that a change is made anew because somebody else changed the file meanwhile.
const ATTEMPTS: usize = 5;

/// Permission bits that let others write; sshd then ignores the file. (Debian's does not mind a
/// group of the user alone. We do: other sshds mind, and nobody needs it.)
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A change of the file's bytes; may be asked for more than once.
pub type Change<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>, Failure> + 'a;

/// The file, found.
pub struct Store {
    home: PathBuf,
    /// The file itself, all links followed. It may not exist yet.
    path: PathBuf,
}

impl Store {
    /// Finds the file of who lives in `home`.
    ///
    /// # Errors
    /// When it is a link to nothing, or to what is no file.
    pub fn find(home: &Path) -> Result<Self, Failure> {
        let io = |error| failure("find", home, &error);
        let home = home.canonicalize().map_err(io)?;
        let folder = home.join(".ssh");
        // Where there is no folder yet, there will be.
        let folder = folder.canonicalize().unwrap_or(folder);
        let name = folder.join("authorized_keys");
        let path = match name.symlink_metadata() {
            Ok(found) if found.is_symlink() => name.canonicalize().map_err(|_| {
                let message = format!("{} is a link to nothing: mend or remove it", name.display());
                Failure::new(codes::IO, message)
            })?,
            _ => name,
        };
        Ok(Self { home, path })
    }

    /// The file's bytes, none when there is no file yet.
    ///
    /// # Errors
    /// When it cannot be read, is too large, is no file or belongs to somebody else.
    pub fn read(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.read_with_metadata()?.0)
    }

    fn read_with_metadata(&self) -> Result<(Vec<u8>, Option<Metadata>), Failure> {
        let io = |error: Error| failure("read", &self.path, &error);
        let mut options = OpenOptions::new();
        // Opening what is no file must not wait for it.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.read(true).custom_flags(flags.bits().cast_signed());
        let file = match options.open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), None)),
            Err(error) => return Err(io(error)),
        };
        let found = file.metadata().map_err(io)?;
        let name = self.path.display();
        if !found.is_file() {
            return Err(Failure::new(codes::IO, format!("{name} is no file")));
        }
        if found.uid() != own_uid() {
            let uid = found.uid();
            let message = format!("{name} belongs to user {uid}, not to the gateway's user");
            return Err(Failure::new(codes::PERMISSION_DENIED, message));
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > FILE_BYTES {
            let message = format!("{name} is larger than {FILE_BYTES} bytes: clear it up");
            return Err(Failure::new(codes::TOO_LARGE, message));
        }
        Ok((bytes, Some(found)))
    }

    /// Makes `.ssh` if it is missing, and looks whether sshd would read the file at all.
    ///
    /// # Errors
    /// What others may write, and the command that ends this. sshd looks at the same (StrictModes).
    pub fn prepare(&self) -> Result<(), Failure> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.exists()) {
            make_private_folder(folder).map_err(|error| failure("make", folder, &error))?;
        }
        match self.exposed() {
            None => Ok(()),
            Some(message) => Err(Failure::new(codes::PERMISSION_DENIED, message)),
        }
    }

    /// Why sshd ignores the file: somebody else may write it or a folder on the way to it. `None`
    /// when nobody may.
    pub fn exposed(&self) -> Option<String> {
        for path in self.path.ancestors() {
            let Ok(found) = path.metadata() else { continue };
            let name = path.display();
            if found.uid() != own_uid() && found.uid() != 0 {
                let uid = found.uid();
                return Some(format!("sshd ignores the keys: {name} belongs to user {uid}"));
            }
            if found.mode() & WRITABLE_BY_OTHERS != 0 {
                return Some(format!(
                    "others may write {name}, and so sshd ignores the keys: run chmod go-w {name}"
                ));
            }
            if path == self.home {
                break;
            }
        }
        None
    }

    /// Changes the file. Nothing is written when `change` gives back what was there.
    ///
    /// # Errors
    /// Those of `change`, or why the file could not be replaced; it is as it was then.
    pub fn edit(&self, change: &mut Change<'_>) -> Result<(), Failure> {
        let (temporary, mut file) = self.lock()?;
        let outcome = self.replace(&temporary, &mut file, change);
        if !matches!(outcome, Ok(true)) {
            // The file is as it was; the next one takes over what cannot be removed.
            let _ = std::fs::remove_file(&temporary);
        }
        outcome.map(|_| ())
    }

    /// Opens the temporary file for this process alone.
    fn lock(&self) -> Result<(PathBuf, File), Failure> {
        let path = self.path.with_file_name(TEMPORARY);
        let io = |error: Error| failure("write", &path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        loop {
            let file = options.open(&path).map_err(io)?;
            flock(&file, FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
            let held = file.metadata().map_err(io)?;
            // Whoever held it before has renamed or removed it: then this is another file by now.
            let same = |found: Metadata| (found.dev(), found.ino()) == (held.dev(), held.ino());
            if path.symlink_metadata().is_ok_and(same) {
                return Ok((path, file));
            }
        }
    }

    /// Gives back whether the file was replaced.
    fn replace(
        &self,
        temporary: &Path,
        file: &mut File,
        change: &mut Change<'_>,
    ) -> Result<bool, Failure> {
        for _ in 0..ATTEMPTS {
            let (before, found) = self.read_with_metadata()?;
            let after = change(&before)?;
            if after == before {
                return Ok(false);
            }
            write(file, &after, found.as_ref()).map_err(|e| failure("write", temporary, &e))?;
            // Others, such as ssh-copy-id, know nothing of our lock.
            if self.read_with_metadata()?.0 == before {
                let io = |error| failure("replace", &self.path, &error);
                std::fs::rename(temporary, &self.path).map_err(io)?;
                let folder = self.path.parent().unwrap_or(&self.path);
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
                return Ok(true);
            }
        }
        let message = format!("{} keeps changing: try again", self.path.display());
        Err(Failure::new(codes::FILE_CHANGED, message))
    }
}

/// Fills the temporary file, with mode and owner of the one that it replaces.
fn write(file: &mut File, bytes: &[u8], like: Option<&Metadata>) -> Result<(), Error> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(bytes)?;
    if let Some(like) = like
        && like.gid() != file.metadata()?.gid()
    {
        fchown(&*file, None, Some(like.gid()))?;
    }
    let mode = like.map_or(0o600, |like| like.mode() & 0o7777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn failure(what: &str, path: &Path, error: &Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => codes::PERMISSION_DENIED,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => codes::DISK_FULL,
        _ => codes::IO,
    };
    Failure::new(code, format!("cannot {what} {}: {error}", path.display()))
}
