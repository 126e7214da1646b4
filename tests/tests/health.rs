//! Health: its figures beside the system's own, and when it is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::link::Link;
use integration::mock_cp::MockCp;
use integration::process::{marked, memory};
use protocol::commands::GatewayWatch;
use protocol::events::{Event, GatewayHealth};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Bytes that others on the machine may write or free between two looks at a disk.
const DISK_DRIFT: u64 = 4_000_000_000;

/// What a program in a session holds, in bytes.
const HELD: u64 = 100_000_000;

fn stage(seconds: u32) -> Stage {
    Stage::with(MockCp::new(), &[("GATEWAY_HEALTH_INTERVAL", &seconds.to_string())])
}

fn health(stage: &mut Stage) -> GatewayHealth {
    stage.event("gateway.health", |event| match event {
        Event::GatewayHealth(health) => Some(health.clone()),
        _ => None,
    })
}

/// The next one for which `is_it`.
fn health_with(stage: &mut Stage, is_it: impl Fn(&GatewayHealth) -> bool) -> GatewayHealth {
    loop {
        let next = health(stage);
        if is_it(&next) {
            return next;
        }
    }
}

/// How many come in this time.
fn count(stage: &mut Stage, time: Duration) -> usize {
    stage.events.clear();
    stage.take_for(time);
    stage.events.iter().filter(|(_, event)| matches!(event, Event::GatewayHealth(_))).count()
}

fn watch(stage: &mut Stage, on: bool) {
    stage.request(GatewayWatch { on }).expect("acked");
}

fn ids(health: &GatewayHealth) -> Vec<u32> {
    health.sessions.iter().map(|session| session.session_id).collect()
}

fn meminfo(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").expect("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().expect("kB") * 1024
}

/// Times of all processors so far: at work, and in all.
fn processors() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/stat").expect("/proc/stat");
    let line = stat.lines().next().expect("a line");
    let times: Vec<f64> = line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    let all: f64 = times.iter().sum();
    (all - times[3] - times[4], all)
}

#[test]
fn the_machines_figures_are_those_of_the_system() {
    let mut stage = stage(2);
    watch(&mut stage, true);
    stage.take_for(Duration::from_millis(500));
    stage.events.clear();
    health(&mut stage);
    let before = processors();
    let health = health(&mut stage);
    let after = processors();

    let busy = 100.0 * (after.0 - before.0) / (after.1 - before.1);
    assert!((health.cpu_percent - busy).abs() < 25.0, "{} beside {busy}", health.cpu_percent);
    assert_eq!(health.ram_total_bytes, meminfo("MemTotal"));
    let used = health.ram_total_bytes - meminfo("MemAvailable");
    assert!(health.ram_used_bytes.abs_diff(used) < health.ram_total_bytes / 10);

    let workspace = stage.gateway.home.join("workspace");
    let df = Command::new("df").args(["-B1", "--output=size,avail"]).arg(workspace).output();
    let df = String::from_utf8_lossy(&df.expect("df runs").stdout).into_owned();
    let figures: Vec<u64> = df.split_whitespace().flat_map(str::parse).collect();
    let &[size, available] = figures.as_slice() else { panic!("{df}") };
    assert_eq!(health.disk_total_bytes, size);
    assert!(health.disk_used_bytes.abs_diff(size - available) < DISK_DRIFT, "{health:?} {df}");

    let uptime = std::fs::read_to_string("/proc/uptime").expect("/proc/uptime");
    let uptime: u64 = uptime.split('.').next().expect("seconds").parse().expect("a number");
    assert!(uptime.abs_diff(health.uptime_seconds) <= 5);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    assert!(now.as_millis().abs_diff(u128::from(health.timestamp)) < 10_000);
}

