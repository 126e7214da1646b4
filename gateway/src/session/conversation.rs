//! The talk with the session's control client: what was asked, what a reply means.

use super::input::{Next, keys_command};
use super::stream::Mode;
use super::{Effect, Place, Session, ack};
use crate::limits::{Ms, TMUX_COMMANDS_IN_FLIGHT};
use crate::tmux::parser::{Message, id};
use protocol::envelope::codes;
use protocol::events::{Event, SessionResized};
use protocol::seq;
use std::path::PathBuf;

/// What replies of tmux are for. An error ends a command line early.
#[derive(Debug)]
pub(super) enum Expect {
    /// So many replies that nobody waits for.
    Ignored(usize),
    /// Keys; the next may follow.
    Keys,
    /// The replies of a snapshot that are still to come.
    Snapshot(usize),
    /// Window and pane that are active now.
    Place,
    /// tmux remembers the bound.
    Bound(u64),
    /// tmux has read the file and pasted it.
    Paste { request_id: String, path: PathBuf, left: usize },
}

impl Session {
    /// Reads what the control client printed.
    pub fn on_tmux(&mut self, bytes: &[u8], now: Ms) {
        let mut parser = std::mem::take(&mut self.parser);
        parser.feed(bytes, |message| self.on_message(message, now));
        self.parser = parser;
        self.pump_bound();
        self.pump_snapshot();
    }

    fn on_message(&mut self, message: Message<'_>, now: Ms) {
        match message {
            Message::Output(pane, bytes) if pane == self.place.pane => {
                self.last_activity = now;
                self.modes.feed(bytes);
                self.stream.push(bytes, now);
                if self.modes.take_changed() {
                    self.mirror_since.get_or_insert(now);
                    self.mirror_touched = now;
                }
            }
            Message::ReplyBegins => {
                if matches!(self.expect.front(), Some(Expect::Snapshot(_))) {
                    self.snapshot_begins();
                }
            }
            Message::Reply { ok, body } => self.on_reply(ok, body),
            Message::Attached => self.attached_to_tmux(),
            Message::Layout(window, cols, rows) if window == self.place.window => {
                self.resized(cols, rows);
            }
            Message::ActivePane(window, _) if window == self.place.window => self.ask_place(),
            Message::ActiveWindow(..) => self.ask_place(),
            Message::Paused(pane) if pane == self.place.pane && !self.paused => {
                // The safety net of tmux: it discarded output of its own accord.
                self.stream.jump();
                self.paused = true;
                if self.stream.mode() != Mode::Detached {
                    self.unpause();
                }
            }
            Message::PaneMode(pane) if pane == self.place.pane => self.pane_mode_changed = true,
            Message::Exit { crashed } => self.saw_exit = !crashed,
            _ => {}
        }
    }

    /// The client listens. First of all the size, which attaching may have changed.
    fn attached_to_tmux(&mut self) {
        self.client = true;
        let Place { window, cols, rows, .. } = self.place;
        self.tell(&format!("resize-window -t @{window} -x {cols} -y {rows}\n"), Expect::Ignored(1));
        self.ask_place();
        self.pump_snapshot();
        self.pump_input();
    }

    fn on_reply(&mut self, ok: bool, body: &[u8]) {
        let Some(expect) = self.expect.pop_front() else { return };
        match expect {
            Expect::Ignored(left) if ok && left > 1 => {
                self.expect.push_front(Expect::Ignored(left - 1));
            }
            Expect::Ignored(_) => {}
            Expect::Keys => self.pump_input(),
            Expect::Snapshot(left) => {
                if ok && left > 1 {
                    self.expect.push_front(Expect::Snapshot(left - 1));
                }
                self.snapshot_reply(ok, body, left <= 1);
            }
            Expect::Place => self.placed(body),
            Expect::Bound(bound) if ok => self.stream.bound_confirmed(bound),
            Expect::Bound(_) => {}
            Expect::Paste { request_id, path, left } if ok && left > 1 => {
                self.expect.push_front(Expect::Paste { request_id, path, left: left - 1 });
            }
            Expect::Paste { request_id, path, .. } => {
                self.effects.push(Effect::RemovePaste(path));
                if ok && !request_id.is_empty() {
                    self.effects.push(Effect::Send(ack(&request_id)));
                } else if !ok {
                    let message = String::from_utf8_lossy(body);
                    self.fail(&request_id, codes::TMUX_FAILED, message.trim());
                }
                self.pump_input();
            }
        }
    }

    /// Tells the control client a line and remembers what its reply will mean.
    pub(super) fn tell(&mut self, line: &str, expect: Expect) {
        self.to_tmux.extend_from_slice(line.as_bytes());
        self.expect.push_back(expect);
    }

