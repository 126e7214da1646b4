//! Who may work on the tmux server now.
//!
//! tmux 3.3a crashes, and takes every session with it, when a session is created or closed while a
//! control client is half attached: it notifies a client whose control state does not exist yet
//! (seen in a core of `control_write`). So attaching and creating have the server to themselves.

use super::{Effect, Job};
use crate::limits::{ATTACH_MS, Ms};
use std::collections::VecDeque;

/// Something that touches sessions or clients of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Create(u32),
    End(u32),
    Attach(u32),
}

impl Work {
    /// Ending may take seconds and goes along with other ends; the rest takes milliseconds.
    fn is_alone(self) -> bool {
        !matches!(self, Self::End(_))
    }

    fn of(effect: &Effect) -> Option<Self> {
        Some(match effect {
            Effect::StartClient(id) => Self::Attach(*id),
            Effect::Start(Job::Create { session_id, .. }) => Self::Create(*session_id),
            Effect::Start(Job::End(id)) => Self::End(*id),
            _ => return None,
        })
    }
}

/// The queue in front of the server.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: VecDeque<Effect>,
    active: Vec<Work>,
    /// When an attach that never completes stops being waited for.
    attach_by: Option<Ms>,
}

impl Turns {
    /// Queues what touches the server; gives back what does not.
    pub(super) fn queue(&mut self, effect: Effect) -> Option<Effect> {
        if Work::of(&effect).is_none() {
            return Some(effect);
        }
        self.waiting.push_back(effect);
        None
    }

    /// The next effect whose turn it is.
    pub(super) fn next(&mut self, now: Ms) -> Option<Effect> {
        let work = Work::of(self.waiting.front()?)?;
        let alone = work.is_alone() || self.active.iter().any(|active| active.is_alone());
        if alone && !self.active.is_empty() {
            return None;
        }
        self.active.push(work);
        if let Work::Attach(_) = work {
            self.attach_by = Some(now + ATTACH_MS);
        }
        self.waiting.pop_front()
    }

    /// The work is done, or will never be.
    pub(super) fn done(&mut self, work: Work) {
        self.active.retain(|active| *active != work);
        if let Work::Attach(_) = work {
            self.attach_by = None;
        }
    }

    /// When [`Turns::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Ms> {
        self.attach_by
    }

    /// Gives up on a client that does not attach; its end will be noticed where it is read.
    pub(super) fn tick(&mut self, now: Ms) {
        if self.attach_by.is_some_and(|by| now >= by) {
            self.active.retain(|active| !matches!(active, Work::Attach(_)));
            self.attach_by = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(turns: &mut Turns) -> Option<Work> {
        turns.next(0).as_ref().and_then(Work::of)
    }

    #[test]
    fn attaching_is_alone_and_ends_go_together() {
        let mut turns = Turns::default();
        let queue = [
            Effect::StartClient(1),
            Effect::Start(Job::End(2)),
            Effect::Start(Job::End(3)),
            Effect::StartClient(4),
        ];
        for effect in queue {
            assert!(turns.queue(effect).is_none());
        }
        assert!(turns.queue(Effect::Start(Job::Probe(1))).is_some(), "a probe only asks");
        assert_eq!((next(&mut turns), next(&mut turns)), (Some(Work::Attach(1)), None));
        turns.done(Work::Attach(1));
        assert_eq!(next(&mut turns), Some(Work::End(2)));
        assert_eq!((next(&mut turns), next(&mut turns)), (Some(Work::End(3)), None));
        turns.done(Work::End(2));
        assert_eq!(next(&mut turns), None);
        turns.done(Work::End(3));
        assert_eq!(next(&mut turns), Some(Work::Attach(4)));
    }

    #[test]
    fn a_client_that_never_attaches_is_not_waited_for_for_ever() {
        let mut turns = Turns::default();
        turns.queue(Effect::StartClient(1));
        turns.queue(Effect::StartClient(2));
        assert_eq!(next(&mut turns), Some(Work::Attach(1)));
        turns.tick(ATTACH_MS - 1);
        assert_eq!(next(&mut turns), None);
        turns.tick(ATTACH_MS);
        assert_eq!(next(&mut turns), Some(Work::Attach(2)));
    }
}
