//! The hub's side of one session's output: who gets a frame, and what is acked to the gateway.

use super::viewer::{Offer, Phase};
use super::{Effect, Hub};
use crate::limits::{ACK_BYTES, ACK_INTERVAL_MS};
use protocol::commands::SessionAck;
use protocol::seq::{distance, is_before};

/// What the hub knows of one session's stream while somebody is attached to it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Offset after the last byte that the gateway sent.
    seen: Option<u32>,
    /// What the gateway was last told; unknown after hibernation.
    acked: Option<u32>,
    /// Milliseconds: when it was told.
    acked_at: u64,
    /// More is to be told when the interval is over.
    ack_due: bool,
}

impl Stream {
    pub(super) fn restore(&mut self, seen: Option<u32>) {
        self.see(seen);
    }

    pub(super) fn seen(&self) -> Option<u32> {
        self.seen
    }

    pub(super) fn ack_deadline(&self) -> Option<u64> {
        self.ack_due.then_some(self.acked_at + ACK_INTERVAL_MS)
    }

    /// Notes that the gateway's stream has come to `end`; never goes back.
    pub(super) fn see(&mut self, end: Option<u32>) {
        let Some(end) = end else { return };
        if self.seen.is_none_or(|seen| is_before(seen, end)) {
            self.seen = Some(end);
        }
    }
}

impl Hub {
    /// Handles an output frame of `len` payload bytes at `seq`: the shell's hot path.
    pub(super) fn output(&mut self, session_id: u32, seq: u32, len: u32, now: u64) {
        let Some(stream) = self.streams.get_mut(&session_id) else { return };
        stream.see(Some(seq.wrapping_add(len)));
        if let Some(bytes_per_second) = self.rates.output(session_id, len, now) {
            self.runaway(session_id, bytes_per_second);
        }
        let fastest = self.fastest(session_id);
        let mut broken = Vec::new();
        let mut takers = 0;
        for (id, connected) in self.browsers.iter_mut() {
            let super::Browser::Viewer(viewer) = &mut connected.browser else { continue };
            if viewer.session_id != session_id {
                continue;
            }
            // Also for those that get nothing: they remember how far the stream has come.
            connected.unsaved = true;
            match viewer.offer(seq, len, fastest, now) {
                Offer::Taken => {
                    takers += 1;
                    self.effects.push(Effect::Pass(*id));
                }
                Offer::TakenLast => {
                    self.effects.push(Effect::Pass(*id));
                    self.touched.push(session_id);
                }
                Offer::NotLive => {}
                Offer::Gap => broken.push(*id),
            }
        }
        self.save_at.get_or_insert(now + crate::limits::SAVE_INTERVAL_MS);
        for id in broken {
            self.attach_anew(id, now);
        }
        if takers == 0 {
            self.ack_gateway(session_id, now);
        }
    }

    /// A session prints more than anybody reads: that is said, and its output goes on.
    fn runaway(&mut self, session_id: u32, bytes_per_second: u64) {
        self.effects.push(Effect::Runaway(session_id, bytes_per_second));
        self.tell_watchers(&super::messages::runaway(session_id, bytes_per_second));
    }

    /// Acks to the gateway for the most advanced live viewer, at most once per
    /// [`ACK_BYTES`] or [`ACK_INTERVAL_MS`].
    pub(super) fn ack_gateway(&mut self, session_id: u32, now: u64) {
        let target = self.ack_target(session_id);
        let online = self.is_online();
        let Some(stream) = self.streams.get_mut(&session_id) else { return };
        stream.ack_due = false;
        let Some(target) = target.filter(|_| online) else { return };
        let gained = stream.acked.map_or(i32::MAX, |acked| distance(acked, target));
        if gained <= 0 {
            return;
        }
        if gained.unsigned_abs() < ACK_BYTES && now < stream.acked_at + ACK_INTERVAL_MS {
            stream.ack_due = true;
            return;
        }
        (stream.acked, stream.acked_at) = (Some(target), now);
        self.send(&SessionAck { session_id, seq: target }.into(), None);
    }

    /// The next byte that the hub may say it expects. While somebody waits for an answer, all that
    /// came: the answer stands behind it in the stream and must not be held up by a closed window,
    /// also not by that of a live viewer that hangs. A snapshot under way is no ack: the gateway
    /// learns from the time of acks how fast a viewer is.
    fn ack_target(&self, session_id: u32) -> Option<u32> {
        if self.viewers_of(session_id).any(|(_, viewer)| viewer.is_asking()) {
            return self.streams.get(&session_id)?.seen;
        }
        let live = self
            .viewers_of(session_id)
            .filter(|(_, viewer)| viewer.phase == Phase::Live && viewer.is_confirmed())
            .filter_map(|(_, viewer)| viewer.acked);
        live.reduce(|best, acked| if is_before(best, acked) { acked } else { best })
    }

    /// The pace of the fastest viewer that gets the stream.
    fn fastest(&self, session_id: u32) -> u64 {
        let live = self.viewers_of(session_id).filter(|(_, viewer)| viewer.phase == Phase::Live);
        live.map(|(_, viewer)| viewer.pace()).max().unwrap_or(0)
    }
}
