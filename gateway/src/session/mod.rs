//! One session: a tmux pane's output as a stream, and what viewers ask of it.
//!
//! A state machine without I/O: it reads what the session's control client printed, writes what
//! that client is to be told, and hands out frames and events for the link.

pub mod attention;
pub mod colours;
mod conversation;
pub mod input;
pub mod modes;
pub mod pen;
mod place;
mod printed;
mod requests;
mod resize;
mod rest;
pub mod row;
pub mod snapshot;
pub mod stream;

use crate::limits::{ERROR_EVERY_MS, MIRROR_LATEST_MS, MIRROR_QUIET_MS, Ms};
use crate::small_map::SmallMap;
use crate::tmux::parser::{PaneId, Parser};
use crate::tmux::version::Capabilities;
use attention::Attention;
use colours::Colours;
use conversation::Expect;
use input::{Input, Paste};
use modes::Modes;
use protocol::envelope::codes;
use protocol::events::{Ack, AckError, Event, HelloSession, SessionEnded, SessionError};
use requests::{InFlight, Open, Waiting};
use rest::Rest;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use stream::{Mode, Out, Stream};

pub use place::Place;

/// What tmux remembers of a session from an earlier gateway process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// No byte at or beyond this offset was ever sent.
    pub bound: Option<u64>,
    /// The mode tracker's mirror.
    pub mirror: Vec<u8>,
    /// Whether an agent was started in it.
    pub agent: bool,
    /// The viewers' colours.
    pub colours: Option<Colours>,
    /// The folder that it was created in.
    pub workdir: Option<PathBuf>,
}

/// What terminals send when their window loses the focus: nobody typed it.
const FOCUS_LOST: &[u8] = b"\x1b[O";

/// What is to be done outside of the session.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// A message that has no place in the stream: acks and errors.
    Send(String),
    /// Write a private file before the client reads what it is told next.
    WritePaste(PathBuf, Vec<u8>),
    /// The file is not needed any more.
    RemovePaste(PathBuf),
}

/// A session. See the module's sentence.
#[derive(Debug)]
pub struct Session {
    id: u32,
    place: Place,
    can: Capabilities,
    workdir: Option<PathBuf>,
    paste_folder: PathBuf,
    /// Pastes so far; it numbers their files.
    pastes: u32,
    stream: Stream,
    modes: Modes,
    /// The modes of panes that are not shown.
    elsewhere: SmallMap<PaneId, Modes>,
    parser: Parser,
    expect: VecDeque<Expect>,
    to_tmux: Vec<u8>,
    effects: Vec<Effect>,
    waiting: Vec<Waiting>,
    in_flight: Option<InFlight>,
    open: Vec<Open>,
    input: Input,
    resize: resize::Throttle,
    attention: Attention,
    colours: Option<Colours>,
    /// Number of the shown pane from 1, and how many there are.
    panes: (u32, u32),
    /// Whether there ever were several.
    was_split: bool,
    pane_mode_changed: bool,
    rest: Rest,
    mirror_since: Option<Ms>,
    mirror_touched: Ms,
    last_error: SmallMap<&'static str, Ms>,
    last_activity: Ms,
    /// Whether a control client listens.
    client: bool,
    saw_exit: bool,
    ended: bool,
}

impl Session {
    /// A session whose control client is about to be started.
    pub fn new(
        id: u32,
        place: Place,
        can: Capabilities,
        paste_folder: PathBuf,
        remembered: &Remembered,
        now: Ms,
    ) -> Self {
        let mut modes = Modes::default();
        modes.feed(&remembered.mirror);
        modes.take_changed();
        Self {
            id,
            place,
            can,
            workdir: remembered.workdir.clone(),
            paste_folder,
            pastes: 0,
            stream: Stream::new(id, remembered.bound),
            modes,
            elsewhere: SmallMap::default(),
            parser: Parser::default(),
            expect: VecDeque::new(),
            to_tmux: Vec::new(),
            effects: Vec::new(),
            waiting: Vec::new(),
            in_flight: None,
            open: Vec::new(),
            input: Input::default(),
            resize: resize::Throttle::default(),
            attention: Attention::new(remembered.agent),
            colours: remembered.colours.clone(),
            panes: (1, 1),
            was_split: false,
            pane_mode_changed: false,
            rest: Rest::new(now),
            mirror_since: None,
            mirror_touched: 0,
            last_error: SmallMap::default(),
            last_activity: now,
            client: false,
            saw_exit: false,
            ended: false,
        }
    }

    /// The session's number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Where it lives in tmux.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The folder that it was created in; unknown of sessions of old gateways.
    pub fn workdir(&self) -> Option<&Path> {
        self.workdir.as_deref()
    }

