//! Children that do what may block, and what their answers mean.

use super::turns::Work;
use super::{Daemon, Effect, Now, services};
use crate::child::{create::marker, exit_path, read_answer};
use crate::limits::{CHILD_MS, Ms, PROBE_AGAIN_MS};
use crate::session::{Place, Remembered, Session, ack};
use crate::tmux::parser::id;
use crate::tmux::server::{Found, read_workdir};
use crate::tmux::version::Version;
use crate::words::words;
use protocol::envelope::codes;
use protocol::events::{Event, SessionEnded, SessionStarted};
use std::path::PathBuf;

/// A child's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Which tmux and which sessions are there?
    Survey,
    /// Create a session.
    Create {
        /// The session.
        session_id: u32,
        /// The command's text.
        request: Vec<u8>,
        /// The version of tmux.
        version: Version,
        /// Whether an agent is started in it.
        agent: bool,
    },
    /// End a session with all its processes.
    End(u32),
    /// Hang up what a vanished session left.
    HangUp(u32),
    /// Why did a session's client go away?
    Probe(u32),
    /// Measure what health tells of the sessions.
    Health,
    /// Carry out a command.
    Service(services::Request),
    /// Fetch and install a new version, as the command's text says.
    Update {
        /// The command's text.
        request: Vec<u8>,
        /// Milliseconds that it may take.
        patience: Ms,
    },
}

/// A session on its way out.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Who asked on this connection.
    pub(super) requests: Vec<String>,
    processes_gone: bool,
    end: Option<SessionEnded>,
}

impl Job {
    /// What the child reads on standard input.
    pub fn request(&self) -> &[u8] {
        match self {
            Self::Create { request, .. } => request,
            Self::Service(request) => &request.text,
            Self::Update { request, .. } => request,
            _ => &[],
        }
    }

    /// Milliseconds after which the child is killed with all that it started.
    pub fn patience(&self) -> Ms {
        match self {
            Self::Service(request) => request.service.deadline,
            Self::Update { patience, .. } => *patience,
            _ => CHILD_MS,
        }
    }
}

impl Daemon {
    /// The hidden subcommand of a job and its arguments.
    pub fn job_arguments(&self, job: &Job) -> Vec<String> {
        let config = &self.config;
        let (socket, gateway) = (&*config.tmux_socket, &*config.gateway_id);
        let workspace = &*config.workspace.to_string_lossy();
        let state = &*config.state_dir.to_string_lossy();
        match job {
            Job::Survey => words(&["_survey", socket]),
            Job::Create { version, .. } => {
                let memory = config.session_memory.map(|megabytes| megabytes.to_string());
                let (version, memory) = (version.to_string(), memory.unwrap_or_default());
                words(&["_create", socket, workspace, state, gateway, &version, &memory])
            }
            Job::End(id) => words(&["_end", socket, &id.to_string(), gateway, &self.marker(*id)]),
            Job::HangUp(id) => words(&["_hangup", &self.marker(*id)]),
            Job::Probe(id) => {
                let exit = exit_path(&config.state_dir, *id);
                words(&["_probe", socket, &id.to_string(), gateway, &exit.to_string_lossy()])
            }
            Job::Update { .. } => {
                let mut line = words(&["_update", state, &config.update.download.to_string()]);
                // The new version must take the arguments of this one.
                line.extend(std::env::args().skip(2));
                line
            }
            Job::Health => words(&["_health", state, gateway]),
            Job::Service(request) => words(&[request.service.child, state, workspace]),
        }
    }

    fn marker(&self, session_id: u32) -> String {
        marker(&self.config.state_dir, &self.config.gateway_id, session_id)
    }

