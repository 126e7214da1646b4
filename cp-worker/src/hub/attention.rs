//! Whether a session wants a person: what the gateway says of it, and who looks at it.

use super::{Browser, Effect, Hub, Record, SocketId};
use crate::limits::REASON_BYTES;
use protocol::events::{Event, SessionAttention};
use protocol::limits::{ATTENTION_TITLE_CHARS, MAX_SESSIONS};
use protocol::small_map::SmallMap;

/// What was last written of each session's attention: `None` for one that was looked at since.
/// Not kept through hibernation: what is forgotten is only written once more.
#[derive(Debug, Default)]
pub(super) struct Written(SmallMap<u32, Option<SessionAttention>>);

impl Written {
    /// Notes what is to be written; whether that is news.
    fn note(&mut self, session_id: u32, attention: Option<&SessionAttention>) -> bool {
        if self.0.get(&session_id).is_some_and(|known| known.as_ref() == attention) {
            return false;
        }
        // A gateway may make up ids, but no room for them.
        if self.0.len() >= MAX_SESSIONS {
            self.0 = SmallMap::default();
        }
        self.0.insert(session_id, attention.cloned());
        true
    }

    pub(super) fn forget(&mut self, session_id: u32) {
        self.0.remove(&session_id);
    }
}

impl Hub {
    /// A session wants a person: all who could miss it are told, unless one looks at it.
    pub(super) fn attention(&mut self, attention: SessionAttention) {
        let session_id = attention.session_id;
        let looked_at = self.viewers_of(session_id).any(|(_, viewer)| viewer.focus);
        if looked_at || !is_code(&attention.reason) {
            return;
        }
        let title = attention.title.as_deref().and_then(presentable);
        let attention = SessionAttention { title, ..attention };
        if self.written.note(session_id, Some(&attention)) {
            let SessionAttention { reason, title, .. } = attention.clone();
            self.effects.push(Effect::Record(Record::Attention { session_id, reason, title }));
        }
        let text = Event::from(attention).to_json(None);
        for (id, connected) in self.browsers.iter() {
            let concerned = match &connected.browser {
                Browser::Watcher => true,
                Browser::Viewer(viewer) => viewer.session_id == session_id,
            };
            if concerned {
                self.effects.push(Effect::ToBrowser(*id, text.clone()));
            }
        }
    }

    /// A viewer's page says whether a person looks at it.
    pub(super) fn focus(&mut self, id: SocketId, on: bool) {
        let Some(viewer) = self.viewer_mut(id).filter(|viewer| viewer.focus != on) else { return };
        viewer.focus = on;
        let session_id = viewer.session_id;
        self.save(id);
        if on && self.written.note(session_id, None) {
            self.effects.push(Effect::Record(Record::Attended(session_id)));
        }
    }

    /// Viewers that said that a person looks at them.
    pub fn focused(&self) -> Vec<SocketId> {
        self.viewers().filter(|(_, viewer)| viewer.focus).map(|(id, _)| id).collect()
    }

    /// These viewers are too silent to be looked at: a closed lid says no goodbye.
    pub fn unfocus(&mut self, silent: &[SocketId]) {
        for id in silent {
            self.focus(*id, false);
        }
    }
}

/// Whether `reason` is what the contract calls a code.
fn is_code(reason: &str) -> bool {
    reason.len() <= REASON_BYTES
        && reason.starts_with(|c: char| c.is_ascii_lowercase())
        && reason.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A program's words as they may be kept and shown; `None` when nothing is left of them.
fn presentable(title: &str) -> Option<String> {
    let visible = title.chars().filter(|c| !c.is_control());
    let cut: String = visible.take(ATTENTION_TITLE_CHARS).collect();
    let trimmed = cut.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_cut_and_lose_their_controls() {
        assert_eq!(presentable(" a\u{7}b\u{9b}\nc ").as_deref(), Some("abc"));
        assert_eq!(presentable("\u{1b}\u{85} "), None);
        let long = "é".repeat(ATTENTION_TITLE_CHARS + 1);
        assert_eq!(presentable(&long).map(|title| title.chars().count()), Some(256));
    }

    #[test]
    fn reasons_are_codes() {
        assert!(is_code("bell") && is_code("new_reason_2"));
        for bad in ["", "Bell", "2", "a b", &"a".repeat(65)] {
            assert!(!is_code(bad), "{bad}");
        }
    }

    #[test]
    fn made_up_sessions_take_no_room() {
        let mut written = Written::default();
        for session_id in 0..10_000 {
            assert!(written.note(session_id, None));
            assert!(written.0.len() <= MAX_SESSIONS);
        }
    }
}
