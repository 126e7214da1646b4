//! The traps that others of this kind fell into, one test each, by their numbers in the notes.
//!
//! Those of files, keys and updates (5, 8, 9, 12) are with these. What a trap has in common with a
//! property that is tested in breadth elsewhere is shown here by its one telling case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chatcode_gateway::limits::{PING_AFTER_MS, PONG_WITHIN_MS};
use chatcode_gateway::link::policy::{Backoff, Ending as Cause, Liveness, Pulse};
use chatcode_gateway::tmux::server::HISTORY_LIMIT;
use integration::fixture::Stage;
use integration::gateway::AUTH_TOKEN;
use integration::link::{Ending, Link};
use integration::process::marked;
use integration::screen::Screen;
use integration::stream::Acking;
use integration::{PATIENCE, eventually};
use protocol::CLOSE_TOO_LARGE;
use protocol::commands::{SessionCreate, SessionEnd, SessionInput};
use protocol::events::Event;
use protocol::{BASE64, Engine as _};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a megabyte of lines may take through tmux on a loaded machine.
const BULK: Duration = Duration::from_secs(120);

/// Frames of a spinner in [`trap_02_output_as_screen_diffs`].
const TURNS: usize = 100;

/// Types `bytes` into a program that writes what it reads into a file, and reads that.
fn recorded(stage: &mut Stage, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let script = format!("stty raw -echo; echo re''ady; head -c {length} > got; stty sane\r");
    stage.type_in(1, script);
    stage.expect(1, "ready");
    for piece in bytes.chunks(32 * 1024) {
        stage.type_in(1, piece);
    }
    let path = stage.gateway.in_workdir(1, "got");
    eventually("all is read", PATIENCE, || {
        stage.take_for(Duration::from_millis(10));
        (path.metadata().is_ok_and(|data| data.len() == length as u64)).then_some(())
    });
    std::fs::read(path).expect("the recording")
}

#[test]
fn trap_01_typed_semicolons_nul_and_long_input() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    // A `;` at the end of an argument ends a command of tmux; NUL ends an argument of anything;
    // 160 KB are more than one argument may have.
    let long = b"0123456789abcde;".repeat(10_000);
    for bytes in [b";".as_slice(), b"a;", b"\\;", b"\0", b"x\0;\0", long.as_slice()] {
        assert!(recorded(&mut stage, bytes) == bytes, "{:?}", bytes.get(..8));
    }
}

#[test]
fn trap_02_output_as_screen_diffs() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    // Every line of bulk output, not what happens to be on the screen now and then.
    stage.type_in(1, "echo; seq 1 100000; echo bulk-$((1+1))\r");
    let seen = stage.expect_within(BULK, 1, "bulk-2");
    let text = String::from_utf8_lossy(&seen).into_owned();
    let numbers = text.lines().filter_map(|line| line.trim().parse::<u32>().ok());
    assert!(numbers.eq(1..=100_000), "every line once and in order");

    // A spinner costs the bytes that it prints.
    let before = stage.stream(1).total;
    let spinner = format!(
        "for i in $(seq {TURNS}); do printf '\\r\\033[3%dmx' $((i % 8)); sleep 0.01; done; \
         echo spun-$((1+1))\r"
    );
    let printed = TURNS * "\r\u{1b}[31mx".len() + 2 * spinner.len() + 200;
    stage.type_in(1, spinner);
    stage.expect(1, "spun-2");
    let cost = usize::try_from(stage.stream(1).total - before).expect("few");
    assert!((TURNS * 7..=printed).contains(&cost), "{cost} bytes for {printed}");
}

#[test]
fn trap_02_a_snapshot_of_hyperlinks_stays_small() {
    let mut stage = Stage::new();
    stage.open(1, 120, 40);
    // One link that is never closed, over a whole screen: tmux repeats it in every row.
    let script = "u=$(head -c 2900 /dev/zero | tr '\\0' u); clear; \
                  printf '\\033]8;;http://h/%s\\033\\\\' $u; seq 1 39; echo linked-$((1+1))\r";
    stage.type_in(1, script);
    stage.expect(1, "linked-2");
    let snapshots = stage.stream(1).snapshots.len();
    stage.detach(1);
    stage.attach_afresh(1, Some(0));
    let taken = stage.stream(1).snapshots.get(snapshots).expect("a snapshot").clone();
    let data = BASE64.decode(&taken.data).expect("base64");
    assert!(data.len() < 64 * 1024, "{} bytes for 40 rows", data.len());
    assert!(String::from_utf8_lossy(&data).contains("39"));
}

