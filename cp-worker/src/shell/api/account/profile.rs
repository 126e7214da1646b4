//! What people may know and end of their own: sign-ins, and the account itself.

use super::{maybe_signed_in, user_json, with_cookie};
use crate::auth::cookie;
use crate::requests::SignIn;
use crate::shell::api::{Asker, millis};
use crate::shell::config::Config;
use crate::shell::db::Db;
use crate::shell::respond::{Failure, Outcome, json, nothing};
use crate::shell::{log, now};
use serde_json::{Value, json};
use worker::{Env, Request};

/// Signs the browser out, also one that was not signed in.
pub(in crate::shell::api) async fn sign_out(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Outcome {
    if let Some(user) = maybe_signed_in(request, env, config).await? {
        let asker = Asker { db: Db::new(env)?, env, config, user };
        asker.end_sign_ins(Some(&asker.user.sign_in_id)).await?;
    }
    signed_out(config)
}

fn signed_out(config: &Config) -> Outcome {
    with_cookie(nothing()?, &cookie::SIGN_IN.clear(config.is_secure()))
}

impl Asker<'_> {
    pub(in crate::shell::api) async fn me(&self) -> Outcome {
        let user = &self.user;
        let user = user_json(&self.db, &user.user_id, &user.email, user.created_at).await?;
        json(200, &json!({ "user": user }))
    }

    pub(in crate::shell::api) async fn sign_out_everywhere(&self) -> Outcome {
        self.end_sign_ins(None).await?;
        signed_out(self.config)
    }

    pub(in crate::shell::api) async fn list_sign_ins(&self) -> Outcome {
        let rows = self.db.sign_ins(&self.user.user_id, now()).await?;
        let sign_ins: Vec<Value> = rows
            .iter()
            .map(|row| {
                json!({
                    "sign_in_id": row.sign_in_id,
                    "created_at": millis(row.created_at),
                    "last_seen_at": millis(row.last_seen_at),
                    "user_agent": row.user_agent,
                    "current": row.sign_in_id == self.user.sign_in_id,
                })
            })
            .collect();
        json(200, &json!({ "sign_ins": sign_ins }))
    }

    pub(in crate::shell::api) async fn remove_sign_in(&self, sign_in_id: &str) -> Outcome {
        if !self.end_sign_ins(Some(sign_in_id)).await? {
            return Err(Failure::not_found("no such sign-in"));
        }
        if sign_in_id == self.user.sign_in_id { signed_out(self.config) } else { nothing() }
    }

    /// Ends one of the user's sign-ins, or all, with the sockets that were opened by them.
    async fn end_sign_ins(&self, sign_in_id: Option<&str>) -> Result<bool, Failure> {
        // The rows first: a page whose socket is closed must not get another.
        let ended = self.db.end_sign_ins(&self.user.user_id, sign_in_id).await?;
        if ended {
            let operation = format!("/sign-out?{}", sign_in_id.unwrap_or_default());
            self.tell_hubs(&self.gateway_ids().await?, &operation).await;
        }
        Ok(ended)
    }

    /// Forgets the user. Files on servers and droplets are not ours to forget.
    pub(in crate::shell::api) async fn delete_me(&self, typed: SignIn) -> Outcome {
        if typed.check().ok().as_deref() != Some(self.user.email.as_str()) {
            return Err(Failure::invalid("email must be the address of this account"));
        }
        let gateway_ids = self.gateway_ids().await?;
        self.leave_cloud().await;
        // The rows first: a gateway that is thrown out must not find its way back.
        if !self.db.delete_user(&self.user.user_id).await? {
            let message = "destroy your droplets first: they would go on costing money";
            return Err(Failure::new("droplets_exist", message));
        }
        self.tell_hubs(&gateway_ids, "/sign-out").await;
        self.tell_hubs(&gateway_ids, "/revoke").await;
        signed_out(self.config)
    }

    async fn gateway_ids(&self) -> Result<Vec<String>, Failure> {
        let servers = self.db.servers(&self.user.user_id).await?;
        Ok(servers.into_iter().map(|server| server.gateway_id).collect())
    }

    /// Tells all hubs, also when one of them does not answer.
    async fn tell_hubs(&self, gateway_ids: &[String], operation: &str) {
        for gateway_id in gateway_ids {
            let told = match self.hub(gateway_id) {
                Ok(hub) => hub.tell(operation, "").await.map(drop),
                Err(failure) => Err(failure),
            };
            if let Err(failure) = told {
                let fields = json!({ "gateway_id": gateway_id, "operation": operation });
                log::error("hub.untold", &failure.code(), fields);
            }
        }
    }
}
