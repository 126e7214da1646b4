//! The agents that a login shell, and so a session, finds.

use super::Deadline;
use super::program::{self, Outcome};
use super::report::Finding;
use protocol::commands::Agent;
use std::process::Command;
use std::time::Duration;

const CHECK: &str = "agents";

/// A shell's start-up files may do anything; this long they may take.
const SHELL: Duration = Duration::from_secs(2);

/// The agents that can be installed.
const AGENTS: [Agent; 4] = [Agent::ClaudeCode, Agent::Codex, Agent::Gemini, Agent::Opencode];

/// Begins our lines among those of start-up files.
const MARK: &str = "chatcode-agent ";

/// Asks the person's login shell.
pub fn examine(shell: Option<String>, deadline: Deadline) -> Finding {
    let shell = shell.filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".to_owned());
    let mut command = Command::new(&shell);
    command.arg("-lc").arg(question());
    judge(&shell, &program::run(&mut command, deadline.within(SHELL)))
}

/// For every shell that has `command` and `&&`: sh, bash, zsh, fish.
fn question() -> String {
    let programs = AGENTS.iter().filter_map(|agent| agent.program());
    let ask = programs.map(|it| format!("command -v {it} >/dev/null && echo {MARK}{it}"));
    ask.collect::<Vec<_>>().join("; ") + "; true"
}

fn judge(shell: &str, outcome: &Outcome) -> Finding {
    let said = match outcome {
        Outcome::Done(_, said, _) => said,
        Outcome::Late => {
            let found = format!("{shell} did not start within {} s", SHELL.as_secs());
            let advice = "look at the shell's start-up files: every session waits for them";
            return Finding::warning(CHECK, "shell_slow", found, advice);
        }
        Outcome::NotStarted(why) => {
            let found = format!("the login shell {shell} cannot be started: {why}");
            return Finding::failure(CHECK, "shell_missing", found, "choose another one with chsh");
        }
    };
    let found: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
    if found.is_empty() {
        let advice = "install one in the web app, or put its folder into the PATH of the shell";
        return Finding::warning(CHECK, "agents_none", "the login shell finds none", advice);
    }
    Finding::ok(CHECK, found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_from_the_words_of_start_up_files() {
        let done = |said: &str| Outcome::Done(true, said.to_owned(), String::new());
        let finding = judge("sh", &done("Welcome!\nchatcode-agent claude\nchatcode-agent codex\n"));
        assert_eq!((finding.code, finding.found.as_str()), ("ok", "claude, codex"));
        assert_eq!(judge("sh", &done("Welcome!\n")).code, "agents_none");
        assert_eq!(judge("sh", &Outcome::Late).code, "shell_slow");
        assert_eq!(judge("sh", &Outcome::NotStarted("no".into())).code, "shell_missing");
    }
}
