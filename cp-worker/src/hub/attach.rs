//! How viewers come to their place in the stream: attaches, the answers to them, and none.

use super::viewer::Phase;
use super::{CallError, Effect, Hub, SocketId};
use crate::limits::{CLOSE_NOT_FOUND, COMMAND_TIMEOUT_MS};
use protocol::envelope::{Head, codes};

impl Hub {
    /// Attaches for every viewer that had or wanted the stream, after the gateway came back.
    pub(super) fn attach_all(&mut self, now: u64) {
        let viewers: Vec<_> = self
            .viewers()
            .map(|(id, viewer)| (id, viewer.session_id, viewer.phase, viewer.has_room()))
            .collect();
        for (id, session_id, phase, has_room) in viewers {
            self.touch(session_id);
            match phase {
                Phase::Idle | Phase::Lagging => {}
                Phase::Awaiting | Phase::Live if !has_room => self.set_lagging(id),
                Phase::Awaiting | Phase::Live => self.attach(id, now),
            }
        }
    }

    pub(super) fn snapshot(&mut self, session_id: u32, head: &Head, bytes: usize, now: u64) {
        let Some(seq) = head.seq else { return };
        if let Some(stream) = self.streams.get_mut(&session_id) {
            stream.see(Some(seq));
        }
        match &head.request_id {
            Some(request_id) => {
                if let Some(id) = self.asker(session_id, request_id) {
                    self.restore_viewer(id, seq, bytes, now);
                }
            }
            // The recovery after `session.lagged` is for everybody who is live.
            None => {
                for id in self.live_viewers(session_id) {
                    self.restore_viewer(id, seq, bytes, now);
                }
            }
        }
        self.touch(session_id);
        self.ack_gateway(session_id, now);
    }

    fn restore_viewer(&mut self, id: SocketId, seq: u32, bytes: usize, now: u64) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        if viewer.phase == Phase::Live && !viewer.has_room() {
            return self.set_lagging(id);
        }
        viewer.restored(seq, bytes, now);
        self.effects.push(Effect::Pass(id));
        self.save_soon(id, now);
    }

    pub(super) fn replay(
        &mut self,
        session_id: u32,
        request_id: Option<String>,
        seq: u32,
        len: u32,
        now: u64,
    ) {
        if let Some(stream) = self.streams.get_mut(&session_id) {
            stream.see(Some(seq.wrapping_add(len)));
        }
        let Some(id) = request_id.and_then(|one| self.asker(session_id, &one)) else { return };
        if let Some(viewer) = self.viewer_mut(id) {
            viewer.replayed(seq, len);
            self.effects.push(Effect::Pass(id));
            self.touch(session_id);
            self.ack_gateway(session_id, now);
        }
    }

    /// Who waits for the answer to `request_id`, if that viewer is still there.
    fn asker(&self, session_id: u32, request_id: &str) -> Option<SocketId> {
        self.viewers_of(session_id)
            .find(|(_, viewer)| viewer.request_id.as_deref() == Some(request_id))
            .map(|(id, _)| id)
    }

    fn live_viewers(&self, session_id: u32) -> Vec<SocketId> {
        self.viewers_of(session_id)
            .filter(|(_, viewer)| viewer.phase == Phase::Live)
            .map(|(id, _)| id)
            .collect()
    }

    /// The gateway refused an attach.
    pub(super) fn attach_refused(&mut self, request_id: &str, error: &CallError, now: u64) {
        let asker = self.viewers().find(|(_, one)| one.request_id.as_deref() == Some(request_id));
        if let Some((id, _)) = asker {
            self.attach_failed(id, error, now);
        }
    }

    /// The answer that a viewer waits for will not come; the page may ask again.
    fn attach_failed(&mut self, id: SocketId, error: &CallError, now: u64) {
        let Some(viewer) = self.viewer_mut(id) else { return };
        viewer.request_id = None;
        self.save_soon(id, now);
        self.tell(id, super::messages::error(&error.code, &error.message));
        if error.code == codes::UNKNOWN_SESSION {
            self.close_browser(id, CLOSE_NOT_FOUND, "no such session", now);
        }
    }

    /// Tells viewers whose attach nobody answered.
    pub(super) fn expire_attaches(&mut self, now: u64) {
        let overdue: Vec<_> = self
            .viewers()
            .filter(|(_, viewer)| viewer.is_asking() && viewer.asked_at + COMMAND_TIMEOUT_MS <= now)
            .map(|(id, _)| id)
            .collect();
        for id in overdue {
            self.attach_failed(id, &CallError::timed_out(), now);
        }
    }
}
