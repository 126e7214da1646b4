//! What each command of the control plane does.

use super::{Daemon, Effect, Job, Now};
use crate::config::token_path;
use crate::limits::{ERROR_EVERY_MS, MAX_STRANGERS};
use crate::session::{Session, ack};
use protocol::commands::{Agent, Command, Incoming, SessionCreate, decode};
use protocol::envelope::codes;
use protocol::events::{Event, SessionError};
use protocol::limits::{ENV_BYTES, INPUT_BYTES, NAME_CHARS, PASTE_BYTES, is_terminal_size};
use protocol::{BASE64, Engine as _};

/// Longest token in bytes that enrolment may bring.
const TOKEN_BYTES: usize = 4 * 1024;

impl Daemon {
    /// A text frame from the control plane. Nothing in it ends the link, a session or the process.
    pub fn on_text(&mut self, text: &str, now: Now) {
        match decode(text) {
            Incoming::Command { request_id, command } => {
                self.on_command(request_id.unwrap_or_default(), command, text, now);
            }
            Incoming::Refused { request_id, code, message } => {
                self.fail(&request_id, code, &message);
            }
            Incoming::Dropped(why) => self.drop_frame(why),
        }
    }

    pub(super) fn drop_frame(&mut self, why: &str) {
        self.dropped += 1;
        // Powers of two, so that a flood of nonsense does not flood the log.
        if self.dropped.is_power_of_two() {
            crate::log!(Warn, "dropped a frame", why = why, count = self.dropped);
        }
    }

    fn on_command(&mut self, request_id: String, command: Command, text: &str, now: Now) {
        let served = self.serve(&request_id, &command, text);
        if served || self.transfer(&request_id, &command, now) {
            return;
        }
        match command {
            Command::SessionCreate(create) => self.create(request_id, &create, text),
            Command::SessionEnd(end) => self.end_session(request_id, end.session_id),
            Command::GatewayWatch(watch) => {
                self.status.watched = watch.on;
                self.send(ack(&request_id));
                if watch.on {
                    self.begin_health(now);
                }
            }
            Command::GatewayUpdate(update) => self.update(request_id, &update, text),
            Command::GatewayCredentials(credentials) => {
                self.enrolled(&request_id, credentials.auth_token);
            }
            Command::SessionAttach(_)
            | Command::SessionDetach(_)
            | Command::SessionInput(_)
            | Command::SessionPaste(_)
            | Command::SessionResize(_)
            | Command::SessionColors(_)
            | Command::SessionAck(_)
            | Command::SessionSnapshotRequest(_) => {
                self.on_session_command(request_id, command, now)
            }
            other => {
                let message = format!("{} is not in this version of the gateway", other.name());
                self.fail(&request_id, codes::UNSUPPORTED, &message);
            }
        }
    }

    fn on_session_command(&mut self, request_id: String, command: Command, now: Now) {
        let session_id = match &command {
            Command::SessionAttach(attach) => attach.session_id,
            Command::SessionDetach(detach) => detach.session_id,
            Command::SessionInput(input) => input.session_id,
            Command::SessionPaste(paste) => paste.session_id,
            Command::SessionResize(resize) => resize.session_id,
            Command::SessionColors(colors) => colors.session_id,
            Command::SessionAck(ack) => ack.session_id,
            Command::SessionSnapshotRequest(snapshot) => snapshot.session_id,
            _ => return,
        };
        let Some(session) = self.sessions.get_mut(&session_id).filter(|s| !s.is_ended()) else {
            return self.unknown_session(&request_id, &command, session_id, now);
        };
        let refused = match command {
            Command::SessionAttach(attach) => {
                session.attach(request_id, attach.resume_seq, attach.history_lines, now.mono);
                None
            }
            Command::SessionDetach(_) => {
                session.detach(now.mono);
                self.collect_from(session_id);
                self.send(ack(&request_id));
                None
            }
            Command::SessionInput(input) => match decoded(&input.data, INPUT_BYTES) {
                Some(keys) => {
                    session.input(&keys, now.mono);
                    None
                }
                None => {
                    session.input_refused(now.mono);
                    None
                }
            },
            Command::SessionPaste(paste) => match decoded(&paste.data, PASTE_BYTES) {
                Some(data) => {
                    session.paste(request_id, data, now.mono);
                    None
                }
                None => Some((request_id, "data must be base64 of at most 1 MiB")),
            },
            Command::SessionResize(resize) => {
                session.resize(resize.cols, resize.rows, now.mono);
                None
            }
            Command::SessionColors(colors) => {
                session.colours(&colors.foreground, &colors.background, now.mono);
                None
            }
            Command::SessionAck(ack) => {
                session.ack(ack.seq, now.mono);
                None
            }
            Command::SessionSnapshotRequest(snapshot) => {
                session.snapshot(request_id, snapshot.history_lines, now.mono);
                None
            }
            _ => None,
        };
        self.collect_from(session_id);
        if let Some((request_id, message)) = refused {
            self.fail(&request_id, codes::INVALID_PAYLOAD, message);
        }
    }

