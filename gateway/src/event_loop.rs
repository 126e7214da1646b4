//! The only poll: sockets, pipes, children, signals and timers. It has no policy of its own.

mod clients;
mod jobs;
mod linking;
mod reloading;
mod transfers;
mod updating;

use crate::config::{Config, Values};
use crate::daemon::{Daemon, Effect, Now};
use crate::limits::{Ms, READ_BYTES};
use crate::notify::Inbox;
use crate::private_files::{make_private_folder, write_private};
use crate::service::notify::Notifier;
use clients::Clients;
use jobs::Jobs;
use linking::Linking;
use mio::{Events, Interest, Poll, Registry, Token};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use transfers::Transfers;
use updating::Updating;

const SIGNAL: Token = Token(0);
const CHILD_SIGNAL: Token = Token(1);
const LINK: Token = Token(2);
const NOTICE: Token = Token(3);
const RELOAD: Token = Token(4);
/// Tokens of clients and jobs are made from a counter that begins here.
const FIRST_DYNAMIC: usize = 16;

/// Events taken from one poll.
const EVENTS: usize = 256;

/// Runs until a signal ends it. Sessions go on. `flags` are the settings of the command line, for
/// when the others are read again.
///
/// # Errors
/// When the poll itself cannot be made or used.
pub fn run(config: Config, flags: Values) -> io::Result<()> {
    let (updating, start) = updating::start(&config)?;
    let mut event_loop = EventLoop::new(config, flags, updating)?;
    event_loop.daemon.started(start);
    event_loop.run()
}

/// Gives out tokens that were never used before, so that a late event finds nobody.
struct Tokens(usize);

impl Tokens {
    fn next(&mut self) -> Token {
        self.0 += 1;
        Token(self.0)
    }
}

/// Time for everybody.
struct Clock {
    start: Instant,
}

impl Clock {
    fn now(&self) -> Now {
        let mono = Ms::try_from(self.start.elapsed().as_millis()).unwrap_or(Ms::MAX);
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { mono, wall: u64::try_from(wall.as_millis()).unwrap_or(0) }
    }
}

struct EventLoop {
    poll: Poll,
    clock: Clock,
    daemon: Daemon,
    clients: Clients,
    jobs: Jobs,
    transfers: Transfers,
    link: Linking,
    notices: Option<Inbox>,
    signal: mio::net::UnixStream,
    child_signal: mio::net::UnixStream,
    reload_signal: mio::net::UnixStream,
    service: Notifier,
    flags: Values,
    buffer: Vec<u8>,
    tokens: Tokens,
    stopping: bool,
    updating: Updating,
}

