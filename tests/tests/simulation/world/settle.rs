//! The end of a schedule: everything is repaired and read; then everybody must see the same.

use super::super::terminal::Picture;
use super::super::wire::Speed;
use super::World;
use protocol::limits::OUTPUT_WINDOW;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds in which everything must come to rest.
const ROUNDS: u32 = 6_000;
/// Milliseconds of a round.
const ROUND_MS: u64 = 50;
/// Rounds without anything under way after which a screen that differs will stay so: longer than
/// every time-out on the way.
const ROUNDS_AT_REST: u32 = 250;
/// Bytes of one read from a control client.
const READ_BYTES: usize = 64 * 1024;
/// Bytes that the link may carry in a round.
const LINK_BYTES: usize = 400_000;

impl World {
    pub(super) fn settle(&mut self) {
        self.link_up();
        self.trace("all", "settle");
        let now = self.now;
        self.to_hub.hurry(now);
        self.to_gateway.hurry(now);
        for page in self.pages.values_mut() {
            page.inbox.hurry(now);
            page.stalled = false;
        }
        let sessions: Vec<u32> = self.tmux.sessions.keys().copied().collect();
        for &id in &sessions {
            self.open_page(id, Speed::AT_ONCE, None);
        }
        self.come_to_rest();
        // What was left closed or deaf shows itself when there is more to say.
        for &id in &sessions {
            if self.flood {
                self.print(id, &[b'x'; 2 * OUTPUT_WINDOW as usize], false);
            }
            self.print(id, b"the end\r\n", false);
        }
        self.come_to_rest();
        self.contract.settled();
        sessions.iter().for_each(|id| self.check_typed(*id));
        let pages: Vec<_> = std::mem::take(&mut self.pages).into_values().collect();
        pages.iter().for_each(|page| self.count(Some(page)));
    }

    fn come_to_rest(&mut self) {
        let mut at_rest = 0;
        for _ in 0..ROUNDS {
            self.round();
            if !self.is_at_rest() {
                at_rest = 0;
                continue;
            }
            at_rest += 1;
            let differs = self.difference();
            match differs {
                None => return,
                Some(difference) if at_rest > ROUNDS_AT_REST => panic!("{difference}"),
                Some(_) => {}
            }
        }
        panic!("no rest: {}", self.unrest());
    }

    fn round(&mut self) {
        self.now += ROUND_MS;
        self.hub.tick(self.now);
        self.hub_effects(None);
        let at = self.at();
        let clients: Vec<u32> = self.clients.iter().copied().collect();
        for id in clients {
            while self.tmux.session(id).has_unread() {
                self.daemon.on_tmux(id, self.tmux.session(id).read(READ_BYTES), at);
                self.perform();
                self.gateway_sends();
            }
        }
        self.daemon.tick(at);
        self.perform();
        self.gateway_sends();
        for _ in 0..4 {
            self.carry(LINK_BYTES);
        }
        let ids: Vec<u32> = self.pages.keys().copied().collect();
        for id in ids {
            self.page_reads(id, u64::MAX);
            self.page_acks(id);
        }
    }

    /// Whether nothing is on its way that changes a screen; pages go on acking.
    fn is_at_rest(&self) -> bool {
        self.to_hub.is_empty()
            && self.pages.values().all(|page| page.inbox.is_empty())
            && !self.tmux.sessions.values().any(|session| session.has_unread())
    }

    fn unrest(&self) -> String {
        let pages = self.pages.iter().map(|(id, page)| (*id, page.inbox.bytes()));
        let pages: Vec<_> = pages.filter(|(_, bytes)| *bytes > 0).collect();
        let (up, down) = (self.to_hub.bytes(), self.to_gateway.bytes());
        format!("{up} bytes to the hub, {down} to the gateway, to pages {pages:?}")
    }

    /// A page that shows something else than tmux, or pages at different places.
    fn difference(&self) -> Option<String> {
        for (id, session) in &self.tmux.sessions {
            let expected = session.screen().picture();
            let pages = || self.pages.iter().filter(|(_, page)| page.session == *id);
            for (number, page) in pages() {
                let Some(terminal) = &page.terminal else {
                    return Some(format!("page {number} of session {id} shows nothing"));
                };
                let shown = terminal.picture();
                if shown != expected {
                    let how = describe(&shown, &expected);
                    return Some(format!("page {number} shows another screen: {how}"));
                }
            }
            let places: BTreeSet<Option<u32>> = pages().map(|(_, page)| page.next).collect();
            if places.len() > 1 {
                return Some(format!("pages of session {id} at different places: {places:?}"));
            }
        }
        None
    }

    /// What each page typed came in order, and nothing twice.
    fn check_typed(&mut self, id: u32) {
        let typed = std::mem::take(&mut self.tmux.session(id).typed);
        let text = String::from_utf8(typed).expect("text was typed");
        let mut last = BTreeMap::new();
        for word in text.split(';') {
            // A client that went away may have taken the rest of a word with it.
            let Some((_, word)) = word.rsplit_once('k') else { continue };
            let Some((page, number)) = word.split_once('n') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            let before = last.insert(page.to_owned(), number);
            let in_order = before.is_none_or(|before| before < number);
            assert!(in_order, "session {id}: typed twice or in another order: {text}");
        }
    }
}

fn describe(shown: &Picture, expected: &Picture) -> String {
    let first = |shown: &[String], expected: &[String]| {
        let at = shown.iter().zip(expected).position(|(a, b)| a != b)?;
        Some((at, shown[at].clone(), expected[at].clone()))
    };
    let history = first(&shown.history, &expected.history);
    let rows = first(&shown.rows, &expected.rows);
    format!(
        "history {history:?} of {} and {}, rows {rows:?}, cursor {:?} and {:?}",
        shown.history.len(),
        expected.history.len(),
        shown.cursor,
        expected.cursor,
    )
}
