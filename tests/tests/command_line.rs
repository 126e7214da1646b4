//! The command line as people meet it: help, man page, completions in real shells, exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chatcode_gateway::command_line::{COMMANDS, EXITS, SHELLS, Takes, exit};
use integration::gateway::binary;
use integration::pty::Pty;
use integration::tempdir::TempDir;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Wide enough that a shell shows every candidate in full.
const TERMINAL: (u16, u16) = (200, 60);

/// A person's environment with a HOME of the test's.
fn person(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    let path = std::env::split_paths(integration::tmux::search_path());
    let path = std::env::join_paths(std::iter::once(home.join("bin")).chain(path));
    command
        .env_clear()
        .env("PATH", path.expect("a search path"))
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .env("TMUX_TMPDIR", home);
    command
}

fn gateway(home: &Path, words: &[&str]) -> (u8, String, String) {
    let output = person(binary(), home).args(words).output().expect("the binary runs");
    let Output { status, stdout, stderr } = output;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = status.code().and_then(|code| u8::try_from(code).ok()).expect("an exit code");
    (code, text(&stdout), text(&stderr))
}

/// The completions for `shell` in a file, as a person keeps them, and the binary on the path.
fn script(home: &TempDir, shell: &str) -> String {
    std::fs::create_dir_all(home.join("bin")).expect("a folder");
    let link = home.join("bin/chatcode-gateway");
    std::os::unix::fs::symlink(binary(), link).expect("a link");
    let (code, text, error) = gateway(home.path(), &["completions", shell]);
    assert_eq!((code, error.as_str()), (0, ""));
    let path = home.join(shell);
    std::fs::write(&path, text).expect("written");
    path.to_string_lossy().into_owned()
}

/// What a complete answer to `typed` is: lines that a person can complete, and what comes out.
fn questions() -> Vec<(String, BTreeSet<String>)> {
    let set = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut questions = vec![
        ("chatcode-gateway att".to_owned(), set(&["attach"])),
        ("chatcode-gateway help com".to_owned(), set(&["completions"])),
        ("chatcode-gateway completions ".to_owned(), set(&SHELLS)),
        ("chatcode-gateway run --log-level d".to_owned(), set(&["debug"])),
        ("chatcode-gateway run --log-f".to_owned(), set(&["--log-format"])),
    ];
    for command in COMMANDS {
        let flags: Vec<String> = command
            .all_flags()
            .iter()
            .filter_map(|flag| Some(format!("--{}", flag.flag?)))
            .collect();
        for flag in &flags {
            let found = flags.iter().filter(|other| other.starts_with(flag.as_str()));
            questions.push((
                format!("chatcode-gateway {} {flag}", command.name),
                found.cloned().collect(),
            ));
        }
    }
    questions
}

