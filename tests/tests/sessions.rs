//! Sessions: create, type, resize, end; their limits, folders and environment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::link::Link;
use integration::process::is_alive;
use integration::{PATIENCE, eventually};
use protocol::commands::{
    AgentConfig, SessionAttach, SessionDetach, SessionEnd, SessionInput, SessionPaste,
    SessionSnapshotRequest,
};
use protocol::events::{Event, SessionEnded};
use protocol::{BASE64, Engine as _};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn ended(stage: &mut Stage, session_id: u32) -> SessionEnded {
    stage.until("session.ended", |link| link.ends.get(&session_id).cloned())
}

fn error_of(link: &mut Link, create: protocol::commands::SessionCreate) -> String {
    link.request(create).expect_err("refused").code
}

/// Processes whose command line holds `marker`.
fn processes_with(marker: &str) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        is_alive(*pid) && String::from_utf8_lossy(&line).contains(marker)
    })
    .collect()
}

#[test]
fn a_shell_starts_echoes_and_ends() {
    let mut stage = Stage::new();
    let pid = stage.open(1, 80, 24);
    assert!(is_alive(pid));
    assert_eq!(
        stage.gateway.tmux.format(1, "#{session_name} #{pane_width}x#{pane_height}"),
        "cc-1 80x24"
    );
    stage.type_in(1, "echo $((6*7))-and-more\r");
    stage.expect(1, "42-and-more");
    let caused = stage.end(1);
    let [Event::SessionEnded(end)] = caused.as_slice() else { panic!("{caused:?}") };
    assert_eq!(end.reason, "ended");
    assert!(!is_alive(pid));
    assert!(!stage.gateway.tmux.has(1));
    stage.take_for(Duration::from_millis(300));
}

#[test]
fn the_exit_code_is_told_once() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "exit 7\r");
    let end = ended(&mut stage, 1);
    assert_eq!((end.reason.as_str(), end.exit_code, end.signal), ("exited", Some(7), None));
    stage.take_for(Duration::from_millis(500));
    eventually("its tmux session is gone", PATIENCE, || (!stage.gateway.tmux.has(1)).then_some(()));
}

#[test]
fn a_killed_shell_is_told_with_its_signal() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "kill -9 $$\r");
    let end = ended(&mut stage, 1);
    assert_eq!((end.reason.as_str(), end.signal), ("killed", Some(9)));
}

#[test]
fn the_last_output_comes_before_the_end() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "echo; seq 100000 130000; exit 3\r");
    let end = ended(&mut stage, 1);
    assert_eq!(end.exit_code, Some(3));
    let text = String::from_utf8_lossy(&stage.stream(1).unread).into_owned();
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers, (100_000..=130_000).collect::<Vec<_>>());
}

#[test]
fn what_ignores_every_polite_signal_is_killed_and_others_feel_nothing() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.open(2, 80, 24);
    let marker = format!("31{}", std::process::id());
    // Both what ignores HUP and what left the terminal's process group and session.
    stage.type_in(1, format!("(trap '' HUP TERM INT; exec sleep {marker}.1) &\r"));
    stage.type_in(1, format!("setsid bash -c \"trap '' HUP TERM; sleep {marker}.2; :\" &\r"));
    eventually("all of them run", PATIENCE, || (processes_with(&marker).len() >= 3).then_some(()));

    let started = Instant::now();
    let id = stage.ask(SessionEnd { session_id: 1 });
    stage.type_in(2, "echo still-$((1+1))-here\r");
    stage.expect_within(Duration::from_secs(2), 2, "still-2-here");
    stage.answer(&id).expect("the session ends");
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
}

#[test]
fn a_resize_reaches_the_program_at_its_place_in_the_stream() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.resize(1, 100, 30);
    stage.until("session.resized", |link| {
        (link.stream(1).sizes.last() == Some(&(100, 30))).then_some(())
    });
    stage.type_in(1, "stty size\r");
    stage.expect(1, "30 100");
}

#[test]
fn of_many_resizes_few_are_applied_and_the_last_always() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    for step in 0..40 {
        stage.resize(1, 81 + step, 25);
    }
    stage.until("the last size", |link| {
        (link.stream(1).sizes.last() == Some(&(120, 25))).then_some(())
    });
    assert!(stage.stream(1).sizes.len() <= 10, "{:?}", stage.stream(1).sizes);
    assert_eq!(stage.gateway.tmux.format(1, "#{pane_width}x#{pane_height}"), "120x25");
}

