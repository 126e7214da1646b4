//! Small private files of the gateway itself.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Makes a folder and its parents, readable by this user alone.
///
/// # Errors
/// As the file system says.
pub fn make_private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only this user can read; it is whole or it is not there.
///
/// # Errors
/// As the file system says; what was there before is unchanged then.
pub fn write_private(path: &Path, data: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let _ = std::fs::remove_file(&temporary);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(data)?;
    std::fs::rename(&temporary, path)
}
