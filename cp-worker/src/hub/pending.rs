//! Commands that wait for the gateway's ack, each with a deadline.

use super::transfers::TransferId;
use super::{CallId, SocketId};
use crate::limits::{COMMAND_TIMEOUT_MS, MAX_PENDING};

/// Who is to be told of a command's ack.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiter {
    /// A request of the HTTP API.
    Call(CallId),
    /// A viewer, under the name that it gave to its request.
    Viewer(SocketId, String),
    /// The enrolment: the gateway has kept its token.
    Enrolment,
    /// A transfer that begins.
    Transfer(TransferId),
    /// An upload whose bytes are all there.
    Upload(TransferId),
}

#[derive(Debug)]
struct Waiting {
    request_id: String,
    waiter: Waiter,
    deadline: u64,
    /// The event that the command asked for, as it came; the ack follows.
    answer: Option<String>,
}

/// The commands without an ack so far: the last of them is mostly the next that is acked.
#[derive(Debug, Default)]
pub struct Pending(Vec<Waiting>);

impl Pending {
    /// Notes that `request_id` was sent at `now` (milliseconds) for `waiter`.
    pub fn insert(&mut self, request_id: String, waiter: Waiter, now: u64) {
        let deadline = now + COMMAND_TIMEOUT_MS;
        self.0.push(Waiting { request_id, waiter, deadline, answer: None });
    }

    /// Whether no further command may wait.
    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX_PENDING
    }

    /// Keeps the event that answers `request_id` until its ack, if a call waits for one.
    pub fn answer(&mut self, request_id: &str, event: &str) {
        let waiting = self.0.iter_mut().find(|one| one.request_id == request_id);
        if let Some(waiting) = waiting.filter(|one| matches!(one.waiter, Waiter::Call(_))) {
            waiting.answer = Some(event.to_owned());
        }
    }

    /// Whom the ack of `request_id` is for, once, and the event that came before it.
    pub fn take(&mut self, request_id: &str) -> Option<(Waiter, Option<String>)> {
        let at = self.0.iter().rposition(|one| one.request_id == request_id)?;
        let waiting = self.0.swap_remove(at);
        Some((waiting.waiter, waiting.answer))
    }

    /// Everybody who waits, when the gateway is gone.
    pub fn take_all(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.0).into_iter().map(|waiting| waiting.waiter).collect()
    }

    /// Those whose deadline has passed.
    pub fn take_overdue(&mut self, now: u64) -> Vec<Waiter> {
        let (overdue, waiting) =
            std::mem::take(&mut self.0).into_iter().partition(|one| one.deadline <= now);
        self.0 = waiting;
        let overdue: Vec<Waiting> = overdue;
        overdue.into_iter().map(|one| one.waiter).collect()
    }

    /// When the first deadline passes.
    pub fn next_deadline(&self) -> Option<u64> {
        self.0.iter().map(|waiting| waiting.deadline).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_waiter_is_told_once() {
        let mut pending = Pending::default();
        pending.insert("a".into(), Waiter::Call(1), 0);
        pending.insert("b".into(), Waiter::Call(2), 5);
        assert_eq!(pending.next_deadline(), Some(COMMAND_TIMEOUT_MS));
        assert_eq!(pending.take("a"), Some((Waiter::Call(1), None)));
        assert_eq!(pending.take("a"), None);
        assert_eq!(pending.take_overdue(COMMAND_TIMEOUT_MS + 4), vec![]);
        assert_eq!(pending.take_overdue(COMMAND_TIMEOUT_MS + 5), vec![Waiter::Call(2)]);
        assert_eq!(pending.next_deadline(), None);
    }

    #[test]
    fn an_answer_waits_for_its_ack() {
        let mut pending = Pending::default();
        pending.insert("a".into(), Waiter::Call(1), 0);
        pending.insert("b".into(), Waiter::Enrolment, 0);
        for request_id in ["a", "b", "c"] {
            pending.answer(request_id, "keys");
        }
        assert_eq!(pending.take("a"), Some((Waiter::Call(1), Some("keys".into()))));
        assert_eq!(pending.take("b"), Some((Waiter::Enrolment, None)));
        assert_eq!(pending.take("c"), None);
    }
}
