//! Paths beneath the workspace: found, and made, without following a link anywhere.

use super::Failure;
use protocol::envelope::codes;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

/// How folders on the way are opened.
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The workspace, held open, so that whatever is renamed meanwhile nothing leads out of it.
pub struct Workspace {
    root: OwnedFd,
    given: PathBuf,
    real: PathBuf,
}

impl Workspace {
    /// Opens the workspace, which is made when it is missing. Links that lead to it are its
    /// owner's.
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let real = path.canonicalize()?;
        let root = rustix::fs::open(&real, FOLDER, Mode::empty())?;
        Ok(Self { root, given: path.to_owned(), real })
    }

    /// Where it really is.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// A path as seen from the workspace, or why it is refused whatever the file system says.
    pub fn relative(&self, wanted: &Path) -> Result<PathBuf, &'static str> {
        let beneath = if wanted.is_absolute() {
            let beneath = wanted.strip_prefix(&self.given);
            let beneath = beneath.or_else(|_| wanted.strip_prefix(&self.real));
            beneath.map_err(|_| "it is not beneath the workspace")?
        } else {
            wanted
        };
        let mut clean = PathBuf::new();
        for component in beneath.components() {
            match component {
                Component::CurDir => {}
                Component::Normal(name) if !name.as_encoded_bytes().contains(&0) => {
                    clean.push(name);
                }
                _ => return Err("it leaves the workspace"),
            }
        }
        Ok(clean)
    }

    /// Opens what [`Self::relative`] gave.
    pub fn find(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        at_once(&self.root, path, flags | OFlags::CLOEXEC)
            .unwrap_or_else(|| self.step_by_step(path, flags | OFlags::CLOEXEC))
    }

    fn step_by_step(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let (folder, missing) = self.deepest(path.parent().unwrap_or(Path::new("")))?;
        if !missing.as_os_str().is_empty() {
            return Err(Errno::NOENT);
        }
        let name = path.file_name().unwrap_or(OsStr::new("."));
        openat(&folder, name, flags | OFlags::NOFOLLOW, Mode::empty())
    }

    /// The deepest folder on the way to `folder` that is there, and what is missing beneath it.
    pub fn deepest(&self, folder: &Path) -> Result<(OwnedFd, PathBuf), Errno> {
        let mut deepest = openat(&self.root, ".", FOLDER, Mode::empty())?;
        let mut names = folder.iter();
        while let Some(name) = names.next() {
            deepest = match openat(&deepest, name, FOLDER, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok((deepest, Path::new(name).join(names.as_path()))),
                Err(error) => return Err(error),
            };
        }
        Ok((deepest, PathBuf::new()))
    }

    /// Opens a folder beneath the workspace, made where it is missing.
    pub fn make(&self, folder: &Path) -> Result<OwnedFd, Errno> {
        let (deepest, missing) = self.deepest(folder)?;
        make(deepest, &missing)
    }
}

/// Makes what [`Workspace::deepest`] found missing, one folder at a time.
pub fn make(deepest: OwnedFd, missing: &Path) -> Result<OwnedFd, Errno> {
    let mut folder = deepest;
    for name in missing {
        match mkdirat(&folder, name, Mode::from_raw_mode(0o755)) {
            // What is in it lasts only if its name does; where folders cannot be synced, it must do.
            Ok(()) => drop(rustix::fs::fsync(&folder)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        folder = openat(&folder, name, FOLDER, Mode::empty())?;
    }
    Ok(folder)
}

/// One call that the kernel keeps beneath the folder; `None` where there is none: Linux before 5.6,
/// and sandboxes that know no better.
#[cfg(target_os = "linux")]
fn at_once(root: &OwnedFd, path: &Path, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    use rustix::fs::{ResolveFlags, openat2};
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(root, path, flags, Mode::empty(), beneath) {
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::INVAL) => None,
        outcome => Some(outcome),
    }
}

#[cfg(not(target_os = "linux"))]
fn at_once(_: &OwnedFd, _: &Path, _: OFlags) -> Option<Result<OwnedFd, Errno>> {
    None
}

/// What a failed call on the file at `path` means to who asked for it.
pub fn failure(path: &str, error: impl Into<io::Error>) -> Failure {
    failed(path, &error.into())
}

fn failed(path: &str, error: &io::Error) -> Failure {
    let (code, why) = match Errno::from_io_error(error) {
        Some(Errno::NOENT) => (codes::NOT_FOUND, "there is no such file or folder"),
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
            (codes::PERMISSION_DENIED, "the gateway's user may not do that")
        }
        Some(Errno::NOSPC | Errno::DQUOT) => (codes::DISK_FULL, "no space is left on the disk"),
        Some(Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::XDEV) => {
            (codes::BAD_PATH, "it is a folder, or goes through a link or a file")
        }
        Some(Errno::NXIO) => (codes::BAD_PATH, "it is no regular file"),
        Some(Errno::NAMETOOLONG) => (codes::BAD_PATH, "a name in it is too long"),
        _ => return Failure::new(codes::IO, format!("\"{}\": {error}", path.escape_debug())),
    };
    refused(code, path, why)
}

