//! What a gateway costs that has sessions and nobody who looks at them.

use crate::report::Report;
use crate::{Effort, MEGABYTE, quiet_stage};
use integration::fixture::Stage;
use integration::process::{Usage, memory};
use std::time::{Duration, Instant};

/// How many sessions each of the gateways has.
const SESSIONS: [u32; 3] = [0, 5, 50];

/// Shells settle, health is told after the creations.
const SETTLE: Duration = Duration::from_secs(3);

/// One link is served so long before the next has its turn: pings must be answered.
const TURN: Duration = Duration::from_millis(200);

/// A gateway under watch, with what it had used when the watch began.
struct Watched {
    sessions: u32,
    stage: Stage,
    gateway: u32,
    tmux: Option<u32>,
    before: Used,
}

/// What had been used at some moment.
struct Used {
    gateway: Usage,
    tmux: Option<Usage>,
    messages: u64,
}

/// All gateways rest at the same time: they do not disturb each other, and a minute is enough.
pub fn all(report: &mut Report, effort: Effort) {
    let mut watched: Vec<Watched> = SESSIONS.iter().map(|&count| Watched::start(count)).collect();
    rest(&mut watched, SETTLE);
    for one in &mut watched {
        one.before = one.used();
    }
    let started = Instant::now();
    rest(&mut watched, effort.idle);
    let seconds = started.elapsed().as_secs_f64();
    for one in &mut watched {
        one.tell(report, seconds);
    }
}

fn rest(watched: &mut [Watched], time: Duration) {
    let deadline = Instant::now() + time;
    while Instant::now() < deadline {
        for one in watched.iter_mut() {
            one.stage.take_for(TURN);
        }
    }
}

impl Watched {
    fn start(sessions: u32) -> Self {
        let mut stage = quiet_stage(&[("GATEWAY_MAX_SESSIONS", "50")]);
        for session_id in 1..=sessions {
            stage.open(session_id, 80, 24);
            stage.detach(session_id);
        }
        let gateway = stage.gateway.process().id();
        let tmux = if sessions == 0 { None } else { stage.gateway.tmux.server_pid() };
        let before = Used { gateway: Usage::of(gateway), tmux: None, messages: 0 };
        Self { sessions, stage, gateway, tmux, before }
    }

    fn used(&self) -> Used {
        let output: u64 = self.stage.streams.values().map(|stream| stream.frames).sum();
        Used {
            gateway: Usage::of(self.gateway),
            tmux: self.tmux.map(Usage::of),
            messages: self.stage.texts as u64 + output,
        }
    }

    fn tell(&self, report: &mut Report, seconds: f64) {
        let Used { gateway, tmux, messages } = self.used();
        let count = self.sessions;
        let key = |name: &str| format!("idle.{count}.{name}");
        let what = |name: &str| format!("idle, {count} sessions: {name}");
        let share = |used: f64| used / seconds * 100.0;
        let own = share(gateway.cpu_seconds - self.before.gateway.cpu_seconds);
        report.add(key("cpu"), &what("CPU"), own, "% core");
        if let (Some(now), Some(before)) = (tmux, &self.before.tmux) {
            let theirs = share(now.cpu_seconds - before.cpu_seconds);
            report.add(key("tmux_cpu"), "  CPU of its tmux server", theirs, "% core");
        }
        let spawned = gateway.spawned_since(&self.before.gateway) as f64;
        report.add(key("spawned"), &what("processes spawned"), spawned, "");
        let said = (messages - self.before.messages) as f64;
        report.add(key("messages"), &what("messages, pings aside"), said, "");
        let megabytes = |name| memory(self.gateway, name) as f64 / MEGABYTE;
        report.add(key("rss"), &what("RSS"), megabytes("VmRSS"), "MB");
        report.add(key("anonymous"), &what("anonymous memory"), megabytes("RssAnon"), "MB");
    }
}
