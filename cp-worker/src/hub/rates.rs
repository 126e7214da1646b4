//! What passed the hub in the last minute, for each session, and which session runs away.
//!
//! Not kept through hibernation: a hub that carries much does not sleep.

use crate::limits::{METER_SLOT_MS, METER_WINDOW_MS, RUNAWAY_BYTES_PER_SECOND, RUNAWAY_MS};
use protocol::limits::MAX_SESSIONS;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Slots of the window.
const SLOTS: u64 = METER_WINDOW_MS / METER_SLOT_MS;

/// Slots in a row that make a runaway.
const RUNAWAY_SLOTS: u64 = RUNAWAY_MS / METER_SLOT_MS;

/// Bytes of a slot above which it has too many.
const SLOT_BYTES: u64 = RUNAWAY_BYTES_PER_SECOND * METER_SLOT_MS / 1_000;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    frames: u64,
    bytes: u64,
    inputs: u64,
}

/// The counts of one session, or of all together, in slots of which the last is the newest.
#[derive(Debug, Default)]
struct Meter {
    slots: VecDeque<Count>,
    /// The newest slot's number since the epoch.
    newest: u64,
    /// Slots before the newest that had too many bytes, without one between that had not.
    excess: u64,
    /// Whether the runaway was told.
    told: bool,
}

impl Meter {
    /// Brings the slots to `now`: what is older than the window is forgotten.
    fn turn(&mut self, now: u64) {
        let number = now / METER_SLOT_MS;
        // After a long pause all slots are empty, so that no more than a window is walked.
        self.newest = self.newest.max(number.saturating_sub(SLOTS + 1));
        while self.newest < number {
            let full = self.slots.back().is_some_and(|slot| slot.bytes > SLOT_BYTES);
            self.excess = if full { self.excess + 1 } else { 0 };
            self.told &= full;
            self.slots.push_back(Count::default());
            self.newest += 1;
            while self.slots.len() as u64 > SLOTS {
                self.slots.pop_front();
            }
        }
        if self.slots.is_empty() {
            self.slots.push_back(Count::default());
        }
    }

    fn add(&mut self, more: Count, now: u64) {
        self.turn(now);
        if let Some(slot) = self.slots.back_mut() {
            slot.add(more);
        }
    }

    fn total(&self) -> Count {
        let mut total = Count::default();
        self.slots.iter().for_each(|slot| total.add(*slot));
        total
    }

    /// Bytes a second of a session that has just become a runaway; says so once.
    fn runs_away(&mut self) -> Option<u64> {
        if self.told || self.excess < RUNAWAY_SLOTS {
            return None;
        }
        self.told = true;
        // The newest slot has only begun.
        let begun = self.slots.back().map_or(0, |slot| slot.bytes);
        let seconds = (SLOTS - 1) * METER_SLOT_MS / 1_000;
        Some(self.total().bytes.saturating_sub(begun) / seconds)
    }
}

impl Count {
    fn add(&mut self, more: Self) {
        self.frames += more.frames;
        self.bytes += more.bytes;
        self.inputs += more.inputs;
    }

    fn to_json(self) -> Value {
        json!({ "frames": self.frames, "bytes": self.bytes, "inputs": self.inputs })
    }
}

/// The rates of one gateway.
#[derive(Debug, Default)]
pub(super) struct Rates {
    all: Meter,
    /// A few, in no order.
    sessions: Vec<(u32, Meter)>,
}

impl Rates {
    /// Counts a frame of output. Gives bytes a second when the session has just become a runaway.
    pub(super) fn output(&mut self, session_id: u32, bytes: u32, now: u64) -> Option<u64> {
        let count = Count { frames: 1, bytes: bytes.into(), inputs: 0 };
        self.count(session_id, count, now)?.runs_away()
    }

    /// Counts a message of input.
    pub(super) fn input(&mut self, session_id: u32, now: u64) {
        self.count(session_id, Count { inputs: 1, ..Count::default() }, now);
    }

    fn count(&mut self, session_id: u32, more: Count, now: u64) -> Option<&mut Meter> {
        self.all.add(more, now);
        let known = self.sessions.iter().position(|(id, _)| *id == session_id);
        if known.is_none() {
            // A gateway may make up ids, but no room for them.
            if self.sessions.len() >= MAX_SESSIONS {
                self.forget_quiet(now);
            }
            if self.sessions.len() >= MAX_SESSIONS {
                return None;
            }
            self.sessions.push((session_id, Meter::default()));
        }
        let at = known.unwrap_or(self.sessions.len().saturating_sub(1));
        let (_, meter) = self.sessions.get_mut(at)?;
        meter.add(more, now);
        Some(meter)
    }

