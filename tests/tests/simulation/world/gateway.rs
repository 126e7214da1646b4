//! The gateway's side: its turns, what it sends, its link, and how it dies.

use super::super::fault::Fault;
use super::super::page::Message;
use super::super::wire::Wire;
use super::{GATEWAY, World};
use chatcode_gateway::config::Config;
use chatcode_gateway::daemon::{self, Daemon, Effect, Job};
use protocol::events::{self, Event};

/// Bytes that the socket of the link takes before it would block.
const SOCKET_BYTES: usize = 64 * 1024;

/// A gateway that has just been started.
pub(super) fn new_daemon() -> Daemon {
    let values = [
        ("GATEWAY_ID", GATEWAY),
        ("GATEWAY_CP_URL", "ws://127.0.0.1:1/gateway"),
        ("GATEWAY_AUTH_TOKEN", "token"),
        ("GATEWAY_STATE_DIR", "/nonexistent/chatcode"),
    ];
    let flags = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Daemon::new(Config::load(flags, |_| None).expect("a configuration"))
}

impl World {
    pub(super) fn gateway_turn(&mut self) {
        let most = 1 + self.random.below(if self.flood { 300_000 } else { 3_000 }) as usize;
        let at = self.at();
        for &id in &self.clients {
            let session = self.tmux.sessions.get_mut(&id).expect("a session");
            if let Some(trap) = &mut self.trap
                && trap.springs(Fault::LoseTmuxByte)
            {
                // Where there is nothing to lose the trap is set again.
                trap.sprung = session.lose_output();
            }
            self.daemon.on_tmux(id, session.read(most), at);
        }
        self.daemon.tick(at);
        self.perform();
        self.gateway_sends();
    }

    pub(super) fn gateway_sends(&mut self) {
        while self.up && self.to_hub.bytes() < SOCKET_BYTES {
            let message = match self.daemon.next_message(self.at()) {
                Some(daemon::Message::Text(text)) => Message::Text(anywhere(text).into()),
                Some(daemon::Message::Binary(bytes)) => Message::Binary(bytes.into()),
                None => break,
            };
            let sent = match &mut self.trap {
                Some(trap) => trap.mangle(message),
                None => vec![message],
            };
            for message in sent {
                self.contract.said(&message);
                let size = message.len();
                self.to_hub.put(message, size, self.now);
            }
        }
        self.perform();
    }

    /// Does what the daemon wants done outside of it.
    pub(super) fn perform(&mut self) {
        loop {
            let effects = self.daemon.take_effects(self.at());
            let told = self.daemon.take_to_tmux();
            if effects.is_empty() && told.is_empty() && self.jobs.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Start(job) => self.jobs.push_back(job),
                    Effect::StartClient(id) => {
                        self.clients.insert(id);
                        self.tmux.session(id).attach();
                    }
                    Effect::WriteFile(path, data) => drop(self.tmux.files.insert(path, data)),
                    Effect::RemoveFile(path) => drop(self.tmux.files.remove(&path)),
                    other => panic!("unexpected: {other:?}"),
                }
            }
            for (id, bytes) in told {
                self.tmux.told(id, &bytes);
            }
            while let Some(job) = self.jobs.pop_front() {
                let answer = match &job {
                    Job::Survey => self.tmux.survey(GATEWAY),
                    Job::Health => "ok ".to_owned(),
                    Job::Probe(id) => format!("ok alive {id}"),
                    other => panic!("unexpected: {other:?}"),
                };
                self.daemon.on_job(job, &answer, self.at());
            }
        }
    }

    /// What is under way is lost, also half a message.
    pub(super) fn cut(&mut self) {
        if !std::mem::take(&mut self.up) {
            return;
        }
        self.trace("link", "cut");
        self.seen.cuts += 1;
        self.to_hub = Wire::new(self.speed);
        self.to_gateway = Wire::new(self.speed);
        self.daemon.on_link_down(self.at());
        self.perform();
        // Sometimes the hub hears of it only when the next connection comes.
        if self.random.one_in(3) {
            return;
        }
        self.gateway_attachment = None;
        self.hub.gateway_closed();
        self.hub_effects(None);
    }

    pub(super) fn link_up(&mut self) {
        if self.up {
            return;
        }
        self.up = true;
        if let Some(trap) = &mut self.trap {
            trap.link_cut();
        }
        self.contract.link_up();
        self.hub.gateway_connected(false);
        self.hub_effects(None);
        self.daemon.on_link_up(self.at());
        self.gateway_sends();
    }

    /// As after `kill -9`: a new process that knows what tmux remembers.
    pub(super) fn gateway_restarts(&mut self) {
        self.cut();
        self.trace("gateway", "killed");
        self.seen.restarts += 1;
        let forgets = self.trap.as_mut().is_some_and(|trap| trap.springs(Fault::ForgetBound));
        for session in self.tmux.sessions.values_mut() {
            session.detach();
            if forgets {
                session.seq_bound.clear();
            }
        }
        self.tmux.files.clear();
        self.clients.clear();
        self.jobs.clear();
        self.daemon = new_daemon();
        self.perform();
        self.link_up();
    }

    pub(super) fn client_is_detached(&mut self) {
        let id = self.some_session();
        if !self.clients.remove(&id) {
            return;
        }
        self.trace("tmux", "let go of a client");
        self.seen.clients_lost += 1;
        self.tmux.session(id).detach();
        self.daemon.on_client_closed(id);
        self.perform();
    }

    /// Nobody looks for so long that the panes are paused.
    pub(super) fn long_pause(&mut self) {
        self.cut();
        self.seen.pauses += 1;
        self.now += 61_000;
        self.gateway_turn();
        self.gateway_turn();
        self.program_prints();
        self.link_up();
    }
}

/// What a gateway says of its machine, replaced: a schedule must be the same on every machine.
fn anywhere(text: String) -> String {
    if !text.starts_with(r#"{"type":"gateway.he"#) {
        return text;
    }
    match events::decode(&text) {
        Some((id, Event::GatewayHello(mut hello))) => {
            hello.hostname.clear();
            (hello.system_info.os, hello.system_info.arch) = (String::new(), String::new());
            (hello.system_info.cpus, hello.system_info.ram_total_bytes) = (1, 1);
            hello.system_info.disk_total_bytes = 1;
            Event::from(hello).to_json(id.as_deref())
        }
        Some((id, Event::GatewayHealth(mut health))) => {
            (health.cpu_percent, health.uptime_seconds) = (0.0, 1);
            (health.ram_used_bytes, health.ram_total_bytes) = (1, 1);
            (health.disk_used_bytes, health.disk_total_bytes) = (1, 1);
            Event::from(health).to_json(id.as_deref())
        }
        _ => text,
    }
}
