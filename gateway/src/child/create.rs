//! Creates a session: its folder, its instruction files, its tmux session.

use super::workdir::{make_workdir, write_instructions};
use super::{Failure, argument, exit_path, hex, record_path};
use crate::agents::{in_login_shell, shell};
use crate::limits::{CREATE_AGAIN, CREATE_TRIES};
use crate::os;
use crate::private_files::write_private;
use crate::tmux::server::{MARKER_VARIABLE, configuration, session_name, tmux};
use crate::tmux::terminal;
use crate::tmux::version::Version;
use crate::words::{add, words};
use protocol::commands::{Agent, Command as Message, Incoming, SessionCreate, decode};
use protocol::envelope::codes;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What runs in a session's pane.
const SESSION: &str = include_str!("session.sh");

/// What sessions leave to the system at least, in bytes: a small Debian with tmux and the gateway.
const KEPT_FREE_BYTES: u64 = 128 * 1024 * 1024;

/// Bytes of environment that are given to tmux as words: its messages hold 16 KiB.
const WORDS_BYTES: usize = 8 * 1024;

/// Arguments: socket, workspace, state folder, gateway, tmux version, memory of a session in MiB
/// when that is set. Request: the command. Answer: tmux's session, window, pane, process id, columns,
/// rows, and the workdir in hex.
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
    std::fs::write(&conf, configuration(terminal::best())).map_err(|error| io(&conf, error))?;
    let script = state.join("session.sh");
    write_private(&script, SESSION.as_bytes()).map_err(|error| io(&script, error))?;

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
    let scope = memory_limit(arguments.get(5), os::machine().ram_total)
        .and_then(|bytes| os::scope(&unit(gateway_id, create.session_id), bytes))
        .unwrap_or_default();
    let workdir = hex(workdir.as_os_str().as_bytes());
    let parts = Parts {
        create: &create,
        gateway_id,
        state,
        workdir: &workdir,
        variables: &variables,
        scope: &scope,
    };
    command.args(new_session(&parts, can.session_environment));
    let outcome = start(&mut command);
    if outcome.is_err() {
        let _ = std::fs::remove_file(&record);
        let _ = std::fs::remove_file(&file);
    }
    outcome.map(|started| format!("{started} {workdir}"))
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

/// What a session is made of.
struct Parts<'a> {
    create: &'a SessionCreate,
    gateway_id: &'a str,
    state: &'a Path,
    /// In hex.
    workdir: &'a str,
    variables: &'a BTreeMap<String, String>,
    /// Words that start its program in a scope, if there are scopes.
    scope: &'a [String],
}

/// What a session may hold, unless it is set: all but a tenth, which is the system's.
fn memory_limit(setting: Option<&String>, total: u64) -> Option<u64> {
    let set = setting.and_then(|text| text.parse::<u64>().ok());
    let bytes = match set {
        Some(megabytes) => megabytes.saturating_mul(1024 * 1024),
        None => total.saturating_sub(KEPT_FREE_BYTES.max(total / 10)),
    };
    Some(bytes).filter(|bytes| *bytes > 0)
}

/// The number of this process tells it from a scope that an earlier session's programs keep alive.
fn unit(gateway_id: &str, session_id: u32) -> String {
    format!("chatcode-{gateway_id}-{session_id}-{}.scope", std::process::id())
}

fn new_session(parts: &Parts<'_>, environment_flag: bool) -> Vec<String> {
    let Parts { create, gateway_id, state, workdir, variables, scope } = *parts;
    let name = session_name(create.session_id);
    let target = format!("={name}:");
    let (cols, rows) = (create.cols.to_string(), create.rows.to_string());
    let answer =
        "#{session_id} #{window_id} #{pane_id} #{pane_pid} #{window_width} #{window_height}";
    let mut words = words(&["new-session", "-d", "-P", "-F", answer]);
    add(&mut words, &["-s", &name, "-x", &cols, "-y", &rows]);
    if !environment_flag {
        // Before the wrapper, which is as much part of the session as what it runs.
        add(&mut words, &["/usr/bin/env"]);
    }
    for (key, value) in variables {
        add(&mut words, if environment_flag { &["-e"] } else { &[] });
        words.push(word(&format!("{key}={value}")));
    }
    let exit = exit_path(state, create.session_id);
    let script = state.join("session.sh");
    let (exit, script) = (exit.to_string_lossy(), script.to_string_lossy());
    let mut wrapped = Vec::new();
    if !scope.is_empty() {
        add(&mut wrapped, &["/bin/sh", &script, &exit, &scope.len().to_string()]);
        wrapped.extend_from_slice(scope);
    }
    add(&mut wrapped, &["/bin/sh", &script, &exit, "0"]);
    wrapped.extend(program(create));
    words.extend(wrapped.iter().map(|text| word(text)));
    add(&mut words, &[";", "set-option", "-w", "-t", &target, "window-size", "manual"]);
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
        add(&mut words, &[";", "set-option", "-t", &target, &option, &word(value)]);
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

/// The session whose marker it is.
pub(super) fn session_of(marker: &str, state: &Path, gateway_id: &str) -> Option<u32> {
    let (name, folder) = marker.split_once(' ')?;
    let session_id = name.strip_prefix(gateway_id)?.strip_prefix('/')?.parse().ok()?;
    (Path::new(folder) == state).then_some(session_id)
}

/// What [`MARKER_VARIABLE`] is set to. The state folder tells apart gateways that were given one id
/// on one machine: ending a session must never touch another gateway's.
pub fn marker(state: &Path, gateway_id: &str, session_id: u32) -> String {
    format!("{gateway_id}/{session_id} {}", state.display())
}

/// A word of a tmux command line: a `;` at its end would end the command.
fn word(text: &str) -> String {
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
        return words(&[&shell().0, "-l"]);
    };
    let script = "if command -v \"$1\" >/dev/null 2>&1; then exec \"$1\"; fi; \
         printf '%s is not installed here; this is a shell.\\n' \"$1\"; exec \"$0\" -l";
    in_login_shell(script, &[agent])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_memory_stays_free_and_enough_on_small_machines() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(memory_limit(None, 512 * MIB), Some(384 * MIB));
        assert_eq!(memory_limit(None, 8000 * MIB), Some(7200 * MIB));
        assert_eq!(memory_limit(None, 100 * MIB), None);
        let set = |text: &str| memory_limit(Some(&text.to_owned()), 512 * MIB);
        assert_eq!((set("300"), set("0"), set("")), (Some(300 * MIB), None, Some(384 * MIB)));
    }

    #[test]
    fn a_marker_names_its_session_to_its_own_gateway_alone() {
        let state = Path::new("/home/a b/state");
        let marker = marker(state, "pi-4", 7);
        assert_eq!(session_of(&marker, state, "pi-4"), Some(7));
        assert_eq!(session_of(&marker, state, "pi"), None);
        assert_eq!(session_of(&marker, Path::new("/home/a"), "pi-4"), None);
    }

    #[test]
    fn a_semicolon_at_the_end_of_a_word_stays_in_it() {
        assert_eq!(word("A=x;"), "A=x\\;");
        assert_eq!(word("a;b"), "a;b");
    }
}