#[test]
fn trap_03_prefix_match_of_targets() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.open(12, 80, 24);
    stage.end(1);
    // tmux itself would take `cc-1` for `cc-12` now.
    let found = stage.gateway.tmux.try_run(&["has-session", "-t", "cc-1"]);
    assert!(found.is_ok() && !stage.gateway.tmux.has(1), "the trap is there");
    stage.tell(SessionInput { session_id: 1, data: BASE64.encode("touch wrong\r") });
    let error = stage.event("the refusal", |event| match event {
        Event::SessionError(error) => Some((error.session_id, error.code.clone())),
        _ => None,
    });
    assert_eq!(error, (1, "unknown_session".to_owned()));
    assert_eq!(
        stage.request(SessionEnd { session_id: 1 }).expect_err("gone").code,
        "unknown_session"
    );
    stage.type_in(12, "ls; echo alive-$((1+1))\r");
    let seen = String::from_utf8_lossy(&stage.expect(12, "alive-2")).into_owned();
    assert!(!seen.contains("wrong"), "{seen}");
}

/// What a process of a session has in its environment, shell and tmux server included.
fn environments(stage: &Stage) -> Vec<String> {
    let state = stage.gateway.home.join("state").display().to_string();
    let server = stage.gateway.tmux.server_pid().expect("a server");
    let read = |pid: u32| {
        let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    marked(&state).into_iter().chain([server]).map(read).collect()
}

#[test]
fn trap_04_the_token_in_every_environment() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let all = eventually("the wrapper, the shell and tmux", PATIENCE, || {
        let all = environments(&stage);
        (all.len() >= 3 && all.iter().all(|one| one.contains("HOME="))).then_some(all)
    });
    for one in all {
        assert!(!one.contains(AUTH_TOKEN) && !one.contains("GATEWAY_"), "{one}");
    }
    let known = stage.gateway.tmux.run(&["show-environment", "-g"]);
    assert!(!known.contains(AUTH_TOKEN) && !known.contains("GATEWAY_"), "{known}");
}

#[test]
fn trap_06_a_sessions_environment_leaks_into_the_next() {
    let mut stage = Stage::new();
    let secret = BTreeMap::from([("API_KEY".to_owned(), "first-only".to_owned())]);
    // The first session starts the server, which keeps the environment that it is started with.
    let create = SessionCreate { env: Some(secret), ..Link::shell(1, 80, 24) };
    stage.request(create).expect("a session");
    stage.attach(1, None);
    stage.open(2, 80, 24);
    for (session_id, wanted) in [(1, "<first-only>"), (2, "<>")] {
        stage.type_in(session_id, "echo \"<$API_KEY>\"\r");
        stage.expect(session_id, wanted);
    }
    let tmux = &stage.gateway.tmux;
    assert!(!tmux.run(&["show-environment", "-g"]).contains("API_KEY"));
    let server = tmux.server_pid().expect("a server");
    let kept = std::fs::read(format!("/proc/{server}/environ")).expect("readable");
    assert!(!String::from_utf8_lossy(&kept).contains("first-only"));
    // What a person opens beside it has no part in it either.
    tmux.run(&["new-session", "-d", "-s", "mine", "env > \"$HOME/mine\""]);
    let path = stage.gateway.home.join("mine");
    let mine = eventually("their environment", PATIENCE, || {
        std::fs::read_to_string(&path).ok().filter(|text| text.contains("HOME="))
    });
    assert!(!mine.contains("first-only"), "{mine}");
}

#[test]
fn trap_07_history_limit_comes_after_the_pane() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    // tmux's own default is 2,000: the first pane of a new server is the one that would have it.
    assert_eq!(stage.gateway.tmux.format(1, "#{history_limit}"), HISTORY_LIMIT.to_string());
    stage.type_in(1, "seq 1 5000; echo done-$((1+1))\r");
    stage.expect_within(BULK, 1, "done-2");
    let lines = stage.gateway.tmux.lines(1);
    assert!(lines.iter().any(|line| line == "1"), "the first of 5,000 lines is there");
}

#[test]
fn trap_10_one_stubborn_end_blocks_the_others() {
    let mut stage = Stage::new();
    for session_id in 1..=3 {
        stage.open(session_id, 80, 24);
    }
    stage.type_in(1, "trap '' HUP TERM INT; echo stub''born; while :; do sleep 1; done\r");
    stage.expect(1, "stubborn");
    let ending = stage.ask(SessionEnd { session_id: 1 });
    let started = Instant::now();
    // While it is being ended: keys elsewhere, and another end.
    let mut slowest = Duration::ZERO;
    for turn in 0..5 {
        let typed = Instant::now();
        stage.type_in(2, format!("echo turn-$(({turn}+10))\r"));
        stage.expect(2, format!("turn-{}\r\n", turn + 10));
        slowest = slowest.max(typed.elapsed());
    }
    stage.end(3);
    assert!(!stage.ends.contains_key(&1), "the stubborn one still ends: all was in its time");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    stage.answer(&ending).expect("it ends too");
    assert!(started.elapsed() > Duration::from_secs(2), "it was asked politely first");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    stage.open(4, 80, 24);
}