    fn forget_quiet(&mut self, now: u64) {
        self.sessions.retain_mut(|(_, meter)| {
            meter.turn(now);
            meter.total() != Count::default()
        });
    }

    /// As the API shows them.
    pub(super) fn shown(&mut self, now: u64) -> Value {
        self.all.turn(now);
        self.forget_quiet(now);
        let runaway: Vec<u32> =
            self.sessions.iter().filter(|(_, meter)| meter.told).map(|(id, _)| *id).collect();
        let sessions = self.sessions.iter().map(|(session_id, meter)| {
            let mut rate = meter.total().to_json();
            if let Some(fields) = rate.as_object_mut() {
                fields.insert("session_id".to_owned(), json!(session_id));
            }
            rate
        });
        json!({
            "window_ms": METER_WINDOW_MS,
            "gateway": self.all.total().to_json(),
            "sessions": sessions.collect::<Vec<_>>(),
            "runaway": runaway,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000_000;

    /// Lets a session print at a rate for some time, in steps of 100 ms; when it was reported.
    fn print(rates: &mut Rates, from: u64, for_ms: u64, bytes_per_second: u64) -> Vec<(u64, u64)> {
        let frame = u32::try_from(bytes_per_second / 10).unwrap();
        let steps = (0..for_ms / 100).map(|step| from + step * 100);
        steps.filter_map(|now| Some((now, rates.output(7, frame, now)?))).collect()
    }

    #[test]
    fn the_window_slides() {
        let mut rates = Rates::default();
        rates.output(7, 100, START);
        rates.output(8, 50, START + 30_000);
        rates.input(8, START + 30_000);
        let json = rates.shown(START + 30_000);
        assert_eq!(json["gateway"], json!({ "frames": 2, "bytes": 150, "inputs": 1 }));
        let other = json!({ "frames": 1, "bytes": 50, "inputs": 1, "session_id": 8 });
        assert_eq!(json["sessions"][1], other);
        let json = rates.shown(START + METER_WINDOW_MS + 5_000);
        assert_eq!(json["gateway"]["bytes"], 50);
        assert_eq!(json["sessions"], json!([other]));
        let json = rates.shown(START + 10 * METER_WINDOW_MS);
        assert_eq!(json["gateway"]["bytes"], 0);
        assert_eq!(json["sessions"], json!([]));
    }

    #[test]
    fn a_runaway_is_told_once_until_it_calms_down() {
        let mut rates = Rates::default();
        let fast = 2 * RUNAWAY_BYTES_PER_SECOND;
        let told = print(&mut rates, START, 3 * RUNAWAY_MS, fast);
        let [(at, rate)] = told.as_slice() else { panic!("{told:?}") };
        assert!((RUNAWAY_MS..RUNAWAY_MS + 2 * METER_SLOT_MS).contains(&(at - START)), "{at}");
        assert!((fast * 9 / 10..=fast).contains(rate), "{rate} of {fast}");
        let later = START + 3 * RUNAWAY_MS;
        assert_eq!(rates.shown(later)["runaway"], json!([7]));
        let calm = print(&mut rates, later, 2 * METER_SLOT_MS, 1_000);
        assert_eq!(calm, vec![]);
        assert_eq!(rates.shown(later + 2 * METER_SLOT_MS)["runaway"], json!([]));
        let again = print(&mut rates, later + 2 * METER_SLOT_MS, 2 * RUNAWAY_MS, fast);
        assert_eq!(again.len(), 1, "{again:?}");
    }

    #[test]
    fn what_is_short_or_pauses_or_is_slow_is_no_runaway() {
        let mut rates = Rates::default();
        let fast = 100 * RUNAWAY_BYTES_PER_SECOND;
        for burst in 0..10 {
            let from = START + burst * (RUNAWAY_MS + 10_000);
            assert_eq!(print(&mut rates, from, RUNAWAY_MS - METER_SLOT_MS, fast), vec![]);
        }
        let slow = RUNAWAY_BYTES_PER_SECOND - 1_000;
        assert_eq!(print(&mut rates, START + 10 * RUNAWAY_MS, 5 * RUNAWAY_MS, slow), vec![]);
    }

    #[test]
    fn made_up_sessions_and_clocks_take_no_room() {
        let mut rates = Rates::default();
        for session_id in 0..10_000 {
            rates.output(session_id, 1, START + u64::from(session_id));
            rates.input(session_id, 0);
            assert!(rates.sessions.len() <= MAX_SESSIONS);
            assert!(rates.all.slots.len() as u64 <= SLOTS);
        }
        rates.output(1, u32::MAX, u64::MAX);
    }
}
