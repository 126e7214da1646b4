//! A session that eats the memory, where systemd gives each session a scope: in a guest kernel with
//! cgroup v2 and a user manager, as on a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::link::Link;
use integration::mock_cp::MockCp;
use integration::process::children;
use integration::{PATIENCE, eventually};
use protocol::commands::{GatewayWatch, SessionCreate};
use protocol::events::{Event, GatewayHealth, SessionEnded};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

/// What a session may hold, in MiB.
const LIMIT: u64 = 100;

/// A program that wants four times as much.
const EATER: &str = "python3 -c 'x = b\"x\" * 400000000'";

/// Everything takes several times as long in the guest.
const SLOW: Duration = Duration::from_secs(60);

#[test]
fn a_session_that_eats_the_memory_is_ended_and_the_others_live() {
    if let Err(why) = integration::guest::run("inside_the_guest") {
        eprintln!("SKIPPED: no scope was tested: {why}; install user-mode-linux and systemd");
    }
}

/// The group of the session's program.
fn group(stage: &Stage, session_id: u32) -> String {
    let wrapper = stage.gateway.tmux.format(session_id, "#{pane_pid}").parse().expect("a pid");
    let text = eventually("the session's program runs", PATIENCE, || {
        let inner = children(wrapper).into_iter().next()?;
        let shell = children(inner).into_iter().next()?;
        std::fs::read_to_string(format!("/proc/{shell}/cgroup")).ok()
    });
    text.trim().strip_prefix("0::").expect("cgroup v2").to_owned()
}

fn ended(stage: &mut Stage) -> SessionEnded {
    stage.link.until_within(SLOW, "session.ended", |link| {
        let (_, event) = link.events.iter().find(|(_, it)| matches!(it, Event::SessionEnded(_)))?;
        let Event::SessionEnded(end) = event else { return None };
        Some(end.clone())
    })
}

fn health(stage: &mut Stage) -> GatewayHealth {
    stage.event("gateway.health", |event| match event {
        Event::GatewayHealth(health) if !health.sessions.is_empty() => Some(health.clone()),
        _ => None,
    })
}

/// Ignored here because it limits memory by control groups of version 2 under systemd, which most
/// machines that run the tests do not have: the other test boots a kernel and runs this one in it.
#[test]
#[ignore = "runs in the guest kernel"]
fn inside_the_guest() {
    let limit = LIMIT.to_string();
    let settings = [("GATEWAY_SESSION_MEMORY", &*limit), ("GATEWAY_HEALTH_INTERVAL", "1")];
    let mut stage = Stage::with(MockCp::new(), &settings);
    let env = BTreeMap::from([("ODD".to_owned(), "$HOME %n 'x' ${y}".to_owned())]);
    stage.request(SessionCreate { env: Some(env), ..Link::shell(1, 200, 24) }).expect("a session");
    stage.attach(1, None);
    stage.open(2, 80, 24);
    let group = group(&stage, 1);
    let folder = format!("/sys/fs/cgroup{group}");
    let name = group.rsplit('/').next().expect("a name");
    assert!(name.starts_with("chatcode-gw-test-1-") && name.ends_with(".scope"), "{group}");
    assert!(group.starts_with("/user.slice/user-47000.slice/user@47000.service/"), "{group}");
    let limit = std::fs::read_to_string(format!("{folder}/memory.max")).expect("a limit");
    assert_eq!(limit.trim().parse(), Ok(LIMIT * 1024 * 1024));
    let (server, gateway) = (stage.gateway.tmux.server_pid(), stage.gateway.process().id());

    // In a scope everything else is as it was.
    stage.type_in(1, "echo \"to-$((1+1))-errors $ODD\" >&2\r");
    stage.expect_within(SLOW, 1, "to-2-errors $HOME %n 'x' ${y}");

    // A program that a shell started is killed, and the session goes on.
    stage.type_in(1, format!("{EATER}; echo ended-with-$?\r"));
    stage.expect_within(SLOW, 1, "ended-with-137");
    stage.type_in(1, "echo still-$((1+1))\r");
    stage.expect_within(SLOW, 1, "still-2");

    // Health knows what the scope holds.
    stage.request(GatewayWatch { on: true }).expect("acked");
    stage.events.clear();
    for session in health(&mut stage).sessions {
        let bytes = session.memory_bytes.expect("measured");
        assert!((100_000..LIMIT * 1024 * 1024).contains(&bytes), "{session:?}");
    }

    // The session's own program is killed: that is its end.
    stage.type_in(1, format!("exec {EATER}\r"));
    let end = ended(&mut stage);
    let told = (end.session_id, end.reason.as_str(), end.signal);
    assert_eq!(told, (1, "out_of_memory", Some(9)));
    eventually("its scope is gone", SLOW, || {
        (!std::path::Path::new(&folder).exists()).then_some(())
    });

    stage.type_in(2, "echo other-$((1+1))\r");
    stage.expect_within(SLOW, 2, "other-2");
    assert_eq!(stage.gateway.tmux.server_pid(), server);
    assert_eq!(stage.gateway.process().id(), gateway);
    assert!(stage.gateway.process().is_running());
    stage.end(2);
    stage.ends.clear();
    stage.events.clear();
    without_a_scope(stage);
}

/// Where systemd refuses a scope, a session starts all the same.
fn without_a_scope(mut stage: Stage) {
    let fake = stage.gateway.home.join("fake");
    std::fs::create_dir_all(&fake).expect("a folder");
    let program = fake.join("systemd-run");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo systemd 252 && exit 0\nexit 1\n";
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:{}", fake.display(), integration::tmux::search_path().display());
    stage.gateway.tmux.kill_server();
    stage.gateway.set("PATH", &path);
    stage.kill_and_restart_gateway();
    stage.open(3, 80, 24);
    stage.type_in(3, "cat /proc/self/cgroup; exit 3\r");
    let end = ended(&mut stage);
    assert_eq!((end.session_id, end.reason.as_str(), end.exit_code), (3, "exited", Some(3)));
    let text = String::from_utf8_lossy(&stage.stream(3).unread).into_owned();
    assert!(!text.contains("chatcode-gw-test"), "{text}");
}
