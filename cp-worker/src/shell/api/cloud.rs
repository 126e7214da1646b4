//! Servers at DigitalOcean, as people ask for them: the account, what can be had, droplets.

use super::servers::server_json;
use super::{Asker, no_such_address, query};
use crate::auth::cookie;
use crate::auth::oauth::Journey;
use crate::cloud::connect::{self, Grant, journey};
use crate::cloud::machine::{Droplet, Status, WrongState};
use crate::cloud::requests::{NewDroplet, droplet_name, power};
use crate::cloud::user_data::IMAGE;
use crate::cloud::{answers, options};
use crate::limits::{MAX_DROPLETS, OPTIONS_SECONDS};
use crate::requests::{Name, parameter};
use crate::shell::cloud::{Account, Cloud, Looks, Trouble, Wish};
use crate::shell::db::{NewServer, Row};
use crate::shell::kv::Kv;
use crate::shell::respond::{Failure, Outcome, json, nothing, redirect};
use crate::shell::{log, now, outbound, random, random_id};
use serde_json::{Value, json};
use worker::Request;

/// Where a droplet's owner finds its consoles, also when it answers to nobody else.
const DROPLETS_URL: &str = "https://cloud.digitalocean.com/droplets";

impl Asker<'_> {
    /// The deployment's access to DigitalOcean, where it has one.
    fn cloud(&self) -> Result<Cloud, Failure> {
        Cloud::read(self.env)?.ok_or_else(no_such_address)
    }

    async fn account_row(&self) -> Result<Row, Failure> {
        let row = self.db.connection(&self.user.user_id).await?;
        row.ok_or_else(|| Failure::new("not_connected", "connect a DigitalOcean account first"))
    }

    pub(super) async fn cloud_connection(&self) -> Outcome {
        let row = self.db.connection(&self.user.user_id).await?;
        let connection = row.map(|row| {
            json!({
                "account_email": row.text("account_email"),
                "created_at": row.count("connected_at"),
                "state": row.text("state"),
            })
        });
        json(200, &json!({ "connection": connection }))
    }

    /// Sends the browser to DigitalOcean.
    pub(super) fn connect_cloud(&self) -> Outcome {
        let cloud = self.cloud()?;
        let journey = Journey::begin(&journey(&self.user.user_id), &random()?, now());
        let kept = cookie::OAUTH.sign(&self.config.cookie_secret, &journey.payload());
        let kept =
            kept.ok_or_else(|| Failure::new("misconfigured", "COOKIE_SECRET cannot sign"))?;
        let url = cloud.authorize_url(&self.config.origin, &journey.state);
        let mut response = redirect(&url)?;
        let cookie = cookie::OAUTH.set(&kept, self.config.is_secure());
        response.headers_mut().append("Set-Cookie", &cookie)?;
        Ok(response)
    }

    /// Takes the browser back. What goes wrong is told by the settings page.
    pub(super) async fn connected_cloud(&self, request: &Request) -> Outcome {
        let cloud = self.cloud()?;
        let problem = match self.arrive(request, &cloud).await {
            Ok(()) => "connected",
            Err(code) => code,
        };
        let mut response = redirect(&format!("/settings?cloud={problem}"))?;
        let cleared = cookie::OAUTH.clear(self.config.is_secure());
        response.headers_mut().append("Set-Cookie", &cleared)?;
        Ok(response)
    }

    async fn arrive(&self, request: &Request, cloud: &Cloud) -> Result<(), &'static str> {
        let (query, header) = (query(request), request.headers().get("Cookie").ok().flatten());
        let state = parameter(&query, "state").unwrap_or_default();
        cookie::OAUTH
            .find(&header.unwrap_or_default(), self.config.is_secure())
            .and_then(|value| cookie::OAUTH.verify(&self.config.cookie_secret, value))
            .filter(|kept| Journey::is_end(kept, &journey(&self.user.user_id), &state, now()))
            .ok_or("expired")?;
        let code = parameter(&query, "code").filter(|code| !code.is_empty()).ok_or("denied")?;
        let unreachable = |error| {
            log::error("cloud_not_connected", &error, json!({}));
            "unreachable"
        };
        let grant = cloud.exchange(&self.config.origin, &code).await.map_err(unreachable)?;
        let grant = grant.ok_or("refused")?;
        let kept = self.keep_account(cloud, &grant).await;
        if kept.is_err() {
            cloud.revoke(&grant.access_token).await;
        }
        kept
    }

    /// Keeps the account that a grant is for: in place of nothing, of its own last grant, or of
    /// another account without droplets.
    async fn keep_account(&self, cloud: &Cloud, grant: &Grant) -> Result<(), &'static str> {
        let failed = |error: worker::Error| {
            log::error("cloud_not_kept", &error, json!({}));
            "internal"
        };
        let answer = cloud.ask(&grant.access_token, "GET", "/v2/account", None).await;
        let answer = answer.map_err(|_| "unreachable")?;
        let (uuid, email) = connect::account(&answer.json()).ok_or("refused")?;
        let user_id = &self.user.user_id;
        // Somebody else may have refreshed, connected or disconnected meanwhile.
        for _ in 0..3 {
            let Some(known) = self.db.connection(user_id).await.map_err(failed)? else {
                let id = random_id::<10>("do_").map_err(failed)?;
                let sealed = cloud.seal(&id, grant).await.map_err(failed)?;
                let account = (uuid.as_str(), email.as_str());
                let added = self.db.add_connection(&id, user_id, account, &sealed, now()).await;
                if added.map_err(failed)? {
                    return Ok(());
                }
                continue;
            };
            if known.text("account_uuid") == uuid {
                let (id, generation) = (known.text("connection_id"), known.count("generation"));
                let sealed = cloud.seal(id, grant).await.map_err(failed)?;
                let kept = self.db.set_grant(id, generation, &sealed, now()).await;
                if kept.map_err(failed)? {
                    return Ok(());
                }
            } else if !self.forget_account().await.map_err(failed)? {
                return Err("other_account");
            }
        }
        Err("internal")
    }

    /// Forgets the account and gives its token back; `false` when droplets hold it.
    async fn forget_account(&self) -> worker::Result<bool> {
        let user_id = &self.user.user_id;
        let Some(row) = self.db.remove_connection(user_id).await? else {
            return Ok(self.db.connection(user_id).await?.is_none());
        };
        // A deployment that gave up DigitalOcean has nothing to give the token back with.
        if let Ok(Some(cloud)) = Cloud::read(self.env) {
            match cloud.open(&row, "access").await {
                Ok(token) => cloud.revoke(&token).await,
                Err(error) => log::error("cloud_not_revoked", &error, json!({})),
            }
        }
        Ok(true)
    }

    /// Gives the account's token back when its owner leaves: forgotten here, it would be good for
    /// a while longer there.
    pub(super) async fn leave_cloud(&self) {
        if let Err(error) = self.forget_account().await {
            log::error("cloud_not_revoked", &error, json!({}));
        }
    }

    pub(super) async fn disconnect_cloud(&self) -> Outcome {
        if self.forget_account().await? {
            return nothing();
        }
        let message = "destroy your droplets first: they would go on costing money";
        Err(Failure::new("droplets_exist", message))
    }

    pub(super) async fn cloud_options(&self) -> Outcome {
        let account = self.account_row().await?;
        json(200, &self.options(&self.cloud()?, account).await?)
    }

    /// What can be had, as the account was told a few minutes ago at most.
    async fn options(&self, cloud: &Cloud, account: Row) -> Result<Value, Failure> {
        let (kv, key) =
            (Kv::new(self.env)?, format!("cloud-options:{}", account.text("connection_id")));
        if let Some(kept) = kv.get(&key).await? {
            return Ok(serde_json::from_str(&kept).unwrap_or_default());
        }
        let mut account = Account::new(cloud, &self.db, &account);
        let regions = account.ask("GET", "/v2/regions?per_page=200", None).await;
        let regions = readable(regions)?;
        let sizes = readable(account.ask("GET", "/v2/sizes?per_page=200", None).await)?;
        let options = options::options(&regions, &sizes)
            .ok_or_else(|| Failure::new("cloud_failed", "DigitalOcean's lists make no sense"))?;
        kv.put(&key, &options.to_string(), OPTIONS_SECONDS).await?;
        Ok(options)
    }

    pub(super) async fn create_droplet(&self, body: &Value) -> Outcome {
        let new = NewDroplet::read(body).map_err(Failure::invalid)?;
        let (account, cloud) = (self.account_row().await?, self.cloud()?);
        if account.text("state") != "connected" {
            return Err(Trouble::Expired.into());
        }
        let connection_id = account.text("connection_id").to_owned();
        let options = self.options(&cloud, account).await?;
        let price_monthly = options::price_of(&options, &new.region, &new.size)
            .ok_or_else(|| Failure::invalid("this size cannot be had in this region now"))?;
        let gateway_id = random_id::<10>("gw_")?;
        let row = NewServer {
            user_id: &self.user.user_id,
            connection_id: &connection_id,
            gateway_id: &gateway_id,
            name: &new.name,
            droplet_name: &droplet_name(&new.name, &gateway_id),
            origin: &self.config.origin,
            region: &new.region,
            size: &new.size,
            image: IMAGE,
            price_monthly,
        };
        // The second click on the same button gets the server of the first.
        let Some(id) = self.db.add_droplet(&row, &Droplet::new(now()), now()).await? else {
            let message = format!("{MAX_DROPLETS} droplets, and 50 servers, are the limit");
            return Err(Failure::new("droplet_limit", &message));
        };
        if id == gateway_id {
            Looks::new(self.env, &self.db, &cloud).look_or_log(&id).await;
        }
        json(201, &json!({ "server": self.server_with_droplet(&id).await? }))
    }

    pub(super) async fn retry_droplet(&self, gateway_id: &str) -> Outcome {
        self.wish(gateway_id, &Droplet::retry).await
    }

    pub(super) async fn power_droplet(&self, gateway_id: &str, body: &Value) -> Outcome {
        let on = power(body).map_err(Failure::invalid)?;
        self.wish(gateway_id, &|droplet, now| droplet.power(on, now)).await
    }

    pub(super) async fn destroy_droplet(&self, gateway_id: &str, typed: Name) -> Outcome {
        if typed.name.trim() != self.server(gateway_id).await?.name {
            return Err(Failure::invalid("name must be the server's"));
        }
        let wish = |droplet: &mut Droplet, now| {
            droplet.destroy(now);
            Ok(())
        };
        self.wish(gateway_id, &wish).await
    }

    /// Status 202: what a person wishes of a droplet is written down, and begun.
    async fn wish(&self, gateway_id: &str, wish: Wish<'_>) -> Outcome {
        let cloud = self.cloud()?;
        let mut before = self.server_with_droplet(gateway_id).await?;
        if before.get("droplet").is_none_or(Value::is_null) {
            return Err(Failure::not_found("this server is no droplet"));
        }
        if let Err(WrongState) =
            Looks::new(self.env, &self.db, &cloud).wish(gateway_id, wish).await?
        {
            let message = "the droplet cannot do this in its present state";
            return Err(Failure::new("wrong_state", message));
        }
        match self.server_with_droplet(gateway_id).await {
            Ok(server) => json(202, &json!({ "server": server })),
            // There was nothing at DigitalOcean: it is gone already.
            Err(_) => {
                if let Some(status) = before.pointer_mut("/droplet/status") {
                    *status = json!(Status::Destroying.name());
                }
                json(202, &json!({ "server": before }))
            }
        }
    }

    /// A server's JSON with its droplet's, if it is the asker's.
    pub(super) async fn server_with_droplet(&self, gateway_id: &str) -> Result<Value, Failure> {
        let server = self.server(gateway_id).await?;
        let droplet = self.db.droplet(gateway_id).await?;
        Ok(with_droplet(server_json(&server), droplet.as_ref()))
    }
}

