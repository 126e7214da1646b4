//! Drives the link: resolve, connect, open, relay, wait, again.

use crate::config::{Config, CpUrl};
use crate::daemon::{Daemon, Message, Now};
use crate::limits::{CONNECT_MS, Ms, READ_TURN_BYTES, SLEEP_JUMP_MS};
use crate::link::connection::{Connection, Incoming};
use crate::link::policy::{Backoff, Ending, Liveness, Pulse};
use crate::link::tls;
use mio::{Interest, Registry, Token};
use rustls::ClientConfig;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What the link needs from outside.
pub enum Wish {
    /// Look up a host; the answer comes to [`Linking::resolved`].
    Resolve {
        /// Its name.
        host: String,
        /// For the answer.
        port: u16,
    },
}

enum State {
    /// Nothing until this time.
    Waiting(Ms),
    Resolving,
    /// An attempt, its deadline, and the addresses left to try.
    Connecting(Box<Connection>, Ms, Vec<SocketAddr>),
    /// A connection; hello waits until the sessions are known.
    Up(Box<Connection>, Liveness, bool),
}

/// The link.
pub struct Linking {
    url: CpUrl,
    state: State,
    backoff: Backoff,
    tls: Option<Arc<ClientConfig>>,
    wishes: Vec<Wish>,
    unregistered: bool,
    more: bool,
    /// Answers fill the outbox and the socket takes none: reading waits, and nobody is woken for it.
    held: bool,
    /// The settings have changed since a host name was asked for.
    outdated: bool,
    /// Wall clock minus monotonic clock; it jumps when the machine sleeps.
    offset: Option<i128>,
}

impl Linking {
    /// A link that connects at its first turn.
    pub fn new(config: &Config) -> Self {
        let seed = std::hash::RandomState::new().build_hasher().finish();
        Self {
            url: config.cp_url.clone(),
            state: State::Waiting(0),
            backoff: Backoff::new(seed),
            tls: None,
            wishes: Vec::new(),
            unregistered: false,
            more: true,
            held: false,
            outdated: false,
            offset: None,
        }
    }

    /// The socket is ready.
    pub fn on_ready(&mut self) {
        self.more = true;
    }

    /// Whether the socket has bytes that were not read for want of a turn.
    pub fn has_more(&self) -> bool {
        self.more && !self.held
    }

    /// Whether a message could be sent now.
    pub fn takes(&self) -> bool {
        matches!(&self.state, State::Up(connection, ..) if connection.can_send())
    }

    /// What is needed from outside.
    pub fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// When [`Linking::turn`] has something to do.
    pub fn deadline(&self) -> Option<Ms> {
        match &self.state {
            State::Waiting(until) => Some(*until),
            State::Resolving => None,
            State::Connecting(_, deadline, _) => Some(*deadline),
            State::Up(_, liveness, _) => Some(liveness.deadline()),
        }
    }

    /// Connects anew, to where and as whom the daemon's settings now say.
    pub fn relink(&mut self, daemon: &mut Daemon, now: Now) {
        self.url = daemon.config().cp_url.clone();
        self.backoff.reset();
        if matches!(self.state, State::Resolving) {
            // The answer on its way is about the old name.
            self.outdated = true;
            return;
        }
        if let State::Up(..) = self.state {
            self.close();
            daemon.on_link_down(now);
        }
        self.state = State::Waiting(now.mono);
        self.more = false;
        self.held = false;
    }

    /// Says goodbye.
    pub fn close(&mut self) {
        if let State::Up(connection, ..) = &mut self.state {
            connection.close(1001, "the gateway goes");
        }
    }

    /// Registers a new socket with the poll.
    pub fn register(&mut self, registry: &Registry, token: Token) {
        if !std::mem::take(&mut self.unregistered) {
            return;
        }
        if let State::Connecting(connection, ..) = &mut self.state
            && let Some(socket) = connection.socket()
            && let Err(error) =
                registry.register(socket, token, Interest::READABLE | Interest::WRITABLE)
        {
            crate::log!(Error, "cannot watch a socket", why = error);
        }
        self.more = true;
    }

    /// The addresses of the host, or why there are none.
    pub fn resolved(&mut self, output: &str, now: Ms) {
        if !matches!(self.state, State::Resolving) {
            return;
        }
        if std::mem::take(&mut self.outdated) {
            self.state = State::Waiting(now);
            return;
        }
        match crate::child::read_answer(output) {
            Ok(list) => {
                let addresses = list.split(' ').filter_map(|text| text.parse().ok()).collect();
                self.state = State::Waiting(now);
                self.try_next(addresses, now);
            }
            Err((_, message)) => self.ended(&Ending::Failed(message), None, now),
        }
    }

    /// Goes on as far as sockets and time allow, and hands what came to the daemon.
    pub fn turn(&mut self, daemon: &mut Daemon, now: Now) {
        let slept = self.slept(now);
        match &mut self.state {
            State::Waiting(until) if now.mono >= *until || slept => self.begin(now.mono),
            State::Connecting(_, deadline, _) if now.mono >= *deadline => {
                self.ended(&Ending::Failed("no connection within 10 s".to_owned()), None, now.mono);
            }
            State::Connecting(..) => self.connect(daemon, now),
            State::Up(..) => self.relay(daemon, now, slept),
            _ => self.more = false,
        }
    }

    fn slept(&mut self, now: Now) -> bool {
        let offset = i128::from(now.wall) - i128::from(now.mono);
        let jumped = self.offset.is_some_and(|before| offset - before > i128::from(SLEEP_JUMP_MS));
        self.offset = Some(offset);
        jumped
    }

