//! The start screens of the real agents, without a network and with a home of their own.
//!
//! They draw again and again by themselves, so their screens are compared while they are halted.

use crate::case::{Case, LARGE_SIZES};
use integration::agents::Agent;
use integration::halting::Depth;
use std::time::Duration;

/// How long an agent may take to show its first screen on a loaded machine.
const START: Duration = Duration::from_secs(90);

/// Where nobody listens: port 9 of this machine.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Lists and menus move on these.
const ARROWS: &[&str] = &["\x1b[B", "\x1b[A"];

/// Settings with which Claude Code looks for no network before its first question.
const CLAUDE_SETTINGS: &str = r#"{"hasCompletedOnboarding": true, "theme": "dark",
"customApiKeyResponses": {"approved": ["00000000000000000000"], "rejected": []}}"#;

/// Compares the agent's start screen, or says on one line why it cannot.
fn check(
    agent: Agent,
    shows: &'static str,
    keys: &'static [&'static str],
    places: [(Depth, u32); 3],
) {
    let program = match agent.find() {
        Ok(program) => program,
        Err(why) => return println!("skipped: {} {}: {why}", agent.package, agent.version),
    };
    // `env -i` keeps tokens and settings of whoever runs the tests out.
    let script = format!(
        "mkdir -p home; cp settings home/.claude.json\n\
         env -i PATH=\"$PATH\" TERM=$TERM COLORTERM=truecolor LANG=C.UTF-8 HOME=$PWD/home \
         CHATCODE_SESSION=\"$CHATCODE_SESSION\" ANTHROPIC_API_KEY=00000000000000000000 \
         HTTPS_PROXY={NOWHERE} HTTP_PROXY={NOWHERE} NO_PROXY=127.0.0.1,localhost {}\n",
        program.display()
    );
    Case::new("sh start", shows)
        .file("start", script)
        .file("settings", CLAUDE_SETTINGS)
        .sizes(LARGE_SIZES)
        .animated(keys)
        .halts(places.map(|(depth, nth)| ("", depth, nth)))
        .patience(START)
        .check();
}

#[test]
fn claude_code() {
    let package = "@anthropic-ai/claude-code";
    let agent = Agent { package, version: "2.1.329", program: "claude" };
    let places = [(Depth::Escape, 4), (Depth::Introducer, 5), (Depth::Parameters, 3)];
    check(agent, "trust this folder", ARROWS, places);
}

#[test]
fn codex() {
    let agent = Agent { package: "@openai/codex", version: "0.169.0", program: "codex" };
    let places = [(Depth::Escape, 3), (Depth::Introducer, 4), (Depth::Parameters, 5)];
    check(agent, "Sign in", ARROWS, places);
}

#[test]
fn gemini_cli() {
    let agent = Agent { package: "@google/gemini-cli", version: "0.61.0", program: "gemini" };
    let places = [(Depth::Character, 30), (Depth::Introducer, 9), (Depth::Parameters, 5)];
    check(agent, "Don't trust", ARROWS, places);
}

#[test]
fn opencode() {
    let agent = Agent { package: "opencode-ai", version: "1.18.33", program: "opencode" };
    let places = [(Depth::Escape, 3), (Depth::Introducer, 4), (Depth::Parameters, 5)];
    check(agent, "Ask", &["x"], places);
}
