//! Looking at a droplet: asks DigitalOcean what its state machine wants, and writes down what comes
//! of it. Several may look at the same one: what is written is decided on the newest row.

use super::{Account, Cloud, Trouble};
use crate::auth::token;
use crate::cloud::answers;
use crate::cloud::machine::{Answer, Call, Droplet, Status, Step, WrongState, backoff};
use crate::cloud::requests::host_of;
use crate::cloud::user_data::user_data;
use crate::limits::{BACKOFF_MIN_MS, BOOTSTRAP_MS, CALLS_PER_LOOK, SETTLE_MS};
use crate::shell::api::Relay;
use crate::shell::config;
use crate::shell::db::{Db, Row};
use crate::shell::{log, now, outbound};
use serde_json::{Value, json};
use worker::{Env, Error, Result};

/// Times that a row is read anew because somebody else wrote it.
const CHANGE_TRIES: u32 = 8;

/// What droplets are told apart by in DigitalOcean's lists and bills.
const TAG: &str = "chatcode";

/// What becomes of a droplet.
type Change<'a> = &'a mut dyn FnMut(&mut Droplet, bool) -> std::result::Result<Step, WrongState>;

/// What a person wants of a droplet, at a time in milliseconds.
pub type Wish<'a> = &'a dyn Fn(&mut Droplet, u64) -> std::result::Result<(), WrongState>;

/// Who looks.
pub struct Looks<'a> {
    pub(super) env: &'a Env,
    pub(super) db: &'a Db,
    pub(super) cloud: &'a Cloud,
}

impl<'a> Looks<'a> {
    /// With this access to DigitalOcean.
    pub fn new(env: &'a Env, db: &'a Db, cloud: &'a Cloud) -> Self {
        Self { env, db, cloud }
    }

    /// A person's wish: written down, and as much of it done as can be at once.
    ///
    /// # Errors
    /// [`WrongState`] when the droplet cannot have it now.
    pub async fn wish(
        &self,
        gateway_id: &str,
        wish: Wish<'_>,
    ) -> Result<std::result::Result<(), WrongState>> {
        let changed = self
            .change(gateway_id, &mut |droplet, _| wish(droplet, now()).map(|()| Step::Rest))
            .await?;
        match changed {
            Some(Err(wrong)) => return Ok(Err(wrong)),
            // It is written down: what fails now, the cron makes up for.
            Some(Ok(_)) => self.look_or_log(gateway_id).await,
            None => {}
        }
        Ok(Ok(()))
    }

    /// As [`Looks::look`]; what goes wrong is logged.
    pub async fn look_or_log(&self, gateway_id: &str) {
        if let Err(error) = self.look(gateway_id).await {
            log::error("droplet_look_failed", &error, json!({ "gateway_id": gateway_id }));
        }
    }

    /// Does what is to be done for a droplet now.
    pub async fn look(&self, gateway_id: &str) -> Result<()> {
        let mut plan = |droplet: &mut Droplet, connected| Ok(droplet.plan(connected, now()));
        let mut changed = self.change(gateway_id, &mut plan).await?;
        for _ in 0..CALLS_PER_LOOK {
            let Some(Ok((row, Step::Ask(call)))) = &changed else { break };
            let answer = self.perform(row, *call).await;
            let call = *call;
            let mut took = |droplet: &mut Droplet, _| Ok(droplet.took(call, answer.clone(), now()));
            changed = self.change(gateway_id, &mut took).await?;
        }
        let Some(Ok((row, step))) = changed else { return Ok(()) };
        if step == Step::Remove {
            self.db.remove_droplet(gateway_id, row.count("revision")).await?;
            log::info("droplet_destroyed", json!({ "gateway_id": gateway_id }));
            self.tell_hub(gateway_id).await;
        } else if row.text("status") == Status::Off.name() && row.count("connected") == 1 {
            // Its socket says nothing of a machine that was switched off.
            self.db.set_offline(gateway_id, now()).await?;
        }
        Ok(())
    }

    /// Pages that watch the server learn from their sockets that it is gone.
    async fn tell_hub(&self, gateway_id: &str) {
        let told = match Relay::to(self.env, gateway_id) {
            Ok(hub) => hub.tell("/revoke", "").await.map(drop),
            Err(failure) => Err(failure),
        };
        if told.is_err() {
            let fields = json!({ "gateway_id": gateway_id });
            log::error("hub_not_told", &"that its server is destroyed", fields);
        }
    }

    /// Lets something happen to a droplet and writes it down, on the newest row. `None` when the
    /// droplet is not there.
    async fn change(
        &self,
        gateway_id: &str,
        change: Change<'_>,
    ) -> Result<Option<std::result::Result<(Row, Step), WrongState>>> {
        for _ in 0..CHANGE_TRIES {
            let Some(mut row) = self.db.droplet(gateway_id).await? else { return Ok(None) };
            let Some(before) = row.droplet() else {
                return Err(Error::from("a droplet's row makes no sense"));
            };
            let mut droplet = before.clone();
            let step = match change(&mut droplet, row.count("connected") == 1) {
                Ok(step) => step,
                Err(wrong) => return Ok(Some(Err(wrong))),
            };
            let revision = row.count("revision");
            if droplet == before {
                return Ok(Some(Ok((row, step))));
            }
            if self.db.save_droplet(gateway_id, revision, &droplet).await? {
                row.set("revision", json!(revision + 1));
                row.set("status", json!(droplet.status.name()));
                row.set("attempt", json!(droplet.attempt));
                row.set("made_at", json!(droplet.made_at));
                return Ok(Some(Ok((row, step))));
            }
        }
        Err(Error::from("a droplet's row changes all the time"))
    }