    fn begin(&mut self, now: Ms) {
        if self.url.secure && self.tls.is_none() {
            match tls::client_config() {
                Ok(config) => self.tls = Some(config),
                Err(why) => return self.ended(&Ending::Failed(why), None, now),
            }
        }
        let CpUrl { host, port, .. } = &self.url;
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = SocketAddr::new(address, *port);
            return self.try_next(vec![address], now);
        }
        self.wishes.push(Wish::Resolve { host: host.clone(), port: *port });
        self.state = State::Resolving;
        self.more = false;
    }

    fn try_next(&mut self, mut addresses: Vec<SocketAddr>, now: Ms) {
        if addresses.is_empty() {
            let why = format!("{} has no address", self.url.host);
            return self.ended(&Ending::Failed(why), None, now);
        }
        let address = addresses.remove(0);
        match Connection::start(address, self.url.clone(), self.tls.clone()) {
            Ok(connection) => {
                self.state = State::Connecting(Box::new(connection), now + CONNECT_MS, addresses);
                self.unregistered = true;
            }
            Err(ending) => self.ended(&ending, None, now),
        }
    }

    fn connect(&mut self, daemon: &mut Daemon, now: Now) {
        let State::Connecting(connection, ..) = &mut self.state else { return };
        connection.set_bearer(daemon.config().bearer());
        self.more = false;
        match connection.receive() {
            Ok(Incoming::Opened) => {
                let waiting = State::Waiting(now.mono);
                if let State::Connecting(connection, ..) =
                    std::mem::replace(&mut self.state, waiting)
                {
                    crate::log!(Info, "linked to the control plane", host = self.url.host);
                    self.state = State::Up(connection, Liveness::new(now.mono), false);
                    self.more = true;
                }
            }
            Ok(_) => {}
            Err(Ending::Failed(why)) => {
                let waiting = State::Waiting(now.mono);
                match std::mem::replace(&mut self.state, waiting) {
                    State::Connecting(_, _, rest) if !rest.is_empty() => {
                        crate::log!(Debug, "trying the next address", why = why);
                        self.try_next(rest, now.mono);
                    }
                    _ => self.ended(&Ending::Failed(why), None, now.mono),
                }
            }
            Err(ending) => self.ended(&ending, None, now.mono),
        }
    }

    fn relay(&mut self, daemon: &mut Daemon, now: Now, slept: bool) {
        if let Err(ending) = self.receive(daemon, now, slept) {
            daemon.on_link_down(now);
            let state = std::mem::replace(&mut self.state, State::Waiting(now.mono));
            let State::Up(_, liveness, _) = state else { return };
            self.ended(&ending, Some(liveness), now.mono);
        }
    }

    fn receive(&mut self, daemon: &mut Daemon, now: Now, slept: bool) -> Result<(), Ending> {
        let State::Up(connection, liveness, greeted) = &mut self.state else { return Ok(()) };
        if !*greeted && daemon.is_ready() {
            *greeted = true;
            daemon.on_link_up(now);
        }
        if slept {
            liveness.doubt(now.mono);
        }
        connection.flush()?;
        let mut left = READ_TURN_BYTES;
        // Commands are not read while their answers cannot be kept: the peer's TCP waits.
        while self.more && left > 0 && daemon.accepts_commands() {
            match connection.receive()? {
                Incoming::Text(text) => {
                    daemon.heard();
                    left = left.saturating_sub(text.len().max(64));
                    if text == protocol::PING {
                        connection.send(Message::Text(protocol::PONG.to_owned()))?;
                    } else if text != protocol::PONG {
                        daemon.on_text(&text, now);
                    }
                }
                Incoming::Binary(bytes) => {
                    left = left.saturating_sub(bytes.len().max(64));
                    daemon.on_binary(&bytes, now);
                }
                Incoming::Opened => {}
                Incoming::Nothing => self.more = false,
            }
        }
        if connection.take_received() {
            liveness.received(now.mono);
        }
        liveness.acked(daemon.take_acked());
        match liveness.check(now.mono) {
            Pulse::Fine => Ok(()),
            Pulse::Ask => connection.send(Message::Text(protocol::PING.to_owned())),
            Pulse::Dead => Err(Ending::Failed("no answer from the control plane".to_owned())),
        }
    }

    /// Sends what the daemon has, as far as the socket takes it.
    pub fn send(&mut self, daemon: &mut Daemon, now: Now) {
        let State::Up(connection, _, true) = &mut self.state else { return };
        let mut outcome = Ok(());
        while outcome.is_ok() && connection.can_send() {
            let Some(message) = daemon.next_message(now) else { break };
            outcome = connection.send(message);
        }
        self.held = !daemon.accepts_commands();
        if let Err(ending) = outcome.and_then(|()| connection.flush()) {
            daemon.on_link_down(now);
            let state = std::mem::replace(&mut self.state, State::Waiting(now.mono));
            let State::Up(_, liveness, _) = state else { return };
            self.ended(&ending, Some(liveness), now.mono);
        }
    }

    fn ended(&mut self, ending: &Ending, liveness: Option<Liveness>, now: Ms) {
        if liveness.is_some_and(|liveness| liveness.was_good(now)) {
            self.backoff.reset();
        }
        let delay = self.backoff.delay(ending);
        crate::log!(Warn, "not linked", why = ending, retry_in_ms = delay);
        self.state = State::Waiting(now + delay);
        self.more = false;
        self.held = false;
    }
}
