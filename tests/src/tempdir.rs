//! A folder of a test's own, removed with everything in it when the test passes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A private folder with a short path: sockets in it must fit into 108 bytes.
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// Makes the folder.
    pub fn new() -> Self {
        Self::beneath(&std::env::temp_dir(), "cc")
    }

    /// Makes it beneath the tester's own home, hidden: who trusts no folder that others may write,
    /// as sshd does, trusts nothing in the folder for temporary files.
    pub fn in_home() -> Self {
        let home = std::env::var_os("HOME").expect("the tester has a home");
        Self::beneath(Path::new(&home), ".cc-test")
    }

    fn beneath(folder: &Path, name: &str) -> Self {
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{name}-{}-{serial}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name` in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("left for a look: {}", self.path.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
