//! What the hub does in the background, one after the other: records, tokens, answers to calls.

use super::db::Db;
use super::hub::Core;
use super::{log, now};
use crate::hub::{CallError, CallId, Record};
use crate::limits::{MAX_JOBS, REST_MS};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{Delay, Result};

/// Milliseconds between the attempts to write a record; after the last it is given up. The next
/// hello puts right what is then missing.
const RETRY_MS: [u64; 3] = [100, 500, 2_000];

/// One thing to do.
pub enum Job {
    /// Write to the database.
    Record(Record),
    /// Answer a call, now that the records before it are written.
    Answer(CallId, std::result::Result<Option<String>, CallError>),
    /// Make the gateway's own token.
    MakeToken,
}

/// The jobs that wait.
#[derive(Default)]
pub struct Jobs {
    queue: RefCell<VecDeque<Job>>,
    busy: Cell<bool>,
    /// Records are dropped, and it was said.
    full: Cell<bool>,
}

impl Jobs {
    /// Queues a job in place of what it makes void. Whether there was room: a gateway that reports
    /// without end fills no memory, and what is missing the next hello puts right.
    fn take_in(&self, job: Job) -> bool {
        let mut queue = self.queue.borrow_mut();
        if let Job::Record(new) = &job {
            queue.retain(|old| !matches!(old, Job::Record(old) if new.replaces(old)));
            if queue.len() >= MAX_JOBS {
                return false;
            }
        }
        queue.push_back(job);
        true
    }
}

impl Core {
    /// Appends a job.
    pub(super) fn add_job(self: &Rc<Self>, job: Job) {
        if !self.jobs.take_in(job) {
            if !self.jobs.full.replace(true) {
                self.log_error("records.dropped", &"too many wait for the database");
            }
            return;
        }
        if self.jobs.busy.replace(true) {
            return;
        }
        let core = Rc::clone(self);
        spawn_local(async move {
            while let Some(job) = core.next_job() {
                core.run(job).await;
            }
            core.jobs.busy.set(false);
            core.jobs.full.set(false);
        });
    }

    fn next_job(&self) -> Option<Job> {
        self.jobs.queue.borrow_mut().pop_front()
    }

    async fn run(self: &Rc<Self>, job: Job) {
        match job {
            Job::Answer(call, result) => self.answer(call, result),
            Job::MakeToken => {
                if let Err(error) = self.make_token().await {
                    self.log_error("gateway.enrolment_failed", &error);
                }
            }
            Job::Record(record) => {
                let mut delays = RETRY_MS.into_iter();
                while let Err(error) = self.write(&record).await {
                    self.log_error("record.failed", &error);
                    let Some(delay) = delays.next() else { return };
                    Delay::from(Duration::from_millis(delay)).await;
                }
                self.log_record(&record);
                if changes_sessions(&record) {
                    self.drive(None, |hub| hub.sessions_changed());
                }
            }
        }
    }

    async fn write(&self, record: &Record) -> Result<()> {
        let (db, id) = (self.db()?, self.gateway_id.as_str());
        match record {
            Record::Hello { version, hostname, system_info, sessions, max_sessions } => {
                db.greet(id, version, hostname, system_info, *max_sessions, now()).await?;
                db.droplet_greeted(id, now() + REST_MS).await?;
                db.adopt_sessions(id, sessions, now()).await
            }
            Record::Health { event, activity } => db.set_health(id, event, activity, now()).await,
            Record::Offline => db.set_offline(id, now()).await,
            Record::Started(session_id) => db.set_running(id, *session_id).await,
            Record::Ended { session_id, reason, exit_code, signal } => {
                db.set_ended(id, *session_id, reason, *exit_code, *signal, now()).await
            }
            Record::Lost { known, before } => db.set_lost(id, known, *before, now()).await,
            Record::Attention { session_id, reason, title } => {
                db.set_attention(id, *session_id, reason, title.as_deref(), now()).await
            }
            Record::Attended(session_id) => db.clear_attention(id, *session_id).await,
            Record::Enrolled => db.complete_enrolment(id).await,
        }
    }

    /// Writes of a record what belongs into the log.
    fn log_record(&self, record: &Record) {
        let id = &self.gateway_id;
        match record {
            Record::Hello { version, sessions, .. } => log::info(
                "gateway.connected",
                json!({
                    "gateway_id": id, "version": version, "sessions": sessions.len(),
                }),
            ),
            Record::Offline => log::info("gateway.gone", json!({ "gateway_id": id })),
            Record::Enrolled => log::info("gateway.enrolled", json!({ "gateway_id": id })),
            Record::Started(session_id) => log::info(
                "session.started",
                json!({
                    "gateway_id": id, "session_id": session_id,
                }),
            ),
            Record::Ended { session_id, reason, exit_code, signal } => {
                log::info(
                    "session.ended",
                    json!({
                        "gateway_id": id, "session_id": session_id, "reason": reason,
                        "exit_code": exit_code, "signal": signal,
                    }),
                );
            }
            // Too many, or of no interest to who runs the deployment.
            Record::Health { .. }
            | Record::Lost { .. }
            | Record::Attention { .. }
            | Record::Attended(_) => {}
        }
    }

    /// Writes what went wrong for this gateway.
    pub(super) fn log_error(&self, event: &str, cause: &dyn std::fmt::Display) {
        log::error(event, cause, json!({ "gateway_id": self.gateway_id }));
    }

    /// The database.
    pub(super) fn db(&self) -> Result<Db> {
        Db::new(&self.env)
    }
}

fn changes_sessions(record: &Record) -> bool {
    match record {
        Record::Hello { .. }
        | Record::Started(_)
        | Record::Ended { .. }
        | Record::Lost { .. }
        | Record::Attention { .. }
        | Record::Attended(_) => true,
        Record::Health { .. } | Record::Offline | Record::Enrolled => false,
    }
}
