//! Where a session is in tmux: its active pane, followed wherever a person's splits take it.

use super::Session;
use super::conversation::Expect;
use crate::limits::MAX_PANES;
use crate::tmux::layout;
use crate::tmux::parser::{PaneId, id};
use protocol::events::{Event, SessionPane, SessionResized};
use protocol::seq;

/// Where a session lives in tmux. Numbers, not names: a person may rename everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The 3 of `$3`.
    pub session: u32,
    /// The 2 of `@2`.
    pub window: u32,
    /// The 5 of `%5`.
    pub pane: PaneId,
    /// Columns of cells.
    pub cols: u32,
    /// Rows of cells.
    pub rows: u32,
    /// Columns and rows that the window is to have: the viewers' size, of which splits take parts.
    pub window_size: (u32, u32),
}

/// A line for each pane of the session: whether it is the active one, and where it is.
const PANE_FORMAT: &str =
    "#{window_active}#{pane_active} #{window_id} #{pane_id} #{pane_width} #{pane_height}";

impl Session {
    /// Asks for the session's panes.
    pub(super) fn ask_place(&mut self) {
        let line = format!("list-panes -s -t '${}' -F '{PANE_FORMAT}'\n", self.place.session);
        self.tell(&line, Expect::Place);
    }

    /// Follows the active pane. Its screen is another, so viewers get a snapshot.
    pub(super) fn placed(&mut self, body: &[u8]) {
        let Some((place, panes)) = read_panes(body, self.place.session) else { return };
        if place.pane != self.place.pane {
            self.unpause();
            self.stream.jump();
            self.show_modes_of(place.pane);
        }
        let (window, pane) = (self.place.window, self.place.pane);
        (self.place.window, self.place.pane) = (place.window, place.pane);
        if place.window != window {
            self.tell_window_size();
        }
        if place.pane != pane {
            self.tell_colours(None);
        }
        self.resized(place.cols, place.rows);
        if panes != self.panes {
            self.panes = panes;
            self.was_split |= panes.1 > 1;
            self.mark_pane();
        }
    }

    /// What the other panes print counts too: one of them may be shown next.
    pub(super) fn printed_elsewhere(&mut self, pane: PaneId, bytes: &[u8]) {
        if self.elsewhere.len() < MAX_PANES || self.elsewhere.contains_key(&pane) {
            self.elsewhere.get_or_default(pane).feed(bytes);
        }
    }

    fn show_modes_of(&mut self, pane: PaneId) {
        let modes = self.elsewhere.remove(&pane).unwrap_or_default();
        let left = std::mem::replace(&mut self.modes, modes);
        if self.elsewhere.len() < MAX_PANES {
            self.elsewhere.insert(self.place.pane, left);
        }
    }

    /// Gives the window the viewers' size; attaching a client or opening a window may change it.
    pub(super) fn tell_window_size(&mut self) {
        let (window, (cols, rows)) = (self.place.window, self.place.window_size);
        let line = format!(
            "set-option -w -t @{window} window-size manual ; \
             resize-window -t @{window} -x {cols} -y {rows}\n"
        );
        self.tell(&line, Expect::Ignored(2));
    }

    /// The layout of the window changed at this place of the stream.
    pub(super) fn layout_changed(&mut self, layout: &[u8]) {
        if let Some((cols, rows)) = layout::pane_size(layout, self.place.pane) {
            self.resized(cols, rows);
        }
        if layout::pane_count(layout) != 1 || self.panes.1 != 1 {
            self.ask_place();
        }
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

    /// Says which pane is shown.
    pub(super) fn mark_pane(&mut self) {
        let (pane, panes) = self.panes;
        let seq = seq::narrow(self.stream.end());
        let event = SessionPane { session_id: self.id, seq, pane, panes };
        self.stream.mark_pane(Event::from(event).to_json(None));
    }

    /// Says which pane is shown to who has a new beginning, unless there was only ever one.
    pub(super) fn mark_pane_of_several(&mut self) {
        if self.was_split {
            self.mark_pane();
        }
    }
}

/// The active pane, its number from 1 and how many there are.
fn read_panes(body: &[u8], session: u32) -> Option<(Place, (u32, u32))> {
    let mut active = None;
    let mut panes = 0;
    for line in body.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        panes += 1;
        let mut words = line.split(|&b| b == b' ');
        if words.next() == Some(b"11") {
            active = Some((read_place(session, words)?, panes));
        }
    }
    active.map(|(place, number)| (place, (number, panes)))
}

fn read_place<'a>(session: u32, mut words: impl Iterator<Item = &'a [u8]>) -> Option<Place> {
    let window = id(words.next()?, b'@')?;
    let pane = id(words.next()?, b'%')?;
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    let (cols, rows) = (number()?, number()?);
    Some(Place { session, window, pane, cols, rows, window_size: (cols, rows) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_pane_of_the_active_window_is_found() {
        let body = b"01 @1 %1 80 24\n10 @2 %2 40 24\n11 @2 %5 39 24\n";
        let window_size = (39, 24);
        let place = Place { session: 3, window: 2, pane: 5, cols: 39, rows: 24, window_size };
        assert_eq!(read_panes(body, 3), Some((place, (3, 3))));
        assert_eq!(read_panes(b"can't find session\n", 3), None);
        assert_eq!(read_panes(b"11 @x %5 39 24\n", 3), None);
    }
}
