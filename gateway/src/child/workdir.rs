//! A session's folder beneath the workspace, and the instruction files in it.

use super::Failure;
use super::beneath::Workspace;
use protocol::commands::SessionCreate;
use protocol::envelope::codes;
use std::path::{Path, PathBuf};

/// First line of the instruction files that we write. A file without it is a person's.
const OURS: &str = "<!-- Written by chatcode. Delete this line to keep your own changes. -->";
const CLAUDE_MD: &str = include_str!("../templates/CLAUDE.md");
const AGENTS_MD: &str = include_str!("../templates/AGENTS.md");

/// Makes the folder beneath the workspace, following no link.
pub(super) fn make_workdir(workspace: &Path, workdir: &str) -> Result<PathBuf, Failure> {
    let bad = |why: &str| {
        let message = format!("workdir \"{}\": {why}", workdir.escape_debug());
        Failure::new(codes::BAD_WORKDIR, message)
    };
    let opened = Workspace::open(workspace).map_err(|error| {
        bad(&format!("cannot make the workspace {}: {error}", workspace.display()))
    })?;
    let relative = opened.relative(Path::new(workdir)).map_err(bad)?;
    opened.make(&relative).map_err(|error| {
        bad(&format!("a part of it is a link or no folder, or cannot be made: {error}"))
    })?;
    Ok(opened.real().join(relative))
}

/// Writes `CLAUDE.md` and `AGENTS.md` for sessions with an agent, never over a person's file.
pub(super) fn write_instructions(workdir: &Path, create: &SessionCreate) -> Result<(), Failure> {
    if create.agent == "none" && create.agent_config.is_none() {
        return Ok(());
    }
    let config = create.agent_config.as_ref();
    let additions = [
        ("CLAUDE.md", CLAUDE_MD, config.and_then(|config| config.claude_md.as_deref())),
        ("AGENTS.md", AGENTS_MD, config.and_then(|config| config.agents_md.as_deref())),
    ];
    for (name, ours, addition) in additions {
        let path = workdir.join(name);
        let text = format!("{OURS}\n{ours}\n{}", addition.unwrap_or_default());
        write_ours(&path, &text).map_err(|error| {
            Failure::new(codes::IO, format!("cannot write {}: {error}", path.display()))
        })?;
    }
    Ok(())
}

fn write_ours(path: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        // A link or a folder is a person's decision too.
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        Ok(_) => {
            let ours = std::fs::read(path)?.starts_with(OURS.as_bytes());
            if !ours {
                return Ok(());
            }
        }
    }
    let temporary = path.with_extension("md.new");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("cc-create-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a scratch folder");
        path
    }

    #[test]
    fn folders_are_made_beneath_the_workspace_alone() {
        let workspace = scratch("workdir");
        let made = make_workdir(&workspace, "a/b").expect("made");
        assert!(made.ends_with("a/b") && made.is_dir());
        let absolute = workspace.join("c").to_string_lossy().into_owned();
        assert!(make_workdir(&workspace, &absolute).is_ok());
        assert_eq!(
            make_workdir(&workspace, "").expect("itself"),
            workspace.canonicalize().expect("real")
        );
        std::os::unix::fs::symlink("/tmp", workspace.join("link")).expect("a link");
        for bad in ["..", "a/../..", "/etc", "link", "link/x", "a/b\0c"] {
            let failure = make_workdir(&workspace, bad).expect_err(bad);
            assert_eq!(failure.code, codes::BAD_WORKDIR, "{bad}");
        }
        std::fs::remove_dir_all(&workspace).expect("cleaned");
    }

    #[test]
    fn files_of_a_person_are_never_replaced() {
        let folder = scratch("instructions");
        let create = SessionCreate {
            session_id: 1,
            name: "n".into(),
            workdir: String::new(),
            agent: "claude-code".into(),
            agent_config: None,
            env: None,
            cols: 80,
            rows: 24,
        };
        std::fs::write(folder.join("AGENTS.md"), "mine").expect("written");
        write_instructions(&folder, &create).expect("written");
        write_instructions(&folder, &create).expect("written again");
        let read = |name| std::fs::read_to_string(folder.join(name)).expect(name);
        assert!(read("CLAUDE.md").starts_with(OURS));
        assert_eq!(read("AGENTS.md"), "mine");
        std::fs::remove_dir_all(&folder).expect("cleaned");
    }
}
