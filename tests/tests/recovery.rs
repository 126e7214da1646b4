//! Recovery: gateways and control planes that are killed, and what comes back after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::mock_cp::MockCp;
use integration::process::is_alive;
use integration::screen::{Dump, Screen};
use integration::{PATIENCE, eventually};
use protocol::events::Event;
use protocol::limits::MAX_HISTORY_LINES;
use std::time::Duration;

/// How long a flood may take to print on a loaded machine.
const FLOOD: Duration = Duration::from_secs(120);

/// Fewest numbers that the history must hold: it is 10,000 lines long and trimmed in steps.
const KEPT: usize = 8_000;

/// The numbers that a screen and its history show, which must follow each other by one.
fn assert_consecutive(dump: &Dump, last: u32) {
    let lines = dump.history.iter().cloned().chain(dump.text());
    let numbers: Vec<u32> = lines.filter_map(|line| line.parse().ok()).collect();
    for pair in numbers.windows(2) {
        assert_eq!(pair[1], pair[0] + 1, "a line is lost or comes twice");
    }
    assert_eq!(numbers.last(), Some(&last));
    assert!(numbers.len() >= KEPT, "{} lines", numbers.len());
}

/// The pid that the shell of session 1 says it has.
fn shell_pid(stage: &mut Stage) -> String {
    stage.type_in(1, "echo pid:$$:\r");
    stage.expect(1, "\rpid:");
    let pid = stage.expect(1, ":");
    String::from_utf8_lossy(&pid).into_owned()
}

fn until_shown(stage: &mut Stage, line: &str) {
    let tmux = &stage.gateway.tmux;
    eventually(line, FLOOD, || tmux.lines(1).iter().any(|shown| shown == line).then_some(()));
}

#[test]
fn a_killed_gateway_finds_its_sessions_again() {
    let mut stage = Stage::new();
    let pid = stage.open(1, 80, 24);
    let shell = shell_pid(&mut stage);
    stage.type_in(1, "seq 1 300000; echo end-$((1+1))\r");
    stage.expect(1, "\r\n1000\r\n");
    stage.gateway.kill();
    assert!(is_alive(pid), "the shell outlives the gateway");
    let before = stage.stream(1).next.expect("a position");

    stage.gateway.run();
    stage.reconnect();
    let hello = stage.hello.clone().expect("hello");
    let [session] = hello.sessions.as_slice() else { panic!("{hello:?}") };
    assert_eq!((session.session_id, session.cols, session.rows), (1, 80, 24));
    assert!(!protocol::seq::is_before(session.seq, before), "seq never goes back");
    until_shown(&mut stage, "end-2");
    stage.stream(1).keep_log = true;
    stage.attach_afresh(1, Some(MAX_HISTORY_LINES));
    let mut screen = Screen::new();
    let Stage { link, gateway, .. } = &mut stage;
    screen.expect_equal(link, &gateway.tmux, 1);
    assert_consecutive(&screen.shown(), 300_000);

    assert_eq!(shell_pid(&mut stage), shell, "the same shell");
}

#[test]
fn a_gateway_that_comes_back_while_lines_print_loses_none_and_repeats_none() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "seq 1 700000; echo end-$((1+1))\r");
    stage.expect(1, "\r\n1000\r\n");
    stage.kill_and_restart_gateway();
    stage.stream(1).keep_log = true;
    stage.attach(1, Some(MAX_HISTORY_LINES));
    let mut screen = Screen::new();
    if integration::tmux::capabilities().paces_output {
        stage.expect_within(FLOOD, 1, "end-2");
    }
    let Stage { link, gateway, .. } = &mut stage;
    eventually("the end in tmux", FLOOD, || {
        link.take_for(Duration::from_millis(50));
        gateway.tmux.lines(1).iter().any(|line| line == "end-2").then_some(())
    });
    screen.expect_equal(link, &gateway.tmux, 1);
    if link.stream(1).lags > 0 {
        assert!(!integration::tmux::capabilities().paces_output, "no lag for a reader that reads");
        eprintln!("this tmux does not pace output: the flood was a lag, its snapshot is shorter");
        link.detach(1);
        link.attach_afresh(1, Some(MAX_HISTORY_LINES));
        screen.expect_equal(link, &gateway.tmux, 1);
    }
    assert_consecutive(&screen.shown(), 700_000);
}

