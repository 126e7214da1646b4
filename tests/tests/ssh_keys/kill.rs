//! `kill -9` at every system call: the file is the old one or the new one, and work goes on.

use crate::file::{ask, authorize, child, public_key};
use integration::gateway::binary;
use integration::tempdir::TempDir;
use protocol::commands::{Command as Message, SshRevoke};
use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

/// What a person wrote.
const THEIRS: &[u8] = b"# mine\nssh-rsa AAAA without a newline";

/// Fewest system calls from the first look at `.ssh` on; fewer were not a whole rewriting.
const FEWEST: usize = 20;

/// A home whose file holds `bytes`.
fn home(bytes: &[u8]) -> TempDir {
    let home = TempDir::in_home();
    std::fs::create_dir(home.join(".ssh")).expect("made");
    std::fs::write(home.join(".ssh/authorized_keys"), bytes).expect("written");
    home
}

fn file(home: &TempDir) -> Vec<u8> {
    std::fs::read(home.join(".ssh/authorized_keys")).expect("there is a file")
}

/// The system calls of `command` from the first look at `.ssh` on, each with its name and how many
/// of that name came up to it, as strace counts them.
fn calls(before: &[u8], command: Message) -> Vec<(String, usize)> {
    let home = home(before);
    let trace = home.join("trace");
    let mut strace = Command::new("strace");
    let output = ask(strace.arg("-o").arg(&trace).arg(binary()), home.path(), command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let mut counts = HashMap::new();
    let mut relevant = false;
    let calls = trace.lines().filter_map(|line| {
        let (name, _) = line.split_once('(')?;
        let count: &mut usize = counts.entry(name.to_owned()).or_default();
        *count += 1;
        relevant |= line.contains(".ssh");
        relevant.then(|| (name.to_owned(), *count))
    });
    calls.collect()
}

/// Starts `command` anew for each of its system calls and kills it there. Gives back how often.
fn kill_everywhere(before: &[u8], after: &[u8], command: impl Fn() -> Message) -> usize {
    let calls = calls(before, command());
    for (name, count) in &calls {
        let home = home(before);
        let mut strace = Command::new("strace");
        let inject = format!("inject={name}:signal=KILL:when={count}");
        strace.args(["-o", "/dev/null", "-e", &inject]).arg(binary());
        let output = ask(&mut strace, home.path(), command());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(9), "{inject}: {said}");
        let found = file(&home);
        assert!(found == before || found == after, "{inject}: {}", found.escape_ascii());
        next_one_works(home.path(), &found, &inject);
    }
    calls.len()
}

/// Another child changes the file, and leaves nothing beside it.
fn next_one_works(home: &Path, found: &[u8], killed: &str) {
    let output = child(home, authorize(9));
    assert_eq!(output.stdout, b"ok \n", "{killed}");
    let file = std::fs::read(home.join(".ssh/authorized_keys")).expect("there is a file");
    let ours = file.split_inclusive(|&byte| byte == b'\n');
    let ours = ours.filter(|line| !String::from_utf8_lossy(line).contains(&public_key(9)));
    assert_eq!(ours.flatten().copied().collect::<Vec<u8>>(), found, "{killed}");
    assert_eq!(std::fs::read_dir(home.join(".ssh")).expect("listed").count(), 1, "{killed}");
}

#[test]
fn kill_9_at_every_step_leaves_the_old_file_or_the_new_one() {
    // What it looks like when nothing goes wrong.
    let whole = home(THEIRS);
    assert_eq!(child(whole.path(), authorize(1)).stdout, b"ok \n");
    let with_key = file(&whole);
    assert!(with_key.ends_with(THEIRS) && with_key.len() > THEIRS.len());

    let steps = kill_everywhere(THEIRS, &with_key, || authorize(1).into());
    let fingerprint = fingerprint(whole.path());
    let revoke = || Message::from(SshRevoke { fingerprint: fingerprint.clone() });
    let back = kill_everywhere(&with_key, THEIRS, revoke);
    println!("killed at {steps} and at {back} system calls");
    assert!(steps >= FEWEST && back >= FEWEST, "strace killed too little");
}

fn fingerprint(home: &Path) -> String {
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-lf").arg(home.join(".ssh/authorized_keys"));
    let output = keygen.output().expect("ssh-keygen runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split(' ').nth(1).expect("a fingerprint").to_owned()
}
