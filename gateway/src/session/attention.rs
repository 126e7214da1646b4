//! When a session wants a person: bells, notifications, and agents that have become quiet.
//!
//! It is told once. What comes together is one message, with the most telling words; after it,
//! only other words are told until somebody types. Whether anybody looks is for the hub to know.

use crate::limits::{
    ATTENTION_AGAIN_MS, ATTENTION_MERGE_MS, ATTENTION_QUIET_MS, ATTENTION_WORK_MS, Ms,
    NOTICE_PARTS_BYTES,
};
use protocol::envelope::attention::{BELL, NOTIFICATION, WAITING};
use protocol::events::SessionAttention;
use protocol::limits::ATTENTION_TITLE_CHARS;
use protocol::{BASE64, Engine as _};

/// Why, in rising order of what it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Bell,
    Waiting,
    Notification,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    reason: Reason,
    title: Option<String>,
}

/// One session's wishes for a person.
#[derive(Debug)]
pub struct Attention {
    /// Only an agent's silence says that it waits; a shell is silent by nature.
    agent: bool,
    /// What will be told, and when: more may come that belongs to it.
    pending: Option<(Wish, Ms)>,
    /// What is to be told as soon as somebody listens.
    ready: Option<Wish>,
    told: Option<(Wish, Ms)>,
    /// When output began after the last input, and when the last came.
    work: Option<(Ms, Ms)>,
    /// The parts of an `OSC 99` notification that is not complete.
    parts: String,
}

impl Attention {
    /// Of a session that runs an agent, or a plain shell.
    pub fn new(agent: bool) -> Self {
        Self { agent, pending: None, ready: None, told: None, work: None, parts: String::new() }
    }

    /// The terminal's bell rang.
    pub fn bell(&mut self, now: Ms) {
        self.wish(Wish { reason: Reason::Bell, title: None }, now);
    }

    /// A program outside of the terminal asks for a notification.
    pub fn notify(&mut self, title: &str, now: Ms) {
        self.wish(Wish { reason: Reason::Notification, title: clean(title) }, now);
    }

    /// An operating system command was printed; `body` is what stands between its ends.
    pub fn osc(&mut self, body: &[u8], now: Ms) {
        let text = String::from_utf8_lossy(body);
        let title = match text.split_once(';') {
            Some(("9", text)) if !is_progress(text) => text.to_owned(),
            Some(("777", text)) => match text.strip_prefix("notify;") {
                Some(text) => text.replacen(';', ": ", 1),
                None => return,
            },
            Some(("99", text)) => match self.kitty(text) {
                Some(title) => title,
                None => return,
            },
            _ => return,
        };
        self.notify(&title, now);
    }

    /// Something was printed.
    pub fn output(&mut self, now: Ms) {
        let began = self.work.map_or(now, |(began, _)| began);
        self.work = Some((began, now));
    }

    /// A person typed: whatever was wanted, somebody is there.
    pub fn attended(&mut self) {
        (self.pending, self.ready, self.told, self.work) = (None, None, None, None);
    }

    /// What is to be told now.
    pub fn take(&mut self) -> Option<(&'static str, Option<String>)> {
        let wish = self.ready.take()?;
        let reason = match wish.reason {
            Reason::Bell => BELL,
            Reason::Waiting => WAITING,
            Reason::Notification => NOTIFICATION,
        };
        Some((reason, wish.title))
    }

    /// When [`Attention::tick`] has something to do.
    pub fn deadline(&self) -> Option<Ms> {
        let pending = self.pending.as_ref().map(|(_, at)| *at);
        pending.into_iter().chain(self.quiet_at()).min()
    }

    /// Does what time has come for.
    pub fn tick(&mut self, now: Ms) {
        if self.quiet_at().is_some_and(|at| now >= at) {
            self.work = None;
            self.wish(Wish { reason: Reason::Waiting, title: None }, now);
        }
        if let Some((wish, _)) = self.pending.take_if(|(_, at)| now >= *at) {
            self.told = Some((wish.clone(), now));
            self.ready = Some(wish);
        }
    }

    /// When an agent that has worked will have been quiet for long enough.
    fn quiet_at(&self) -> Option<Ms> {
        let (began, last) = self.work.filter(|_| self.agent)?;
        (last >= began + ATTENTION_WORK_MS).then_some(last + ATTENTION_QUIET_MS)
    }

    fn wish(&mut self, wish: Wish, now: Ms) {
        if self.was_told(&wish, now) {
            return;
        }
        match &mut self.pending {
            Some((pending, _)) if pending.reason >= wish.reason => {}
            Some((pending, _)) => *pending = wish,
            None => self.pending = Some((wish, now + ATTENTION_MERGE_MS)),
        }
    }

    /// A bell or a silence after any word is that word again; other words are news, in measure.
    fn was_told(&self, wish: &Wish, now: Ms) -> bool {
        let Some((told, at)) = &self.told else { return false };
        let news = wish.reason > told.reason || wish.reason == Reason::Notification;
        let same = told == wish;
        !news || (same || told.reason == wish.reason) && now < *at + ATTENTION_AGAIN_MS
    }

    /// `OSC 99`: `key=value` pairs joined by colons, then the payload. It may come in parts.
    fn kitty(&mut self, text: &str) -> Option<String> {
        let (pairs, payload) = text.split_once(';')?;
        let value = |key| {
            pairs
                .split(':')
                .filter_map(|pair| pair.split_once('='))
                .find_map(|(name, value)| (name == key).then_some(value))
        };
        if !matches!(value("p"), None | Some("title" | "body")) {
            return None;
        }
        let payload = match value("e") {
            Some("1") => String::from_utf8(BASE64.decode(payload).ok()?).ok()?,
            _ => payload.to_owned(),
        };
        let joint = if self.parts.is_empty() || payload.is_empty() { "" } else { ": " };
        let mut whole = format!("{}{joint}{payload}", std::mem::take(&mut self.parts));
        if value("d") == Some("0") {
            whole.truncate(whole.floor_char_boundary(NOTICE_PARTS_BYTES));
            self.parts = whole;
            return None;
        }
        Some(whole)
    }
}