#[test]
fn sizes_out_of_range_are_refused() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.resize(1, 0, 24);
    let code = stage.event("session.error", |event| match event {
        Event::SessionError(error) => Some(error.code.clone()),
        _ => None,
    });
    assert_eq!(code, "bad_size");
    assert_eq!(stage.gateway.tmux.format(1, "#{pane_width}x#{pane_height}"), "80x24");
    let refused = error_of(&mut stage, Link::shell(2, 1001, 24));
    assert!(["bad_size", "invalid_payload"].contains(&refused.as_str()), "{refused}");
}

#[test]
fn creation_has_limits() {
    let mut stage = Stage::new();
    for session_id in 1..=5 {
        stage.request(Link::shell(session_id, 80, 24)).expect("a session");
    }
    assert_eq!(error_of(&mut stage, Link::shell(6, 80, 24)), "session_limit");
    stage.end(5);
    assert_eq!(error_of(&mut stage, Link::shell(4, 80, 24)), "session_exists");
    assert_eq!(error_of(&mut stage, Link::shell(0, 80, 24)), "invalid_payload");
    let agent =
        protocol::commands::SessionCreate { agent: "clippy".to_owned(), ..Link::shell(7, 80, 24) };
    assert_eq!(error_of(&mut stage, agent), "unknown_agent");
    for name in ["x".repeat(65), "a\nb".to_owned(), "\u{1b}[2J".to_owned()] {
        let create = protocol::commands::SessionCreate { name, ..Link::shell(7, 80, 24) };
        assert_eq!(error_of(&mut stage, create), "invalid_payload");
    }
    stage.request(Link::shell(5, 80, 24)).expect("there is room again");
}

#[test]
fn folders_outside_the_workspace_are_refused() {
    let mut stage = Stage::new();
    let workspace = stage.gateway.home.join("workspace");
    std::os::unix::fs::symlink("/tmp", workspace.join("way-out")).expect("a link");
    let mut refused = |workdir: &str| {
        let workdir = workdir.to_owned();
        let create = protocol::commands::SessionCreate { workdir, ..Link::shell(1, 80, 24) };
        error_of(&mut stage, create)
    };
    for workdir in ["..", "../x", "a/../../x", "/etc", "way-out", "way-out/x", "a\0b"] {
        let code = refused(workdir);
        assert!(["bad_workdir", "invalid_payload"].contains(&code.as_str()), "{workdir}: {code}");
    }
    assert!(!std::path::Path::new("/tmp/x").exists());
    let inside = workspace.join("deep/er").to_string_lossy().into_owned();
    for (session_id, workdir) in [(1, "a/b".to_owned()), (2, inside)] {
        let create =
            protocol::commands::SessionCreate { workdir, ..Link::shell(session_id, 80, 24) };
        stage.request(create).expect("a folder inside is made");
    }
    assert!(workspace.join("a/b").is_dir() && workspace.join("deep/er").is_dir());
    assert!(stage.gateway.tmux.format(1, "#{pane_current_path}").ends_with("workspace/a/b"));
}

#[test]
fn a_session_has_its_own_environment_and_no_secret() {
    let mut stage = Stage::new();
    let variable =
        |name: &str| BTreeMap::from([(name.to_owned(), "it's \"$HOME\" `x`".to_owned())]);
    let create = protocol::commands::SessionCreate {
        env: Some(variable("MINE")),
        ..Link::shell(1, 200, 24)
    };
    stage.request(create).expect("a session");
    stage.attach(1, None);
    stage.open(2, 200, 24);
    for session_id in [1, 2] {
        stage.type_in(session_id, "env; printf 'env-%s\\n' done\r");
        let seen = stage.expect(session_id, "env-done");
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert!(!seen.contains("GATEWAY_"), "{seen}");
        assert!(!seen.contains(integration::gateway::AUTH_TOKEN), "{seen}");
        assert_eq!(seen.contains("MINE=it's \"$HOME\" `x`"), session_id == 1, "{seen}");
        assert!(seen.contains("COLORTERM=truecolor"), "{seen}");
    }
    let global = stage.gateway.tmux.run(&["show-environment", "-g"]);
    assert!(!global.contains("GATEWAY_") && !global.contains("MINE"), "{global}");
    for name in ["GATEWAY_X", "1A", "A-B", "A=B", ""] {
        let create = protocol::commands::SessionCreate {
            env: Some(variable(name)),
            ..Link::shell(3, 80, 24)
        };
        assert_eq!(error_of(&mut stage, create), "invalid_payload", "{name:?}");
    }
}

