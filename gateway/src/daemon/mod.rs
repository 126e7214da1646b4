//! The gateway as one state machine: link, jobs and terminals in; messages and effects out.

mod commands;
mod installs;
mod jobs;
mod services;
mod status;
mod transfers;
mod turns;
mod updating;

use crate::child::health::Measured;
use crate::config::Config;
use crate::files::{self, Transfers};
use crate::limits::{FRAMES_PER_TURN, Ms, OUTBOX_MESSAGES};
use crate::session::stream::Out;
use crate::session::{self, Session, nack};
use crate::small_map::SmallMap;
use crate::tmux::version::Version;
use crate::update::attempt::Record;
use protocol::events::{Event, SessionEnded};
use std::collections::VecDeque;
use std::path::PathBuf;

pub use jobs::Job;
use turns::Work;

/// A moment: monotonic for deadlines, wall for people.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Milliseconds since the process started.
    pub mono: Ms,
    /// Milliseconds since the Unix epoch.
    pub wall: u64,
}

/// A message for the control plane.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
}

/// What the shell is to do.
#[derive(Debug)]
pub enum Effect {
    /// Start a child; its answer comes to [`Daemon::on_job`].
    Start(Job),
    /// Start the control client of a session.
    StartClient(u32),
    /// Write a private file.
    WriteFile(PathBuf, Vec<u8>),
    /// Remove a file.
    RemoveFile(PathBuf),
    /// Do something to the child of a transfer.
    Transfer(files::Effect),
    /// Become the program of this file; if that fails, [`Daemon::not_become`].
    Become(PathBuf),
    /// Give the version before this one its name back and become it; why.
    GoBack(Record, String),
}

/// The daemon. See the module's sentence.
#[derive(Debug)]
pub struct Daemon {
    config: Config,
    tmux: Option<Version>,
    surveyed: bool,
    sessions: SmallMap<u32, Session>,
    /// Sessions that a child is creating, and who asked on this connection.
    creating: SmallMap<u32, Option<String>>,
    /// Sessions that a child is ending.
    ending: SmallMap<u32, jobs::Ending>,
    /// Ends of sessions from before this process, to be told after the first hello.
    past_ends: Vec<SessionEnded>,
    outbox: VecDeque<String>,
    effects: Vec<Effect>,
    /// Jobs that failed and are tried again, and when.
    again: Vec<(Ms, Job)>,
    turns: turns::Turns,
    linked: bool,
    /// Counts connections, so that an answer finds only who asked.
    connection: u64,
    /// Children that carry out commands.
    services: usize,
    transfers: Transfers,
    installs: installs::Installs,
    /// Whose turn it is, and how many messages it had.
    turn: (u32, usize),
    status: status::Status,
    dropped: u64,
    /// When a session that is not here was last complained about.
    strangers: SmallMap<u32, Ms>,
    updating: updating::Updating,
}

impl Daemon {
    /// A daemon that has yet to find out what there is: the first effect asks tmux.
    pub fn new(config: Config) -> Self {
        Self {
            effects: vec![Effect::Start(Job::Survey)],
            status: status::Status::new(config.health_seconds),
            config,
            tmux: None,
            surveyed: false,
            sessions: SmallMap::default(),
            creating: SmallMap::default(),
            ending: SmallMap::default(),
            past_ends: Vec::new(),
            outbox: VecDeque::new(),
            again: Vec::new(),
            turns: turns::Turns::default(),
            linked: false,
            connection: 0,
            services: 0,
            transfers: Transfers::default(),
            installs: installs::Installs::default(),
            turn: (0, 0),
            dropped: 0,
            strangers: SmallMap::default(),
            updating: updating::Updating::default(),
        }
    }

    /// The configuration, with the token that enrolment may have brought.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Other settings, as [`Config::replacing`] made them.
    pub fn reconfigure(&mut self, config: Config) {
        self.status.set_interval(config.health_seconds);
        self.config = config;
    }

