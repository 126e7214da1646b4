//! What the gateway says of itself and its machine: hello and health.

use super::{Daemon, Effect, Job, Now};
use crate::child::health::Measured;
use crate::limits::{HEALTH_CHANGE_MS, HEALTH_UNWATCHED_MS, Ms};
use crate::os::{self, Machine};
use crate::session::Session;
use protocol::events::{Event, GatewayHealth, GatewayHello, HealthSession, SystemInfo};
use std::path::Path;

/// Processor time, in hundredths of a second over all processors, below which two looks tell nothing.
const CPU_TICKS: u64 = 50;

/// When health was said, and who listens.
#[derive(Debug)]
pub(super) struct Status {
    /// `gateway.watch {on: true}` on this connection.
    pub(super) watched: bool,
    interval: Ms,
    last: Option<Ms>,
    last_cpu: Machine,
    /// What was told last of the processors.
    cpu: f64,
    /// A child measures; health is told when it has answered.
    measuring: bool,
    /// The sessions that were there then.
    told: Vec<u32>,
}

impl Status {
    pub(super) fn new(health_seconds: u64) -> Self {
        let mut status = Self {
            watched: false,
            interval: 0,
            last: None,
            last_cpu: Machine::default(),
            cpu: 0.0,
            measuring: false,
            told: Vec::new(),
        };
        status.set_interval(health_seconds);
        status
    }

    pub(super) fn set_interval(&mut self, health_seconds: u64) {
        self.interval = health_seconds.saturating_mul(1_000);
    }

    /// Work of all processors together since the last call, 0–100.
    fn cpu_percent(&mut self, machine: Machine) -> f64 {
        let busy = machine.cpu_busy.saturating_sub(self.last_cpu.cpu_busy);
        let total = machine.cpu_total.saturating_sub(self.last_cpu.cpu_total);
        if total >= CPU_TICKS {
            self.last_cpu = machine;
            self.cpu = (busy as f64 * 1_000.0 / total as f64).round() / 10.0;
        }
        self.cpu
    }
}

impl Daemon {
    /// The gateway in a line, for whoever asks the service manager.
    pub fn summary(&self) -> String {
        let link = if self.linked { "linked" } else { "not linked" };
        let count = self.living().count();
        let sessions = if count == 1 { "session" } else { "sessions" };
        format!("{}, {count} {sessions}, {link}", self.config.identity.version)
    }

    pub(super) fn hello(&self) -> GatewayHello {
        let config = &self.config;
        let machine = os::machine();
        GatewayHello {
            gateway_id: config.gateway_id.clone(),
            version: config.identity.version.to_owned(),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            bootstrap_token: match config.auth_token {
                Some(_) => None,
                None => config.bootstrap_token.clone(),
            },
            system_info: SystemInfo {
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                cpus: machine.cpus,
                ram_total_bytes: machine.ram_total,
                disk_total_bytes: disk(&config.workspace).1,
                tmux_version: self.tmux.map(|version| version.to_string()),
                target: Some(config.identity.target.to_owned()),
            },
            sessions: self.living().map(Session::hello).collect(),
            max_sessions: u32::try_from(config.max_sessions).ok(),
        }
    }

    fn living(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(|session| !session.is_ended())
    }

    fn is_watched(&self) -> bool {
        self.status.watched || self.sessions.values().any(Session::is_attached)
    }

    /// When a session came or went: at once. Watched: every interval. Else hourly, and only if
    /// anything happened since.
    pub(super) fn health_deadline(&self) -> Option<Ms> {
        let last = self.status.last.filter(|_| self.linked && !self.status.measuring)?;
        if !self.living().map(Session::id).eq(self.status.told.iter().copied()) {
            return Some(last + HEALTH_CHANGE_MS);
        }
        if self.is_watched() {
            return Some(last + self.status.interval);
        }
        let active = self.living().any(|session| session.last_activity() > last);
        active.then_some(last + HEALTH_UNWATCHED_MS)
    }

    /// Health is due. For who watches, a child measures the sessions first; nobody else is worth one.
    pub(super) fn begin_health(&mut self, now: Now) {
        if self.status.measuring {
            return;
        }
        if self.is_watched() && (self.living().next().is_some() || cfg!(target_os = "macos")) {
            self.status.measuring = true;
            self.effects.push(Effect::Start(Job::Health));
        } else {
            self.send_health(&Measured::default(), now);
        }
    }

    /// The child has measured, or could not.
    pub(super) fn measured(&mut self, answer: Option<&str>, now: Now) {
        self.status.measuring = false;
        if self.linked {
            self.send_health(&answer.map(Measured::read).unwrap_or_default(), now);
        }
    }

    pub(super) fn send_health(&mut self, measured: &Measured, now: Now) {
        let machine = os::machine();
        let (disk_used, disk_total) = disk(&self.config.workspace);
        // Activity is kept on the monotonic clock, which a change of the date does not move.
        let wall = |at: Ms| now.wall.saturating_sub(now.mono.saturating_sub(at));
        let sessions: Vec<HealthSession> = self
            .living()
            .map(|session| HealthSession {
                session_id: session.id(),
                last_activity_at: wall(session.last_activity()),
                memory_bytes: measured.memory.get(&session.id()).copied(),
            })
            .collect();
        let health = GatewayHealth {
            timestamp: now.wall,
            cpu_percent: measured.cpu_percent.unwrap_or_else(|| self.status.cpu_percent(machine)),
            ram_used_bytes: machine.ram_used,
            ram_total_bytes: machine.ram_total,
            disk_used_bytes: disk_used,
            disk_total_bytes: disk_total,
            uptime_seconds: machine.uptime_seconds,
            last_activity_at: sessions.iter().map(|session| session.last_activity_at).max(),
            sessions,
        };
        self.status.last = Some(now.mono);
        self.status.told = health.sessions.iter().map(|session| session.session_id).collect();
        self.send(Event::from(health).to_json(None));
    }
}

/// Used and total bytes of the file system that holds `path` or, before it exists, its parent.
fn disk(path: &Path) -> (u64, u64) {
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let Ok(stat) = rustix::fs::statvfs(existing) else { return (0, 0) };
    let total = stat.f_blocks.saturating_mul(stat.f_frsize);
    (total.saturating_sub(stat.f_bavail.saturating_mul(stat.f_frsize)), total)
}