#[test]
fn each_session_is_told_with_its_memory_and_last_activity() {
    let mut stage = stage(1);
    stage.open(1, 80, 24);
    stage.open(2, 80, 24);
    let program = format!("python3 -c 'x = b\"x\" * {HELD}; print(\"he\" + \"ld\"); input()'\r");
    stage.type_in(1, program);
    stage.expect(1, "held");
    stage.events.clear();
    health(&mut stage);
    let found = health(&mut stage);
    let of =
        |id: u32| found.sessions.iter().find(|session| session.session_id == id).expect("told");
    let state = stage.gateway.home.join("state");
    let sum = |id: u32| -> u64 {
        let pids = marked(&format!("/{id} {}", state.display()));
        pids.into_iter().map(|pid| memory(pid, "VmRSS")).sum()
    };
    for id in [1, 2] {
        let told = of(id).memory_bytes.expect("measured");
        assert!(told.abs_diff(sum(id)) < 2_000_000, "session {id}: {told} beside {}", sum(id));
    }
    assert!(of(1).memory_bytes.expect("measured") > HELD);
    assert!(of(2).memory_bytes.expect("measured") < HELD / 4);

    let before = of(2).last_activity_at;
    stage.type_in(2, "echo acti''ve\r");
    stage.expect(2, "active");
    let later = health_with(&mut stage, |health| health.last_activity_at > Some(before));
    let activity: Vec<u64> = later.sessions.iter().map(|one| one.last_activity_at).collect();
    assert_eq!(later.last_activity_at, activity.iter().copied().max());
    assert!(activity[1] > before && activity[1] <= later.timestamp);
}

#[test]
fn it_comes_in_its_interval_while_watched_and_not_at_all_otherwise() {
    let mut stage = stage(1);
    health(&mut stage);
    let waiting = Duration::from_millis(3_300);
    assert_eq!(count(&mut stage, waiting), 0, "nobody watches");
    watch(&mut stage, true);
    let watched = count(&mut stage, waiting);
    assert!((2..=4).contains(&watched), "{watched} in {waiting:?}");
    watch(&mut stage, false);
    stage.take_for(Duration::from_millis(200));
    assert_eq!(count(&mut stage, waiting), 0, "nobody watches any more");

    // Whoever looks at a session watches, too.
    stage.open(1, 80, 24);
    let watched = count(&mut stage, waiting);
    assert!((2..=4).contains(&watched), "{watched} in {waiting:?}");
    stage.type_in(1, "while sleep 0.1; do echo x; done\r");
    stage.detach(1);
    stage.take_for(Duration::from_millis(500));
    assert_eq!(count(&mut stage, waiting), 0, "output alone is no reason");
    watch(&mut stage, true);
    health(&mut stage);
    stage.link.cut();
    stage.reconnect();
    health(&mut stage);
    assert_eq!(count(&mut stage, waiting), 0, "the next connection does not watch");
}

#[test]
fn a_session_that_comes_or_goes_is_told_at_once() {
    let mut stage = stage(3600);
    assert_eq!(ids(&health(&mut stage)), [0; 0]);
    let soon = Duration::from_secs(5);
    for watched in [false, true] {
        if watched {
            watch(&mut stage, true);
            health(&mut stage);
        }
        let started = Instant::now();
        stage.request(Link::shell(1, 80, 24)).expect("a session");
        stage.request(Link::shell(2, 80, 24)).expect("a session");
        let told = health_with(&mut stage, |health| ids(health) == [1, 2]);
        // Nobody is worth a process who does not watch.
        assert!(told.sessions.iter().all(|session| session.memory_bytes.is_some() == watched));
        stage.end(1);
        health_with(&mut stage, |health| ids(health) == [2]);
        stage.ends.clear();
        stage.end(2);
        health_with(&mut stage, |health| ids(health).is_empty());
        stage.ends.clear();
        assert!(started.elapsed() < soon * 4, "{:?}", started.elapsed());
    }
    assert_eq!(count(&mut stage, Duration::from_secs(2)), 0, "nothing changes");
}