    /// A child has ended; `output` is what it printed.
    pub fn on_job(&mut self, job: Job, output: &str, now: Now) {
        let answer = read_answer(output);
        match &job {
            Job::Create { session_id, .. } => self.turns.done(Work::Create(*session_id)),
            Job::End(session_id) => self.turns.done(Work::End(*session_id)),
            _ => {}
        }
        match job {
            Job::Survey => self.surveyed(answer, now),
            Job::Create { session_id, agent, .. } => self.created(session_id, agent, answer, now),
            Job::End(session_id) => self.processes_ended(session_id, answer),
            Job::HangUp(_) => {}
            Job::Probe(session_id) => self.probed(session_id, answer, now),
            Job::Health => self.measured(answer.ok(), now),
            Job::Service(request) => self.served(&request, answer),
            Job::Update { .. } => self.installed(answer),
        }
        self.collect();
    }

    fn surveyed(&mut self, answer: Result<&str, (String, String)>, now: Now) {
        let list = match answer {
            Ok(list) => list,
            // Nothing is known of the sessions, and hello must not say that there are none.
            Err((code, message)) if code == codes::TIMED_OUT => {
                crate::log!(Error, "tmux does not answer; asking again", why = message);
                self.again.push((now.mono + PROBE_AGAIN_MS, Job::Survey));
                return;
            }
            Err((_, message)) => {
                self.surveyed = true;
                crate::log!(Error, "sessions are not available", why = message);
                return;
            }
        };
        self.surveyed = true;
        let mut lines = list.lines();
        self.tmux = lines.next().and_then(|version| Version::read(&format!("tmux {version}")));
        let gateway_id = self.config.gateway_id.clone();
        for found in lines.filter_map(|line| Found::read(line, &gateway_id)) {
            crate::log!(Info, "found a session", session = found.session_id);
            self.adopt(found.session_id, found.place, &found.remembered, now);
        }
        self.notice_past_ends();
    }

    fn adopt(&mut self, id: u32, place: Place, remembered: &Remembered, now: Now) {
        let Some(can) = self.tmux.map(Version::capabilities) else { return };
        let folder = self.config.state_dir.clone();
        let session = Session::new(id, place, can, folder, remembered, now.mono);
        self.sessions.insert(id, session);
        self.effects.push(Effect::StartClient(id));
    }

    /// Sessions that have a record but are gone ended while no gateway ran.
    fn notice_past_ends(&mut self) {
        let folder = self.config.state_dir.join("sessions");
        let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let recorded = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for session_id in recorded.filter(|id| !self.sessions.contains_key(id)) {
            let exit: PathBuf = exit_path(&self.config.state_dir, session_id);
            let end = crate::child::exit_words(&exit).and_then(|words| exited(session_id, &words));
            if end.is_none() {
                self.effects.push(Effect::Start(Job::HangUp(session_id)));
            }
            self.past_ends.push(end.unwrap_or_else(|| ended(session_id, "lost")));
        }
    }

    fn created(&mut self, id: u32, agent: bool, answer: Result<&str, (String, String)>, now: Now) {
        let request_id = self.creating.remove(&id).flatten();
        let started = answer.and_then(|line| {
            read_started(line).ok_or_else(|| {
                (codes::TMUX_FAILED.to_owned(), format!("tmux answered strangely: {line}"))
            })
        });
        let (place, pid, workdir) = match started {
            Ok(started) => started,
            Err((code, message)) => {
                crate::log!(Warn, "a session could not be created", session = id, why = message);
                if let Some(request_id) = request_id {
                    self.fail(&request_id, &code, &message);
                }
                return;
            }
        };
        let remembered = Remembered { agent, workdir, ..Remembered::default() };
        self.adopt(id, place, &remembered, now);
        let started = Event::from(SessionStarted { session_id: id, pid });
        self.send(started.to_json(request_id.as_deref()));
        if let Some(request_id) = request_id {
            self.send(ack(&request_id));
        }
    }

    /// The child that ends a session has done its part.
    fn processes_ended(&mut self, session_id: u32, answer: Result<&str, (String, String)>) {
        let Some(ending) = self.ending.get_mut(&session_id) else { return };
        if let Err((code, message)) = answer {
            for request_id in std::mem::take(&mut ending.requests) {
                self.fail(&request_id, &code, &message);
            }
            self.ending.remove(&session_id);
            return;
        }
        ending.processes_gone = true;
        self.finish_ending(session_id);
    }

