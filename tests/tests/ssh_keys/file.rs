//! What stays of the file: every byte that is not ours, whatever is asked.

use crate::World;
use integration::gateway::binary;
use integration::tempdir::TempDir;
use protocol::commands::{Command as Message, SshAuthorize};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What persons and their programs leave in such files.
const FOREIGN: [&[u8]; 6] = [
    b"# mine\n",
    b"no-pty,command=\"echo \\\"hi\\\"\" ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 a person\n",
    b"\r\nssh-ed25519 AAAA twice\r\nssh-ed25519 AAAA twice\r\n",
    b"\0\xff\xfe\0 binary \x1b[31m\n",
    b"ssh-ed25519 AAAA chatcode:laptop\n",
    b"ssh-ed25519 AAAA chatcode:laptop:never:AAAAAAAAAAAAAAAA\n\n",
];

/// Edits of one run.
const EDITS: usize = 50;

/// The run that is replayed.
const SEED: u64 = 8;

/// The child itself, as a gateway starts it; several at once or one that is killed are no business
/// of the control plane.
pub fn child(home: &Path, command: impl Into<Message>) -> Output {
    ask(&mut Command::new(binary()), home, command)
}

/// The same under another program, which `before` names.
pub fn ask(before: &mut Command, home: &Path, command: impl Into<Message>) -> Output {
    before.arg("_ssh_keys").args([home.join("state"), home.join("workspace")]);
    before.env("HOME", home).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = before.spawn().expect("it starts");
    let text = command.into().to_json(Some("r1"));
    // One that was killed does not read any more.
    let _ = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
    child.wait_with_output().expect("it ends")
}

/// A key that is told from others by a number; nobody has its private half.
pub fn public_key(number: u8) -> String {
    use protocol::{BASE64, Engine as _};
    let blob = [b"\0\0\0\x0bssh-ed25519\0\0\0\x20".as_slice(), &[number; 32]].concat();
    format!("ssh-ed25519 {}", BASE64.encode(blob))
}

pub fn authorize(number: u8) -> SshAuthorize {
    let label = format!("number {number}");
    SshAuthorize { public_key: public_key(number), label, expires_at: None }
}

fn without(file: &[u8], ours: &[String]) -> Vec<u8> {
    let lines = file.split_inclusive(|&byte| byte == b'\n');
    let is_ours = |line: &[u8]| ours.iter().any(|key| has(line, key.as_bytes()));
    lines.filter(|line| !is_ours(line)).flatten().copied().collect()
}

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[test]
fn other_lines_stay_to_the_byte_through_random_edits() {
    let mut world = World::new();
    let mut state = SEED;
    let mut chance = move |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let pairs: Vec<_> =
        (0..4).map(|n| world.host.pair(&n.to_string(), &["-t", "ed25519"])).collect();
    let ours: Vec<String> =
        pairs.iter().map(|p| p.public.split(' ').nth(1).expect("base64").to_owned()).collect();
    let mut foreign = FOREIGN.concat();
    foreign.extend(b"# no newline at the end");
    std::fs::create_dir(world.host.home.join(".ssh")).expect("made");
    std::fs::write(world.host.path(), &foreign).expect("written");
    for edit in 0..EDITS {
        match chance(5) {
            // A person edits the file, and the last line may have no newline.
            0 => {
                let addition = FOREIGN[chance(FOREIGN.len())];
                foreign.extend(addition);
                let mut file = world.host.file();
                file.extend(addition);
                if chance(2) == 0 {
                    foreign.pop();
                    file.pop();
                }
                std::fs::write(world.host.path(), file).expect("written");
            }
            1 => {
                let _ = world.revoke(&pairs[chance(pairs.len())]);
            }
            _ => {
                let label = ["laptop", "a: b", "ü %0A", "#\"',\\"][chance(4)];
                let expires_at = (chance(2) == 0).then(|| crate::now() + 86_400);
                let public_key = pairs[chance(pairs.len())].public.clone();
                world.authorize(&public_key, label, expires_at).expect("authorised");
                assert!(world.list().iter().any(|key| key.label == label));
            }
        }
        assert_eq!(without(&world.host.file(), &ours), foreign, "edit {edit} of seed {SEED}");
    }
    for pair in &pairs {
        let _ = world.revoke(pair);
    }
    assert_eq!(world.host.file(), foreign);
}