#[test]
fn a_gateway_killed_again_and_again_keeps_seq_growing() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let mut last = stage.stream(1).next.expect("a position");
    for round in 0..4 {
        stage.type_in(1, format!("seq 1 30000; echo end-$(({round}+1000))\r"));
        stage.expect(1, format!("end-{}", round + 1000));
        stage.kill_and_restart_gateway();
        let seq = stage.hello.as_ref().expect("hello").sessions[0].seq;
        assert!(protocol::seq::is_before(last, seq), "{last} then {seq}");
        last = seq;
        stage.attach(1, None);
    }
}

#[test]
fn an_editor_looks_the_same_after_the_gateway_was_killed() {
    let mut stage = Stage::new();
    let text: String = (1..200).map(|n| format!("line {n} of the file\n")).collect();
    std::fs::write(stage.gateway.in_workdir(1, "file.txt"), text).expect("written");
    stage.stream(1).keep_log = true;
    stage.open(1, 80, 24);
    let mut screen = Screen::new();
    stage.type_in(1, "vim --clean -c 'set number' file.txt\r");
    stage.expect(1, "line 20 of");
    stage.type_in(1, "50Gixyz \x1b");
    {
        let Stage { link, gateway, .. } = &mut stage;
        screen.expect_equal(link, &gateway.tmux, 1);
    }
    stage.kill_and_restart_gateway();
    stage.attach(1, None);
    stage.type_in(1, "G");
    let Stage { link, gateway, .. } = &mut stage;
    screen.expect_equal(link, &gateway.tmux, 1);
    // Editors throw away what was typed ahead of their end.
    link.type_in(1, ":q!\r");
    link.expect(1, "\x1b[?1049l");
    link.expect(1, "\x1b[?2004h");
    link.type_in(1, "echo back-$((1+1))\r");
    link.expect(1, "back-2");
    screen.expect_equal(link, &gateway.tmux, 1);
}

#[test]
fn a_killed_control_plane_comes_back_to_the_same_screen() {
    let mut stage = Stage::new();
    let mut screen = Screen::new();
    stage.stream(1).keep_log = true;
    stage.open(1, 80, 24);
    let port = stage.cp.port();
    for round in 0..3 {
        stage.type_in(
            1,
            format!("seq 1 5000; ls -la --color=always /; echo end-$(({round}+100))\r"),
        );
        stage.expect(1, "\n2000\r\n");
        // Both at once: nobody listens, and the connection is gone.
        let old = std::mem::replace(&mut stage.cp, MockCp::new());
        drop(old);
        stage.cut();
        until_shown(&mut stage, &format!("end-{}", round + 100));
        stage.cp = MockCp::bind(port, None).expect("the port is free again");
        stage.reconnect();
        stage.attach(1, None);
        let Stage { link, gateway, .. } = &mut stage;
        screen.expect_equal(link, &gateway.tmux, 1);
    }
}

#[test]
fn a_short_absence_is_replayed_byte_for_byte() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "seq 1 10000; echo end-$((1+1))\r");
    stage.expect(1, "\n1000\r\n");
    stage.cut();
    stage.reconnect();
    stage.attach(1, None);
    let rest = stage.expect(1, "end-2");
    let text = String::from_utf8_lossy(&rest).into_owned();
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers.last(), Some(&10_000));
    for pair in numbers.windows(2) {
        assert_eq!(pair[1], pair[0] + 1);
    }
    assert_eq!(stage.stream(1).snapshots.len(), 1, "no snapshot was needed");
}

#[test]
fn an_end_while_disconnected_is_told_after_hello() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let port = stage.cp.port();
    stage.type_in(1, "sleep 0.5; exit 5\r");
    stage.expect(1, "exit 5");
    let old = std::mem::replace(&mut stage.cp, MockCp::new());
    drop(old);
    stage.cut();
    let tmux = &stage.gateway.tmux;
    eventually("the session is gone", PATIENCE, || (!tmux.has(1)).then_some(()));
    stage.cp = MockCp::bind(port, None).expect("the port is free again");
    stage.reconnect();
    let end = stage.until("session.ended", |link| link.ends.get(&1).cloned());
    assert_eq!((end.reason.as_str(), end.exit_code), ("exited", Some(5)));
    assert!(stage.hello.as_ref().is_some_and(|hello| hello.sessions.is_empty()));
}

