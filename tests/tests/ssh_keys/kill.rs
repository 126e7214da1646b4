//! `kill -9` at every system call: the file is the old one or the new one, and work goes on.

use crate::file::{ask, authorize, child, public_key};
use integration::gateway::binary;
use integration::tempdir::TempDir;
use protocol::commands::{Command as Message, SshRevoke};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

/// More system calls than the child makes.
const CALLS: usize = 2_000;

/// What a person wrote.
const THEIRS: &[u8] = b"# mine\nssh-rsa AAAA without a newline";

/// Starts `command` anew for each of its system calls and kills it there. Gives back how often.
fn kill_everywhere(before: &[u8], after: &[u8], command: impl Fn() -> Message) -> usize {
    for call in 1..CALLS {
        let home = TempDir::in_home();
        let file = home.join(".ssh/authorized_keys");
        std::fs::create_dir(home.join(".ssh")).expect("made");
        std::fs::write(&file, before).expect("written");

        let mut strace = Command::new("strace");
        strace.args(["-o", "/dev/null", "-e"]).arg(format!("inject=all:signal=KILL:when={call}"));
        let output = ask(strace.arg(binary()), home.path(), command());
        let found = std::fs::read(&file).expect("there is a file");
        if output.status.success() {
            assert!(found == after, "not killed, and yet not done");
            return call - 1;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(9), "{call}: {said}");
        assert!(found == before || found == after, "call {call}: {}", found.escape_ascii());
        next_one_works(home.path(), &found, call);
    }
    panic!("more than {CALLS} system calls");
}

/// Another child changes the file, and leaves nothing beside it.
fn next_one_works(home: &Path, found: &[u8], call: usize) {
    let output = child(home, authorize(9));
    assert_eq!(output.stdout, b"ok \n", "after call {call}");
    let file = std::fs::read(home.join(".ssh/authorized_keys")).expect("there is a file");
    let ours = file.split_inclusive(|&byte| byte == b'\n');
    let ours = ours.filter(|line| !String::from_utf8_lossy(line).contains(&public_key(9)));
    assert_eq!(ours.flatten().copied().collect::<Vec<u8>>(), found, "after call {call}");
    assert_eq!(std::fs::read_dir(home.join(".ssh")).expect("listed").count(), 1, "call {call}");
}

#[test]
fn kill_9_at_every_step_leaves_the_old_file_or_the_new_one() {
    // What it looks like when nothing goes wrong.
    let home = TempDir::in_home();
    std::fs::create_dir(home.join(".ssh")).expect("made");
    let file = home.join(".ssh/authorized_keys");
    std::fs::write(&file, THEIRS).expect("written");
    assert_eq!(child(home.path(), authorize(1)).stdout, b"ok \n");
    let with_key = std::fs::read(&file).expect("read");
    assert!(with_key.ends_with(THEIRS) && with_key.len() > THEIRS.len());

    let steps = kill_everywhere(THEIRS, &with_key, || authorize(1).into());
    let fingerprint = fingerprint(home.path());
    let revoke = || Message::from(SshRevoke { fingerprint: fingerprint.clone() });
    let back = kill_everywhere(&with_key, THEIRS, revoke);
    println!("killed at {steps} and at {back} system calls");
    assert!(steps > 20 && back > 20, "strace killed too little");
}

fn fingerprint(home: &Path) -> String {
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-lf").arg(home.join(".ssh/authorized_keys"));
    let output = keygen.output().expect("ssh-keygen runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split(' ').nth(1).expect("a fingerprint").to_owned()
}
