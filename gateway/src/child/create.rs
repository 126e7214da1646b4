//! Creates a session: its folder, its instruction files, its tmux session.

use super::{Failure, argument, exit_path, record_path};
use crate::limits::{CREATE_AGAIN, CREATE_TRIES};
use crate::tmux::server::{MARKER_VARIABLE, configuration, session_name, tmux};
use crate::tmux::version::Version;
use protocol::commands::{Agent, Command as Message, Incoming, SessionCreate, decode};
use protocol::envelope::codes;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Runs the session's program, keeps its exit code in a file, and lives on for a moment: a tmux
/// pane that ends at once loses its last output. `trap :` keeps Ctrl-C from ending the wrapper.
const WRAPPER: &str = "trap : INT QUIT; f=$1; shift; \"$@\"; r=$?; umask 077; \
    echo $r >\"$f.new\" && mv \"$f.new\" \"$f\"; sleep 0.3; exit $r";

/// First line of the instruction files that we write. A file without it is a person's.
const OURS: &str = "<!-- Written by chatcode. Delete this line to keep your own changes. -->";
const INSTRUCTIONS: &str = include_str!("../templates/instructions.md");

/// Arguments: socket, workspace, state folder, gateway, tmux version. Request: the command.
/// Answer: tmux's session, window, pane, process id, columns, rows.
pub fn run(arguments: &[String], request: &str) -> Result<String, Failure> {
    let Incoming::Command { command: Message::SessionCreate(create), .. } = decode(request) else {
        return Err(Failure::new(codes::INVALID_PAYLOAD, "session.create: not a command"));
    };
    let socket = argument(arguments, 0)?;
    let state = Path::new(argument(arguments, 2)?);
    let gateway_id = argument(arguments, 3)?;
    let workdir = make_workdir(Path::new(argument(arguments, 1)?), &create.workdir)?;
    write_instructions(&workdir, &create)?;

    let record = record_path(state, create.session_id);
    let io = |what: &Path, error: std::io::Error| {
        Failure::new(codes::IO, format!("cannot write {}: {error}", what.display()))
    };
    let _ = std::fs::remove_file(exit_path(state, create.session_id));
    std::fs::write(&record, b"").map_err(|error| io(&record, error))?;
    let conf = state.join("tmux.conf");
    std::fs::write(&conf, configuration(terminal())).map_err(|error| io(&conf, error))?;

    let can = Version::read(&format!("tmux {}", argument(arguments, 4)?))
        .map(Version::capabilities)
        .ok_or_else(|| Failure::new(codes::TMUX_FAILED, "the version of tmux is unknown"))?;
    let mut command = tmux(socket);
    command.current_dir(&workdir).arg("-f").arg(&conf);
    command.args(new_session(&create, gateway_id, state, can.session_environment));
    let outcome = start(&mut command);
    if outcome.is_err() {
        let _ = std::fs::remove_file(&record);
    }
    outcome
}

