//! The folders that the gateway needs, and the room in them.

use super::configuration::Folders;
use super::report::Finding;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The checks of this file, for when the folders are not known.
pub const CHECKS: [&str; 3] = [WORKSPACE, STATE, DISK];

const WORKSPACE: &str = "workspace";
const STATE: &str = "state";
const DISK: &str = "disk";

/// Free bytes below which agents fail at their first download.
const LITTLE: u64 = 1024 * 1024 * 1024;

/// Free bytes below which the gateway itself cannot keep its state for sure.
const NOTHING: u64 = 32 * 1024 * 1024;

/// Permission bits that let others look into the gateway's own files.
const OPEN_TO_OTHERS: u32 = 0o077;

/// Looks at both folders and their file systems.
pub fn examine(folders: &Folders) -> Vec<Finding> {
    let (workspace, state) = (folders.workspace.as_path(), folders.state.as_path());
    let mode = state.metadata().map(|found| found.mode()).ok();
    vec![
        judge_workspace(workspace, workspace.exists(), try_to_write(workspace)),
        judge_state(state, mode, try_to_write(state)),
        judge_room(&[(workspace, free(workspace)), (state, free(state))]),
    ]
}

/// Makes something in the folder and removes it. Permissions alone do not say whether that works: a
/// file system may be read-only. Before the folder is there, its nearest parent counts.
fn try_to_write(folder: &Path) -> Result<(), String> {
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    let probe = existing.join(format!(".chatcode-doctor-{}", std::process::id()));
    let made = if existing == folder {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(&probe).map(|_| ())
    } else {
        std::fs::DirBuilder::new().mode(0o700).create(&probe)
    };
    made.map_err(|error| format!("{}: {error}", existing.display()))?;
    let removed =
        if existing == folder { std::fs::remove_file(&probe) } else { std::fs::remove_dir(&probe) };
    removed.map_err(|error| format!("{}: {error}", probe.display()))
}

fn judge_workspace(path: &Path, exists: bool, writable: Result<(), String>) -> Finding {
    let name = path.display();
    match writable {
        Ok(()) if exists => Finding::ok(WORKSPACE, format!("{name} can be written")),
        Ok(()) => Finding::ok(WORKSPACE, format!("{name} comes with the first session")),
        Err(why) => {
            let advice = format!("give {name} to the gateway's user, or set GATEWAY_WORKSPACE");
            Finding::failure(WORKSPACE, "workspace_not_writable", why, advice)
        }
    }
}

fn judge_state(path: &Path, mode: Option<u32>, writable: Result<(), String>) -> Finding {
    let name = path.display();
    match (writable, mode) {
        (Err(why), _) => {
            let advice = format!("give {name} to the gateway's user, or set GATEWAY_STATE_DIR");
            Finding::failure(STATE, "state_not_writable", why, advice)
        }
        (Ok(()), Some(mode)) if mode & OPEN_TO_OTHERS != 0 => Finding::warning(
            STATE,
            "state_exposed",
            format!("other users of this machine may look into {name}"),
            format!("chmod go-rwx {name}"),
        ),
        (Ok(()), Some(_)) => Finding::ok(STATE, format!("{name} can be written and is private")),
        (Ok(()), None) => Finding::ok(STATE, format!("{name} comes with the first start")),
    }
}

fn judge_room(places: &[(&Path, Option<u64>)]) -> Finding {
    let known = places.iter().filter_map(|(path, free)| Some((path, (*free)?)));
    let Some((path, free)) = known.min_by_key(|(_, free)| *free) else {
        return Finding::warning(DISK, "disk_unknown", "free space cannot be told", "run df");
    };
    let found = format!("{} MB free for {}", free / 1_000_000, path.display());
    let advice = "make room: old logs, caches and unused container images are large";
    match free {
        0..NOTHING => Finding::failure(DISK, "disk_full", found, advice),
        NOTHING..LITTLE => Finding::warning(DISK, "disk_low", found, advice),
        _ => Finding::ok(DISK, found),
    }
}

/// Free bytes for who is not root, in the file system of `path` or of its nearest parent.
fn free(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let found = rustix::fs::statvfs(existing).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_that_of_the_fuller_place() {
        let code = |a, b| judge_room(&[(Path::new("/a"), a), (Path::new("/b"), b)]).code;
        assert_eq!(code(Some(LITTLE), Some(LITTLE)), "ok");
        assert_eq!(code(Some(LITTLE - 1), Some(LITTLE)), "disk_low");
        assert_eq!(code(Some(LITTLE), Some(NOTHING - 1)), "disk_full");
        assert_eq!(code(None, Some(LITTLE)), "ok");
        assert_eq!(code(None, None), "disk_unknown");
    }

    #[test]
    fn folders_are_private_and_writable_or_still_to_come() {
        let path = Path::new("/x");
        let no = || Err("/x: Read-only file system".to_owned());
        assert_eq!(judge_state(path, Some(0o40_700), Ok(())).code, "ok");
        assert_eq!(judge_state(path, None, Ok(())).code, "ok");
        assert_eq!(judge_state(path, Some(0o40_755), Ok(())).code, "state_exposed");
        assert_eq!(judge_state(path, Some(0o40_700), no()).code, "state_not_writable");
        assert_eq!(judge_workspace(path, false, Ok(())).code, "ok");
        assert_eq!(judge_workspace(path, true, no()).code, "workspace_not_writable");
    }
}
