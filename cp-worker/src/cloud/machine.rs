//! The life of a droplet as a state machine: a clock and answers in, calls to DigitalOcean out.
//!
//! What the shell does: [`Droplet::plan`] tells what to ask; the droplet is written down; it is
//! asked; [`Droplet::took`] is told the answer; the droplet is written down; and so on until there
//! is nothing to ask. It may crash anywhere in between, and others may do the same at once: whoever
//! finds that the row changed meanwhile reads it again and lets the answer happen to *that*.
//!
//! Money is kept safe by two rules. That a droplet is asked for is written down before it is asked
//! for, and afterwards it is looked for by its name before it is asked for again. And nothing is
//! deleted unless a person said so, which is what `Destroying` means.

use crate::limits::{
    BACKOFF_MAX_MS, BACKOFF_MIN_MS, LOOK_MS, POWER_GRACE_MS, POWER_MS, PROVISIONING_MS, REST_MS,
    SETTLE_MS,
};

/// Refusals of a deletion that nobody is told of: a droplet that is busy refuses for a moment.
const TRIES_UNTOLD: u32 = 3;

/// Where a droplet is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Status {
    Provisioning,
    Active,
    Off,
    PoweringOff,
    PoweringOn,
    Failed,
    Destroying,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Provisioning,
        Self::Active,
        Self::Off,
        Self::PoweringOff,
        Self::PoweringOn,
        Self::Failed,
        Self::Destroying,
    ];

    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Off => "off",
            Self::PoweringOff => "powering_off",
            Self::PoweringOn => "powering_on",
            Self::Failed => "failed",
            Self::Destroying => "destroying",
        }
    }

    /// The status of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What went wrong, as a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub code: String,
    /// A sentence, DigitalOcean's own where it gave one.
    pub message: String,
}

impl Failure {
    fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }
}

/// One droplet as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Droplet {
    pub status: Status,
    /// DigitalOcean's number for it, once known.
    pub droplet_id: Option<u64>,
    pub ip_address: Option<String>,
    /// Part of its name; a new one begins with each retry.
    pub attempt: u32,
    /// What is destroyed is made again afterwards.
    pub remake: bool,
    /// When DigitalOcean was asked to make it, in milliseconds; `None` when it surely has not.
    pub made_at: Option<u64>,
    /// When DigitalOcean took the power action, in milliseconds.
    pub acted_at: Option<u64>,
    /// The power action was the hard one.
    pub forced: bool,
    /// Until when what is under way must have happened, in milliseconds.
    pub deadline: Option<u64>,
    pub failure: Option<Failure>,
    /// When to look at it, in milliseconds; `None` when there is nothing to see.
    pub next_look_at: Option<u64>,
    /// Looks in a row that came to nothing.
    pub tries: u32,
}

/// A power action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Action {
    /// The machine is asked to go down; it may not listen.
    Shutdown,
    /// The plug is pulled.
    PowerOff,
    PowerOn,
}

impl Action {
    /// DigitalOcean's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::PowerOff => "power_off",
            Self::PowerOn => "power_on",
        }
    }
}

/// What DigitalOcean is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Make it.
    Create,
    /// Look for it by its name.
    Find,
    /// What it is like.
    Get(u64),
    /// Delete it.
    Delete(u64),
    /// Switch it.
    Act(u64, Action),
}

/// Whether a droplet runs, as DigitalOcean says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Power {
    New,
    Active,
    Off,
    /// A word that we do not know.
    Other,
}

/// A droplet as DigitalOcean shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct View {
    pub id: u64,
    pub power: Power,
    pub ip_address: Option<String>,
}

/// What DigitalOcean answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To `Create` and `Get`, and to `Find` when it is there.
    Shown(View),
    /// To `Find` when nothing has the name.
    Nothing,
    /// Taken: to `Delete` and `Act`.
    Done,
    /// There is no such droplet.
    Missing,
    /// Not done, in DigitalOcean's words.
    Refused(String),
    /// Not done: too many requests; milliseconds until the next.
    Throttled(u64),
    /// Nobody knows: a failure on their side, or no answer.
    Lost,
    /// Not done: we have no access to the account any more.
    NoAccess,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this.
    Ask(Call),
    /// Nothing, until `next_look_at`.
    Rest,
    /// There is nothing at DigitalOcean any more, and the rows can go.
    Remove,
}

