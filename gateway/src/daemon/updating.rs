//! `gateway.update`: at most one attempt at a time, and what became of it is told.

use super::{Daemon, Effect, Job, Now};
use crate::limits::{Ms, SELF_TEST_MS, UPDATE_MARGIN_MS};
use crate::session::ack;
use crate::update::attempt::{Record, Start};
use crate::update::install::record_path;
use crate::update::manifest;
use crate::update::trial::{Trial, Verdict};
use protocol::commands::GatewayUpdate;
use protocol::envelope::codes;
use protocol::events::{Event, GatewayUpdateFailed, GatewayUpdated};
use std::path::PathBuf;

/// Where updating is.
#[derive(Debug, Default)]
pub(super) struct Updating {
    state: State,
    /// A failure that the control plane may not have heard of yet.
    failure: Option<Failed>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// A child works, or its work is about to be run; who asked for it.
    Working(String),
    /// This process is a new version that is not confirmed.
    Trial(Trial, Record),
}

#[derive(Debug)]
struct Failed {
    request_id: String,
    code: String,
    message: String,
    /// It was sent on the present connection.
    sent: bool,
}

impl Daemon {
    /// What the start of this process found of an update.
    pub fn started(&mut self, start: Start) {
        match start {
            Start::Ordinary | Start::Yield => {}
            Start::Trial(record) => {
                crate::log!(Info, "a new version on trial", version = record.version);
                let times = self.config.update;
                let trial = Trial::new(
                    times.confirm.saturating_mul(1_000),
                    times.link.saturating_mul(1_000),
                );
                self.updating.state = State::Trial(trial, record);
            }
            Start::Failed(record, (code, message)) => {
                self.update_failed(record.request_id, code, message);
            }
        }
    }

    /// Accepts an update or refuses it at once; the rest is a child's work.
    pub(super) fn update(&mut self, request_id: String, update: &GatewayUpdate, text: &str) {
        if !matches!(self.updating.state, State::Idle) {
            let message = "an update is under way or not confirmed yet; try again later";
            return self.fail(&request_id, codes::BUSY, message);
        }
        let own = self.config.identity;
        let manifest = match manifest::accept(own, &update.manifest, &update.signature) {
            Ok(manifest) => manifest,
            Err((code, message)) => {
                crate::log!(Warn, "an update was refused", why = message);
                return self.fail(&request_id, code, &message);
            }
        };
        crate::log!(Info, "updating", from = own.version, to = manifest.version);
        self.send(ack(&request_id));
        // The new attempt has a record of its own.
        self.updating = Updating { state: State::Working(request_id), failure: None };
        let download = self.config.update.download.saturating_mul(1_000);
        let patience = download + SELF_TEST_MS + UPDATE_MARGIN_MS;
        let request = text.as_bytes().to_vec();
        self.effects.push(Effect::Start(Job::Update { request, patience }));
    }

    /// The child has installed the new version, or not.
    pub(super) fn installed(&mut self, answer: Result<&str, (String, String)>) {
        match answer {
            Ok(path) => self.effects.push(Effect::Become(PathBuf::from(path))),
            Err((code, message)) => self.not_become(&code, message),
        }
    }

    /// The new version did not come to run; this one goes on.
    pub fn not_become(&mut self, code: &str, message: String) {
        if let State::Working(request_id) = std::mem::take(&mut self.updating.state) {
            self.update_failed(request_id, code, message);
        }
    }

    fn update_failed(&mut self, request_id: String, code: &str, message: String) {
        crate::log!(Warn, "an update failed", code = code, why = message);
        let code = code.to_owned();
        self.updating.failure = Some(Failed { request_id, code, message, sent: false });
        self.tell_failure();
    }

    fn tell_failure(&mut self) {
        if !self.linked {
            return;
        }
        if let Some(failed) = &mut self.updating.failure {
            failed.sent = true;
            let (code, message) = (failed.code.clone(), failed.message.clone());
            let event = Event::from(GatewayUpdateFailed { code, message });
            self.outbox.push_back(event.to_json(asked(&failed.request_id)));
        }
    }

    pub(super) fn update_linked(&mut self, now: Now) {
        if let State::Trial(trial, _) = &mut self.updating.state {
            trial.linked(now.mono);
        }
        self.tell_failure();
    }

    pub(super) fn update_unlinked(&mut self) {
        if let State::Trial(trial, _) = &mut self.updating.state {
            trial.unlinked();
        }
        if let Some(failed) = &mut self.updating.failure {
            failed.sent = false;
        }
    }

    /// The control plane said something, be it `pong`: so it also had what was sent before.
    pub fn heard(&mut self) {
        if let State::Trial(trial, _) = &mut self.updating.state {
            trial.heard();
        }
        if self.updating.failure.as_ref().is_some_and(|failed| failed.sent) {
            self.updating.failure = None;
            self.forget_update();
        }
    }

    fn forget_update(&mut self) {
        self.effects.push(Effect::RemoveFile(record_path(&self.config.state_dir)));
    }

    pub(super) fn update_deadline(&self) -> Option<Ms> {
        match &self.updating.state {
            State::Trial(trial, _) => trial.deadline(),
            _ => None,
        }
    }

    pub(super) fn update_tick(&mut self, now: Now) {
        let State::Trial(trial, record) = &self.updating.state else { return };
        match trial.verdict(now.mono) {
            Verdict::Wait => {}
            Verdict::Confirmed => {
                crate::log!(Info, "the new version is confirmed", version = record.version);
                let event = Event::from(GatewayUpdated { version: record.version.clone() });
                let text = event.to_json(asked(&record.request_id));
                self.updating.state = State::Idle;
                self.send(text);
                self.forget_update();
            }
            Verdict::GoBack => {
                let seconds = self.config.update.link;
                let why = format!("it was not linked to the control plane within {seconds} s");
                self.effects.push(Effect::GoBack(record.clone(), why));
                // Where that is impossible this version goes on.
                self.updating.state = State::Idle;
            }
        }
    }
}

/// Whose events these are; a record that was damaged does not say.
fn asked(request_id: &str) -> Option<&str> {
    Some(request_id).filter(|id| !id.is_empty())
}