    /// When anything was last typed or printed.
    pub fn last_activity(&self) -> Ms {
        self.last_activity
    }

    /// Whether output flows to viewers.
    pub fn is_attached(&self) -> bool {
        self.stream.mode() != Mode::Detached
    }

    /// Bytes acknowledged since this was last asked.
    pub fn take_acked(&mut self) -> u64 {
        self.stream.take_acked()
    }

    /// Bytes of memory that kept output takes.
    pub fn memory(&self) -> usize {
        self.stream.memory()
    }

    /// Bytes sent and not acknowledged; never above the contract's window.
    pub fn unacked(&self) -> u64 {
        self.stream.unacked()
    }

    /// The session's line in `gateway.hello`.
    pub fn hello(&self) -> HelloSession {
        HelloSession {
            session_id: self.id,
            seq: protocol::seq::narrow(self.stream.end()),
            cols: self.place.cols,
            rows: self.place.rows,
        }
    }

    /// Another control client is about to attach to tmux's session of this number; nothing is asked
    /// of it before it has.
    pub fn client_started(&mut self, session: u32) {
        self.place.session = session;
        self.parser = Parser::default();
        self.client = false;
        self.rest.resumed();
        self.saw_exit = false;
        self.stream.bound_unheard();
    }

    /// The control client is gone, the session may live. What was printed meanwhile is unknown.
    pub fn client_lost(&mut self) {
        self.client = false;
        let mut pastes = Vec::new();
        for expect in self.expect.drain(..) {
            if let Expect::Paste { request_id, path, .. } = expect {
                self.effects.push(Effect::RemovePaste(path));
                pastes.push(request_id);
            }
        }
        self.to_tmux.clear();
        if let Some(flight) = self.in_flight.take() {
            self.waiting.extend(flight.answers);
        }
        pastes.extend(self.input.clear());
        for request_id in pastes {
            self.fail(&request_id, codes::TMUX_FAILED, "tmux let go of the session; paste again");
        }
        self.modes.resume(&[]);
        self.stream.jump();
    }

    /// Bytes from viewers.
    pub fn input(&mut self, keys: &[u8], now: Ms) {
        self.last_activity = now;
        if keys != FOCUS_LOST {
            self.attention.attended();
        }
        if self.input.push_keys(keys).is_err() {
            self.error(codes::INPUT_FULL, "256 KiB of input wait to be read; wait or end it", now);
        }
        self.pump_input();
    }

    /// Pasted bytes from viewers; acked once tmux has taken them.
    pub fn paste(&mut self, request_id: String, data: Vec<u8>, now: Ms) {
        self.last_activity = now;
        self.attention.attended();
        if self.input.push_paste(Paste { request_id: request_id.clone(), data }).is_err() {
            self.fail(&request_id, codes::INPUT_FULL, "256 KiB of input wait to be read; wait");
        }
        self.pump_input();
    }

    /// A size from viewers.
    pub fn resize(&mut self, cols: u32, rows: u32, now: Ms) {
        if !protocol::limits::is_terminal_size(cols, rows) {
            return self.error(codes::BAD_SIZE, "columns and rows go from 1 to 1000", now);
        }
        self.resize.want(cols, rows);
        self.pump_resize(now);
    }

    /// The colours of the viewers' terminal, `#rrggbb` each.
    pub fn colours(&mut self, foreground: &str, background: &str, now: Ms) {
        let Some(colours) = Colours::read(foreground, background) else {
            return self.error(codes::INVALID_PAYLOAD, "colours are written #rrggbb", now);
        };
        let before = self.colours.replace(colours);
        if before != self.colours {
            self.tell_colours(before.as_ref());
        }
    }

    /// A program in the session asks for a person by name of its own.
    pub fn notify(&mut self, title: &str, now: Ms) {
        self.attention.notify(title, now);
    }

    /// The event that a person is wanted, once it is due.
    pub fn take_attention(&mut self) -> Option<Event> {
        let (reason, title) = self.attention.take()?;
        Some(attention::event(self.id, reason, title).into())
    }

    /// Viewers have everything before `seq`.
    pub fn ack(&mut self, seq: u32, now: Ms) {
        self.stream.ack(seq, now);
        self.pump_snapshot(now);
    }

    /// No viewer is left. Requests that still waited are answered with an error.
    pub fn detach(&mut self, now: Ms) {
        for request_id in self.drop_requests() {
            self.fail(&request_id, codes::DETACHED, "the session was detached before the answer");
        }
        self.rest.detached(now);
    }

    /// The link is gone, and with it everything that waited for an answer.
    pub fn link_lost(&mut self, now: Ms) {
        self.drop_requests();
        self.stream.forget_acks();
        self.input.forget_requests();
        for expect in &mut self.expect {
            if let Expect::Paste { request_id, .. } = expect {
                request_id.clear();
            }
        }
        self.rest.detached(now);
        self.effects.retain(|effect| !matches!(effect, Effect::Send(_)));
    }