#[test]
fn sessions_of_others_on_the_same_tmux_server_are_left_alone() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.gateway.tmux.run(&["new-session", "-d", "-s", "cc-77", "sleep 1000"]);
    stage.gateway.tmux.run(&["new-session", "-d", "-s", "mine", "sleep 1000"]);
    stage.kill_and_restart_gateway();
    let ids: Vec<u32> =
        stage.hello.as_ref().expect("hello").sessions.iter().map(|s| s.session_id).collect();
    assert_eq!(ids, [1]);
    stage.attach(1, None);
    stage.end(1);
    assert!(stage.gateway.tmux.has(77));
    stage.gateway.tmux.run(&["has-session", "-t", "=mine"]);
}

#[test]
fn a_dead_tmux_server_ends_its_sessions_as_lost() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let pid = stage.gateway.tmux.server_pid().expect("a server");
    integration::process::signal(pid, rustix::process::Signal::KILL);
    let end = stage.until("session.ended", |link| link.ends.get(&1).cloned());
    assert_eq!(end.reason, "lost");
    // And a new session starts a new server.
    stage.open(2, 80, 24);
    stage.type_in(2, "echo new-$((1+1))\r");
    stage.expect(2, "new-2");
}

#[test]
fn a_session_killed_from_outside_is_told() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.gateway.tmux.run(&["kill-session", "-t", "=cc-1"]);
    let end = stage.event("session.ended", |event| match event {
        Event::SessionEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert!(["lost", "killed"].contains(&end.reason.as_str()), "{end:?}");
}

#[test]
fn what_a_dead_tmux_server_leaves_is_hung_up() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "while :; do sleep 0.1; done\r");
    let server = stage.gateway.tmux.server_pid().expect("a server");
    let home = format!("{}/state", stage.gateway.home.path().display());
    eventually("wrapper and shell run", PATIENCE, || {
        (integration::process::marked(&home).len() >= 2).then_some(())
    });
    integration::process::signal(server, rustix::process::Signal::KILL);
    stage.until("session.ended", |link| link.ends.get(&1).cloned());
    eventually("nothing of the session runs", PATIENCE, || {
        integration::process::marked(&home).is_empty().then_some(())
    });
}

/// Stops the tmux server for as long as it lives, so that nobody is answered.
struct Stopped(u32);

impl Stopped {
    fn new(stage: &Stage) -> Self {
        let server = stage.gateway.tmux.server_pid().expect("a server");
        integration::process::signal(server, rustix::process::Signal::STOP);
        Self(server)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        integration::process::signal(self.0, rustix::process::Signal::CONT);
    }
}

/// Waits until the gateway gave up on a question to tmux.
fn until_unanswered(stage: &Stage) {
    eventually("tmux did not answer", PATIENCE, || {
        stage.gateway.log().contains("tmux does not answer").then_some(())
    });
}

/// Puts a tmux into the gateway's PATH that answers no `list-sessions` while the file is there.
fn hesitant_tmux(stage: &mut Stage) -> std::path::PathBuf {
    let folder = stage.gateway.home.join("bin");
    std::fs::create_dir(&folder).expect("a folder");
    let silent = folder.join("silent");
    let path = integration::tmux::search_path().to_string_lossy().into_owned();
    let script = format!(
        "#!/bin/sh\nPATH='{path}'\ncase \"$*\" in *list-sessions*)\n\
         [ -e '{}' ] && exec sleep 60;; esac\nexec tmux \"$@\"\n",
        silent.display()
    );
    let tmux = folder.join("tmux");
    std::fs::write(&tmux, script).expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&tmux, mode).expect("a mode");
    stage.gateway.set("PATH", &format!("{}:{path}", folder.display()));
    silent
}

#[test]
fn a_session_is_not_lost_because_tmux_is_slow() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let shell = shell_pid(&mut stage);
    let silent = hesitant_tmux(&mut stage);
    stage.kill_and_restart_gateway();
    stage.attach(1, None);
    std::fs::write(&silent, "").expect("a file");
    stage.gateway.tmux.run(&["detach-client", "-s", "=cc-1"]);
    until_unanswered(&stage);
    std::fs::remove_file(&silent).expect("removed");
    eventually("the session has a client again", PATIENCE, || {
        stage.gateway.log().contains("attaching again").then_some(())
    });
    assert_eq!(shell_pid(&mut stage), shell);
    assert!(stage.ends.is_empty());
}

#[test]
fn hello_waits_for_a_slow_tmux_rather_than_hide_its_sessions() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.gateway.kill();
    let stopped = Stopped::new(&stage);
    stage.gateway.run();
    until_unanswered(&stage);
    drop(stopped);
    stage.reconnect();
    let hello = stage.hello.clone().expect("hello");
    assert_eq!(hello.sessions.iter().map(|one| one.session_id).collect::<Vec<_>>(), [1]);
}
