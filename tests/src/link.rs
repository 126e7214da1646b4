//! One gateway's connection, as a test drives it: sends commands, checks and sorts what comes.

use crate::PATIENCE;
use crate::connection::{Connection, Order, Received};
use crate::mock_cp::Handshake;
use crate::stream::Stream;
use protocol::commands::{
    Command, SessionAck, SessionAttach, SessionCreate, SessionDetach, SessionEnd, SessionInput,
    SessionPaste, SessionResize,
};
use protocol::events::{AckError, Event, GatewayHello, SessionEnded};
use protocol::frame::{Frame, Kind};
use protocol::limits::{MAX_BINARY_BYTES, MAX_TEXT_BYTES};
use protocol::{BASE64, Engine as _, PING, PONG};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};
use tungstenite::Message;

/// An event and the request that caused it.
pub type Told = (Option<String>, Event);

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a close frame of this code.
    Closed(Option<u16>),
    /// Without one.
    Lost,
}

/// A gateway's connection.
pub struct Link {
    connection: Connection,
    /// How it was opened.
    pub handshake: Handshake,
    /// The first frame.
    pub hello: Option<GatewayHello>,
    /// Every event but acks, in order, until a test takes it.
    pub events: VecDeque<Told>,
    /// Chunks of downloads that no test has taken: transfer, number, bytes.
    pub chunks: VecDeque<(u32, u32, Vec<u8>)>,
    /// The sessions' readers.
    pub streams: BTreeMap<u32, Stream>,
    /// Ends, also of sessions that nobody reads.
    pub ends: BTreeMap<u32, SessionEnded>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Pings that came.
    pub pings: usize,
    /// Pongs that came.
    pub pongs: usize,
    /// Text frames that came, pings and pongs aside.
    pub texts: usize,
    /// Whether pings are answered.
    pub answers_pings: bool,
    /// Whether every text is checked against the schema.
    pub checks_schema: bool,
    pending: HashMap<String, Vec<Event>>,
    acks: HashMap<String, Result<Vec<Event>, AckError>>,
    requests: u64,
}

impl Link {
    pub(crate) fn new(handshake: Handshake, connection: Connection) -> Self {
        Self {
            connection,
            handshake,
            hello: None,
            events: VecDeque::new(),
            chunks: VecDeque::new(),
            streams: BTreeMap::new(),
            ends: BTreeMap::new(),
            ending: None,
            pings: 0,
            pongs: 0,
            texts: 0,
            answers_pings: true,
            checks_schema: true,
            pending: HashMap::new(),
            acks: HashMap::new(),
            requests: 0,
        }
    }

    /// Reads until the hello, which must be the first frame, has come.
    pub fn read_hello(&mut self) {
        self.until("hello", |link| link.hello.clone());
    }

    // --- receiving ---------------------------------------------------------------------------

    /// Takes what comes until `look` finds what it looks for.
    pub fn until<T>(&mut self, what: &str, look: impl FnMut(&mut Self) -> Option<T>) -> T {
        self.until_within(PATIENCE, what, look)
    }