    /// The session is over: after its last byte, viewers are told. Nothing is asked of tmux again.
    /// The requests that asked for the end are acked behind it.
    pub fn end(&mut self, ended: SessionEnded, requests: &[String]) {
        crate::log!(Info, "a session has ended", session = self.id, reason = ended.reason);
        self.ended = true;
        let asked = self.in_flight.take().map(|flight| flight.answers).unwrap_or_default();
        for request in std::mem::take(&mut self.waiting).into_iter().chain(asked) {
            self.fail(&request.request_id, codes::UNKNOWN_SESSION, "the session has ended");
        }
        for request_id in self.input.clear() {
            self.fail(&request_id, codes::UNKNOWN_SESSION, "the session has ended");
        }
        self.stream.close(!requests.is_empty());
        let event = Event::from(ended);
        self.stream.mark(event.to_json(requests.first().map(String::as_str)));
        for request_id in requests {
            self.stream.mark_ack(ack(request_id));
        }
    }

    /// Whether the session is over and everything about it has been handed out.
    pub fn is_finished(&self) -> bool {
        self.ended && !self.stream.has_marks()
    }

    /// Whether tmux said goodbye on the last client; a server that crashed does not.
    pub fn saw_exit(&self) -> bool {
        self.saw_exit
    }

    /// Input that could not be read was not typed; say so.
    pub fn input_refused(&mut self, now: Ms) {
        self.error(codes::INVALID_PAYLOAD, "data must be base64 of at most 48 KiB", now);
    }

    /// Whether [`Session::end`] was called.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// What is to be sent now, in order.
    pub fn next_out(&mut self, now: Ms) -> Option<Out> {
        let out = self.stream.next(now);
        if let Some(Out::Answer(request_id, _)) = &out {
            self.open.retain(|open| open.request_id != *request_id);
        }
        out
    }

    /// What the control client is to be told.
    pub fn take_to_tmux(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.to_tmux)
    }

    /// What is to be done outside.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When [`Session::tick`] has something to do.
    pub fn deadline(&self, link_takes: bool) -> Option<Ms> {
        let rest = self.rest.deadline().filter(|_| self.may_rest());
        let mirror = self.mirror_since.map(|since| self.mirror_due(since));
        let open = self.open.iter().map(|open| open.deadline).min();
        let resize = self.resize.deadline().filter(|_| self.has_client());
        let stream = self.stream.deadline(link_takes);
        let all = [stream, resize, rest, mirror, open, self.attention.deadline()];
        all.into_iter().flatten().min()
    }

    /// Does what time has come for.
    pub fn tick(&mut self, now: Ms) {
        self.stream.tick(now);
        self.pump_snapshot(now);
        self.pump_resize(now);
        self.expire_requests(now);
        self.attention.tick(now);
        self.tick_rest(now);
        if self.mirror_since.is_some_and(|since| now >= self.mirror_due(since)) {
            self.mirror_modes();
        }
    }

    /// Whether anything can be asked of tmux now; what cannot waits for the next client.
    pub fn has_client(&self) -> bool {
        self.client && !self.ended
    }

    fn mirror_due(&self, since: Ms) -> Ms {
        (self.mirror_touched + MIRROR_QUIET_MS).min(since + MIRROR_LATEST_MS)
    }

    /// Says that a fire-and-forget command failed, at most once a second for each code.
    fn error(&mut self, code: &'static str, message: &str, now: Ms) {
        if self.last_error.get(&code).is_some_and(|&last| now < last + ERROR_EVERY_MS) {
            return;
        }
        self.last_error.insert(code, now);
        let error = SessionError {
            session_id: self.id,
            code: code.to_owned(),
            message: message.to_owned(),
        };
        self.effects.push(Effect::Send(Event::from(error).to_json(None)));
    }

    fn fail(&mut self, request_id: &str, code: &str, message: &str) {
        self.open.retain(|open| open.request_id != request_id);
        // Empty: the request died with its connection.
        if !request_id.is_empty() {
            self.effects.push(Effect::Send(nack(request_id, code, message)));
        }
    }
}

/// `ack ok=true`.
pub fn ack(request_id: &str) -> String {
    Event::from(Ack { ok: true, error: None }).to_json(Some(request_id))
}

/// `ack ok=false`.
pub fn nack(request_id: &str, code: &str, message: &str) -> String {
    let error = AckError { code: code.to_owned(), message: message.to_owned() };
    Event::from(Ack { ok: false, error: Some(error) }).to_json(Some(request_id))
}