    /// Whether the sessions are known, so that hello can be said.
    pub fn is_ready(&self) -> bool {
        self.surveyed
    }

    /// A session, if there is one.
    pub fn session(&mut self, session_id: u32) -> Option<&mut Session> {
        self.sessions.get_mut(&session_id)
    }

    /// A connection stands: hello goes first, then what ended while nobody listened.
    pub fn on_link_up(&mut self, now: Now) {
        self.linked = true;
        self.connection += 1;
        self.outbox.clear();
        let hello = self.hello();
        self.outbox.push_back(Event::from(hello).to_json(None));
        for ended in std::mem::take(&mut self.past_ends) {
            self.forget(ended.session_id);
            self.outbox.push_back(Event::from(ended).to_json(None));
        }
        self.tell_installs();
        self.update_linked(now);
        self.send_health(&Measured::default(), now);
        self.collect();
    }

    /// The connection is gone, and with it every command that was not answered.
    pub fn on_link_down(&mut self, now: Now) {
        self.linked = false;
        self.outbox.clear();
        self.status.watched = false;
        self.update_unlinked();
        self.creating.values_mut().for_each(|request| *request = None);
        self.ending.values_mut().for_each(|ending| ending.requests.clear());
        for session in self.sessions.values_mut() {
            session.link_lost(now.mono);
        }
        self.transfers.link_lost(now.mono);
        self.collect_transfers();
        self.collect();
    }

    /// Whether the outbox has room for what further commands would cause.
    pub fn accepts_commands(&self) -> bool {
        self.outbox.len() < OUTBOX_MESSAGES
    }

    /// Bytes of a session's control client.
    pub fn on_tmux(&mut self, session_id: u32, bytes: &[u8], now: Now) {
        if let Some(session) = self.sessions.get_mut(&session_id) {
            session.on_tmux(bytes, now.mono);
            if session.has_client() {
                self.turns.done(Work::Attach(session_id));
            }
            self.collect_from(session_id);
        }
    }

    /// `chatcode-gateway notify` was run in a session. What is no notice of ours is dropped.
    pub fn on_notice(&mut self, notice: &[u8], now: Now) {
        let Some((session_id, title)) = crate::notify::read(notice) else { return };
        if let Some(session) = self.sessions.get_mut(&session_id).filter(|one| !one.is_ended()) {
            session.notify(title, now.mono);
        }
    }

    /// The number under which tmux knows a session.
    pub fn tmux_session(&self, session_id: u32) -> Option<u32> {
        self.sessions.get(&session_id).map(|session| session.place().session)
    }

    /// A session's control client is gone; a child finds out why.
    pub fn on_client_closed(&mut self, session_id: u32) {
        self.turns.done(Work::Attach(session_id));
        if let Some(session) = self.sessions.get_mut(&session_id).filter(|s| !s.is_ended()) {
            session.client_lost();
            self.effects.push(Effect::Start(Job::Probe(session_id)));
            self.collect_from(session_id);
        }
    }

    /// The next message to send: acks and events without a place first, then the terminals in turn,
    /// then files.
    pub fn next_message(&mut self, now: Now) -> Option<Message> {
        if !self.linked {
            return None;
        }
        if let Some(text) = self.outbox.pop_front() {
            return Some(Message::Text(text));
        }
        let Some(out) = self.next_out(now.mono) else {
            return self.transfers.next_message(now.mono);
        };
        Some(match out {
            Out::Frame(frame) => Message::Binary(frame),
            Out::Text(text) | Out::Answer(_, text) => Message::Text(text),
        })
    }

    /// The terminals in turn: one keeps its turn for a few frames, then the others are asked first.
    fn next_out(&mut self, now: Ms) -> Option<Out> {
        let (holder, frames) = self.turn;
        let first = if frames < FRAMES_PER_TURN { holder } else { holder.wrapping_add(1) };
        let ask = |(id, session): (&u32, &mut Session)| Some((*id, session.next_out(now)?));
        let (id, out) = self.sessions.iter_mut_from(&first).find_map(ask)?;
        let goes_on = id == holder && frames < FRAMES_PER_TURN;
        self.turn = (id, if goes_on { frames + 1 } else { 1 });
        if self.sessions.get(&id).is_some_and(Session::is_finished) {
            self.sessions.remove(&id);
            self.forget(id);
        }
        Some(out)
    }

