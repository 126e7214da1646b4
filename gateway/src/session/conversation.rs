//! The talk with the session's control client: what was asked, what a reply means.

use super::input::{Next, keys_command};
use super::stream::Mode;
use super::{Colours, Effect, Session, ack};
use crate::limits::{Ms, TMUX_COMMANDS_IN_FLIGHT};
use crate::tmux::parser::Message;
use protocol::envelope::codes;
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
        self.pump_snapshot(now);
    }

    fn on_message(&mut self, message: Message<'_>, now: Ms) {
        match message {
            Message::Output(pane, bytes) if pane == self.place.pane => {
                self.last_activity = now;
                self.modes.feed(bytes);
                self.stream.push(bytes, now);
                self.rest.printed(bytes.len());
                self.attention.output(now);
                self.listen(now);
                if self.modes.take_changed() {
                    self.mirror_since.get_or_insert(now);
                    self.mirror_touched = now;
                }
            }
            Message::Output(pane, bytes) => self.printed_elsewhere(pane, bytes),
            Message::ReplyBegins => {
                if matches!(self.expect.front(), Some(Expect::Snapshot(_))) {
                    self.snapshot_begins();
                }
            }
            Message::Reply { ok, body } => self.on_reply(ok, body, now),
            Message::Attached => self.attached_to_tmux(now),
            Message::Layout(window, layout) if window == self.place.window => {
                self.layout_changed(layout);
            }
            Message::ActivePane(window, _) if window == self.place.window => self.ask_place(),
            Message::ActiveWindow(session, _) if session == self.place.session => self.ask_place(),
            Message::Windows => self.ask_place(),
            Message::Paused(pane) if pane == self.place.pane && !self.rest.is_paused() => {
                // The safety net of tmux: it discarded output of its own accord.
                self.stream.jump();
                self.rest.paused();
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
    fn attached_to_tmux(&mut self, now: Ms) {
        self.client = true;
        self.tell_window_size();
        self.ask_place();
        self.tell_colours(None);
        self.pump_snapshot(now);
        self.pump_input();
    }

    fn on_reply(&mut self, ok: bool, body: &[u8], now: Ms) {
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
                self.snapshot_reply(ok, body, left <= 1, now);
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

    /// What was printed for others than the screen.
    fn listen(&mut self, now: Ms) {
        let heard = self.modes.take_heard();
        if heard.bell {
            self.attention.bell(now);
        }
        for command in &heard.commands {
            self.attention.osc(command, now);
            let answer = self.colours.as_ref().and_then(|own| own.answer(&self.can, command));
            if let Some(answer) = answer {
                self.answer(&answer);
            }
        }
    }

    /// Types what a terminal would have answered.
    fn answer(&mut self, bytes: &[u8]) {
        // Without room the program gets no answer, as on a terminal that has none.
        let _ = self.input.push_keys(bytes);
        self.pump_input();
    }

    /// Makes programs learn the viewers' colours.
    pub(super) fn tell_colours(&mut self, before: Option<&Colours>) {
        let Some(colours) = self.colours.clone().filter(|_| self.has_client()) else { return };
        if let Some(line) = colours.command(&self.can, self.place.window, self.place.pane) {
            let replies = line.matches(" ; ").count() + 1;
            self.tell(&line, Expect::Ignored(replies));
        }
        let line = format!("set-option -t '${}' @cc_colours '{colours}'\n", self.place.session);
        self.tell(&line, Expect::Ignored(1));
        let report = colours.scheme_report(before);
        if let Some(report) = report.filter(|_| !self.can.scheme_reports)
            && self.modes.wants_scheme_reports()
        {
            self.answer(report);
        }
    }

    pub(super) fn pump_resize(&mut self, now: Ms) {
        if !self.has_client() {
            return;
        }
        if let Some((cols, rows)) = self.resize.take(now) {
            let window = self.place.window;
            self.place.window_size = (cols, rows);
            let line = format!("resize-window -t @{window} -x {cols} -y {rows}\n");
            self.tell(&line, Expect::Ignored(1));
        }
    }

    pub(super) fn pump_input(&mut self) {
        while self.expect.len() < TMUX_COMMANDS_IN_FLIGHT && self.has_client() {
            let Some(next) = self.input.take() else { return };
            // In copy mode tmux would take keys for its own commands.
            if std::mem::take(&mut self.pane_mode_changed) {
                let pane = self.place.pane;
                let line = if self.can.quit_copy_mode {
                    format!("copy-mode -q -t %{pane}\n")
                } else {
                    // An error outside of copy mode, which nobody waits for.
                    format!("send-keys -X -t %{pane} cancel\n")
                };
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

/// A word in single quotes for tmux's command line; a quote within it stands in double quotes.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}
