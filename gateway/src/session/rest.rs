//! When a session that nobody watches is paused in tmux: only when it floods.
//!
//! A pane that prints little costs nothing to listen to, and must be listened to: its modes change
//! and it may want a person. One that floods would cost a core for nobody.

use super::Session;
use super::conversation::Expect;
use super::stream::Mode;
use crate::limits::{Ms, PAUSE_AFTER_MS, PAUSE_BYTES};

/// The rest of a session.
#[derive(Debug)]
pub(super) struct Rest {
    /// Since when nobody is attached.
    since: Option<Ms>,
    paused: bool,
    /// Bytes printed since then, or since the last look.
    bytes: usize,
}

impl Rest {
    pub(super) fn new(now: Ms) -> Self {
        Self { since: Some(now), paused: false, bytes: 0 }
    }

    pub(super) fn attached(&mut self) {
        self.since = None;
    }

    pub(super) fn detached(&mut self, now: Ms) {
        if self.since.is_none() {
            (self.since, self.bytes) = (Some(now), 0);
        }
    }

    pub(super) fn printed(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// The client is new, or was told to go on.
    pub(super) fn resumed(&mut self) {
        self.paused = false;
    }

    pub(super) fn paused(&mut self) {
        self.paused = true;
    }

    /// When it is to be looked at; only what printed something can be a flood or its end.
    pub(super) fn deadline(&self) -> Option<Ms> {
        let at = self.since? + PAUSE_AFTER_MS;
        (self.paused || self.bytes >= PAUSE_BYTES).then_some(at)
    }

    /// Whether what was found at the last look has turned: a flood pauses, a pause is tried.
    fn turns(&mut self, now: Ms) -> bool {
        let due = self.deadline().is_some_and(|at| now >= at);
        if due {
            (self.since, self.bytes) = (Some(now), 0);
        }
        due
    }
}

impl Session {
    pub(super) fn may_rest(&self) -> bool {
        self.can.pause && self.has_client() && self.stream.mode() == Mode::Detached
    }

    /// Pauses a flood that nobody watches; after as long again it is listened to for a while, as
    /// the flood may be over.
    pub(super) fn tick_rest(&mut self, now: Ms) {
        if !self.may_rest() || !self.rest.turns(now) {
            return;
        }
        if self.rest.is_paused() {
            return self.unpause();
        }
        self.rest.paused();
        self.stream.jump();
        let line = format!("refresh-client -A '%{}:pause'\n", self.place.pane);
        self.tell(&line, Expect::Ignored(1));
    }

    /// Listens to the pane again.
    pub(super) fn unpause(&mut self) {
        if self.rest.is_paused() {
            self.rest.resumed();
            let line = format!("refresh-client -A '%{}:continue'\n", self.place.pane);
            self.tell(&line, Expect::Ignored(1));
        }
    }
}