/// The wish does not fit what the droplet is doing.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongState;

impl Droplet {
    /// One that is to be made.
    pub fn new(now: u64) -> Self {
        Self {
            status: Status::Provisioning,
            droplet_id: None,
            ip_address: None,
            attempt: 1,
            remake: false,
            made_at: None,
            acted_at: None,
            forced: false,
            deadline: Some(now + PROVISIONING_MS),
            failure: None,
            next_look_at: Some(now),
            tries: 0,
        }
    }

    /// A person wants it gone.
    pub fn destroy(&mut self, now: u64) {
        if self.status == Status::Destroying && !self.remake {
            return;
        }
        self.status = Status::Destroying;
        self.remake = false;
        self.failure = None;
        self.deadline = None;
        self.tries = 0;
        self.next_look_at = Some(now);
    }

    /// A person wants what failed to be made anew.
    ///
    /// # Errors
    /// [`WrongState`] when it neither failed nor is being made.
    pub fn retry(&mut self, now: u64) -> Result<(), WrongState> {
        match self.status {
            Status::Failed => {
                self.destroy(now);
                self.remake = true;
                Ok(())
            }
            // The second click on the same button.
            Status::Provisioning => Ok(()),
            Status::Destroying if self.remake => Ok(()),
            _ => Err(WrongState),
        }
    }

    /// A person wants it on or off.
    ///
    /// # Errors
    /// [`WrongState`] while it is being made or destroyed, and when it failed.
    pub fn power(&mut self, on: bool, now: u64) -> Result<(), WrongState> {
        let (under_way, there) = if on {
            (Status::PoweringOn, Status::Active)
        } else {
            (Status::PoweringOff, Status::Off)
        };
        match self.status {
            Status::Provisioning | Status::Failed | Status::Destroying => Err(WrongState),
            status if status == under_way || status == there => Ok(()),
            _ => {
                self.status = under_way;
                self.acted_at = None;
                self.forced = false;
                self.failure = None;
                self.deadline = Some(now + POWER_MS);
                self.tries = 0;
                self.next_look_at = Some(now);
                Ok(())
            }
        }
    }

    /// Its gateway said hello: it runs, whatever was thought of it.
    pub fn greeted(&mut self, now: u64) {
        let alive = [Status::Provisioning, Status::PoweringOn, Status::Off, Status::Failed];
        if alive.contains(&self.status) {
            self.settle(Status::Active, now);
        }
    }

    /// What to do now; `connected` says whether its gateway is. What this changes must be written
    /// down before anything is asked.
    pub fn plan(&mut self, connected: bool, now: u64) -> Step {
        if connected && self.status == Status::Provisioning {
            self.greeted(now);
        }
        self.tick(now);
        if self.status == Status::Failed {
            return self.rest(None);
        }
        // Whoever else looks while we ask comes too soon.
        self.next_look_at = Some(now + LOOK_MS);
        match (self.status, self.droplet_id) {
            (Status::Destroying, Some(id)) => Step::Ask(Call::Delete(id)),
            (Status::Provisioning, None) if self.made_at.is_none() => self.create(now),
            (Status::Destroying, None) if self.made_at.is_none() => self.finish(now),
            (_, None) => Step::Ask(Call::Find),
            (_, Some(id)) => Step::Ask(Call::Get(id)),
        }
    }

    /// Lets an answer happen to it. The call need not be one that it would make now: somebody may
    /// have changed its mind meanwhile.
    pub fn took(&mut self, call: Call, answer: Answer, now: u64) -> Step {
        match answer {
            Answer::Throttled(wait) => {
                self.not_made(call);
                return self.later(wait, now);
            }
            Answer::Lost => return self.later(0, now),
            Answer::NoAccess => {
                self.not_made(call);
                return self.no_access(now);
            }
            Answer::Refused(_) => {}
            _ => self.tries = 0,
        }
        match (call, answer) {
            (Call::Create | Call::Find, Answer::Shown(view)) => self.found(view, now),
            (Call::Create, Answer::Refused(why)) => {
                self.not_made(call);
                self.refused(&why, now)
            }
            (Call::Find, Answer::Nothing) => self.not_found(now),
            (Call::Get(_), Answer::Shown(view)) => self.seen(view, now),
            (Call::Get(id) | Call::Act(id, _), Answer::Missing) => self.missing(id, now),
            (Call::Act(id, action), Answer::Done) => self.acted(id, action, now),
            (Call::Delete(id), Answer::Done) => self.taken_away(id, now),
            (Call::Delete(id), Answer::Missing) => self.deleted(id, now),
            (Call::Delete(_), Answer::Refused(why)) => self.not_deleted(&why, now),
            // Not switched, because something else is under way, and so tried again; or an answer
            // that makes no sense.
            _ => self.look_soon(now),
        }
    }

