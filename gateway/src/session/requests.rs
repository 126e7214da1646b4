//! Attach and snapshot: who waits for an answer, and the one snapshot that is in flight.

use super::conversation::Expect;
use super::snapshot::{self, Snapshot};
use super::stream::Mode;
use super::{Effect, Session, ack};
use crate::limits::{HISTORY_ROW_BYTES, MAX_WAITING_ANSWERS, Ms};
use crate::tmux::parser::PaneId;
use protocol::envelope::codes;
use protocol::events::{Event, SessionReplay, SessionSnapshot};
use protocol::limits::{ACK_DEADLINE_MS, DEFAULT_HISTORY_LINES, MAX_HISTORY_LINES, SNAPSHOT_BYTES};
use protocol::{BASE64, Engine as _, seq};

/// Output came in the middle of a snapshot's replies; asked again this often before giving up.
const SNAPSHOT_TRIES: u32 = 5;

/// A request that a snapshot will answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) request_id: String,
    history_lines: u32,
    /// Whether output is to flow from the answer on.
    attaches: bool,
}

/// A request that has no ack yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) request_id: String,
    pub(super) deadline: Ms,
}

/// The snapshot that tmux was asked for.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) answers: Vec<Waiting>,
    replies: Vec<Vec<u8>>,
    /// Where in the stream the first reply began.
    at: u64,
    /// The pane that it is of.
    pane: PaneId,
    history_lines: u32,
    tries: u32,
}

impl Session {
    /// Makes output flow: from `resume_seq` if the ring still has it, else from a snapshot.
    pub fn attach(
        &mut self,
        request_id: String,
        resume_seq: Option<u32>,
        history_lines: Option<u32>,
        now: Ms,
    ) {
        self.rest.attached();
        if let Some(from_seq) = resume_seq
            && self.in_flight.is_none()
            && self.waiting.is_empty()
            && !self.rest.is_paused()
            && let Some(data) = self.stream.replay(from_seq)
        {
            let replay = SessionReplay { session_id: self.id, from_seq, data: BASE64.encode(data) };
            let text = Event::from(replay).to_json(Some(&request_id));
            let ack = ack(&request_id);
            self.remember(&request_id, now);
            self.stream.answer_now(request_id, text, ack);
            self.mark_pane_of_several();
            return self.pump_bound();
        }
        self.wait(request_id, history_lines, true, now);
    }

    /// Answers with a snapshot and leaves the flow of output as it is.
    pub fn snapshot(&mut self, request_id: String, history_lines: Option<u32>, now: Ms) {
        self.wait(request_id, history_lines, false, now);
    }

    fn wait(&mut self, request_id: String, history: Option<u32>, attaches: bool, now: Ms) {
        if self.open.len() >= MAX_WAITING_ANSWERS {
            let message = "64 attach requests of this session wait already; wait for their answers";
            return self.fail(&request_id, codes::INVALID_PAYLOAD, message);
        }
        let history_lines = history.unwrap_or(DEFAULT_HISTORY_LINES).min(MAX_HISTORY_LINES);
        self.remember(&request_id, now);
        self.waiting.push(Waiting { request_id, history_lines, attaches });
        self.pump_snapshot(now);
    }

    fn remember(&mut self, request_id: &str, now: Ms) {
        let deadline = now + ACK_DEADLINE_MS;
        self.open.push(Open { request_id: request_id.to_owned(), deadline });
    }

    /// Asks tmux for a snapshot if anybody needs one and none is on its way.
    pub(super) fn pump_snapshot(&mut self, now: Ms) {
        self.requeue_orphans();
        if self.in_flight.is_some() || !self.has_client() {
            return;
        }
        if self.waiting.is_empty() && !self.stream.wants_recovery(now) {
            return;
        }
        let answers = std::mem::take(&mut self.waiting);
        let wanted = answers.iter().map(|waiting| waiting.history_lines).max();
        let history_lines = wanted.unwrap_or_else(|| self.recovery_lines());
        self.ask_snapshot(InFlight {
            answers,
            replies: Vec::new(),
            at: 0,
            pane: self.place.pane,
            history_lines,
            tries: 1,
        });
    }

    /// Asking tmux for what will be left out would only cost time.
    fn recovery_lines(&self) -> u32 {
        let rows = self.stream.recovery_bytes() / HISTORY_ROW_BYTES;
        u32::try_from(rows).map_or(DEFAULT_HISTORY_LINES, |rows| rows.min(DEFAULT_HISTORY_LINES))
    }

    /// A lag made answers void that already had their place in the stream.
    fn requeue_orphans(&mut self) {
        for request_id in self.stream.take_orphans() {
            let history_lines = DEFAULT_HISTORY_LINES;
            self.waiting.push(Waiting { request_id, history_lines, attaches: true });
        }
    }

