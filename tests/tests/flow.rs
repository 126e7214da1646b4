//! Flow: credit, readers that stall and catch up, and their neighbours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::process::memory;
use integration::screen::Screen;
use integration::stream::Acking;
use protocol::commands::SessionAck;
use protocol::limits::OUTPUT_WINDOW;
use std::time::{Duration, Instant};

/// How long a flood may take to print on a loaded machine.
const FLOOD: Duration = Duration::from_secs(120);

/// Most bytes that the gateway may hold while readers stall.
const MEMORY: u64 = 16 * 1024 * 1024;

/// Waits until the session's credit is used up.
fn until_credit_is_gone(stage: &mut Stage, session_id: u32) {
    stage.until("credit is used up", |link| {
        let stream = link.stream(session_id);
        (stream.lags > 0 || stream.unacked() == OUTPUT_WINDOW).then_some(())
    });
}

#[test]
fn credit_is_used_and_never_exceeded() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    // The reader's own check fails on the first frame beyond the window.
    stage.stream(1).acking = Acking::Every(200_000);
    stage.type_in(1, "seq 1 300000; echo end-$((1+1))\r");
    stage.expect_within(FLOOD, 1, "end-2");
    let most = stage.stream(1).most_unacked;
    assert!((100_000..=OUTPUT_WINDOW).contains(&most), "{most}");
}

#[test]
fn a_stalled_reader_gets_exactly_its_credit_then_a_lag_and_a_snapshot() {
    let mut stage = Stage::new();
    let mut screen = Screen::new();
    stage.stream(1).keep_log = true;
    stage.open(1, 80, 24);
    stage.stream(1).acking = Acking::Never;
    stage.type_in(1, "seq 1 1500000; echo end-$((1+1))\r");
    stage.until_within(FLOOD, "the lag is told", |link| (link.stream(1).lags == 1).then_some(()));
    assert_eq!(stage.stream(1).unacked(), OUTPUT_WINDOW, "not a byte less was sent before it");
    assert_eq!(stage.stream(1).snapshots.len(), 1);

    stage.resume_acking(1, Acking::Every(1));
    stage.until("the snapshot after the lag", |link| {
        (link.stream(1).snapshots.len() > 1).then_some(())
    });
    let pid = stage.gateway.process().id();
    let rss = memory(pid, "VmRSS");
    assert!(rss < MEMORY, "{rss} bytes after the flood");
    let Stage { link, gateway, .. } = &mut stage;
    let lines = || gateway.tmux.lines(1).iter().any(|line| line == "end-2").then_some(());
    integration::eventually("the flood ends", FLOOD, lines);
    screen.expect_equal(link, &gateway.tmux, 1);
}

#[test]
fn acks_outside_what_was_sent_are_ignored() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.stream(1).acking = Acking::Never;
    let position = stage.stream(1).next.expect("a position");
    stage.type_in(1, "seq 1 200000\r");
    until_credit_is_gone(&mut stage, 1);
    for wrong in [position.wrapping_sub(1), position.wrapping_add(u32::MAX / 3), u32::MAX] {
        stage.tell(SessionAck { session_id: 1, seq: wrong });
    }
    // The reader's own check fails if any of these opened the window.
    stage.take_for(Duration::from_millis(500));
    assert_eq!(stage.stream(1).unacked(), OUTPUT_WINDOW);
}

#[test]
fn a_stalled_session_does_not_slow_the_other() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.open(2, 80, 24);
    stage.stream(1).acking = Acking::Never;
    stage.type_in(1, "while :; do seq 1 100000; done\r");
    until_credit_is_gone(&mut stage, 1);

    let started = Instant::now();
    for n in 0..20 {
        stage.type_in(2, format!("echo $(({n}+1000))-here\r"));
        stage.expect_within(Duration::from_secs(3), 2, format!("{}-here\r\n", n + 1000));
    }
    let each = started.elapsed() / 20;
    assert!(each < Duration::from_millis(250), "{each:?} for each echo");
    stage.type_in(2, "seq 1 50000; echo end-$((1+1))\r");
    stage.expect_within(FLOOD, 2, "end-2");
    assert_eq!(stage.stream(2).lags, 0);
    let pid = stage.gateway.process().id();
    let rss = memory(pid, "VmRSS");
    assert!(rss < MEMORY, "{rss} bytes while one reader stalls");
    stage.type_in(1, "\x03");
}

#[test]
fn a_peer_that_stops_reading_costs_bounded_memory() {
    let mut stage = Stage::new();
    for session_id in 1..=5 {
        stage.open(session_id, 80, 24);
    }
    stage.stall(true);
    for session_id in 1..=5 {
        stage.type_in(session_id, "seq 1 400000; echo end-$((1+1))\r");
    }
    let pid = stage.gateway.process().id();
    let Stage { link, gateway, .. } = &mut stage;
    integration::eventually("the floods end", FLOOD, || {
        let rss = memory(pid, "VmRSS");
        assert!(rss < MEMORY, "{rss} bytes while the peer does not read");
        let ended = |id| gateway.tmux.lines(id).iter().any(|line| line == "end-2");
        (1..=5).all(ended).then_some(())
    });
    link.stall(false);
    for session_id in 1..=5 {
        // What is typed before the recovery snapshot is taken comes within it: type until it lives.
        integration::eventually("the session lives", FLOOD, || {
            link.type_in(session_id, "echo back-$((1+1))\r");
            link.take_for(Duration::from_millis(200));
            let unread = String::from_utf8_lossy(&link.stream(session_id).unread).into_owned();
            unread.contains("back-2").then_some(())
        });
    }
}