/// notes of the field, trap 8: a newline in a label injected lines.
#[test]
fn trap_08_nothing_but_one_checked_key_reaches_the_file() {
    let mut world = World::new();
    let pair = world.host.pair("a", &["-t", "ed25519"]);
    let private = std::fs::read_to_string(world.host.private_key(&pair)).expect("a private key");
    world.authorize(&pair.public, "a", None).expect("authorised");
    let before = world.host.file();
    let public = pair.public.as_str();
    let twice = format!("{public}\n{public}");
    let options = format!("command=\"id\" {public}");
    let cut = &public[..public.len() - 20];
    let cases = [
        (public, "a\nssh-rsa AAAA", "bad_label", "line break"),
        (public, "a\rb", "bad_label", "control"),
        (public, "\u{2028}", "bad_label", "control"),
        (public, "", "bad_label", "empty"),
        (twice.as_str(), "a", "bad_key", "one line"),
        (options.as_str(), "a", "bad_key", "options"),
        (private.as_str(), "a", "bad_key", "private key"),
        (cut, "a", "bad_key", "cut"),
        ("ssh-ed25519 !!!!", "a", "bad_key", "base64"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACB", "a", "bad_key", "DSA"),
        ("hello", "a", "bad_key", "begins with"),
    ];
    for (key, label, code, said) in cases {
        let refused = world.authorize(key, label, None).expect_err(said);
        assert!(refused.code == code && refused.message.contains(said), "{refused:?}");
        assert_eq!(world.host.file(), before);
    }
    for expires_at in [0, 1, u64::MAX >> 11] {
        let refused = world.authorize(public, "a", Some(expires_at)).expect_err("no such time");
        assert_eq!(refused.code, "bad_expiry");
    }
    assert_eq!(world.host.file(), before);
    assert_eq!(world.list().len(), 1);
}

#[test]
fn a_key_that_a_person_added_is_never_ours() {
    let mut world = World::new();
    let pair = world.host.pair("a", &["-t", "ed25519"]);
    let theirs = format!("{}\n", pair.public);
    std::fs::create_dir(world.host.home.join(".ssh")).expect("made");
    std::fs::write(world.host.path(), &theirs).expect("written");
    let refused = world.authorize(&pair.public, "a", None).expect_err("theirs");
    assert!(refused.code == "bad_key" && refused.message.contains("line 1"), "{refused:?}");
    assert_eq!(world.revoke(&pair).expect_err("theirs").code, "unknown_key");
    assert_eq!(world.list(), []);
    assert_eq!(world.host.file(), theirs.as_bytes());

    // Added by hand after us: ours goes, and it is said that the key still works.
    std::fs::write(world.host.path(), "").expect("written");
    world.authorize(&pair.public, "a", None).expect("authorised");
    let both = [world.host.file(), theirs.clone().into_bytes()].concat();
    std::fs::write(world.host.path(), both).expect("written");
    let refused = world.revoke(&pair).expect_err("still there");
    assert!(refused.message.contains("may log in"), "{refused:?}");
    assert_eq!(world.host.file(), theirs.as_bytes());
    assert!(world.host.lets_in(&pair));
}

#[test]
fn links_are_followed_to_a_file_of_the_same_user_alone() {
    let home = TempDir::in_home();
    let folder = home.join(".ssh");
    std::fs::create_dir(&folder).expect("made");
    let link = folder.join("authorized_keys");
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();

    std::os::unix::fs::symlink(home.join("dotfiles"), &link).expect("linked");
    let answer = said(&child(home.path(), authorize(1)));
    assert!(answer.starts_with("err io") && answer.contains("link to nothing"), "{answer}");
    std::fs::write(home.join("dotfiles"), "# mine\n").expect("written");
    assert_eq!(said(&child(home.path(), authorize(1))), "ok \n");
    assert!(link.is_symlink());
    let file = std::fs::read_to_string(home.join("dotfiles")).expect("read");
    assert!(file.contains(&public_key(1)) && file.ends_with("# mine\n"));
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(home.join("dotfiles"), Some(1), None).expect("given away");
        let answer = said(&child(home.path(), authorize(2)));
        assert!(answer.starts_with("err permission_denied"), "{answer}");
        assert_eq!(std::fs::read_to_string(home.join("dotfiles")).expect("read"), file);
    }
    std::fs::remove_file(&link).expect("removed");
    std::fs::create_dir(&link).expect("made");
    assert!(said(&child(home.path(), authorize(1))).contains("no file"));
    std::fs::remove_dir(&link).expect("removed");
    std::fs::write(&link, vec![b'#'; 1024 * 1024 + 1]).expect("written");
    assert!(said(&child(home.path(), authorize(1))).starts_with("err too_large"));
}

#[test]
fn children_at_once_lose_no_key() {
    let home = TempDir::in_home();
    std::thread::scope(|scope| {
        for number in 1..=12 {
            let home = home.path();
            scope.spawn(move || {
                let output = child(home, authorize(number));
                assert!(output.stdout == b"ok \n", "{}", String::from_utf8_lossy(&output.stdout));
            });
        }
    });
    let file = std::fs::read_to_string(home.join(".ssh/authorized_keys")).expect("read");
    assert_eq!(file.lines().count(), 12);
    for number in 1..=12 {
        assert!(file.contains(&public_key(number)), "{number}");
    }
    assert_eq!(std::fs::read_dir(home.join(".ssh")).expect("listed").count(), 1);
}
