//! The order of an attempt: what is written before what, what a start makes of it. No I/O.
//!
//! A phase is on the disk before anything happens that only this phase can repair:
//!
//! | phase | what has the binary's name | a starting old version | a starting new version |
//! |---|---|---|---|
//! | fetching | the old one | tells that it failed | cannot be; forgets |
//! | swapping | either | tells that it failed | notes `trial` and is on trial |
//! | trial | the new one | tells that it is back | goes back to the old one |
//! | going back | either | tells that it is back | goes back to the old one |
//!
//! The record goes when the new version is confirmed, or when the old one has told of the failure.

use protocol::envelope::codes;

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The new file is fetched and tested.
    Fetching,
    /// The old file is kept; the new one takes its name.
    Swapping,
    /// The new version was started.
    Trial,
    /// The old file takes its name back.
    GoingBack,
}

/// What is on the disk about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// How far it is.
    pub phase: Phase,
    /// The version that is tried.
    pub version: String,
    /// Who asked for it.
    pub request_id: String,
    /// Why it is given up, where that is known.
    pub why: String,
}

/// What a failed update is told with: a code of the contract and words.
pub type Failure = (&'static str, String);

/// What an attempt does to the disk. A step is there as a whole or not at all, and it stays when
/// the power fails after it returned.
pub trait Disk {
    /// The record, if there is one.
    fn record(&mut self) -> Option<Record>;
    /// Writes the record.
    ///
    /// # Errors
    /// As the file system says, in words; so for all of these.
    #[allow(clippy::missing_errors_doc)]
    fn note(&mut self, record: &Record) -> Result<(), String>;
    /// Removes the record.
    fn forget(&mut self);
    /// Gives the running binary a second name.
    #[allow(clippy::missing_errors_doc)]
    fn keep(&mut self) -> Result<(), String>;
    /// Gives the new file the binary's name.
    #[allow(clippy::missing_errors_doc)]
    fn replace(&mut self) -> Result<(), String>;
    /// Gives what was kept the binary's name back.
    #[allow(clippy::missing_errors_doc)]
    fn restore(&mut self) -> Result<(), String>;
    /// Removes the new file, and what unfinished steps left.
    fn discard(&mut self);
}

/// What a start found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing of an update.
    Ordinary,
    /// This is a new version on trial.
    Trial(Record),
    /// This is the old version, and an update to the record's failed.
    Failed(Record, Failure),
    /// What has the binary's name now is to be run instead of this.
    Yield,
}

/// Before an attempt: what an earlier one left is repaired, then the attempt is noted.
///
/// # Errors
/// When it cannot be noted; nothing has changed then.
pub fn begin(disk: &mut dyn Disk, record: &Record) -> Result<(), String> {
    undo(disk);
    disk.note(&Record { phase: Phase::Fetching, ..record.clone() })
}

/// The new file is good: keeps the old one and swaps.
///
/// # Errors
/// When a step failed; the old version has its name then.
pub fn swap(disk: &mut dyn Disk, record: &Record) -> Result<(), String> {
    disk.keep()?;
    disk.note(&Record { phase: Phase::Swapping, ..record.clone() })?;
    disk.replace().inspect_err(|_| undo(disk))
}

/// Gives up an attempt whose new version has not run. It is still to be told.
pub fn undo(disk: &mut dyn Disk) {
    if disk.record().is_some_and(|record| record.phase == Phase::Swapping) {
        // Not there when it has its name already.
        let _ = disk.restore();
    }
    disk.discard();
}

/// The first thing that a starting gateway does: `version` is its own.
pub fn start(disk: &mut dyn Disk, version: &str) -> Start {
    let Some(record) = disk.record() else { return Start::Ordinary };
    if record.version != version {
        disk.discard();
        let failure = failure(&record);
        return Start::Failed(record, failure);
    }
    match record.phase {
        // Somebody else installed the very version.
        Phase::Fetching => {
            disk.forget();
            Start::Ordinary
        }
        Phase::Swapping => {
            let record = Record { phase: Phase::Trial, ..record };
            match disk.note(&record) {
                Ok(()) => Start::Trial(record),
                // Without a note a second start would not be known as one.
                Err(why) => go_back(disk, record, &format!("its start cannot be noted: {why}")),
            }
        }
        Phase::Trial => go_back(disk, record, "it ended before it was confirmed"),
        Phase::GoingBack => {
            let why = record.why.clone();
            go_back(disk, record, &why)
        }
    }
}

/// Gives the old version its name back. Where that is impossible the new one stays on trial.
pub fn go_back(disk: &mut dyn Disk, record: Record, why: &str) -> Start {
    let record = Record { phase: Phase::GoingBack, why: why.to_owned(), ..record };
    // On a full disk it is only not told why.
    let _ = disk.note(&record);
    match disk.restore() {
        Ok(()) => Start::Yield,
        Err(why) => {
            let record = Record { phase: Phase::Trial, why, ..record };
            let _ = disk.note(&record);
            Start::Trial(record)
        }
    }
}

fn failure(record: &Record) -> Failure {
    let version = &record.version;
    match record.phase {
        Phase::Fetching | Phase::Swapping => {
            let message = format!("the gateway ended before {version} was in place; try again");
            (codes::CANCELLED, message)
        }
        Phase::Trial | Phase::GoingBack => {
            let why = if record.why.is_empty() { "it ended early" } else { &record.why };
            (codes::ROLLED_BACK, format!("{version} was given up: {why}"))
        }
    }
}

impl Record {
    /// As it is written.
    pub fn encode(&self) -> String {
        let phase = match self.phase {
            Phase::Fetching => "fetching",
            Phase::Swapping => "swapping",
            Phase::Trial => "trial",
            Phase::GoingBack => "going-back",
        };
        let why = self.why.replace(char::is_control, " ");
        // The request's id comes from outside and may hold anything: it is the rest.
        format!("{phase}\n{}\n{why}\n{}", self.version, self.request_id)
    }

    /// Reads what [`Record::encode`] wrote.
    pub fn decode(text: &str) -> Option<Self> {
        let mut lines = text.splitn(4, '\n');
        let phase = match lines.next()? {
            "fetching" => Phase::Fetching,
            "swapping" => Phase::Swapping,
            "trial" => Phase::Trial,
            "going-back" => Phase::GoingBack,
            _ => return None,
        };
        let mut next = || lines.next().map(str::to_owned);
        let (version, why) = (next()?, next()?);
        Some(Self { phase, version, request_id: next()?, why })
    }
}

#[cfg(test)]
mod tests;
