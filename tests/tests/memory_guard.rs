//! Memory: what the kernel ends first when it runs out, where sessions have no scope of their own.
//! Scopes are tested on a kernel of their own, see `memory_scope`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::process::{children, marked, signal};
use integration::{PATIENCE, eventually};
use protocol::events::Event;
use rustix::process::Signal;

fn adjustment(pid: u32) -> i32 {
    let path = format!("/proc/{pid}/oom_score_adj");
    std::fs::read_to_string(path).expect("a living process").trim().parse().expect("a number")
}

fn wrapper(stage: &Stage, session_id: u32) -> u32 {
    stage.gateway.tmux.format(session_id, "#{pane_pid}").parse().expect("a pid")
}

#[test]
fn programs_of_sessions_end_before_tmux_and_the_gateway() {
    let mut stage = Stage::new();
    let own = adjustment(std::process::id());
    stage.open(1, 80, 24);
    stage.type_in(1, "setsid sleep 1000 & python3 -c 'print(\"st\" + \"arted\"); input()'\r");
    stage.expect(1, "started");
    let state = stage.gateway.home.join("state").display().to_string();
    let kept = wrapper(&stage, 1);
    let programs: Vec<u32> = marked(&state).into_iter().filter(|pid| *pid != kept).collect();
    assert!(programs.len() >= 3, "a shell, its job and its program: {programs:?}");
    for pid in programs {
        assert_eq!(adjustment(pid), 500, "process {pid}");
    }
    let server = stage.gateway.tmux.server_pid().expect("a server");
    let gateway = stage.gateway.process().id();
    // What writes down how the session ended is as small as they are.
    for (who, pid) in [("tmux", server), ("the gateway", gateway), ("the wrapper", kept)] {
        assert_eq!(adjustment(pid), own, "{who}");
    }
    for client in children(gateway) {
        assert_eq!(adjustment(client), own, "a tmux client");
    }
}

#[test]
fn a_kill_without_a_scope_is_told_as_what_it_is() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.open(2, 80, 24);
    let shell =
        eventually("the shell runs", PATIENCE, || children(wrapper(&stage, 1)).first().copied());
    signal(shell, Signal::KILL);
    let end = stage.event("session.ended", |event| match event {
        Event::SessionEnded(end) => Some(end.clone()),
        _ => None,
    });
    assert_eq!((end.session_id, end.reason.as_str(), end.signal), (1, "killed", Some(9)));
    stage.type_in(2, "echo still-$((1+1))\r");
    stage.expect(2, "still-2");
}
