//! A new version on trial: confirmed by a link that lives, given up when there is none. No I/O.

use crate::limits::Ms;

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Wait,
    /// It is good.
    Confirmed,
    /// It did not find its control plane in time. The old version may not either, but it once did.
    GoBack,
}

/// The trial of this process.
#[derive(Debug)]
pub struct Trial {
    confirm: Ms,
    /// Without a link it ends here.
    until: Ms,
    linked: Option<Ms>,
    heard: bool,
}

impl Trial {
    /// Begins when the process does, at 0: a link that lives for `confirm` milliseconds decides, or
    /// that there is none after `patience`.
    pub fn new(confirm: Ms, patience: Ms) -> Self {
        Self { confirm, until: patience, linked: None, heard: false }
    }

    /// The link stands and hello was said.
    pub fn linked(&mut self, now: Ms) {
        self.linked = Some(now);
        self.heard = false;
    }

    /// The link is gone.
    pub fn unlinked(&mut self) {
        self.linked = None;
    }

    /// The control plane said something after hello, be it an answer to `ping`.
    pub fn heard(&mut self) {
        self.heard = true;
    }

    /// What is to be done.
    pub fn verdict(&self, now: Ms) -> Verdict {
        match self.linked {
            Some(since) if self.heard && now >= since + self.confirm => Verdict::Confirmed,
            // A link that is silent is ended by its own liveness.
            Some(_) => Verdict::Wait,
            None if now >= self.until => Verdict::GoBack,
            None => Verdict::Wait,
        }
    }

    /// When the verdict may be another one without anything having happened.
    pub fn deadline(&self) -> Option<Ms> {
        match self.linked {
            Some(since) => self.heard.then_some(since + self.confirm),
            None => Some(self.until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_lives_and_speaks_confirms() {
        let mut trial = Trial::new(30_000, 300_000);
        trial.linked(1_000);
        assert_eq!((trial.verdict(60_000), trial.deadline()), (Verdict::Wait, None));
        trial.heard();
        assert_eq!(trial.deadline(), Some(31_000));
        assert_eq!(trial.verdict(30_999), Verdict::Wait);
        assert_eq!(trial.verdict(31_000), Verdict::Confirmed);
    }

    #[test]
    fn each_link_begins_anew_and_none_at_the_end_goes_back() {
        let mut trial = Trial::new(30_000, 300_000);
        trial.heard();
        trial.linked(1_000);
        trial.heard();
        trial.unlinked();
        assert_eq!((trial.verdict(299_999), trial.deadline()), (Verdict::Wait, Some(300_000)));
        trial.linked(290_000);
        assert_eq!(trial.verdict(320_000), Verdict::Wait, "a link is waited for");
        trial.unlinked();
        assert_eq!(trial.verdict(320_001), Verdict::GoBack);
    }
}