#[test]
fn bash_completes() {
    let home = TempDir::new();
    let file = script(&home, "bash");
    let mut program = format!(". {file}\ncomplete -p chatcode-gateway\n");
    let asks = questions();
    for (typed, _) in &asks {
        let words: Vec<String> = typed.split(' ').map(|word| format!("'{word}'")).collect();
        let last = words.len() - 1;
        let words = words.join(" ");
        program.push_str(&format!(
            "COMP_WORDS=({words}); COMP_CWORD={last}; _chatcode_gateway chatcode-gateway; \
             echo \"${{COMPREPLY[*]}}\"\n"
        ));
    }
    // Bash's own words of `--log-level=w`; and a file's name, which is left to bash.
    program.push_str(
        "COMP_WORDS=(chatcode-gateway run --log-level = w); COMP_CWORD=4; _chatcode_gateway chatcode-gateway; \
         echo \"${COMPREPLY[*]}\"\n\
         COMP_WORDS=(chatcode-gateway run --config /et); COMP_CWORD=3; _chatcode_gateway chatcode-gateway; \
         echo \"${#COMPREPLY[*]}\"\n",
    );
    let output = person("bash", home.path()).args(["--norc", "-c", &program]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("complete -o default -F _chatcode_gateway chatcode-gateway"));
    for (typed, wanted) in asks {
        let found = lines.next().expect(&typed).split_whitespace().map(str::to_owned);
        let mut found: BTreeSet<String> = found.collect();
        if typed.ends_with(' ') {
            found.retain(|word| !word.starts_with("--"));
        }
        assert_eq!(found, wanted, "{typed}");
    }
    assert_eq!(lines.collect::<Vec<_>>(), ["warn", "0"]);
    if let Ok(output) =
        Command::new("shellcheck").args(["-s", "bash", "-e", "SC2207", &file]).output()
    {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn fish_completes() {
    let home = TempDir::new();
    let file = script(&home, "fish");
    let mut program = format!("source {file}\n");
    let asks = questions();
    for (typed, _) in &asks {
        program.push_str(&format!("complete -C '{typed}'; echo --end--\n"));
    }
    program.push_str("complete -C 'chatcode-gateway run --config /et'\n");
    let output = person("fish", home.path()).args(["--no-config", "-c", &program]).output();
    let output = output.expect("fish runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut answers = text.split("--end--\n");
    for (typed, wanted) in asks {
        let answer = answers.next().expect(&typed);
        let words = answer.lines().filter_map(|line| line.split('\t').next());
        let found: BTreeSet<String> =
            words.map(|word| word.trim_end_matches('=').to_owned()).collect();
        assert_eq!(found, wanted, "{typed}");
        assert!(typed.contains(" --") || !typed.ends_with("att") || answer.contains("terminal"));
    }
    assert_eq!(answers.next(), Some("/etc/\n"));
}

/// zsh completes in its line editor alone, so it is typed to.
#[test]
fn zsh_completes() {
    let home = TempDir::new();
    let file = script(&home, "zsh");
    let mut shell = person("zsh", home.path());
    shell.env("PS1", "ready> ").args(["-f", "-i"]);
    let mut terminal = Pty::run(&shell, TERMINAL);
    terminal.expect("ready> ");
    terminal.type_in(&format!("autoload -U compinit; compinit -u -D; . {file}; echo lo''aded\r"));
    terminal.expect("loaded");
    // What is completed is shown when the line is run by Enter.
    let show = "chatcode-gateway() { if [[ $1 = _complete ]]; then command chatcode-gateway \"$@\"; \
                else echo \"<$*>\"; fi }\r";
    terminal.type_at_once(show);
    for (typed, wanted) in questions().into_iter().filter(|(_, wanted)| wanted.len() == 1) {
        let (_, words) = typed.split_once(' ').expect("words");
        let whole = words.rsplit_once(' ').map_or("", |(before, _)| before);
        let wanted = wanted.first().expect("one");
        terminal.type_at_once(&typed);
        terminal.type_in("\t\x05\r");
        terminal.expect(format!("<{whole} {wanted}").replace("< ", "<").as_str());
    }
    terminal.type_in("chatcode-gateway run --config=/etc/host\tn\t\r");
    terminal.expect("<run --config=/etc/hostname>");
}

#[test]
fn the_man_page_has_no_warnings_and_shows_every_command() {
    let home = TempDir::new();
    let (code, page, _) = gateway(home.path(), &["man"]);
    assert_eq!(code, 0);
    let file = home.join("chatcode-gateway.1");
    std::fs::write(&file, page).expect("written");
    let output = person("man", home.path())
        .env("MANWIDTH", "80")
        .env("MAN_KEEP_FORMATTING", "")
        .args(["--warnings", "-l"])
        .arg(&file)
        .output()
        .expect("man runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for command in COMMANDS {
        let usage = format!("       chatcode-gateway {}", command.name);
        assert!(text.lines().any(|line| line.starts_with(&usage)), "{}: {text}", command.name);
    }
    assert!(text.contains("--cp-url URL, GATEWAY_CP_URL"), "{text}");
}

/// A systemctl with one answer.
fn systemctl_says(home: &TempDir, answer: &str) {
    let path = home.join("bin/systemctl");
    std::fs::create_dir_all(home.join("bin")).expect("a folder");
    std::fs::write(&path, format!("#!/bin/sh\nprintf '{answer}\\n'\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
}

#[test]
fn every_documented_exit_code_is_reached() {
    let home = TempDir::new();
    let mut reached = BTreeSet::new();
    let mut ends = |words: &[&str], code: u8, says: &str| {
        let (got, text, error) = gateway(home.path(), words);
        assert_eq!(got, code, "{words:?}: {error}");
        assert!(text.contains(says) || error.contains(says), "{words:?}: {text}{error}");
        assert_eq!(error.is_empty(), code == exit::DONE, "reasons are on standard error");
        reached.insert(code);
    };
    ends(&[], exit::DONE, "Usage: chatcode-gateway COMMAND");
    for words in [["help", "run"], ["run", "--help"], ["run", "-h"]] {
        ends(&words, exit::DONE, "GATEWAY_CP_URL");
    }
    ends(&["--version"], exit::DONE, env!("CARGO_PKG_VERSION"));
    ends(&["notify", "x"], exit::FAILED, "this is no chatcode session");
    ends(&["lst"], exit::USAGE, "did you mean list?");
    ends(&["run"], exit::USAGE, "GATEWAY_ID is not set");
    ends(&["_nothing"], exit::USAGE, "internal");
    ends(&["attach"], exit::NO_INPUT, "no session");
    for (state, code) in [("inactive", exit::STOPPED), ("active", exit::DONE)] {
        systemctl_says(&home, &format!("LoadState=loaded\\nActiveState={state}"));
        let (got, text, _) = gateway(home.path(), &["service", "status", "--user"]);
        assert_eq!(got, code, "{text}");
        reached.insert(got);
    }
    systemctl_says(&home, "LoadState=not-found");
    assert_eq!(gateway(home.path(), &["service", "status", "--user"]).0, exit::ABSENT);
    reached.insert(exit::ABSENT);
    let mut without_tmux = person(binary(), home.path());
    let output = without_tmux.env("PATH", "/nowhere").arg("list").output().expect("it runs");
    assert_eq!(output.status.code(), Some(i32::from(exit::UNAVAILABLE)));
    reached.insert(exit::UNAVAILABLE);
    // Warnings alone need a machine that is well otherwise: the suite of the doctor has one.
    reached.insert(exit::WARNED);
    assert_eq!(reached, EXITS.iter().map(|(code, _)| *code).collect());
}

#[test]
fn every_command_says_what_it_is() {
    let home = TempDir::new();
    for command in COMMANDS {
        let (code, text, _) = gateway(home.path(), &[command.name, "--help"]);
        let usage = format!("Usage: chatcode-gateway {}", command.name);
        assert!(code == 0 && text.starts_with(&usage), "{text}");
        if command.takes() != Takes::Nothing {
            assert!(text.contains(command.takes().name()), "{text}");
        }
    }
}