    fn ask_snapshot(&mut self, mut flight: InFlight) {
        self.unpause();
        flight.pane = self.place.pane;
        crate::log!(
            Debug,
            "asks tmux for the screen",
            session = self.id,
            answers = flight.answers.len(),
            lines = flight.history_lines
        );
        let command =
            snapshot::command(self.place.pane, flight.history_lines, self.can.trailing_spaces);
        self.in_flight = Some(flight);
        self.tell(&command, Expect::Snapshot(snapshot::REPLIES));
    }

    /// The first reply begins: everything before it is in the snapshot, nothing after it is.
    pub(super) fn snapshot_begins(&mut self) {
        if let Some(flight) = self.in_flight.as_mut().filter(|flight| flight.replies.is_empty()) {
            flight.at = self.stream.end();
        }
    }

    pub(super) fn snapshot_reply(&mut self, ok: bool, body: &[u8], last: bool, now: Ms) {
        let Some(flight) = &mut self.in_flight else { return };
        if ok {
            flight.replies.push(body.to_vec());
            if !last {
                return;
            }
        }
        let Some(mut flight) = self.in_flight.take() else { return };
        // Another pane may have become the one that is shown since tmux was asked.
        let raced = flight.at != self.stream.end() || flight.pane != self.place.pane;
        let built = if ok && !raced {
            let bytes = match flight.answers.as_slice() {
                [] => self.stream.recovery_bytes(),
                _ => SNAPSHOT_BYTES,
            };
            snapshot::build(&flight.replies, &self.modes, flight.history_lines, bytes)
        } else {
            None
        };
        match built {
            Some(snapshot) => {
                if self.modes.unfinished() != snapshot.unfinished {
                    self.modes.resume(&snapshot.unfinished);
                }
                self.publish(&snapshot, flight.answers, now);
            }
            None if flight.tries < SNAPSHOT_TRIES && !self.ended => {
                flight.tries += 1;
                flight.replies.clear();
                // The active pane may have gone away: ask where it is now, then look again.
                self.ask_place();
                self.ask_snapshot(flight);
            }
            None => {
                for waiting in flight.answers {
                    let message = "tmux did not give the screen; attach again";
                    self.fail(&waiting.request_id, codes::TMUX_FAILED, message);
                }
            }
        }
        self.pump_snapshot(now);
    }

    fn publish(&mut self, snapshot: &Snapshot, answers: Vec<Waiting>, now: Ms) {
        let recovers = self.stream.mode() == Mode::Lagged;
        if recovers || answers.iter().any(|waiting| waiting.attaches) {
            self.stream.snapshot_taken(base64_len(snapshot.data.len()), now);
        }
        if recovers {
            self.stream.mark_recovery(self.snapshot_text(snapshot, None));
        }
        for Waiting { request_id, .. } in answers {
            let text = self.snapshot_text(snapshot, Some(&request_id));
            let ack = ack(&request_id);
            if self.stream.mode() == Mode::Live {
                self.stream.mark_answer(request_id, text, ack);
            } else {
                self.open.retain(|open| open.request_id != request_id);
                self.effects.extend([Effect::Send(text), Effect::Send(ack)]);
            }
        }
        self.mark_pane_of_several();
        self.pump_bound();
    }

    fn snapshot_text(&self, snapshot: &Snapshot, request_id: Option<&str>) -> String {
        let pane = &snapshot.pane;
        let event = SessionSnapshot {
            session_id: self.id,
            seq: seq::narrow(self.stream.end()),
            cols: pane.cols,
            rows: pane.rows,
            data: BASE64.encode(&snapshot.data),
            alternate_on: pane.alternate_on,
            cursor_x: pane.cursor_x,
            cursor_y: pane.cursor_y,
            cursor_visible: pane.cursor_visible,
            history_lines: snapshot.history_lines,
            truncated: snapshot.truncated,
        };
        Event::from(event).to_json(request_id)
    }

    /// Forgets all who wait; returns whom nobody has answered.
    pub(super) fn drop_requests(&mut self) -> Vec<String> {
        let mut void = self.stream.detach();
        let in_flight = self.in_flight.as_mut().map(|flight| std::mem::take(&mut flight.answers));
        let waiting = in_flight.into_iter().flatten().chain(self.waiting.drain(..));
        void.extend(waiting.map(|waiting| waiting.request_id));
        self.open.clear();
        void
    }

    /// No ack waits longer than the contract allows, even behind a closed window.
    pub(super) fn expire_requests(&mut self, now: Ms) {
        let late: Vec<String> = self
            .open
            .iter()
            .filter(|open| now >= open.deadline)
            .map(|open| open.request_id.clone())
            .collect();
        for request_id in late {
            self.stream.withdraw(&request_id);
            self.waiting.retain(|waiting| waiting.request_id != request_id);
            if let Some(flight) = &mut self.in_flight {
                flight.answers.retain(|waiting| waiting.request_id != request_id);
            }
            let message = "the answer could not be sent within 8 s; attach again";
            self.fail(&request_id, codes::TIMED_OUT, message);
        }
    }
}

/// Bytes on the wire of so many bytes in base64.
fn base64_len(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(3).saturating_mul(4)).unwrap_or(u64::MAX)
}
