//! What a person does to tmux itself: splits, windows, copy mode, renames, kills, detaching.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::PATIENCE;
use integration::fixture::Stage;
use integration::screen::Screen;
use protocol::events::{Event, SessionPane};

fn pane(stage: &mut Stage) -> (u32, u32) {
    stage.event("the shown pane", |event| match event {
        Event::SessionPane(SessionPane { pane, panes, .. }) => Some((*pane, *panes)),
        _ => None,
    })
}

/// A stage with a shell whose screen is compared.
fn stage() -> (Stage, Screen) {
    let mut stage = Stage::new();
    stage.stream(1).keep_log = true;
    stage.open(1, 80, 24);
    stage.type_in(1, "PS1='$ '; clear\r");
    let mut screen = Screen::new();
    same(&mut stage, &mut screen);
    (stage, screen)
}

fn same(stage: &mut Stage, screen: &mut Screen) {
    let Stage { link, gateway, .. } = stage;
    screen.expect_equal(link, &gateway.tmux, 1);
}

fn size(stage: &mut Stage, cols: u32, rows: u32) {
    let Stage { link, gateway, .. } = stage;
    link.until("the size", |_| {
        let size = gateway.tmux.format(1, "#{window_width}x#{window_height}");
        (size == format!("{cols}x{rows}")).then_some(())
    });
}

#[test]
fn the_active_pane_of_a_split_is_followed_and_said() {
    let (mut stage, mut screen) = stage();
    stage.type_in(1, "echo left\r");
    stage.gateway.tmux.run(&["split-window", "-h", "-t", "=cc-1:", "bash --norc"]);
    assert_eq!(pane(&mut stage), (2, 2));
    stage.type_in(1, "PS1='> '; clear; echo right\r");
    same(&mut stage, &mut screen);
    assert!(screen.shown().text()[0].starts_with("right"));

    // Who comes later is told too.
    stage.detach(1);
    stage.attach_afresh(1, None);
    assert_eq!(pane(&mut stage), (2, 2));

    // The window has the viewers' size; the pane is a part of it.
    stage.resize(1, 100, 30);
    size(&mut stage, 100, 30);
    same(&mut stage, &mut screen);
    let width: u32 = stage.gateway.tmux.format(1, "#{pane_width}").parse().expect("a number");
    assert!(width < 60, "{width}");
    assert_eq!(screen.shown().lines[0].len(), width as usize);

    stage.gateway.tmux.run(&["select-pane", "-L", "-t", "=cc-1:"]);
    assert_eq!(pane(&mut stage), (1, 2));
    same(&mut stage, &mut screen);
    assert!(screen.shown().text().iter().any(|line| line == "left"));

    stage.gateway.tmux.run(&["resize-pane", "-Z", "-t", "=cc-1:"]);
    same(&mut stage, &mut screen);
    assert_eq!(screen.shown().lines[0].len(), 100, "a zoomed pane has the whole window");
    stage.gateway.tmux.run(&["resize-pane", "-Z", "-t", "=cc-1:"]);

    stage.gateway.tmux.run(&["kill-pane", "-a", "-t", "=cc-1:"]);
    assert_eq!(pane(&mut stage), (1, 1));
    same(&mut stage, &mut screen);
    assert_eq!(screen.shown().lines[0].len(), 100);
    assert!(stage.ends.is_empty());
}

#[test]
fn each_pane_has_its_own_modes() {
    let (mut stage, mut screen) = stage();
    stage.type_in(1, "printf '\\033[?2004l\\033[5 q'; echo one-$((1+1))\r");
    stage.expect(1, "one-2");
    stage.gateway.tmux.run(&["split-window", "-t", "=cc-1:", "cat"]);
    assert_eq!(pane(&mut stage), (2, 2));
    same(&mut stage, &mut screen);
    let cursor = |stage: &mut Stage| {
        let data = stage.stream(1).snapshots.last().expect("a snapshot").data.clone();
        let data = protocol::Engine::decode(&protocol::BASE64, data).expect("base64");
        integration::stream::find(&data, b"\x1b[5 q").is_some()
    };
    assert!(!cursor(&mut stage));
    stage.gateway.tmux.run(&["select-pane", "-U", "-t", "=cc-1:"]);
    assert_eq!(pane(&mut stage), (1, 2));
    same(&mut stage, &mut screen);
    assert!(cursor(&mut stage), "the first pane's cursor is as it was");
}

