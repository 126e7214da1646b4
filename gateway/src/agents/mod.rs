//! The coding agents: how a session finds them, where they come from, what their programs print.

mod process;
pub mod text;

pub use process::{Process, patiently};

use crate::words::{add, words};
use protocol::commands::Agent;
use std::path::Path;
use std::time::{Duration, Instant};

/// Wire names of the agents.
pub const NAMES: [&str; 4] = ["claude-code", "codex", "gemini", "opencode"];

/// The script that installs an agent from npm; see there for its arguments.
pub const INSTALLER: &str = include_str!("install/npm.sh");

/// What follows this line was printed by the agent and not by the shell's own files.
const FOUND: &str = "chatcode-found";

/// Puts the folder that the installer links into where programs are looked for.
const FIND_OURS: &str = "case \":$PATH:\" in *\":$HOME/.local/bin:\"*) ;; \
    *) PATH=\"$HOME/.local/bin:$PATH\"; export PATH ;; esac; ";

/// Bytes of what a program prints for `--version` that are looked at.
const VERSION_OUTPUT_BYTES: usize = 16 * 1024;

/// Longest version, in bytes.
const VERSION_BYTES: usize = 48;

/// The agent's package on npm, and the oldest major version of Node that runs it.
pub fn source(agent: Agent) -> Option<(&'static str, u32)> {
    Some(match agent {
        // It names Node 22, but is native: Node unpacks it and 20 does that as well.
        Agent::ClaudeCode => ("@anthropic-ai/claude-code", 20),
        Agent::Codex => ("@openai/codex", 16),
        Agent::Gemini => ("@google/gemini-cli", 20),
        Agent::Opencode => ("opencode-ai", 18),
        Agent::None => return None,
    })
}

/// The user's shell, and whether it understands scripts for `sh`.
pub fn shell() -> (String, bool) {
    let shell = std::env::var("SHELL").unwrap_or_default();
    if !shell.starts_with('/') || !Path::new(&shell).exists() {
        return ("/bin/sh".to_owned(), true);
    }
    let name = shell.rsplit('/').next().unwrap_or_default();
    let understands = ["bash", "zsh", "sh", "dash", "ksh"].contains(&name);
    (shell, understands)
}

/// Words that run `script` as a session's login shell would, with `arguments` as `$1` and on. `$0`
/// is the shell.
pub fn in_login_shell(script: &str, arguments: &[&str]) -> Vec<String> {
    let shell = Some(shell()).filter(|(_, understands)| *understands);
    let shell = shell.map_or_else(|| "/bin/sh".to_owned(), |(shell, _)| shell);
    let mut words = words(&[&shell, "-l", "-c", &format!("{FIND_OURS}{script}"), &shell]);
    add(&mut words, arguments);
    words
}

/// What is known of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// A session would find it.
    pub installed: bool,
    /// What it said within the time that it was given.
    pub version: Option<String>,
}

/// Asks all `programs` for their versions at once, as a session would start them.
pub fn look_up(programs: &[&str], patience: Duration) -> Vec<Presence> {
    let script =
        format!("command -v \"$1\" >/dev/null 2>&1 || exit; echo {FOUND}; exec \"$1\" --version");
    let deadline = Instant::now() + patience;
    let start = |program: &&str| Process::start(&in_login_shell(&script, &[program]), false).ok();
    let mut asked: Vec<Option<Process>> = programs.iter().map(start).collect();
    let mut said = vec![Vec::new(); programs.len()];
    patiently(deadline, || {
        let mut working = false;
        for (process, said) in asked.iter_mut().zip(&mut said) {
            let Some(process) = process else { continue };
            let ended = process.has_ended();
            process.read(|bytes| {
                let room = VERSION_OUTPUT_BYTES.saturating_sub(said.len());
                said.extend(bytes.iter().take(room));
            });
            working |= !ended;
        }
        !working
    });
    said.iter().map(|said| presence(&String::from_utf8_lossy(said))).collect()
}

fn presence(output: &str) -> Presence {
    let after = output.lines().skip_while(|line| *line != FOUND).skip(1);
    Presence {
        installed: output.lines().any(|line| line == FOUND),
        version: after.flat_map(str::split_whitespace).find_map(version),
    }
}

/// The word as a version, if it is one: `1.2.3`, `v1.2.3-beta.1`.
fn version(word: &str) -> Option<String> {
    let word = word.trim_start_matches('v');
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
    let word = word.get(..end.min(VERSION_BYTES)).unwrap_or_default().trim_end_matches('.');
    let number = word.split_once('.').is_some_and(|(major, _)| major.parse::<u32>().is_ok());
    number.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let printed = [
            ("2.1.329 (Claude Code)", Some("2.1.329")),
            ("codex-cli 0.169.0", Some("0.169.0")),
            ("0.61.0", Some("0.61.0")),
            ("opencode v1.18.33-beta.1, linux", Some("1.18.33-beta.1")),
            ("Version 3.4.\u{1b}[0m", Some("3.4")),
            ("node:internal/modules/cjs/loader:1228\n  throw err;", None),
        ];
        for (printed, version) in printed {
            let presence = presence(&format!("Welcome to 1.0.0\n{FOUND}\n{printed}\n"));
            assert!(presence.installed);
            assert_eq!(presence.version.as_deref(), version, "{printed}");
        }
        assert_eq!(presence("You have 1.0 mail\n"), Presence::default());
        let long = presence(&format!("{FOUND}\n1.{}", "0".repeat(1000)));
        assert_eq!(long.version.map(|version| version.len()), Some(VERSION_BYTES));
    }

    #[test]
    fn every_agent_has_a_program_and_a_source() {
        for name in NAMES {
            let agent = Agent::from_name(name).expect(name);
            assert!(agent.program().is_some() && source(agent).is_some(), "{name}");
        }
    }

    #[test]
    fn a_program_that_hangs_is_installed_without_a_version_and_killed() {
        use std::os::unix::fs::PermissionsExt as _;
        let hangs = std::env::temp_dir().join(format!("cc-hangs-{}", std::process::id()));
        let script = "#!/bin/sh\necho $$ >\"$0.pid\"\nsleep 1000\n";
        std::fs::write(&hangs, script).expect("a program");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&hangs, mode).expect("a program");
        let programs = ["no-such-program-here", hangs.to_str().expect("a path")];
        let found = look_up(&programs, Duration::from_secs(2));
        let hanging = Presence { installed: true, version: None };
        assert_eq!(found, [Presence::default(), hanging]);
        let pid_file = hangs.with_extension("pid");
        let pid = std::fs::read_to_string(&pid_file).expect("it ran");
        assert!(!Path::new("/proc").join(pid.trim()).exists());
        for path in [hangs, pid_file] {
            std::fs::remove_file(path).expect("cleaned");
        }
    }
}