    fn probed(&mut self, id: u32, answer: Result<&str, (String, String)>, now: Now) {
        let answer = match answer {
            Ok(answer) => answer,
            // A machine that is too busy to answer has not lost its sessions.
            Err((_, why)) => {
                crate::log!(Warn, "tmux does not answer; asking again", session = id, why = why);
                return self.again.push((now.mono + PROBE_AGAIN_MS, Job::Probe(id)));
            }
        };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let alive = answer.strip_prefix("alive ").map(str::parse);
        if let Some(Ok(place)) = alive {
            crate::log!(Info, "the tmux client was detached; attaching again", session = id);
            session.client_started(place);
            return self.effects.push(Effect::StartClient(id));
        }
        let end = match answer {
            "gone" if !session.saw_exit() => ended(id, "lost"),
            answer => {
                let words = answer.strip_prefix("exited ");
                words.and_then(|it| exited(id, it)).unwrap_or_else(|| ended(id, "killed"))
            }
        };
        if let Some(ending) = self.ending.get_mut(&id) {
            ending.end = Some(SessionEnded { reason: "ended".to_owned(), ..end });
            self.finish_ending(id);
        } else {
            if end.reason != "exited" {
                self.effects.push(Effect::Start(Job::HangUp(id)));
            }
            session.end(end, &[]);
        }
    }

    /// An end that was asked for is told once tmux and all the processes have let go.
    fn finish_ending(&mut self, session_id: u32) {
        let complete = |ending: &Ending| ending.processes_gone && ending.end.is_some();
        if !self.ending.get(&session_id).is_some_and(complete) {
            return;
        }
        if let Some(Ending { requests, end: Some(end), .. }) = self.ending.remove(&session_id)
            && let Some(session) = self.sessions.get_mut(&session_id)
        {
            session.end(end, &requests);
        }
    }
}

/// Signals by which a program dies without meaning to. A shell reports them as 128 and more; it
/// also reports Ctrl-C of its last command so, which is no reason to call it killed.
const DEADLY_SIGNALS: [i32; 8] = [1, 4, 6, 7, 8, 9, 11, 15];

/// What the wrapper's words say: `0`, or `137 out_of_memory`.
fn exited(session_id: u32, words: &str) -> Option<SessionEnded> {
    let (code, reason) = words.split_once(' ').unwrap_or((words, "killed"));
    let code = code.parse::<u8>().ok()?;
    let signal = code.checked_sub(128).map(i32::from).filter(|it| DEADLY_SIGNALS.contains(it));
    Some(match signal {
        Some(_) if reason == "out_of_memory" => {
            SessionEnded { signal, ..ended(session_id, "out_of_memory") }
        }
        Some(_) => SessionEnded { signal, ..ended(session_id, "killed") },
        None => SessionEnded { exit_code: Some(i32::from(code)), ..ended(session_id, "exited") },
    })
}

fn ended(session_id: u32, reason: &str) -> SessionEnded {
    SessionEnded { session_id, exit_code: None, signal: None, reason: reason.to_owned() }
}

/// `$3 @2 %5 1234 80 24 2f77`: the last is the workdir in hex.
fn read_started(line: &str) -> Option<(Place, u32, Option<PathBuf>)> {
    let mut words = line.split(' ');
    let session = id(words.next()?.as_bytes(), b'$')?;
    let window = id(words.next()?.as_bytes(), b'@')?;
    let pane = id(words.next()?.as_bytes(), b'%')?;
    let pid = words.next()?.parse().ok()?;
    let mut size = || words.next()?.parse().ok();
    let (cols, rows) = (size()?, size()?);
    let window_size = (cols, rows);
    let workdir = words.next().and_then(read_workdir);
    Some((Place { session, window, pane, cols, rows, window_size }, pid, workdir))
}