    /// Asks DigitalOcean, unless it is known that this would come to nothing.
    async fn perform(&self, row: &Row, call: Call) -> Answer {
        let paused = row.count("paused_until").saturating_sub(now());
        if row.text("state") != "connected" {
            return Answer::NoAccess;
        }
        if paused > 0 {
            return Answer::Throttled(paused);
        }
        let answer = match call {
            Call::Create => self.create(row).await,
            _ => self.ask(row, call, None).await,
        };
        self.note(row, &answer).await;
        answer
    }

    /// Asks for a droplet. Until it is asked for, a failure made nothing.
    async fn create(&self, row: &Row) -> Answer {
        let not_asked = Answer::Throttled(BACKOFF_MIN_MS);
        let body = match self.prepare(row).await {
            Ok(body) => body,
            Err(error) => {
                let fields = json!({ "gateway_id": row.text("gateway_id") });
                log::error("droplet_not_prepared", &error, fields);
                return not_asked;
            }
        };
        // Whoever was held up for long may not ask any more: others look for what it made.
        if now() > row.count("made_at") + SETTLE_MS / 4 {
            return Answer::Lost;
        }
        self.ask(row, Call::Create, Some(&body)).await
    }

    /// What a droplet is asked for with. The server is made ready for its token, which is made of
    /// the deployment's secret: nothing has to keep it for a second try.
    async fn prepare(&self, row: &Row) -> Result<String> {
        let unusable = || Error::from("TOKEN_SECRET or the deployment's origin cannot be used");
        let secret = config::token_secret(self.env).map_err(|_| unusable())?;
        let gateway_id = row.text("gateway_id");
        let token = token::of_droplet(&secret, gateway_id, row.count("attempt"));
        let token = token.ok_or_else(unusable)?;
        let hash = token::hash(&secret, &token).ok_or_else(unusable)?;
        let host = host_of(row.text("name"));
        let text = user_data(row.text("origin"), gateway_id, &token, host).ok_or_else(unusable)?;
        self.db.expect_droplet(gateway_id, &hash, now() + BOOTSTRAP_MS, now()).await?;
        let body = json!({
            "name": name_of(row), "region": row.text("region"), "size": row.text("size"),
            "image": row.text("image"), "user_data": text, "tags": [TAG], "monitoring": false,
        });
        Ok(body.to_string())
    }

    async fn ask(&self, row: &Row, call: Call, body: Option<&str>) -> Answer {
        let name = name_of(row);
        let (method, path, action) = match call {
            Call::Create => ("POST", "/v2/droplets".to_owned(), None),
            Call::Find => ("GET", format!("/v2/droplets?per_page=200&name={name}"), None),
            Call::Get(id) => ("GET", format!("/v2/droplets/{id}"), None),
            Call::Delete(id) => ("DELETE", format!("/v2/droplets/{id}"), None),
            Call::Act(id, action) => {
                let body = json!({ "type": action.name() }).to_string();
                ("POST", format!("/v2/droplets/{id}/actions"), Some(body))
            }
        };
        let mut account = Account::new(self.cloud, self.db, row);
        match account.ask(method, &path, body.or(action.as_deref())).await {
            Ok(answer) => {
                let wait_ms = wait(&answer);
                answers::answer(call, &name, answer.status, &answer.json(), wait_ms)
            }
            Err(Trouble::Expired) => Answer::NoAccess,
            Err(Trouble::Unclear) => Answer::Lost,
        }
    }

    /// Leaves the account alone for a while when it had enough, or when nothing came of it.
    async fn note(&self, row: &Row, answer: &Answer) {
        let failures = row.count("failures");
        let (failures, until) = match answer {
            Answer::Throttled(wait) => (failures + 1, now() + wait),
            Answer::Lost => {
                let tries = u32::try_from(failures).unwrap_or(u32::MAX);
                (failures + 1, now() + backoff(tries))
            }
            _ if failures == 0 => return,
            _ => (0, 0),
        };
        if let Err(error) = self.db.pause(row.text("connection_id"), failures, until).await {
            log::error("cloud_not_paused", &error, json!({}));
        }
    }
}

/// The droplet's name, which no other has.
fn name_of(row: &Row) -> String {
    format!("{}-{}", row.text("name"), row.count("attempt"))
}

/// Milliseconds that an answer asks us to wait.
pub fn wait(answer: &outbound::Answer) -> u64 {
    let header = |name| answer.header(name);
    let (retry_after, reset) = (header("retry-after"), header("ratelimit-reset"));
    answers::wait(retry_after.as_deref(), reset.as_deref(), now())
}

impl Row {
    fn set(&mut self, column: &str, value: Value) {
        if let Some(columns) = self.0.as_object_mut() {
            columns.insert(column.to_owned(), value);
        }
    }
}