    fn unknown_session(&mut self, request_id: &str, command: &Command, id: u32, now: Now) {
        let message = format!("there is no session {id} here");
        if !Command::is_unacked(command.name()) {
            return self.fail(request_id, codes::UNKNOWN_SESSION, &message);
        }
        self.strangers.retain(|_, last| now.mono < *last + ERROR_EVERY_MS);
        if self.strangers.len() < MAX_STRANGERS && !self.strangers.contains_key(&id) {
            self.strangers.insert(id, now.mono);
            let code = codes::UNKNOWN_SESSION.to_owned();
            let error = SessionError { session_id: id, code, message };
            self.send(Event::from(error).to_json(None));
        }
    }

    fn create(&mut self, request_id: String, create: &SessionCreate, text: &str) {
        let id = create.session_id;
        if self.sessions.contains_key(&id) || self.creating.contains_key(&id) {
            let message = format!("session {id} exists already; choose another id");
            return self.fail(&request_id, codes::SESSION_EXISTS, &message);
        }
        let living = self.sessions.values().filter(|session| !session.is_ended()).count();
        if living + self.creating.len() >= self.config.max_sessions {
            let message = format!(
                "this gateway keeps at most {} sessions; end one or raise GATEWAY_MAX_SESSIONS",
                self.config.max_sessions
            );
            return self.fail(&request_id, codes::SESSION_LIMIT, &message);
        }
        if let Err((code, message)) = check(create) {
            return self.fail(&request_id, code, message);
        }
        let Some(version) = self.tmux else {
            let message = "tmux 3.0a or later was not found; install it and restart the gateway";
            return self.fail(&request_id, codes::TMUX_FAILED, message);
        };
        self.creating.insert(id, Some(request_id));
        let request = text.as_bytes().to_vec();
        let agent = create.agent != "none";
        self.effects.push(Effect::Start(Job::Create { session_id: id, request, version, agent }));
    }

    fn end_session(&mut self, request_id: String, session_id: u32) {
        if self.sessions.get(&session_id).is_none_or(Session::is_ended) {
            let message = format!("there is no session {session_id} here");
            return self.fail(&request_id, codes::UNKNOWN_SESSION, &message);
        }
        if !self.ending.contains_key(&session_id) {
            self.effects.push(Effect::Start(Job::End(session_id)));
        }
        self.ending.get_or_default(session_id).requests.push(request_id);
    }

    /// Keeps the token that replaces the bootstrap token, then acks: only then is that one burnt.
    fn enrolled(&mut self, request_id: &str, token: String) {
        let usable = !token.is_empty() && token.len() <= TOKEN_BYTES;
        if !usable || !token.bytes().all(|b| b.is_ascii_graphic()) {
            let message = "auth_token must be 1 to 4096 printable characters";
            return self.fail(request_id, codes::INVALID_PAYLOAD, message);
        }
        let path = token_path(&self.config.state_dir);
        if let Err(error) = crate::private_files::write_private(&path, token.as_bytes()) {
            let message = format!("cannot keep the token in {}: {error}", path.display());
            return self.fail(request_id, codes::IO, &message);
        }
        crate::log!(Info, "enrolled", token_file = path.display());
        self.config.auth_token = Some(token);
        self.send(ack(request_id));
    }
}

/// The bounds of `session.create` that need no look at the machine.
fn check(create: &SessionCreate) -> Result<(), (&'static str, &'static str)> {
    let invalid = |message| Err((codes::INVALID_PAYLOAD, message));
    if create.session_id == 0 {
        return invalid("session_id must be at least 1");
    }
    if create.name.chars().count() > NAME_CHARS || create.name.chars().any(char::is_control) {
        return invalid("name must be at most 64 characters without controls");
    }
    if !is_terminal_size(create.cols, create.rows) {
        return Err((codes::BAD_SIZE, "columns and rows go from 1 to 1000"));
    }
    if Agent::from_name(&create.agent).is_none() {
        let message = "agent must be claude-code, codex, gemini, opencode or none";
        return Err((codes::UNKNOWN_AGENT, message));
    }
    let environment = create.env.iter().flatten();
    let mut bytes = 0;
    for (key, value) in environment {
        bytes += key.len() + value.len();
        let mut letters = key.bytes();
        let first = letters.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !first || !letters.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return invalid("env: keys are letters, digits and _, not beginning with a digit");
        }
        if key.starts_with("GATEWAY_") || value.contains('\0') {
            return invalid("env: keys do not begin with GATEWAY_, values hold no NUL");
        }
    }
    if bytes > ENV_BYTES { invalid("env: 32 KiB together at most") } else { Ok(()) }
}

fn decoded(data: &str, limit: usize) -> Option<Vec<u8>> {
    BASE64.decode(data).ok().filter(|bytes| bytes.len() <= limit)
}
