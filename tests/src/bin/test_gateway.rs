//! The gateway as tests of updates need it: the same program, but what the build is stands at the
//! end of its file, so that a test makes a binary of any version, key and fault by writing a line.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chatcode_gateway::identity::{Identity, OWN};
use std::process::ExitCode;
use std::time::Duration;

#[allow(dead_code)]
#[path = "../../../gateway/src/main.rs"]
mod gateway;

/// Time that a version that crashes runs: long enough to be linked, and ended before a test confirms it.
const CRASH_AFTER: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Also when its name belongs to another one.
    let file = std::fs::read("/proc/self/exe").expect("the own binary");
    let end = file.trim_ascii_end();
    let line = end.rsplit(|&byte| byte == b'\n').next().expect("a last line");
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split(' ').skip(1).map(|word| word.to_owned().leak() as &'static str);
    let mut word = || words.next().expect("version, key and fault at the end of the file");
    let own = Identity { version: word(), target: OWN.target, update_key: word() };
    let command = std::env::args().nth(1);
    match (word(), command.as_deref()) {
        ("fails-its-test", Some("self-test")) => {
            eprintln!("this machine is too old");
            return ExitCode::FAILURE;
        }
        ("crashes", Some("run")) => {
            std::thread::spawn(|| {
                std::thread::sleep(CRASH_AFTER);
                std::process::abort();
            });
        }
        _ => {}
    }
    gateway::start(Box::leak(Box::new(own)))
}
