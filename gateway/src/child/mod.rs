//! Work that may block runs in a child: this binary again, with a hidden subcommand.
//!
//! A child gets one request on standard input and answers with lines on standard output; the
//! first word of the last line is `ok` or `err`. Killing it is the time-out.

mod agents;
mod beneath;
pub mod create;
mod download;
mod end;
mod folders;
pub mod health;
mod install;
mod probe;
mod resolve;
mod ssh_keys;
mod update;
mod upload;
mod workdir;

pub use update::self_test;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Largest request on standard input: a text frame and some settings.
const REQUEST_BYTES: u64 = 4 * 1024 * 1024;

/// Why a child's work failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// One of [`protocol::envelope::codes`].
    pub code: &'static str,
    /// What was tried, with what, and what to do.
    pub message: String,
}

impl Failure {
    /// Says what went wrong.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Runs the hidden subcommand `name`. `None` when there is no such subcommand.
pub fn run(name: &str, arguments: &[String]) -> Option<i32> {
    let outcome = match name {
        "_resolve" => resolve::run(arguments),
        "_create" => create::run(arguments, &request()),
        "_folders" => folders::run(arguments, &request()),
        "_ssh_keys" => ssh_keys::run(&request()),
        "_upload" => upload::run(arguments),
        "_download" => download::run(arguments),
        "_agents" => agents::run(&request()),
        "_health" => health::run(arguments),
        "_install" => install::run(arguments, &request()),
        "_end" => end::run(arguments),
        "_hangup" => end::hang_up(arguments),
        "_survey" => probe::survey(arguments),
        "_update" => update::run(arguments, &request()),
        "_probe" => probe::probe(arguments),
        _ => return None,
    };
    let (line, code) = match outcome {
        Ok(answer) => (format!("ok {answer}\n"), 0),
        Err(Failure { code, message }) => {
            (format!("err {code} {}\n", message.replace('\n', " ")), 1)
        }
    };
    // When the gateway is gone there is nobody to tell.
    let _ = std::io::stdout().write_all(line.as_bytes());
    Some(code)
}

/// Tells an event at once; the answer is still to come.
pub(crate) fn tell(event: &str) {
    say(&format!("event {event}"));
}

/// Says a line at once.
fn say(line: &str) {
    // When the gateway is gone there is nobody to tell.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Splits a child's answer into what it said, or why it failed.
///
/// # Errors
/// The code and message of the child's [`Failure`].
pub fn read_answer(output: &str) -> Result<&str, (String, String)> {
    if let Some(answer) = output.strip_prefix("ok ") {
        return Ok(answer.trim_end_matches('\n'));
    }
    let failure = output.strip_prefix("err ").and_then(|rest| rest.trim_end().split_once(' '));
    let (code, message) = failure.unwrap_or((
        protocol::envelope::codes::TIMED_OUT,
        "the work did not end in time or was killed; try again",
    ));
    Err((code.to_owned(), message.to_owned()))
}

fn request() -> String {
    let mut text = String::new();
    // A request that cannot be read is an empty one, which no subcommand accepts.
    let _ = std::io::stdin().take(REQUEST_BYTES).read_to_string(&mut text);
    text
}

/// Position `index` of the arguments; children are only ever started by this program.
fn argument(arguments: &[String], index: usize) -> Result<&str, Failure> {
    arguments.get(index).map(String::as_str).ok_or_else(|| {
        Failure::new(protocol::envelope::codes::IO, "an internal command lacks an argument")
    })
}

/// Exists while the session does, so that its end is noticed even when no gateway ran.
pub fn record_path(state: &Path, session_id: u32) -> PathBuf {
    state.join("sessions").join(session_id.to_string())
}

/// Where the session's wrapper writes the exit code.
pub fn exit_path(state: &Path, session_id: u32) -> PathBuf {
    state.join("sessions").join(format!("{session_id}.exit"))
}

/// How a session's program ended, as its wrapper wrote it: an exit code, and `out_of_memory` when
/// that was the reason.
pub fn exit_words(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?.trim().to_owned();
    let code = text.split(' ').next().unwrap_or_default();
    code.parse::<i32>().is_ok().then_some(text)
}
