//! What every gateway that is released must do, on whatever processor: start, hold a session, go on.
//!
//! `cargo xtask dist` runs this with each binary for Linux, under qemu where it must; the rest of the
//! suites runs with a build of this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::gateway::Gateway;
use integration::mock_cp::MockCp;
use integration::process::is_alive;
use protocol::events::Event;
use std::process::{Output, Stdio};

/// A command of a gateway that is set up for `cp` and does not run.
fn asked(cp: &MockCp, arguments: &[&str]) -> Output {
    let gateway = Gateway::new(&cp.url());
    let mut command = gateway.command();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts").wait_with_output().expect("it ends")
}

#[test]
fn it_says_which_it_is_and_passes_its_own_test() {
    let cp = MockCp::tls();
    let version = asked(&cp, &["version"]);
    assert!(version.status.success(), "{version:?}");
    let said = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(said.starts_with("chatcode-gateway ") && said.ends_with('\n'), "{said:?}");
    let test = asked(&cp, &["self-test"]);
    assert!(test.status.success(), "{test:?}");
    assert_eq!(String::from_utf8_lossy(&test.stdout), said);
    let wrong = asked(&cp, &["no-such-command"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
}

#[test]
fn it_holds_a_session_over_tls_that_outlives_it() {
    let mut stage = Stage::on(MockCp::tls());
    let shell = stage.open(1, 80, 24);
    stage.type_in(1, "echo $((6*7))-and-ümlaut\r");
    stage.expect(1, "42-and-ümlaut");
    stage.kill_and_restart_gateway();
    assert!(is_alive(shell));
    stage.attach(1, None);
    stage.type_in(1, "echo still-$((1+1))-here\r");
    stage.expect(1, "still-2-here");
    let caused = stage.end(1);
    let [Event::SessionEnded(end)] = caused.as_slice() else { panic!("{caused:?}") };
    assert_eq!(end.reason, "ended");
    assert!(!is_alive(shell));
}

/// What the kernel mapped of it: nothing that is both written and executed, and behind its code first
/// what it may only read, although it was written when the program was put in its place.
#[test]
#[cfg(target_os = "linux")]
fn none_of_its_code_or_tables_can_be_written() {
    let mut stage = Stage::new();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", stage.gateway.process().id()));
    let maps = maps.expect("its mappings");
    // qemu writes code, as that is its work.
    if maps.contains("/qemu-") {
        return;
    }
    assert!(!maps.lines().any(|line| line.contains(" rwx")), "{maps}");
    let rights: Vec<&str> = maps
        .lines()
        .filter(|line| line.contains("chatcode-gateway"))
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    let code = rights.iter().position(|rights| *rights == "r-xp").expect("code");
    assert_eq!(rights.get(code + 1), Some(&"r--p"), "{maps}");
}
