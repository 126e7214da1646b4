//! Creates a session: its folder, its instruction files, its tmux session.

use super::beneath::Workspace;
use super::{Failure, argument, exit_path, hex, record_path};
use crate::agents::{in_login_shell, shell};
use crate::private_files::write_private;
use crate::tmux::server::{MARKER_VARIABLE, configuration, session_name, tmux};
use crate::tmux::version::Version;
use protocol::commands::{Agent, Command as Message, Incoming, SessionCreate, decode};
use protocol::envelope::codes;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the session's program, keeps its exit code in a file, and lives on for a moment: a tmux
/// pane that ends at once loses its last output. `trap :` keeps Ctrl-C from ending the wrapper.
/// Variables that tmux cannot take lie in a file. Names begin with `_cc_`, because one of the
/// session's own variables would lose its value to another of its name.
const WRAPPER: &str = "trap : INT QUIT; _cc_exit=$1; _cc_env=${1%.exit}.env; _cc_path=$PATH; shift; \
    if [ -f \"$_cc_env\" ]; then _cc_set=$(cat \"$_cc_env\"); rm -f \"$_cc_env\"; eval \"$_cc_set\"; fi; \
    \"$@\"; _cc_code=$?; PATH=$_cc_path; umask 077; \
    echo $_cc_code >\"$_cc_exit.new\" && mv \"$_cc_exit.new\" \"$_cc_exit\"; \
    sleep 0.3; exit $_cc_code";

/// Bytes of environment that are given to tmux as words: its messages hold 16 KiB.
const WORDS_BYTES: usize = 8 * 1024;

/// First line of the instruction files that we write. A file without it is a person's.
const OURS: &str = "<!-- Written by chatcode. Delete this line to keep your own changes. -->";
const CLAUDE_MD: &str = include_str!("../templates/CLAUDE.md");
const AGENTS_MD: &str = include_str!("../templates/AGENTS.md");

/// Arguments: socket, workspace, state folder, gateway, tmux version. Request: the command.
/// Answer: tmux's session, window, pane, process id, columns, rows, and the workdir in hex.
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
    let mut variables = create.env.clone().unwrap_or_default();
    let file = environment_path(state, create.session_id);
    let bytes: usize = variables.iter().map(|(key, value)| key.len() + value.len()).sum();
    // tmux replaces a PATH that it is given by the one of its client.
    if bytes > WORDS_BYTES || variables.contains_key("PATH") {
        let exports = exports(&std::mem::take(&mut variables));
        write_private(&file, exports.as_bytes()).map_err(|error| io(&file, error))?;
    }
    variables.insert(MARKER_VARIABLE.to_owned(), marker(state, gateway_id, create.session_id));
    let mut command = tmux(socket);
    command.current_dir(&workdir).arg("-f").arg(&conf);
    command.envs(search_path().map(|path| ("PATH", path)));
    let workdir = hex(workdir.as_os_str().as_bytes());
    let can = can.session_environment;
    command.args(new_session(&create, gateway_id, state, &workdir, &variables, can));
    let outcome = start(&mut command);
    if outcome.is_err() {
        let _ = std::fs::remove_file(&record);
        let _ = std::fs::remove_file(&file);
    }
    outcome.map(|started| format!("{started} {workdir}"))
}

fn start(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| {
        Failure::new(codes::TMUX_FAILED, format!("cannot start tmux: {error}; install tmux"))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(codes::TMUX_FAILED, format!("tmux new-session: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn new_session(
    create: &SessionCreate,
    gateway_id: &str,
    state: &Path,
    workdir: &str,
    variables: &BTreeMap<String, String>,
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
    let environment: Vec<String> =
        variables.iter().map(|(key, value)| format!("{key}={value}")).collect();
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
        ("workdir", workdir),
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

/// Lines that make a shell set these variables, whatever their values hold.
fn exports(variables: &BTreeMap<String, String>) -> String {
    let ours = |(key, _): &(&String, &String)| *key == MARKER_VARIABLE;
    let others = variables.iter().filter(|pair| !ours(pair));
    others
        .map(|(key, value)| format!("export {key}='{}'\n", value.replace('\'', "'\\''")))
        .collect()
}

fn environment_path(state: &Path, session_id: u32) -> PathBuf {
    exit_path(state, session_id).with_extension("env")
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

/// Our own PATH with the folder of installed agents, if that is missing: for a shell whose files
/// add to what they find, as most do.
fn search_path() -> Option<String> {
    let ours = format!("{}/.local/bin", std::env::var("HOME").ok()?);
    let path = std::env::var("PATH").ok()?;
    let missing = path.split(':').all(|folder| folder != ours);
    missing.then(|| format!("{ours}:{path}"))
}

/// The session's program: a login shell, or a login shell that becomes the agent.
fn program(create: &SessionCreate) -> Vec<String> {
    let Some(agent) = Agent::from_name(&create.agent).and_then(Agent::program) else {
        return vec![shell().0, "-l".to_owned()];
    };
    let script = "if command -v \"$1\" >/dev/null 2>&1; then exec \"$1\"; fi; \
         printf '%s is not installed here; this is a shell.\\n' \"$1\"; exec \"$0\" -l";
    in_login_shell(script, &[agent])
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

/// Makes the folder beneath the workspace, following no link.
fn make_workdir(workspace: &Path, workdir: &str) -> Result<PathBuf, Failure> {
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
fn write_instructions(workdir: &Path, create: &SessionCreate) -> Result<(), Failure> {
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

    #[test]
    fn a_semicolon_at_the_end_of_a_word_stays_in_it() {
        assert_eq!(word("A=x;"), "A=x\\;");
        assert_eq!(word("a;b"), "a;b");
    }
}