/// The event.
pub fn event(session_id: u32, reason: &str, title: Option<String>) -> SessionAttention {
    SessionAttention { session_id, reason: reason.to_owned(), title }
}

/// ConEmu's `OSC 9` commands begin with a number: progress bars, not notifications.
fn is_progress(text: &str) -> bool {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (1..=2).contains(&digits)
        && text.get(digits..).is_none_or(|s| s.is_empty() || s.starts_with(';'))
}

/// A title without controls and of bounded length; `None` when nothing is left.
fn clean(title: &str) -> Option<String> {
    let words = title.chars().map(|c| if c.is_control() { ' ' } else { c });
    let text: String = words.take(ATTENTION_TITLE_CHARS).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(attention: &mut Attention, now: Ms) -> Option<(&'static str, Option<String>)> {
        attention.tick(now);
        attention.take()
    }

    fn said(body: &str) -> Option<String> {
        let mut attention = Attention::new(false);
        attention.osc(body.as_bytes(), 0);
        told(&mut attention, ATTENTION_MERGE_MS).and_then(|(_, title)| title)
    }

    #[test]
    fn every_kind_of_notification_is_understood() {
        assert_eq!(said("9;Build done").as_deref(), Some("Build done"));
        assert_eq!(said("9;3 files changed").as_deref(), Some("3 files changed"));
        assert_eq!(said("777;notify;Claude;wants you").as_deref(), Some("Claude: wants you"));
        assert_eq!(said("99;;Hello").as_deref(), Some("Hello"));
        assert_eq!(said("99;i=1:e=1;SGVsbG8=").as_deref(), Some("Hello"));
        assert_eq!(said("9;a\u{1}b\u{85}").as_deref(), Some("a b"));
        let long = "x".repeat(1_000);
        assert_eq!(said(&format!("9;{long}")).map(|t| t.len()), Some(ATTENTION_TITLE_CHARS));
        for none in ["9;4;1;50", "9;4", "9;12", "777;precmd", "99;p=close;x", "99;p=?;", "0;t", "9"]
        {
            assert_eq!(said(none), None, "{none}");
        }
    }

    #[test]
    fn a_notification_in_parts_is_one() {
        let mut attention = Attention::new(false);
        attention.osc(b"99;i=1:d=0:p=title;Title", 0);
        assert_eq!(told(&mut attention, 10_000), None);
        attention.osc(b"99;i=1:d=1:p=body;and body", 0);
        let expected = Some((NOTIFICATION, Some("Title: and body".to_owned())));
        assert_eq!(told(&mut attention, 10_000), expected);
        for _ in 0..10_000 {
            attention.osc(b"99;i=1:d=0;more and more and more", 0);
        }
        assert!(attention.parts.len() <= NOTICE_PARTS_BYTES);
    }

    #[test]
    fn what_comes_together_is_told_once_in_its_best_words() {
        let mut attention = Attention::new(true);
        attention.bell(0);
        attention.osc(b"9;Permission?", 50);
        attention.bell(60);
        assert_eq!(told(&mut attention, ATTENTION_MERGE_MS - 1), None);
        let expected = Some((NOTIFICATION, Some("Permission?".to_owned())));
        assert_eq!(told(&mut attention, ATTENTION_MERGE_MS), expected);
        attention.bell(1_000);
        attention.osc(b"9;Permission?", 1_000);
        assert_eq!(told(&mut attention, 50_000), None, "told already");
        attention.osc(b"9;Another", 2_000 + ATTENTION_AGAIN_MS);
        assert!(told(&mut attention, 100_000).is_some(), "other words are news");
    }

    #[test]
    fn typing_settles_it() {
        let mut attention = Attention::new(true);
        attention.bell(0);
        attention.attended();
        assert_eq!(told(&mut attention, 10_000), None);
        attention.bell(20_000);
        assert_eq!(told(&mut attention, 30_000), Some((BELL, None)));
        attention.bell(40_000);
        assert_eq!(told(&mut attention, 50_000), None);
        attention.attended();
        attention.bell(60_000);
        assert_eq!(told(&mut attention, 70_000), Some((BELL, None)));
    }

    #[test]
    fn an_agent_that_worked_and_is_quiet_waits() {
        for agent in [true, false] {
            let mut attention = Attention::new(agent);
            let end = ATTENTION_WORK_MS + 1_000;
            for now in (0..=end).step_by(100) {
                attention.output(now);
                assert_eq!(told(&mut attention, now), None);
            }
            assert_eq!(attention.deadline().is_some(), agent);
            attention.tick(end + ATTENTION_QUIET_MS);
            let waits = told(&mut attention, end + ATTENTION_QUIET_MS + ATTENTION_MERGE_MS);
            assert_eq!(waits, agent.then_some((WAITING, None)));
            assert_eq!(attention.deadline(), None, "an idle session wakes nobody");
        }
    }

    #[test]
    fn the_echo_of_typing_is_no_work() {
        let mut attention = Attention::new(true);
        for now in (0..60_000).step_by(500) {
            attention.attended();
            attention.output(now);
        }
        assert_eq!(attention.deadline(), None);
    }
}
