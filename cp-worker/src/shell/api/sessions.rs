//! Sessions: the list, starting, renaming, ending, viewing.

use super::relay::HubStatus;
use super::{Asker, millis, require_upgrade};
use crate::hub::CallError;
use crate::limits::ARCHIVE_MS;
use crate::requests::{Instructions, Name, NewSession};
use crate::shell::db::SessionRow;
use crate::shell::now;
use crate::shell::respond::{Failure, Outcome, json, nothing};
use protocol::commands::{AgentConfig, SessionCreate, SessionEnd};
use protocol::envelope::codes;
use serde_json::{Value, json};
use worker::Request;

/// What to do when no further session may be started.
const SESSION_LIMIT: &str = "as many sessions run as this server allows: end one that you do not \
                             need, or raise GATEWAY_MAX_SESSIONS on the server";

impl Asker<'_> {
    pub(super) async fn list_sessions(&self, gateway_id: &str) -> Outcome {
        self.server(gateway_id).await?;
        let status = self.hub(gateway_id)?.status().await?;
        let sessions = self.db.sessions(gateway_id).await?;
        let sessions: Vec<Value> =
            sessions.iter().map(|row| session_json(gateway_id, row, &status)).collect();
        json(200, &json!({ "sessions": sessions }))
    }

    pub(super) async fn create_session(&self, gateway_id: &str, new: NewSession) -> Outcome {
        let new = new.check().map_err(Failure::invalid)?;
        self.server(gateway_id).await?;
        if !self.hub(gateway_id)?.status().await?.online {
            return Err(CallError::offline().into());
        }
        let Some(session_id) = self.db.add_session(gateway_id, &new, now()).await? else {
            return Err(Failure::new(codes::SESSION_LIMIT, SESSION_LIMIT));
        };
        let command = SessionCreate {
            session_id,
            name: new.name,
            workdir: new.workdir,
            agent: new.agent,
            agent_config: new
                .agent_config
                .map(|Instructions { claude_md, agents_md }| AgentConfig { claude_md, agents_md }),
            env: new.env,
            cols: new.cols,
            rows: new.rows,
        };
        if let Err(failure) = self.hub(gateway_id)?.call(command.into()).await {
            // After a time-out the session may exist: the next hello tells.
            if failure.is_refusal() {
                self.db.drop_starting(gateway_id, session_id).await?;
            }
            return Err(failure.into());
        }
        self.db.set_running(gateway_id, session_id).await?;
        self.session_body(201, gateway_id, session_id).await
    }

    pub(super) async fn rename_session(
        &self,
        gateway_id: &str,
        session_id: u32,
        new: Name,
    ) -> Outcome {
        let name = new.check().map_err(Failure::invalid)?;
        self.session(gateway_id, session_id).await?;
        self.db.rename(gateway_id, session_id, &name).await?;
        self.hub(gateway_id)?.tell("/changed", "").await?;
        self.session_body(200, gateway_id, session_id).await
    }

    pub(super) async fn end_session(&self, gateway_id: &str, session_id: u32) -> Outcome {
        if self.session(gateway_id, session_id).await?.status == "ended" {
            return nothing();
        }
        match self.hub(gateway_id)?.call(SessionEnd { session_id }.into()).await {
            Err(failure) if failure.is(codes::UNKNOWN_SESSION) => {
                self.db.set_ended(gateway_id, session_id, "lost", None, None, now()).await?;
                self.hub(gateway_id)?.tell("/changed", "").await?;
            }
            other => drop(other?),
        }
        nothing()
    }

    pub(super) async fn view(
        &self,
        request: &Request,
        gateway_id: &str,
        session_id: u32,
    ) -> Outcome {
        require_upgrade(request)?;
        if self.session(gateway_id, session_id).await?.status == "ended" {
            return Err(Failure::ended());
        }
        let operation = format!("/view?{session_id}&{}", self.user.sign_in_id);
        self.hub(gateway_id)?.open_socket(&operation).await
    }

    async fn session_body(&self, status: u16, gateway_id: &str, session_id: u32) -> Outcome {
        let hub = self.hub(gateway_id)?.status().await?;
        let session = self.session(gateway_id, session_id).await?;
        json(status, &json!({ "session": session_json(gateway_id, &session, &hub) }))
    }
}

fn session_json(gateway_id: &str, row: &SessionRow, hub: &HubStatus) -> Value {
    let active_at = row.last_activity_at.unwrap_or(0.0).max(row.created_at);
    let of = |(session_id, _): &&(u32, usize)| *session_id == row.session_id;
    let viewers = hub.viewers.iter().find(of).map_or(0, |(_, count)| *count);
    // That it ended is news, too, for a while.
    let silent_since = millis(active_at.max(row.ended_at.unwrap_or(0.0)));
    json!({
        "gateway_id": gateway_id,
        "session_id": row.session_id,
        "name": row.name,
        "workdir": row.workdir,
        "agent": row.agent,
        "status": row.status,
        "reason": row.reason,
        "exit_code": row.exit_code,
        "created_at": millis(row.created_at),
        "ended_at": row.ended_at.map(millis),
        "last_activity_at": millis(active_at),
        "archived": now().saturating_sub(silent_since) >= ARCHIVE_MS,
        "viewers": viewers,
        "attention": attention_json(row),
    })
}

/// What a session wants a person for; one that has ended wants nobody.
fn attention_json(row: &SessionRow) -> Value {
    match row.attention_at {
        Some(at) if row.status != "ended" => json!({
            "at": millis(at), "reason": row.attention_reason, "title": row.attention_title,
        }),
        _ => Value::Null,
    }
}