    pub(super) fn ask_place(&mut self) {
        let pane = self.place.window;
        let line = format!(
            "display-message -p -t @{pane} '#{{window_id}} #{{pane_id}} #{{pane_width}} #{{pane_height}}'\n"
        );
        self.tell(&line, Expect::Place);
    }

    /// Follows the active pane. Its screen is another, so viewers get a snapshot.
    fn placed(&mut self, body: &[u8]) {
        let Some(place) = read_place(body) else { return };
        if place.pane != self.place.pane {
            // Paused was the old pane; it would stay so, also when it is shown again.
            self.unpause();
            self.modes = super::Modes::default();
            self.stream.jump();
        }
        let (cols, rows) = (place.cols, place.rows);
        self.place.pane = place.pane;
        self.place.window = place.window;
        self.resized(cols, rows);
    }

    fn resized(&mut self, cols: u32, rows: u32) {
        if (cols, rows) == (self.place.cols, self.place.rows) {
            return;
        }
        self.place.cols = cols;
        self.place.rows = rows;
        let event =
            SessionResized { session_id: self.id, seq: seq::narrow(self.stream.end()), cols, rows };
        self.stream.mark_resized(Event::from(event).to_json(None));
    }

    pub(super) fn pump_resize(&mut self, now: Ms) {
        if !self.has_client() {
            return;
        }
        if let Some((cols, rows)) = self.resize.take(now) {
            let window = self.place.window;
            let line = format!("resize-window -t @{window} -x {cols} -y {rows}\n");
            self.tell(&line, Expect::Ignored(1));
        }
    }

    pub(super) fn pump_input(&mut self) {
        while self.expect.len() < TMUX_COMMANDS_IN_FLIGHT && self.has_client() {
            let Some(next) = self.input.take() else { return };
            // In copy mode tmux would take keys for its own commands.
            if std::mem::take(&mut self.pane_mode_changed) && self.can.quit_copy_mode {
                let line = format!("copy-mode -q -t %{}\n", self.place.pane);
                self.tell(&line, Expect::Ignored(1));
            }
            match next {
                Next::Keys(keys) => {
                    let line = keys_command(self.place.pane, &keys);
                    self.tell(&line, Expect::Keys);
                }
                Next::Paste(paste) => self.tell_paste(paste.request_id, paste.data),
            }
        }
    }

    /// A paste goes through a file: it is one command for any size, and takes any byte.
    fn tell_paste(&mut self, request_id: String, data: Vec<u8>) {
        // A number of its own for each: the next may be written before this one was read.
        self.pastes = self.pastes.wrapping_add(1);
        let (pane, buffer) = (self.place.pane, format!("cc-{}-{}", self.id, self.pastes));
        let path = self.paste_folder.join(format!("paste-{}-{}", self.id, self.pastes));
        let raw = if self.can.paste_needs_raw_flag { " -S" } else { "" };
        let line = format!(
            "load-buffer -b {buffer} {} ; paste-buffer -p -r{raw} -d -b {buffer} -t %{pane}\n",
            quote(&path.to_string_lossy())
        );
        self.effects.push(Effect::WritePaste(path.clone(), data));
        self.tell(&line, Expect::Paste { request_id, path, left: 2 });
    }

    /// Raises the bound that tmux remembers before bytes beyond it are sent.
    pub(super) fn pump_bound(&mut self) {
        if !self.has_client() {
            return;
        }
        if let Some(bound) = self.stream.wants_bound() {
            let line = format!("set-option -t %{} @cc_seq {bound}\n", self.place.pane);
            self.tell(&line, Expect::Bound(bound));
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
        self.stream.jump();
        let line = format!("refresh-client -A '%{}:pause'\n", self.place.pane);
        self.tell(&line, Expect::Ignored(1));
    }

    pub(super) fn unpause(&mut self) {
        if std::mem::take(&mut self.paused) {
            let line = format!("refresh-client -A '%{}:continue'\n", self.place.pane);
            self.tell(&line, Expect::Ignored(1));
        }
    }

    /// Keeps the tracked modes in tmux, so that a new gateway process finds them.
    pub(super) fn mirror_modes(&mut self) {
        self.mirror_since = None;
        if !self.has_client() {
            return;
        }
        let mut hex = String::new();
        for byte in self.modes.mirror() {
            use std::fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
        }
        let line = format!("set-option -p -t %{} @cc_modes '{hex}'\n", self.place.pane);
        self.tell(&line, Expect::Ignored(1));
    }
}

fn read_place(body: &[u8]) -> Option<Place> {
    let line = body.strip_suffix(b"\n").unwrap_or(body);
    let mut words = line.split(|&b| b == b' ');
    let window = id(words.next()?, b'@')?;
    let pane = id(words.next()?, b'%')?;
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    Some(Place { window, pane, cols: number()?, rows: number()? })
}

/// A word in single quotes for tmux's command line; a quote within it stands in double quotes.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}