#[test]
fn instructions_are_written_and_never_over_a_persons_file() {
    let mut stage = Stage::new();
    let mine = stage.gateway.in_workdir(1, "CLAUDE.md");
    std::fs::write(&mine, "my own words").expect("written");
    let agent_config = Some(AgentConfig {
        claude_md: Some("more for claude".to_owned()),
        agents_md: Some("more for the others".to_owned()),
    });
    let create = protocol::commands::SessionCreate { agent_config, ..Link::shell(1, 80, 24) };
    stage.request(create).expect("a session");
    assert_eq!(std::fs::read_to_string(mine).expect("kept"), "my own words");
    let theirs = std::fs::read_to_string(stage.gateway.in_workdir(1, "AGENTS.md"));
    assert!(theirs.expect("written").contains("more for the others"));
}

#[test]
fn an_agent_that_is_not_installed_becomes_a_shell_with_a_notice() {
    let mut stage = Stage::new();
    let create = protocol::commands::SessionCreate {
        agent: "opencode".to_owned(),
        ..Link::shell(1, 100, 24)
    };
    stage.request(create).expect("a session");
    stage.stream(1).keep_log = true;
    stage.attach(1, None);
    stage.type_in(1, "echo shell-$((2+3))\r");
    stage.expect(1, "shell-5");
    let lines = stage.gateway.tmux.lines(1).join("\n");
    assert!(lines.contains("opencode"), "a notice names the agent: {lines}");
}

#[test]
fn unknown_sessions_are_named_as_such() {
    let mut stage = Stage::new();
    let session_id = 9;
    let attach = SessionAttach { session_id, resume_seq: None, history_lines: None };
    assert_eq!(stage.request(attach).expect_err("refused").code, "unknown_session");
    let detach = SessionDetach { session_id };
    assert_eq!(stage.request(detach).expect_err("refused").code, "unknown_session");
    let snapshot = SessionSnapshotRequest { session_id, history_lines: None };
    assert_eq!(stage.request(snapshot).expect_err("refused").code, "unknown_session");
    let paste = SessionPaste { session_id, data: BASE64.encode("x") };
    assert_eq!(stage.request(paste).expect_err("refused").code, "unknown_session");
    stage.tell(SessionInput { session_id, data: BASE64.encode("x") });
    let error = stage.event("session.error", |event| match event {
        Event::SessionError(error) => Some(error.clone()),
        _ => None,
    });
    assert_eq!((error.session_id, error.code.as_str()), (9, "unknown_session"));
}

#[test]
fn a_detached_session_is_silent_and_replays_what_was_missed() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "sleep 0.5; seq 1 3000; echo missed-$((1+1))\r");
    stage.detach(1);
    eventually("it went on meanwhile", PATIENCE, || {
        stage.gateway.tmux.lines(1).iter().any(|line| line == "missed-2").then_some(())
    });
    stage.take_for(Duration::from_millis(200));
    stage.attach(1, None);
    stage.expect(1, "missed-2");
    assert_eq!(stage.stream(1).snapshots.len(), 1, "only the first attach was a snapshot");
    assert_eq!(stage.stream(1).replays.len(), 1);
}

#[test]
fn a_second_attach_while_live_is_answered_and_changes_nothing() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "for i in 1 2 3 4 5 6 7 8; do seq 1 2000; done; echo end-$((1+1))\r");
    stage.expect(1, "1999\r\n2000\r\n");
    let attach = SessionAttach { session_id: 1, resume_seq: None, history_lines: Some(0) };
    let caused = stage.request(attach).expect("acked");
    assert!(matches!(caused.as_slice(), [Event::SessionSnapshot(_)]), "{caused:?}");
    let at = stage.stream(1).next;
    let attach = SessionAttach { session_id: 1, resume_seq: at, history_lines: None };
    let caused = stage.request(attach).expect("acked");
    let kind = caused.iter().map(Event::name).collect::<Vec<_>>();
    assert!(
        ["session.replay", "session.snapshot"].contains(&kind[0]) && kind.len() == 1,
        "{kind:?}"
    );
    stage.expect(1, "end-2");
}

#[test]
fn a_snapshot_can_be_had_without_touching_the_stream() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "seq 1 200\r");
    stage.expect(1, "199\r\n200\r\n");
    let ask = SessionSnapshotRequest { session_id: 1, history_lines: Some(50) };
    let caused = stage.request(ask).expect("acked");
    let [Event::SessionSnapshot(snapshot)] = caused.as_slice() else { panic!("{caused:?}") };
    assert_eq!((snapshot.cols, snapshot.rows, snapshot.history_lines), (80, 24, 50));
    assert!(!snapshot.alternate_on && !snapshot.truncated);
    stage.type_in(1, "echo after-$((1+1))\r");
    stage.expect(1, "after-2");
}