    /// Bytes that viewers acknowledged since this was last asked, over all sessions.
    pub fn take_acked(&mut self) -> u64 {
        self.sessions.values_mut().map(Session::take_acked).sum()
    }

    /// When [`Daemon::tick`] has something to do.
    pub fn deadline(&self, link_takes: bool) -> Option<Ms> {
        let sessions = self.sessions.values().filter_map(|one| one.deadline(link_takes)).min();
        let again = self.again.iter().map(|(at, _)| *at).min();
        let transfers = self.transfers.deadline(link_takes);
        let (health, update) = (self.health_deadline(), self.update_deadline());
        let others = [again, health, self.turns.deadline(), transfers, update];
        others.into_iter().chain([sessions]).flatten().min()
    }

    /// Does what time has come for.
    pub fn tick(&mut self, now: Now) {
        for session in self.sessions.values_mut() {
            session.tick(now.mono);
        }
        self.collect();
        self.turns.tick(now.mono);
        let due = |(at, _): &mut (Ms, Job)| now.mono >= *at;
        let jobs = self.again.extract_if(.., due).map(|(_, job)| Effect::Start(job));
        self.effects.extend(jobs);
        self.transfers.tick(now.mono);
        self.collect_transfers();
        self.update_tick(now);
        if self.health_deadline().is_some_and(|at| now.mono >= at) {
            self.begin_health(now);
        }
    }

    /// What the shell is to do, in order; what touches the tmux server waits for its turn.
    pub fn take_effects(&mut self, now: Now) -> Vec<Effect> {
        let wanted = std::mem::take(&mut self.effects);
        let mut effects: Vec<Effect> =
            wanted.into_iter().filter_map(|effect| self.turns.queue(effect)).collect();
        effects.extend(std::iter::from_fn(|| self.turns.next(now.mono)));
        effects
    }

    /// What each session's control client is to be told; files are written before.
    pub fn take_to_tmux(&mut self) -> Vec<(u32, Vec<u8>)> {
        let told = self.sessions.iter_mut().map(|(id, session)| (*id, session.take_to_tmux()));
        told.filter(|(_, bytes)| !bytes.is_empty()).collect()
    }

    fn collect(&mut self) {
        let ids: Vec<u32> = self.sessions.iter().map(|(id, _)| *id).collect();
        for session_id in ids {
            self.collect_from(session_id);
        }
    }

    /// Takes over what a session wants done.
    fn collect_from(&mut self, session_id: u32) {
        let Some(session) = self.sessions.get_mut(&session_id) else { return };
        let effects = session.take_effects();
        // Without a link it is kept until there is one.
        if let Some(attention) = self.linked.then(|| session.take_attention()).flatten() {
            self.send(attention.to_json(None));
        }
        for effect in effects {
            match effect {
                session::Effect::Send(text) => self.send(text),
                session::Effect::WritePaste(path, data) => {
                    self.effects.push(Effect::WriteFile(path, data));
                }
                session::Effect::RemovePaste(path) => self.effects.push(Effect::RemoveFile(path)),
            }
        }
    }

    fn send(&mut self, text: String) {
        if self.linked {
            self.outbox.push_back(text);
        }
    }

    fn fail(&mut self, request_id: &str, code: &str, message: &str) {
        self.send(nack(request_id, code, message));
    }

    /// Removes what the state folder keeps of a session.
    fn forget(&mut self, session_id: u32) {
        let state = &self.config.state_dir;
        let paths = [
            crate::child::record_path(state, session_id),
            crate::child::exit_path(state, session_id),
        ];
        self.effects.extend(paths.map(Effect::RemoveFile));
    }
}