/// tmux's server ends with its last session, and a new one may meet it at that moment. Nothing was
/// created then, so asking again is safe.
fn start(command: &mut Command) -> Result<String, Failure> {
    let mut output = ask_tmux(command)?;
    for _ in 1..CREATE_TRIES {
        if !String::from_utf8_lossy(&output.stderr).contains("server exited unexpectedly") {
            break;
        }
        std::thread::sleep(CREATE_AGAIN);
        output = ask_tmux(command)?;
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(codes::TMUX_FAILED, format!("tmux new-session: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn ask_tmux(command: &mut Command) -> Result<std::process::Output, Failure> {
    command.output().map_err(|error| {
        Failure::new(codes::TMUX_FAILED, format!("cannot start tmux: {error}; install tmux"))
    })
}

fn new_session(
    create: &SessionCreate,
    gateway_id: &str,
    state: &Path,
    environment_flag: bool,
) -> Vec<String> {
    let name = session_name(create.session_id);
    let target = format!("={name}:");
    let (cols, rows) = (create.cols.to_string(), create.rows.to_string());
    let mut words: Vec<String> = [
        "new-session",
        "-d",
        "-P",
        "-F",
        "#{session_id} #{window_id} #{pane_id} #{pane_pid} #{window_width} #{window_height}",
        "-s",
        &name,
        "-x",
    ]
    .into_iter()
    .chain([cols.as_str(), "-y", &rows])
    .map(str::to_owned)
    .collect();
    let marker = format!("{MARKER_VARIABLE}={}", marker(state, gateway_id, create.session_id));
    let given = create.env.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let environment: Vec<String> = given.chain([marker]).collect();
    if environment_flag {
        words.extend(environment.iter().flat_map(|pair| ["-e".to_owned(), word(pair)]));
    }
    let exit = exit_path(state, create.session_id).to_string_lossy().into_owned();
    if !environment_flag {
        // Before the wrapper, which is as much part of the session as what it runs.
        words.push("/usr/bin/env".to_owned());
        words.extend(environment.iter().map(word));
    }
    words.extend(["/bin/sh", "-c", WRAPPER, "sh", &exit].map(word));
    words.extend(program(create).iter().map(word));
    words.extend(
        [";", "set-option", "-w", "-t", &target, "window-size", "manual"].map(str::to_owned),
    );
    // The last two are for people too: `list` and `attach` know sessions by them.
    let number = create.session_id.to_string();
    let known_by = [
        ("session", &*number),
        ("gateway", gateway_id),
        ("agent", &create.agent),
        ("name", &create.name),
    ];
    for (option, value) in known_by {
        let option = format!("@cc_{option}");
        words.extend([";", "set-option", "-t", &target, &option].map(str::to_owned));
        words.push(word(value));
    }
    words
}

/// What [`MARKER_VARIABLE`] is set to. The state folder tells apart gateways that were given one id
/// on one machine: ending a session must never touch another gateway's.
pub fn marker(state: &Path, gateway_id: &str, session_id: u32) -> String {
    format!("{gateway_id}/{session_id} {}", state.display())
}

/// A word of a tmux command line: a `;` at its end would end the command.
fn word(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    match text.strip_suffix(';') {
        Some(head) => format!("{head}\\;"),
        None => text.to_owned(),
    }
}

/// The session's program: a login shell, or a login shell that becomes the agent.
fn program(create: &SessionCreate) -> Vec<String> {
    let shell = std::env::var("SHELL").unwrap_or_default();
    let known = ["bash", "zsh", "sh", "dash", "ksh"];
    let name = shell.rsplit('/').next().unwrap_or_default();
    let usable = shell.starts_with('/') && Path::new(&shell).exists();
    let Some(agent) = Agent::from_name(&create.agent).and_then(Agent::program) else {
        let shell = if usable { shell } else { "/bin/sh".to_owned() };
        return vec![shell, "-l".to_owned()];
    };
    let shell = if usable && known.contains(&name) { shell } else { "/bin/sh".to_owned() };
    let script = format!(
        "if command -v {agent} >/dev/null 2>&1; then exec {agent}; fi; \
         printf '%s is not installed here; this is a shell.\\n' {agent}; exec \"$0\" -l"
    );
    vec![shell.clone(), "-l".to_owned(), "-c".to_owned(), script, shell]
}

/// A terminal type that programs on this machine know.
fn terminal() -> &'static str {
    let folders = ["/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"];
    let known = folders.iter().any(|folder| {
        // macOS names the subfolder by the letter's hexadecimal code.
        ["t", "74"].iter().any(|sub| Path::new(folder).join(sub).join("tmux-256color").exists())
    });
    if known { "tmux-256color" } else { "screen-256color" }
}

/// Makes the folder beneath the workspace, one component at a time, following no link.
fn make_workdir(workspace: &Path, workdir: &str) -> Result<PathBuf, Failure> {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let bad = |why: &str| {
        let message = format!("workdir \"{}\": {why}", workdir.escape_debug());
        Failure::new(codes::BAD_WORKDIR, message)
    };
    std::fs::create_dir_all(workspace).map_err(|error| {
        bad(&format!("cannot make the workspace {}: {error}", workspace.display()))
    })?;
    let real = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    let wanted = Path::new(workdir);
    let relative = if wanted.is_absolute() {
        let beneath = wanted.strip_prefix(workspace).or_else(|_| wanted.strip_prefix(&real));
        beneath.map_err(|_| bad("it is not beneath the workspace"))?
    } else {
        wanted
    };
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(&real, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| bad(&format!("cannot open the workspace: {error}")))?;
    let mut path = real;
    for component in relative.components() {
        let name = match component {
            Component::CurDir => continue,
            Component::Normal(name) if !name.as_encoded_bytes().contains(&0) => name,
            _ => return Err(bad("it leaves the workspace")),
        };
        match mkdirat(&folder, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(bad(&format!("cannot make {}: {error}", name.display()))),
        }
        folder = openat(&folder, name, flags, Mode::empty())
            .map_err(|error| bad(&format!("{} is a link or no folder: {error}", name.display())))?;
        path.push(name);
    }
    Ok(path)
}

/// Writes `CLAUDE.md` and `AGENTS.md` for sessions with an agent, never over a person's file.
fn write_instructions(workdir: &Path, create: &SessionCreate) -> Result<(), Failure> {
    if create.agent == "none" && create.agent_config.is_none() {
        return Ok(());
    }
    let config = create.agent_config.as_ref();
    let additions = [
        ("CLAUDE.md", config.and_then(|config| config.claude_md.as_deref())),
        ("AGENTS.md", config.and_then(|config| config.agents_md.as_deref())),
    ];
    for (name, addition) in additions {
        let path = workdir.join(name);
        let text = format!("{OURS}\n{INSTRUCTIONS}\n{}", addition.unwrap_or_default());
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

    #[test]
    fn a_semicolon_at_the_end_of_a_word_stays_in_it() {
        assert_eq!(word("A=x;"), "A=x\\;");
        assert_eq!(word("a;b"), "a;b");
    }
}