#[test]
fn trap_11_back_off_is_not_reset_and_a_dead_peer_not_noticed() {
    let failed = Cause::Failed("x".to_owned());
    let mut delays = Vec::new();
    for seed in 1..200 {
        let mut backoff = Backoff::new(seed * 0x9E37_79B9);
        (0..10).for_each(|_| assert!(backoff.delay(&failed) <= 30_000));
        delays.push(backoff.delay(&failed));
        backoff.reset();
        assert!(backoff.delay(&failed) <= 1_000, "a good link makes the next delay short");
    }
    let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
    assert!(*least < 3_000 && *most > 27_000, "gateways do not come back together: {least} {most}");
    const { assert!(PING_AFTER_MS + PONG_WITHIN_MS <= 35_000, "a dead peer is noticed in 35 s") };
    let mut liveness = Liveness::new(0);
    let mut dead = (0..=40_000).step_by(100).find(|&now| liveness.check(now) == Pulse::Dead);
    assert_eq!(dead.take(), Some(35_000));

    // A real link that was good by its bytes is made again within a second each time.
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    for _ in 0..4 {
        stage.type_in(1, "seq 1 30000; echo good-$((1+1))\r");
        stage.expect_within(BULK, 1, "good-2");
        let cut = Instant::now();
        stage.cut();
        stage.reconnect();
        assert!(cut.elapsed() < Duration::from_secs(3), "{:?}", cut.elapsed());
        stage.attach(1, None);
    }
}

#[test]
fn trap_13_exit_codes_are_lost_and_ends_told_late() {
    let mut stage = Stage::new();
    // Each is the only session: tmux ends its server with the last one, which is the moment in
    // which the next one is created.
    for (session_id, code) in [(1, 0), (2, 7), (3, 255)] {
        stage.open(session_id, 80, 24);
        stage.type_in(session_id, format!("exit {code}\r"));
        let typed = Instant::now();
        let end = stage.until("its end", |link| link.ends.get(&session_id).cloned());
        assert_eq!((end.reason.as_str(), end.exit_code), ("exited", Some(code)));
        assert!(typed.elapsed() < Duration::from_secs(3), "{:?}", typed.elapsed());
    }
}

#[test]
fn trap_14_a_queue_that_cuts_escape_sequences() {
    let mut stage = Stage::new();
    let mut screen = Screen::new();
    stage.stream(1).keep_log = true;
    stage.open(1, 80, 24);
    stage.stream(1).acking = Acking::Never;
    // Sequences of all lengths, so that any place to cut is in the middle of one of them.
    let script = "for i in $(seq 1 60000); do printf '\\033[38;2;%d;%d;%dm\\033[4m%d\\033[0m ' \
                  $((i % 256)) 7 $((i % 99)) $i; done; printf '\\033[H\\033[2J'; \
                  echo whole-$((1+1))\r";
    stage.type_in(1, script);
    let lagged = |link: &mut Link| (link.stream(1).lags > 0).then_some(());
    stage.until_within(BULK, "loss that is told", lagged);
    stage.resume_acking(1, Acking::Every(1));
    stage.until_within(BULK, "a snapshot repairs it", |link| {
        (link.stream(1).snapshots.len() > 1).then_some(())
    });
    eventually("the end is on tmux's screen", BULK, || {
        stage.take_for(Duration::from_millis(20));
        stage.gateway.tmux.lines(1).iter().any(|line| line == "whole-2").then_some(())
    });
    let Stage { link, gateway, .. } = &mut stage;
    screen.expect_equal(link, &gateway.tmux, 1);
}

#[test]
fn a_text_of_three_megabytes_closes_the_link_and_touches_no_session() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(
        1,
        "for i in $(seq 1 400); do echo line-$i; sleep 0.01; done; echo end-$((1+1))\r",
    );
    stage.expect(1, "line-20\r\n");
    stage.send_text(&"x".repeat(3 * 1024 * 1024));
    let deadline = Instant::now() + PATIENCE;
    while stage.ending.is_none() && Instant::now() < deadline {
        stage.take_one(deadline);
    }
    assert_eq!(stage.ending, Some(Ending::Closed(Some(CLOSE_TOO_LARGE))));
    let unread = std::mem::take(&mut stage.stream(1).unread);
    stage.reconnect();
    stage.attach(1, None);
    let rest = stage.expect_within(BULK, 1, "end-2");
    let text = String::from_utf8_lossy(&[unread, rest].concat()).into_owned();
    let numbers = text.lines().filter_map(|line| line.strip_prefix("line-")?.parse::<u32>().ok());
    assert!(numbers.eq(21..=400), "no line is missing and none comes twice: {text}");
}