/// The body of an answer that says what was asked for.
fn readable(answer: Result<outbound::Answer, Trouble>) -> Result<Value, Failure> {
    let answer = answer?;
    match answer.status {
        200..300 => Ok(answer.json()),
        401 => Err(Trouble::Expired.into()),
        429 => {
            let message = "DigitalOcean asks us to wait; try again in a minute";
            Err(Failure::new("cloud_busy", message))
        }
        _ => Err(Failure::new("cloud_failed", &answers::sentence(&answer.json()))),
    }
}

/// A server's JSON with its droplet's, or `null` in its place.
pub(super) fn with_droplet(mut server: Value, droplet: Option<&Row>) -> Value {
    if let Some(server) = server.as_object_mut() {
        server.insert("droplet".to_owned(), droplet.map_or(Value::Null, droplet_json));
    }
    server
}

fn droplet_json(row: &Row) -> Value {
    let status = match row.text("status") {
        // To its owner, what is made anew is being made all the time.
        "destroying" if row.count("remake") == 1 => Status::Provisioning.name(),
        status => status,
    };
    let code = row.text("failure_code");
    let failure =
        (!code.is_empty()).then(|| json!({ "code": code, "message": row.text("failure_message") }));
    json!({
        "status": status,
        "failure": failure,
        "region": row.text("region"),
        "size": row.text("size"),
        "ip_address": row.0.get("ip_address"),
        "deadline": row.number("deadline"),
        "console_url": row.number("droplet_id").map(|id| format!("{DROPLETS_URL}/{id}")),
        "price_monthly": row.0.get("price_monthly"),
    })
}