    fn tick(&mut self, now: u64) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        let (status, code, message) = match self.status {
            Status::Provisioning => {
                let message = "The server did not report within 10 minutes.";
                (Status::Failed, "timed_out", message)
            }
            Status::PoweringOff => {
                let message = "DigitalOcean did not switch it off within 10 minutes.";
                (Status::Active, "power_failed", message)
            }
            Status::PoweringOn => {
                let message = "DigitalOcean did not switch it on within 10 minutes.";
                (Status::Off, "power_failed", message)
            }
            _ => return,
        };
        self.settle(status, now);
        self.failure = Some(Failure::new(code, message));
    }

    /// Comes to rest in a status.
    fn settle(&mut self, status: Status, now: u64) -> Step {
        self.status = status;
        self.deadline = None;
        self.failure = None;
        self.acted_at = None;
        self.forced = false;
        self.tries = 0;
        self.rest((status != Status::Failed).then_some(now + REST_MS))
    }

    fn fail(&mut self, code: &str, message: &str, now: u64) -> Step {
        self.settle(Status::Failed, now);
        self.failure = Some(Failure::new(code, message));
        Step::Rest
    }

    fn create(&mut self, now: u64) -> Step {
        self.made_at = Some(now);
        Step::Ask(Call::Create)
    }

    /// There is nothing at DigitalOcean: the end, or the next beginning.
    fn finish(&mut self, now: u64) -> Step {
        if !self.remake {
            return Step::Remove;
        }
        *self = Self { attempt: self.attempt.saturating_add(1), ..Self::new(now) };
        self.next_look_at = Some(now + LOOK_MS);
        self.create(now)
    }

    fn found(&mut self, view: View, now: u64) -> Step {
        if self.status != Status::Destroying && self.droplet_id.is_some_and(|id| id != view.id) {
            // A second one of this name: destroying the server finds it.
            return self.look_soon(now);
        }
        self.droplet_id = Some(view.id);
        self.ip_address = view.ip_address.or(self.ip_address.take());
        match self.status {
            Status::Destroying => Step::Ask(Call::Delete(view.id)),
            Status::Failed => self.rest(None),
            _ => self.look_soon(now),
        }
    }

    fn not_found(&mut self, now: u64) -> Step {
        let settled = self.made_at.is_none_or(|made_at| now >= made_at + SETTLE_MS);
        match self.status {
            // Asked for a moment ago: it may be there and not be listed yet.
            _ if !settled => self.look_soon(now),
            // Somebody else was told its number while we looked.
            _ if self.droplet_id.is_some() => self.look_soon(now),
            Status::Provisioning => self.create(now),
            Status::Destroying => self.finish(now),
            Status::Failed => self.rest(None),
            _ => self.look_at(now + REST_MS),
        }
    }

    fn seen(&mut self, view: View, now: u64) -> Step {
        if self.droplet_id != Some(view.id) {
            return self.look_soon(now);
        }
        self.ip_address = view.ip_address.or(self.ip_address.take());
        let waited = self.acted_at.is_some_and(|acted_at| now >= acted_at + POWER_GRACE_MS);
        let (untouched, act) =
            (self.acted_at.is_none(), |action| Step::Ask(Call::Act(view.id, action)));
        match (self.status, view.power) {
            (Status::PoweringOff | Status::Active, Power::Off) => self.settle(Status::Off, now),
            (Status::PoweringOn | Status::Off, Power::Active) => self.settle(Status::Active, now),
            (Status::PoweringOff, Power::Active) if untouched => act(Action::Shutdown),
            (Status::PoweringOff, Power::Active) if waited && !self.forced => act(Action::PowerOff),
            (Status::PoweringOn, Power::Off) if untouched || waited => act(Action::PowerOn),
            (Status::Active | Status::Off, _) => self.rest(Some(now + REST_MS)),
            (Status::Failed, _) => self.rest(None),
            _ => self.look_soon(now),
        }
    }

    fn acted(&mut self, id: u64, action: Action, now: u64) -> Step {
        let wanted = match action {
            Action::PowerOn => Status::PoweringOn,
            Action::Shutdown | Action::PowerOff => Status::PoweringOff,
        };
        if self.droplet_id == Some(id) && self.status == wanted {
            self.acted_at = Some(now);
            self.forced = action == Action::PowerOff;
        }
        self.look_soon(now)
    }

    fn missing(&mut self, id: u64, now: u64) -> Step {
        let young = self.made_at.is_some_and(|made_at| now < made_at + SETTLE_MS);
        match self.status {
            // A new droplet can be unknown for a moment.
            Status::Provisioning if young => self.look_soon(now),
            Status::Destroying | Status::Failed => self.look_soon(now),
            _ if self.droplet_id != Some(id) => self.look_soon(now),
            _ => self.fail("gone", "DigitalOcean has no such droplet any more.", now),
        }
    }

    /// DigitalOcean deletes it: when it is missing, that is why, and not because it is new.
    fn taken_away(&mut self, id: u64, now: u64) -> Step {
        if self.status == Status::Destroying && self.droplet_id == Some(id) {
            self.made_at = Some(0);
        }
        self.look_soon(now)
    }

    /// Its number is unknown to DigitalOcean. Before that is the end, nothing may have its name.
    fn deleted(&mut self, id: u64, now: u64) -> Step {
        if self.status != Status::Destroying {
            return self.look_soon(now);
        }
        if self.droplet_id == Some(id) {
            self.droplet_id = None;
            self.ip_address = None;
            self.made_at = Some(self.made_at.unwrap_or(0));
        }
        Step::Ask(Call::Find)
    }

    /// Something else is under way, mostly. What stays refused is shown.
    fn not_deleted(&mut self, why: &str, now: u64) -> Step {
        if self.status == Status::Destroying && self.tries >= TRIES_UNTOLD {
            self.failure = Some(Failure::new("refused", why));
        }
        self.later(0, now)
    }

    fn refused(&mut self, why: &str, now: u64) -> Step {
        match self.status {
            Status::Provisioning => self.fail("refused", why, now),
            _ => self.look_soon(now),
        }
    }

    /// If the call was to make it, it was not made.
    fn not_made(&mut self, call: Call) {
        if call == Call::Create && self.droplet_id.is_none() {
            self.made_at = None;
        }
    }

    fn no_access(&mut self, now: u64) -> Step {
        let message = "DigitalOcean does not let us in any more. Connect the account again.";
        if self.status == Status::Provisioning && self.made_at.is_none() {
            return self.fail("connection_expired", message, now);
        }
        if self.status == Status::Destroying {
            self.failure = Some(Failure::new("connection_expired", message));
        }
        self.later(BACKOFF_MAX_MS, now)
    }

    fn rest(&mut self, next_look_at: Option<u64>) -> Step {
        self.next_look_at = next_look_at;
        Step::Rest
    }

    fn look_soon(&mut self, now: u64) -> Step {
        if self.status == Status::Failed {
            return self.rest(None);
        }
        self.look_at(now + LOOK_MS)
    }

    fn later(&mut self, wait_ms: u64, now: u64) -> Step {
        if self.status == Status::Failed {
            return self.rest(None);
        }
        let backoff = backoff(self.tries);
        self.tries = self.tries.saturating_add(1);
        self.look_at(now + wait_ms.clamp(backoff, BACKOFF_MAX_MS))
    }

    /// Looks at `time`, but never later than the deadline, which is told in time.
    fn look_at(&mut self, time: u64) -> Step {
        self.rest(Some(self.deadline.map_or(time, |deadline| time.min(deadline))))
    }
}

/// Milliseconds to wait after so many failures in a row.
pub fn backoff(tries: u32) -> u64 {
    BACKOFF_MIN_MS.saturating_mul(1 << tries.min(16)).min(BACKOFF_MAX_MS)
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