    /// As [`Self::until`], with another patience.
    pub fn until_within<T>(
        &mut self,
        patience: Duration,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if let Some(ending) = &self.ending {
                panic!("the link ended ({ending:?}) before: {what}");
            }
            if !self.take_one(deadline) && Instant::now() >= deadline {
                panic!("not within {patience:?}: {what}; state: {}", self.describe());
            }
        }
    }

    /// Takes what comes for a fixed time, for claims that something does *not* come.
    pub fn take_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.ending.is_none() && (self.take_one(deadline) || Instant::now() < deadline) {}
    }

    /// Takes one message if it comes before `deadline`.
    pub fn take_one(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.connection.incoming.recv_timeout(left) {
            Ok((at, received)) => {
                self.take(at, received);
                true
            }
            Err(_) => false,
        }
    }

    fn take(&mut self, at: Instant, received: Received) {
        match received {
            Received::Text(text) if text == PING => {
                self.pings += 1;
                if self.answers_pings {
                    self.send_text(PONG);
                }
            }
            Received::Text(text) if text == PONG => self.pongs += 1,
            Received::Text(text) => self.take_text(&text),
            Received::Binary(bytes) => self.take_binary(at, &bytes),
            Received::Closed(code) => self.ending = Some(Ending::Closed(code)),
            Received::Lost(_) => {
                self.ending.get_or_insert(Ending::Lost);
            }
        }
    }

    fn take_text(&mut self, text: &str) {
        self.texts += 1;
        assert!(text.len() <= MAX_TEXT_BYTES, "a text of {} bytes", text.len());
        if self.checks_schema
            && let Err(wrong) = crate::schema::check_event(text)
        {
            panic!("against the schema: {text:.500}\n{wrong}");
        }
        let Some((request_id, event)) = protocol::events::decode(text) else {
            panic!("no event of the contract: {text:.500}");
        };
        if self.hello.is_none() {
            let Event::GatewayHello(hello) = event else { panic!("before hello: {text:.500}") };
            self.hello = Some(hello);
            return;
        }
        if let Event::Ack(ack) = event {
            let id = request_id.expect("an ack names its request");
            let caused = self.pending.remove(&id).unwrap_or_else(|| {
                panic!("an ack for {id}, which is unknown or was acked before: {ack:?}")
            });
            let answer = if ack.ok { Ok(caused) } else { Err(ack.error.expect("an error")) };
            self.acks.insert(id, answer);
            return;
        }
        self.take_event(request_id, event);
    }

    fn take_event(&mut self, request_id: Option<String>, event: Event) {
        if let Some(id) = &request_id
            && let Some(caused) = self.pending.get_mut(id)
        {
            caused.push(event.clone());
        }
        if let Event::SessionEnded(ended) = &event {
            let before = self.ends.insert(ended.session_id, ended.clone());
            assert!(before.is_none(), "session {} ended twice", ended.session_id);
        }
        if let Some(id) = session_of(&event)
            && let Some(stream) = self.streams.get_mut(&id)
        {
            stream.take_event(request_id.as_deref(), &event);
        }
        self.events.push_back((request_id, event));
    }

    fn take_binary(&mut self, at: Instant, bytes: &[u8]) {
        assert!(self.hello.is_some(), "a binary frame before hello");
        assert!(bytes.len() <= MAX_BINARY_BYTES, "a frame of {} bytes", bytes.len());
        let frame = Frame::decode(bytes).expect("a frame of the contract");
        if frame.kind == Kind::FileChunk {
            return self.chunks.push_back((frame.id, frame.seq, frame.payload.to_vec()));
        }
        let stream = self.streams.get_mut(&frame.id).expect("output of an attached session");
        if let Some(seq) = stream.take_output(at, frame.seq, frame.payload) {
            self.send_ack(frame.id, seq);
        }
    }

    /// Takes the oldest event for which `pick` answers, waiting for it.
    pub fn event<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        self.until(what, |link| {
            let found = link.events.iter().position(|(_, event)| pick(event).is_some())?;
            link.events.remove(found).and_then(|(_, event)| pick(&event))
        })
    }

    /// What the link has seen last, for messages of failures.
    pub fn describe(&self) -> String {
        let last: Vec<_> = self.events.iter().rev().take(5).map(|(_, e)| e.name()).collect();
        let streams = self.streams.values().map(|s| {
            let tail = &s.unread[s.unread.len().saturating_sub(300)..];
            format!("{} bytes, unread {:?}", s.total, String::from_utf8_lossy(tail))
        });
        let streams = streams.collect::<Vec<_>>().join("; ");
        format!("last events {last:?}, unanswered {:?}, {streams}", self.pending.keys())
    }

    // --- sending -----------------------------------------------------------------------------

    /// Sends any text.
    pub fn send_text(&self, text: &str) {
        self.connection.order(Order::Send(Message::text(text)));
    }

    /// Sends any bytes.
    pub fn send_binary(&self, bytes: Vec<u8>) {
        self.connection.order(Order::Send(Message::binary(bytes)));
    }

    /// Closes with a code.
    pub fn close(&self, code: u16) {
        self.connection.order(Order::Close(code, "test"));
    }

    /// Ends the TCP connection without a word.
    pub fn cut(&self) {
        self.connection.order(Order::Cut);
    }

    /// Stops or resumes reading from the socket.
    pub fn stall(&self, stalled: bool) {
        self.connection.order(Order::Stall(stalled));
    }

    /// Sends a command that is never acked.
    pub fn tell(&self, command: impl Into<Command>) {
        self.send_text(&command.into().to_json(None));
    }

    /// Sends a command and returns its request id.
    pub fn ask(&mut self, command: impl Into<Command>) -> String {
        let id = self.new_request();
        self.send_text(&command.into().to_json(Some(&id)));
        id
    }

    /// A request id whose answer [`Self::answer`] waits for, for hand-made texts.
    pub fn new_request(&mut self) -> String {
        self.requests += 1;
        let id = format!("r{}", self.requests);
        self.pending.insert(id.clone(), Vec::new());
        id
    }

    /// Waits for a request's ack; the events that it caused, or its error.
    ///
    /// # Errors
    /// The ack's error.
    pub fn answer(&mut self, id: &str) -> Result<Vec<Event>, AckError> {
        self.until(&format!("the ack of {id}"), |link| link.acks.remove(id))
    }

    /// Sends a command and waits for its ack.
    ///
    /// # Errors
    /// The ack's error.
    pub fn request(&mut self, command: impl Into<Command>) -> Result<Vec<Event>, AckError> {
        let id = self.ask(command);
        self.answer(&id)
    }

    // --- sessions ----------------------------------------------------------------------------

    /// A `session.create` for a plain shell in a folder of its own.
    pub fn shell(session_id: u32, cols: u32, rows: u32) -> SessionCreate {
        SessionCreate {
            session_id,
            name: format!("session {session_id}"),
            workdir: format!("work-{session_id}"),
            agent: "none".to_owned(),
            agent_config: None,
            env: None,
            cols,
            rows,
        }
    }

    /// Creates a shell and attaches to it. Returns the pid of its first process.
    pub fn open(&mut self, session_id: u32, cols: u32, rows: u32) -> u32 {
        let caused = self.request(Self::shell(session_id, cols, rows)).expect("a session");
        let pid = caused.iter().find_map(|event| match event {
            Event::SessionStarted(started) => Some(started.pid),
            _ => None,
        });
        self.attach(session_id, None);
        pid.expect("session.started before the ack")
    }

    /// Attaches, resuming where the reader stands when it was attached before.
    pub fn attach(&mut self, session_id: u32, history_lines: Option<u32>) {
        let stream = self.stream(session_id);
        assert!(!stream.attached, "this helper is for detached sessions");
        let resume_seq = stream.next;
        self.attach_from(session_id, resume_seq, history_lines);
    }

    /// Attaches for a snapshot, whatever the reader has seen.
    pub fn attach_afresh(&mut self, session_id: u32, history_lines: Option<u32>) {
        self.stream(session_id);
        self.attach_from(session_id, None, history_lines);
    }

    fn attach_from(
        &mut self,
        session_id: u32,
        resume_seq: Option<u32>,
        history_lines: Option<u32>,
    ) {
        let id = self.new_request();
        let command = Command::from(SessionAttach { session_id, resume_seq, history_lines });
        self.stream(session_id).attaching = Some(id.clone());
        self.send_text(&command.to_json(Some(&id)));
        self.answer(&id).expect("the attach is acked");
        assert!(self.stream(session_id).attached, "a replay or snapshot before the ack");
    }

    /// Detaches.
    pub fn detach(&mut self, session_id: u32) {
        self.request(SessionDetach { session_id }).expect("the detach is acked");
        self.stream(session_id).attached = false;
    }

    /// The session's reader, made when there is none.
    pub fn stream(&mut self, session_id: u32) -> &mut Stream {
        self.streams.entry(session_id).or_insert_with(|| Stream::new(session_id))
    }

    /// Takes over the reader of an earlier connection.
    pub fn adopt(&mut self, session_id: u32, mut stream: Stream) {
        stream.attached = false;
        stream.attaching = None;
        self.streams.insert(session_id, stream);
    }

    /// Types.
    pub fn type_in(&self, session_id: u32, keys: impl AsRef<[u8]>) {
        self.tell(SessionInput { session_id, data: BASE64.encode(keys) });
    }

    /// Pastes and waits for the ack.
    pub fn paste(&mut self, session_id: u32, text: impl AsRef<[u8]>) {
        let paste = SessionPaste { session_id, data: BASE64.encode(text) };
        self.request(paste).expect("the paste is acked");
    }

    /// Asks for a size.
    pub fn resize(&self, session_id: u32, cols: u32, rows: u32) {
        self.tell(SessionResize { session_id, cols, rows });
    }

    /// Ends a session and waits for the ack.
    pub fn end(&mut self, session_id: u32) -> Vec<Event> {
        self.request(SessionEnd { session_id }).expect("the session ends")
    }

    /// Acknowledges all that a stalled reader has, and sets how it goes on.
    pub fn resume_acking(&mut self, session_id: u32, acking: crate::stream::Acking) {
        let stream = self.stream(session_id);
        stream.acking = acking;
        if let Some(seq) = stream.ack() {
            self.send_ack(session_id, seq);
        }
    }

    fn send_ack(&self, session_id: u32, seq: u32) {
        self.tell(SessionAck { session_id, seq });
    }

    /// Waits for `pattern` in the session's output and consumes it and all before it.
    pub fn expect(&mut self, session_id: u32, pattern: impl AsRef<[u8]>) -> Vec<u8> {
        self.expect_within(PATIENCE, session_id, pattern)
    }

    /// As [`Self::expect`], with another patience.
    pub fn expect_within(
        &mut self,
        patience: Duration,
        session_id: u32,
        pattern: impl AsRef<[u8]>,
    ) -> Vec<u8> {
        let pattern = pattern.as_ref();
        let what = format!("output {:?}", String::from_utf8_lossy(pattern));
        // Searches only what is new: the output may be tens of megabytes.
        let mut searched = 0;
        self.until_within(patience, &what, |link| {
            let stream = link.stream(session_id);
            let from = searched.min(stream.unread.len());
            let found = crate::stream::find(&stream.unread[from..], pattern);
            if let Some(at) = found {
                return Some(stream.unread.drain(..from + at + pattern.len()).collect());
            }
            searched = stream.unread.len().saturating_sub(pattern.len() - 1);
            None
        })
    }
}

fn session_of(event: &Event) -> Option<u32> {
    Some(match event {
        Event::SessionStarted(event) => event.session_id,
        Event::SessionEnded(event) => event.session_id,
        Event::SessionReplay(event) => event.session_id,
        Event::SessionSnapshot(event) => event.session_id,
        Event::SessionResized(event) => event.session_id,
        Event::SessionLagged(event) => event.session_id,
        _ => return None,
    })
}
