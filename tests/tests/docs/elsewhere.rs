//! Commands of the documents that are not run by these tests: what runs them, or why nothing can.

use crate::documents::{Command, commands};
use How::{Builds, Foreign, Runs, Wrangler};
use integration::repository;
use serde_json::{Value, json};
use std::process::Command as Program;

/// What vouches for a command.
enum How {
    /// A file of the repository with a test in it, or a step, that does the same.
    Runs(&'static str, &'static str),
    /// It takes minutes: cargo is asked what it would build, which is this program of a release.
    Builds(&'static str),
    /// It wants an account at Cloudflare: this subcommand and the flags are looked up in wrangler's
    /// own help.
    Wrangler(&'static str),
    /// It is another project's, and does nothing of ours.
    Foreign,
}

/// Against an API that stands in for Cloudflare's.
const DEPLOY: How = Runs("cp-worker/it/deploy.test.mjs", "const again = await deploy(url);");
const STAGING: How =
    Runs("cp-worker/it/deploy.test.mjs", "\"staging has nothing in common with production\"");

/// Document, how the command begins, and what vouches for it.
const ELSEWHERE: [(&str, &str, How); 18] = [
    ("install.md", "brew install tmux", Foreign),
    ("install.md", "cargo build --release --package chatcode-gateway", Builds("chatcode-gateway")),
    (
        "install.md",
        "chatcode-gateway man | man -l -",
        Runs("tests/tests/command_line.rs", "fn the_man_page_has_no_warnings_and_shows"),
    ),
    ("self-host.md", "npm ci", Runs("xtask/src/needs.rs", "[\"ci\", \"--ignore-scripts\"")),
    ("self-host.md", "npx wrangler login", Wrangler("login")),
    ("self-host.md", "cargo xtask deploy --env staging", STAGING),
    ("self-host.md", "cargo xtask deploy", DEPLOY),
    (
        "self-host.md",
        "cd cp-worker && npx wrangler secret put MAIL_API_KEY",
        Wrangler("secret put"),
    ),
    ("self-host.md", "npx wrangler delete", Wrangler("delete")),
    ("self-host.md", "npx wrangler d1 delete", Wrangler("d1 delete")),
    ("self-host.md", "npx wrangler kv namespace list", Wrangler("kv namespace list")),
    ("operations.md", "npx wrangler d1 time-travel info", Wrangler("d1 time-travel info")),
    ("operations.md", "npx wrangler d1 time-travel restore", Wrangler("d1 time-travel restore")),
    ("operations.md", "npx wrangler d1 export", Wrangler("d1 export")),
    ("operations.md", "npx wrangler d1 execute chatcode --remote --file", Wrangler("d1 execute")),
    (
        "operations.md",
        "npx wrangler d1 execute chatcode --remote --command",
        Wrangler("d1 execute"),
    ),
    ("operations.md", "git pull && cargo xtask deploy --env staging", STAGING),
    ("operations.md", "cargo xtask deploy", DEPLOY),
];

/// What vouches for `command`, if it is not run by these tests.
fn how(command: &Command) -> Option<&'static How> {
    let found = ELSEWHERE.iter().find(|(document, text, _)| {
        *document == command.document && command.text.starts_with(text)
    });
    found.map(|(_, _, how)| how)
}

/// Whether `command` is not for these tests.
pub(crate) fn runs(command: &Command) -> bool {
    how(command).is_some()
}

/// The documents and headings that the scenes follow, as they stand in their source.
fn followed() -> Vec<(&'static str, &'static str)> {
    let mut pieces = include_str!("scenes.rs").split('"');
    let mut found = Vec::new();
    while let Some(piece) = pieces.next() {
        if piece.ends_with(".md") {
            let (between, heading) = (pieces.next(), pieces.next());
            assert_eq!(between, Some(", "), "{piece}: a document, and a heading on the same line");
            found.push((piece, heading.unwrap_or_default()));
        }
    }
    found
}

#[test]
fn every_command_of_the_documents_is_run_by_a_test() {
    let (commands, followed) = (commands(), followed());
    assert!(commands.len() > 60, "{} commands", commands.len());
    for command in &commands {
        let here = followed.contains(&(command.document, command.heading.as_str()));
        assert!(here || runs(command), "nothing runs this: {command:?}");
    }
    for (document, heading) in followed {
        let is_there = |it: &&Command| it.document == document && it.heading == heading;
        assert!(commands.iter().any(|it| is_there(&it)), "{document} has no commands at {heading}");
    }
    for (document, text, how) in &ELSEWHERE {
        let stands = |it: &Command| it.document == *document && it.text.starts_with(text);
        assert!(commands.iter().any(stands), "{document} says {text} no more");
        if let Runs(file, holds) = how {
            let source = std::fs::read_to_string(repository().join(file)).expect(file);
            assert!(source.contains(holds), "{file} has no {holds}, which ran {text}");
        }
    }
}

#[test]
fn cargo_would_build_what_the_documents_promise() {
    let mut asked = 0;
    for command in commands() {
        let Some(Builds(program)) = how(&command) else { continue };
        let graph = build_graph(&command.text).expect("cargo understands it");
        let is_it = |unit: &Value| {
            (&unit["target"]["name"], &unit["profile"]["name"])
                == (&json!(program), &json!("release"))
        };
        let wanted = graph["roots"].as_array().expect("roots").iter().filter_map(Value::as_u64);
        assert!(wanted.map(|at| &graph["units"][at as usize]).any(is_it), "{command:?}");
        assert!(build_graph(&command.text.replace(program, "nonsense")).is_none());
        asked += 1;
    }
    assert_eq!(asked, 1);
}

/// What a command of cargo would build.
fn build_graph(command: &str) -> Option<Value> {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("cargo"), "{command}");
    let mut cargo = Program::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).args(["-Zunstable-options", "--unit-graph"]).env("RUSTC_BOOTSTRAP", "1");
    let output = cargo.current_dir(repository()).output().expect("cargo runs");
    output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn wrangler_knows_the_words_of_its_commands() {
    let mut asked = Vec::new();
    for command in commands() {
        let Some(Wrangler(subcommand)) = how(&command) else { continue };
        assert!(command.text.contains(&format!("npx wrangler {subcommand}")), "{command:?}");
        let flags = command.text.split_whitespace().filter(|word| word.starts_with("--"));
        let flags = flags.map(|flag| flag.split('=').next().unwrap_or_default().to_owned());
        asked.push(((*subcommand).to_owned(), flags.collect::<Vec<_>>()));
    }
    asked.sort();
    asked.dedup();
    assert!(asked.len() >= 9, "{asked:?}");
    let nonsense = [("d1 nonsense", "--remote"), ("d1 export", "--nonsense")];
    asked.extend(nonsense.map(|(words, flag)| (words.to_owned(), vec![flag.to_owned()])));
    for (subcommand, flags) in asked {
        let mut wrangler = Program::new("npx");
        wrangler.args(["--no-install", "wrangler"]).args(subcommand.split(' ')).arg("--help");
        let output = wrangler.current_dir(repository()).output().expect("npx runs");
        let help = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let usage = help.lines().any(|line| line.starts_with(&format!("wrangler {subcommand}")));
        let known = usage && flags.iter().all(|flag| help.contains(flag.as_str()));
        let is_nonsense =
            subcommand.contains("nonsense") || flags.iter().any(|it| it == "--nonsense");
        assert_eq!(known, !is_nonsense, "{subcommand} {flags:?}: {help}");
    }
}