/// A refusal of the file at `path`.
pub fn refused(code: &'static str, path: &str, why: &str) -> Failure {
    Failure::new(code, format!("\"{}\": {why}", path.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn scratch(name: &str) -> (PathBuf, Workspace) {
        let path = std::env::temp_dir().join(format!("cc-beneath-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let workspace = Workspace::open(&path).expect("made");
        (path, workspace)
    }

    /// With one call, and as where there is none.
    fn found(workspace: &Workspace, path: &str) -> [Result<(), Errno>; 2] {
        let path = Path::new(path);
        [
            workspace.find(path, OFlags::RDONLY).map(drop),
            workspace.step_by_step(path, OFlags::RDONLY).map(drop),
        ]
    }

    #[test]
    fn links_are_followed_nowhere_whoever_resolves() {
        let (path, workspace) = scratch("links");
        std::fs::create_dir_all(path.join("a/b")).expect("folders");
        std::fs::write(path.join("a/b/file"), "x").expect("a file");
        symlink("/etc", path.join("a/out")).expect("a link");
        symlink("b", path.join("a/inside")).expect("a link");
        symlink("/etc/passwd", path.join("a/passwd")).expect("a link");
        assert_eq!(found(&workspace, "a/b/file"), [Ok(()), Ok(())]);
        assert_eq!(found(&workspace, "a/b/none"), [Err(Errno::NOENT); 2]);
        assert_eq!(found(&workspace, "a/c/none"), [Err(Errno::NOENT); 2]);
        for link in ["a/out/passwd", "a/inside/file", "a/passwd"] {
            for outcome in found(&workspace, link) {
                let code = failure(link, outcome.expect_err(link)).code;
                assert_eq!(code, codes::BAD_PATH, "{link}");
            }
        }
        let error = workspace.make(Path::new("a/out/new")).expect_err("a link");
        assert_eq!(failure("a/out/new", error).code, codes::BAD_PATH);
        std::fs::remove_dir_all(&path).expect("cleaned");
    }

    #[test]
    fn paths_are_judged_before_the_file_system_is_asked() {
        let (path, workspace) = scratch("relative");
        let relative = |path: &str| workspace.relative(Path::new(path)).ok();
        assert_eq!(relative("a/./b//c"), Some("a/b/c".into()));
        assert_eq!(relative(&format!("{}/a", path.display())), Some("a".into()));
        for bad in ["..", "a/../b", "a/../../b", "/etc/passwd", "/", "a\0b"] {
            assert_eq!(relative(bad), None, "{bad:?}");
        }
        std::fs::remove_dir_all(&path).expect("cleaned");
    }

    #[test]
    fn what_is_missing_is_told_and_made() {
        let (path, workspace) = scratch("make");
        std::fs::create_dir(path.join("a")).expect("a folder");
        let (_, missing) = workspace.deepest(Path::new("a/b/c")).expect("found");
        assert_eq!(missing, Path::new("b/c"));
        workspace.make(Path::new("a/b/c")).expect("made");
        workspace.make(Path::new("a/b/c")).expect("there");
        assert!(path.join("a/b/c").is_dir());
        std::fs::remove_dir_all(&path).expect("cleaned");
    }
}