impl EventLoop {
    fn new(config: Config, flags: Values, updating: Updating) -> io::Result<Self> {
        make_private_folder(&config.state_dir.join("sessions"))?;
        let poll = Poll::new()?;
        // A terminal that is closed ends what runs in it; elsewhere its signal is a request.
        let (stop, reload): (&[i32], &[i32]) = match io::stdin().is_terminal() {
            true => (&[SIGTERM, SIGINT, SIGHUP], &[]),
            false => (&[SIGTERM, SIGINT], &[SIGHUP]),
        };
        let signal = signal_pipe(poll.registry(), SIGNAL, stop)?;
        let reload_signal = signal_pipe(poll.registry(), RELOAD, reload)?;
        let child_signal = signal_pipe(poll.registry(), CHILD_SIGNAL, &[SIGCHLD])?;
        crate::log!(
            Info,
            "gateway starts",
            version = config.identity.version,
            gateway = config.gateway_id,
            control_plane = config.cp_url.full
        );
        let link = Linking::new(&config);
        let notices = Inbox::open(&config.state_dir, poll.registry(), NOTICE);
        if let Err(error) = &notices {
            crate::log!(Warn, "chatcode-gateway notify will not work", why = error);
        }
        Ok(Self {
            poll,
            clock: Clock { start: Instant::now() },
            clients: Clients::new(config.tmux_socket.clone()),
            daemon: Daemon::new(config),
            jobs: Jobs::default(),
            transfers: Transfers::default(),
            link,
            notices: notices.ok(),
            signal,
            child_signal,
            reload_signal,
            service: Notifier::from_environment(),
            flags,
            buffer: vec![0; READ_BYTES],
            tokens: Tokens(FIRST_DYNAMIC),
            stopping: false,
            updating,
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        self.perform();
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            for event in &events {
                self.on_ready(event.token());
            }
            self.turn();
            if self.stopping {
                crate::log!(Info, "gateway stops; sessions go on");
                self.service.stopping();
                self.link.close();
                return Ok(());
            }
        }
    }

    fn on_ready(&mut self, token: Token) {
        match token {
            SIGNAL => self.stopping = drain(&mut self.signal),
            CHILD_SIGNAL => {
                drain(&mut self.child_signal);
                self.clients.reap();
                self.jobs.reap();
                self.transfers.reap();
            }
            RELOAD if drain(&mut self.reload_signal) => self.reload(),
            RELOAD => {}
            LINK => self.link.on_ready(),
            NOTICE => self.notices.iter_mut().for_each(Inbox::on_ready),
            token => {
                self.clients.on_ready(token);
                self.jobs.on_ready(token);
                self.transfers.on_ready(token);
            }
        }
    }

    /// Gives everybody one bounded turn.
    fn turn(&mut self) {
        let now = self.clock.now();
        self.clients.read(&mut self.buffer, |session_id, read| match read {
            clients::Read::Bytes(bytes) => self.daemon.on_tmux(session_id, bytes, now),
            clients::Read::Closed => self.daemon.on_client_closed(session_id),
        });
        for (work, output) in self.jobs.finished(&mut self.buffer, now.mono, |work, event| {
            if let jobs::Work::Daemon(job) = work {
                self.daemon.on_job_event(job, event);
            }
        }) {
            match work {
                jobs::Work::Daemon(job) => self.daemon.on_job(job, &output, now),
                jobs::Work::Resolve => self.link.resolved(&output, now.mono),
            }
        }
        self.transfers.read(&mut self.buffer, &mut self.daemon, now);
        if let Some(inbox) = &mut self.notices {
            inbox.read(|notice| self.daemon.on_notice(notice, now));
        }
        self.link.turn(&mut self.daemon, now);
        self.daemon.tick(now);
        self.perform();
        self.link.send(&mut self.daemon, now);
        self.perform();
        self.report(now.mono);
    }

    /// Carries out what the machines want done.
    fn perform(&mut self) {
        let now = self.clock.now();
        let (registry, tokens) = (self.poll.registry(), &mut self.tokens);
        let mut back = None;
        for effect in self.daemon.take_effects(now) {
            match effect {
                Effect::Start(job) => {
                    let arguments = self.daemon.job_arguments(&job);
                    let request = job.request().to_vec();
                    let work = jobs::Work::Daemon(job);
                    self.jobs.start(work, &arguments, &request, registry, tokens, now.mono);
                }
                Effect::StartClient(session_id) => {
                    let Some(target) = self.daemon.tmux_session(session_id) else { continue };
                    if let Err(error) = self.clients.start(session_id, target, registry, tokens) {
                        crate::log!(Error, "cannot start a tmux client", why = error);
                        self.daemon.on_client_closed(session_id);
                    }
                }
                Effect::WriteFile(path, data) => {
                    // tmux reports the missing file, and that report reaches who asked.
                    if let Err(error) = write_private(&path, &data) {
                        crate::log!(Error, "cannot write", path = path.display(), why = error);
                    }
                }
                Effect::RemoveFile(path) => remove(&path),
                Effect::Transfer(effect) => self.transfers.perform(effect, registry, tokens),
                Effect::Become(path) => self.updating.become_soon(path, now),
                Effect::GoBack(record, why) => back = Some((record, why)),
            }
        }
        for (session_id, bytes) in self.daemon.take_to_tmux() {
            self.clients.write(session_id, &bytes);
        }
        for wish in self.link.take_wishes() {
            let linking::Wish::Resolve { host, port } = wish;
            let arguments = ["_resolve".to_owned(), host, port.to_string()];
            self.jobs.start(jobs::Work::Resolve, &arguments, &[], registry, tokens, now.mono);
        }
        self.link.register(registry, LINK);
        if let Some((record, why)) = back {
            self.go_back(record, &why);
        }
        self.become_now(now);
    }

    fn timeout(&self) -> Option<Duration> {
        let notices = self.notices.as_ref().is_some_and(Inbox::has_more);
        let children = self.jobs.has_more() || self.transfers.has_more(&self.daemon);
        if notices || children || self.clients.has_more() || self.link.has_more() {
            return Some(Duration::ZERO);
        }
        let now = self.clock.now().mono;
        let daemon = self.daemon.deadline(self.link.takes());
        let service = self.service.deadline();
        let updating = self.updating.deadline();
        let deadlines = [daemon, self.link.deadline(), self.jobs.deadline(), service, updating];
        let next = deadlines.into_iter().flatten().min()?;
        // One millisecond more than needed: the clock counts whole ones.
        Some(Duration::from_millis(next.saturating_sub(now).max(1)))
    }
}

/// Signals as bytes on a socket, so that the poll is the only place that waits.
fn signal_pipe(
    registry: &Registry,
    token: Token,
    signals: &[i32],
) -> io::Result<mio::net::UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    let mut reader = mio::net::UnixStream::from_std(reader);
    registry.register(&mut reader, token, Interest::READABLE)?;
    Ok(reader)
}

/// Empties a signal socket; returns whether there was anything.
fn drain(socket: &mut mio::net::UnixStream) -> bool {
    let mut any = false;
    let mut bytes = [0; 64];
    while matches!(socket.read(&mut bytes), Ok(count) if count > 0) {
        any = true;
    }
    any
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        crate::log!(Warn, "cannot remove", path = path.display(), why = error);
    }
}
