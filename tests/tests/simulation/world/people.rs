//! What people do: open and close pages, read, stall, type, resize, take control.

use super::super::page::{Page, Resumed};
use super::super::wire::Speed;
use super::World;
use protocol::{BASE64, Engine as _};

/// Pages that are open at the same time.
const PAGES: usize = 5;

impl World {
    fn some_page(&mut self) -> Option<u32> {
        let nth = self.random.below(self.pages.len().max(1) as u64) as usize;
        self.pages.keys().nth(nth).copied()
    }

    pub(super) fn page_comes(&mut self) {
        if self.pages.len() >= PAGES {
            return;
        }
        let session = self.some_session();
        let returns = self.broken.iter().position(|(of, _)| *of == session);
        let returns = if self.random.one_in(3) { None } else { returns };
        let resumed = returns.map(|at| self.broken.swap_remove(at).1);
        let speed = Speed::of_page(&mut self.random);
        self.seen.slow_pages += u64::from(speed.latency + speed.rate > 0);
        self.open_page(session, speed, resumed);
    }

    pub(super) fn open_page(&mut self, session: u32, speed: Speed, resumed: Option<Resumed>) {
        let id = self.next_page;
        self.next_page += 1;
        self.pages.insert(id, Page::new(session, speed, resumed));
        self.hub.viewer_connected(id, session);
        self.hub_effects(None);
        self.page_attaches(id);
    }

    fn page_attaches(&mut self, id: u32) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        page.refused = false;
        let attach = page.attach();
        self.page_says(id, attach);
    }

    /// The page sends; it arrives when its line has carried it.
    fn page_says(&mut self, id: u32, text: String) {
        let now = self.now;
        if let Some(page) = self.pages.get_mut(&id) {
            page.outbox.put(text, 1, now);
        }
        self.hub_hears_page(id);
    }

    pub(super) fn hub_hears_page(&mut self, id: u32) {
        while let Some(text) = self.pages.get_mut(&id).and_then(|page| page.outbox.take(self.now)) {
            self.trace(&format!("page {id}"), &text);
            self.hub.browser_text(id, &text, self.now);
            self.hub_effects(None);
        }
    }

    pub(super) fn some_page_reads(&mut self) {
        let Some(id) = self.some_page() else { return };
        let many = 1 + self.random.below(40);
        self.page_reads(id, many);
        // Mostly it acks at once, sometimes later, sometimes twice.
        for _ in 0..self.random.below(3) {
            self.page_acks(id);
        }
    }

    pub(super) fn page_reads(&mut self, id: u32, many: u64) {
        self.hub_hears_page(id);
        let now = self.now;
        let Some(page) = self.pages.get_mut(&id).filter(|page| !page.stalled) else { return };
        for _ in 0..many {
            if !page.read(now) {
                break;
            }
        }
        if page.refused {
            self.page_attaches(id);
        }
    }

    pub(super) fn some_page_acks(&mut self) {
        if let Some(id) = self.some_page() {
            self.page_acks(id);
        }
    }

    pub(super) fn page_acks(&mut self, id: u32) {
        let Some(next) = self.pages.get(&id).and_then(|page| page.next) else { return };
        // A delayed ack names an older place.
        let late = if self.random.one_in(6) { self.random.below(5_000) as u32 } else { 0 };
        self.page_says(id, ack(next.wrapping_sub(late)));
    }

    pub(super) fn page_gone(&mut self, id: u32) -> Option<Page> {
        let page = self.pages.remove(&id)?;
        self.seen.leavers += 1;
        self.attachments.remove(&id);
        self.hub.browser_closed(id, self.now);
        self.hub_effects(None);
        Some(page)
    }

    pub(super) fn page_leaves(&mut self) {
        if let Some(id) = self.some_page() {
            let page = self.page_gone(id);
            self.count(page.as_ref());
        }
    }

    /// Its socket breaks; it comes back later with what it has.
    pub(super) fn page_breaks(&mut self) {
        let page = self.some_page().and_then(|id| self.page_gone(id));
        self.remember(page);
    }

    /// What a person goes on looking at while there is no socket.
    pub(super) fn remember(&mut self, page: Option<Page>) {
        self.count(page.as_ref());
        if let Some(Page { session, terminal: Some(terminal), next: Some(next), .. }) = page {
            self.broken.push((session, Resumed { terminal, next }));
        }
    }

    pub(super) fn count(&mut self, page: Option<&Page>) {
        self.seen.snapshots += page.map_or(0, |page| u64::from(page.snapshots));
        self.seen.replays += page.map_or(0, |page| u64::from(page.replays));
    }

    pub(super) fn page_stalls(&mut self) {
        if let Some(page) = self.some_page().and_then(|id| self.pages.get_mut(&id)) {
            page.stalled = !page.stalled;
        }
    }

    pub(super) fn someone_resizes(&mut self) {
        let Some(id) = self.some_page() else { return };
        self.seen.resizes += 1;
        let lagged = self.contract.is_lagged(self.pages[&id].session);
        self.seen.resizes_in_lag += u64::from(lagged);
        let (cols, rows) = (10 + self.random.below(30), 3 + self.random.below(8));
        let text = format!(r#"{{"type":"session.resize","cols":{cols},"rows":{rows}}}"#);
        self.page_says(id, text);
    }

    pub(super) fn someone_takes_control(&mut self) {
        if let Some(id) = self.some_page() {
            let text = if self.random.one_in(4) { "release" } else { "take" };
            self.page_says(id, format!(r#"{{"type":"control.{text}"}}"#));
        }
    }

    /// Numbered, so that what comes twice or in another order is seen.
    pub(super) fn someone_types(&mut self) {
        let Some(id) = self.some_page() else { return };
        self.typed += 1;
        let data = BASE64.encode(format!("k{id}n{};", self.typed));
        if self.random.one_in(3) {
            let request = format!("p{}", self.typed);
            let text =
                format!(r#"{{"type":"session.paste","data":"{data}","request_id":"{request}"}}"#);
            self.seen.pastes += 1;
            if let Some(page) = self.pages.get_mut(&id) {
                page.pastes.insert(request);
            }
            self.page_says(id, text);
        } else {
            self.page_says(id, format!(r#"{{"type":"session.input","data":"{data}"}}"#));
        }
    }
}

/// `session.ack`.
pub(super) fn ack(seq: u32) -> String {
    format!(r#"{{"type":"session.ack","seq":{seq}}}"#)
}
