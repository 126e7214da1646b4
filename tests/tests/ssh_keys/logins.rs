//! Who gets in: after authorising, after revoking, after the expiry.

use crate::{World, now};
use integration::tempdir::TempDir;
use integration::{PATIENCE, eventually};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Seconds until a key expires; the later ones are for a machine that is too loaded for the first.
const AHEAD: [u64; 4] = [3, 6, 12, 24];

#[test]
fn an_authorised_key_gets_in_and_a_revoked_one_does_not() {
    let mut world = World::new();
    let kinds: [(&str, &[&str]); 3] = [
        ("ed25519", &["-t", "ed25519"]),
        ("ecdsa", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ];
    let pairs = kinds.map(|(name, arguments)| world.host.pair(name, arguments));
    assert_eq!(world.list(), []);
    assert!(!world.host.lets_in(&pairs[0]));
    for (pair, (name, _)) in pairs.iter().zip(kinds) {
        world.authorize(&pair.public, name, None).expect("authorised");
        assert!(world.host.lets_in(pair), "{name}: {}", world.host.log());
    }
    let listed: Vec<_> =
        world.list().into_iter().map(|k| (k.label, k.fingerprint, k.expires_at)).collect();
    let wanted = pairs.iter().zip(kinds);
    let wanted = wanted.map(|(pair, (name, _))| (name.to_owned(), pair.fingerprint.clone(), None));
    assert_eq!(listed, wanted.collect::<Vec<_>>());

    world.revoke(&pairs[1]).expect("revoked");
    assert!(!world.host.lets_in(&pairs[1]));
    assert!(world.host.lets_in(&pairs[0]) && world.host.lets_in(&pairs[2]));
    assert_eq!(world.revoke(&pairs[1]).expect_err("gone").code, "unknown_key");
}

#[test]
fn what_is_made_is_private_and_what_was_there_keeps_its_mode() {
    let mut world = World::new();
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o7777;
    let pair = world.host.pair("a", &["-t", "ed25519"]);
    world.authorize(&pair.public, "a", None).expect("authorised");
    let file = world.host.path();
    assert_eq!((mode(&world.host.home.join(".ssh")), mode(&file)), (0o700, 0o600));
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("set");
    world.authorize(&pair.public, "b", None).expect("authorised");
    assert_eq!(mode(&file), 0o644);
}

/// notes of the field, trap 8: expiry kept in a comment, enforced while the daemon lived; a `Z`
/// that older sshds refuse.
#[test]
fn trap_08_a_key_expires_without_the_gateway_in_the_form_that_sshd_reads() {
    expires(&mut World::new(), true);
    // An sshd before 9.1 reads local time alone, as the one here does too.
    let old = TempDir::new();
    stub(&old.join("sshd"), "OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1n");
    let path = format!("{}:{}", old.path().display(), path());
    expires(&mut World::with(&[("PATH", &path)]), false);
}

fn expires(world: &mut World, utc: bool) {
    let pair = world.host.pair("support", &["-t", "ed25519"]);
    let lasting = world.host.pair("lasting", &["-t", "ed25519"]);
    world.authorize(&lasting.public, "lasting", None).expect("authorised");
    let lives = |seconds: u64| {
        let at = now() + seconds;
        world.authorize(&pair.public, "support", Some(at)).expect("authorised");
        let file = String::from_utf8(world.host.file()).expect("text");
        let option = file.lines().find(|line| line.starts_with("expiry-time")).expect("ours");
        assert_eq!(option.split(' ').next().expect("a word").ends_with("Z\""), utc, "{option}");
        let got_in = world.host.lets_in(&pair);
        assert!(got_in || now() > at, "{option}\n{}", world.host.log());
        got_in.then_some(at)
    };
    let at = AHEAD.into_iter().find_map(lives).expect("time to log in before the expiry");
    world.stage.gateway.kill();
    eventually("sshd refuses the expired key", PATIENCE, || {
        (!world.host.lets_in(&pair)).then_some(())
    });
    assert!(now() > at, "refused before its time");
    assert!(world.host.lets_in(&lasting));

    // The line is swept out when the gateway looks at the file again.
    assert_eq!(world.host.file().split(|&byte| byte == b'\n').count(), 3);
    world.stage.kill_and_restart_gateway();
    assert_eq!(world.list().len(), 1);
    assert_eq!(world.host.file().split(|&byte| byte == b'\n').count(), 2);
}

#[test]
fn an_expiry_that_nobody_would_enforce_is_refused() {
    let old = TempDir::new();
    stub(&old.join("sshd"), "OpenSSH_7.4p1, OpenSSL 1.0.2k-fips");
    let path = format!("{}:{}", old.path().display(), path());
    let mut world = World::with(&[("PATH", &path)]);
    let pair = world.host.pair("a", &["-t", "ed25519"]);
    let refused = world.authorize(&pair.public, "a", Some(now() + 60)).expect_err("too old");
    assert!(refused.code == "bad_expiry" && refused.message.contains("7.4"), "{refused:?}");
    let refused = world.authorize(&pair.public, "a", Some(now() - 1)).expect_err("over");
    assert_eq!(refused.code, "bad_expiry");
    assert!(!world.host.path().exists());
    world.authorize(&pair.public, "a", None).expect("authorised");
}

/// What sshd ignores is not called authorised: the error names the path, and its advice helps.
#[test]
fn a_place_that_others_may_write_is_named_and_mended() {
    let mut world = World::new();
    let pair = world.host.pair("a", &["-t", "ed25519"]);
    world.authorize(&pair.public, "a", None).expect("authorised");
    let places =
        [world.host.home.path().to_owned(), world.host.home.join(".ssh"), world.host.path()];
    for place in places {
        let mode = place.metadata().expect("there").permissions().mode();
        let open = |to| std::fs::set_permissions(&place, Permissions::from_mode(mode | to));
        // Debian's sshd does not mind a group of the user alone.
        open(0o020).expect("set");
        let refused = world.authorize(&pair.public, "a", None).expect_err("ignored elsewhere");
        assert_eq!(refused.code, "permission_denied");
        open(0o002).expect("set");
        assert!(!world.host.lets_in(&pair), "sshd ignores {}", place.display());
        let refused = world.authorize(&pair.public, "a", None).expect_err("ignored");
        assert_eq!(refused.code, "permission_denied");
        let (_, advice) = refused.message.split_once("run ").expect("advice");
        assert_eq!(advice, format!("chmod go-w {}", place.display()));
        let done = std::process::Command::new("sh").args(["-c", advice]).status().expect("sh runs");
        assert!(done.success());
        world.authorize(&pair.public, "a", None).expect("authorised");
        assert!(world.host.lets_in(&pair));
    }
}

fn stub(path: &Path, version: &str) {
    std::fs::write(path, format!("#!/bin/sh\necho '{version}' >&2\nexit 1\n")).expect("written");
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("set");
}

fn path() -> String {
    integration::tmux::search_path().to_string_lossy().into_owned()
}