#[test]
fn the_active_window_is_followed_and_gets_the_size() {
    let (mut stage, mut screen) = stage();
    stage.resize(1, 90, 28);
    size(&mut stage, 90, 28);
    stage.gateway.tmux.run(&["new-window", "-t", "=cc-1:", "bash --norc"]);
    assert_eq!(pane(&mut stage), (2, 2));
    size(&mut stage, 90, 28);
    stage.type_in(1, "PS1='w2 '; clear\r");
    same(&mut stage, &mut screen);
    assert_eq!(screen.shown().lines[0].len(), 90);
    stage.gateway.tmux.run(&["kill-window", "-t", "=cc-1:"]);
    assert_eq!(pane(&mut stage), (1, 1));
    same(&mut stage, &mut screen);
    stage.type_in(1, "echo still-$((1+1))\r");
    stage.expect(1, "still-2");
}

#[test]
fn typing_leaves_copy_mode() {
    let (mut stage, mut screen) = stage();
    stage.type_in(1, "seq 1 100\r");
    stage.expect(1, "\r\n100\r\n");
    stage.gateway.tmux.run(&["copy-mode", "-u", "-t", "=cc-1:"]);
    assert_eq!(stage.gateway.tmux.format(1, "#{pane_in_mode}"), "1");
    stage.type_in(1, "echo typed-$((1+1))\r");
    stage.expect(1, "typed-2");
    assert_eq!(stage.gateway.tmux.format(1, "#{pane_in_mode}"), "0");
    same(&mut stage, &mut screen);
}

#[test]
fn a_renamed_session_stays_the_same() {
    let (mut stage, mut screen) = stage();
    let tmux = &stage.gateway.tmux;
    tmux.run(&[
        "rename-session",
        "-t",
        "=cc-1",
        "my|work",
        ";",
        "rename-window",
        "-t",
        "=my|work:",
        "w",
    ]);
    stage.type_in(1, "echo renamed-$((1+1))\r");
    stage.expect(1, "renamed-2");
    stage.kill_and_restart_gateway();
    let hello = stage.hello.clone().expect("hello");
    assert_eq!(hello.sessions.len(), 1, "it is found by what it is, not by its name");
    stage.attach_afresh(1, None);
    stage.gateway.tmux.run(&["rename-session", "-t", "=my|work", "cc-1"]);
    same(&mut stage, &mut screen);
    stage.gateway.tmux.run(&["rename-session", "-t", "=cc-1", "again"]);
    stage.gateway.tmux.run(&["detach-client", "-s", "=again"]);
    stage.type_in(1, "echo after-$((1+1))\r");
    integration::eventually("the session lives", PATIENCE, || {
        stage.link.take_for(std::time::Duration::from_millis(100));
        stage.link.type_in(1, "echo after-$((1+1))\r");
        let lines = stage.gateway.tmux.run(&["capture-pane", "-p", "-t", "=again:"]);
        lines.contains("after-2").then_some(())
    });
    stage.end(1);
    assert_eq!(stage.ends[&1].reason, "ended");
    assert!(stage.gateway.tmux.try_run(&["has-session", "-t", "=again"]).is_err());
}

#[test]
fn a_pane_that_is_killed_ends_the_session_only_with_the_last() {
    let (mut stage, mut screen) = stage();
    stage.gateway.tmux.run(&["split-window", "-t", "=cc-1:", "cat"]);
    assert_eq!(pane(&mut stage), (2, 2));
    stage.gateway.tmux.run(&["kill-pane", "-t", "=cc-1:"]);
    assert_eq!(pane(&mut stage), (1, 1));
    same(&mut stage, &mut screen);
    assert!(stage.ends.is_empty());
    // Another keeps the server, which would say goodbye in its own way.
    stage.open(2, 80, 24);
    stage.gateway.tmux.run(&["kill-session", "-t", "=cc-1"]);
    let ended = stage.until("the end", |link| link.ends.get(&1).cloned());
    assert_eq!(ended.reason, "killed");
}
