//! Lists the workspace's folders, for whoever picks one to work in.

use super::{Failure, argument, tell};
use crate::limits::FOLDER_DEPTH;
use protocol::commands::{Incoming, decode};
use protocol::envelope::codes;
use protocol::events::{Event, WorkspaceFolders};
use protocol::limits::WORKSPACE_FOLDERS;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Folders that hold what tools made; nobody works in them.
const MADE_BY_TOOLS: [&str; 4] = ["node_modules", "target", "__pycache__", "vendor"];

/// Arguments: state folder, workspace. Request: the command. Tells `workspace.folders`.
pub fn run(arguments: &[String], request: &str) -> Result<String, Failure> {
    let Incoming::Command { request_id, .. } = decode(request) else {
        return Err(Failure::new(codes::INVALID_PAYLOAD, "workspace.list: not a command"));
    };
    let workspace = Path::new(argument(arguments, 1)?);
    let folders = list(workspace).map_err(|error| {
        let message = format!("cannot read the workspace {}: {error}", workspace.display());
        Failure::new(codes::IO, message)
    })?;
    tell(&Event::from(WorkspaceFolders { folders }).to_json(request_id.as_deref()));
    Ok(String::new())
}

/// Folders nearest to the workspace first, so that the bound leaves out the deepest; then by name.
/// Hidden ones, links and what is no UTF-8 are left out.
fn list(workspace: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut waiting = VecDeque::from([(PathBuf::new(), 0)]);
    while let Some((relative, depth)) = waiting.pop_front() {
        let entries = match std::fs::read_dir(workspace.join(&relative)) {
            Ok(entries) => entries,
            // A session makes the workspace; until then there is nothing in it.
            Err(error) if depth == 0 && error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        let is_folder = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|it| it.is_dir());
        let folders = entries.filter_map(Result::ok).filter(is_folder);
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names
            .filter(|name| !name.starts_with('.') && !MADE_BY_TOOLS.contains(&name.as_str()))
            .collect();
        names.sort_unstable();
        for name in names {
            if found.len() >= WORKSPACE_FOLDERS {
                return Ok(found);
            }
            let path = relative.join(name);
            found.extend(path.to_str().map(str::to_owned));
            if depth + 1 < FOLDER_DEPTH {
                waiting.push_back((path, depth + 1));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_folders_come_first_and_links_and_hidden_ones_not_at_all() {
        let workspace = std::env::temp_dir().join(format!("cc-folders-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&workspace);
        assert_eq!(list(&workspace).expect("not there yet"), Vec::<String>::new());
        for path in ["shop/api/deep/deeper", "blog", ".git/objects", "shop/node_modules/x"] {
            std::fs::create_dir_all(workspace.join(path)).expect("a folder");
        }
        std::fs::write(workspace.join("notes.md"), "").expect("a file");
        std::os::unix::fs::symlink("/etc", workspace.join("etc")).expect("a link");
        let found = list(&workspace).expect("listed");
        assert_eq!(found, ["blog", "shop", "shop/api", "shop/api/deep"]);
        for number in 0..WORKSPACE_FOLDERS {
            std::fs::create_dir(workspace.join(format!("x{number}"))).expect("a folder");
        }
        assert_eq!(list(&workspace).expect("listed").len(), WORKSPACE_FOLDERS);
        std::fs::remove_dir_all(&workspace).expect("cleaned");
    }
}
