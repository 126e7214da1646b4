//! The HTTP API: who asks, whether it is theirs, what the database and the hub say.

use super::config::Config;
use super::db::{Db, ServerRow, SessionRow, UserRow};
use super::respond::{Failure, Outcome, json, nothing};
use super::{now, random, random_id};
use crate::auth::mode::Mode;
use crate::auth::token::Admission;
use crate::auth::{cookie, token};
use crate::hub::CallError;
use crate::limits::{BODY_BYTES, BOOTSTRAP_MS, MAX_SERVERS, SIGN_IN_MS};
use crate::routes::{Name, NewSession, Route, SignIn};
use protocol::commands::{Command, SessionCreate, SessionEnd};
use protocol::envelope::codes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use worker::{Env, Method, Request, Response, Stub, web_sys};

/// Answers all routes but the gateway's socket and the web app's files.
pub async fn answer(mut request: Request, env: &Env, config: &Config, route: Route) -> Outcome {
    match &route {
        Route::Config => {
            let version = env!("CARGO_PKG_VERSION");
            return json(200, &json!({ "auth_mode": config.mode.name(), "version": version }));
        }
        Route::DevSignIn => return dev_sign_in(&mut request, env, config).await,
        Route::SignOut => return with_cookie(nothing()?, &cookie::clear(config.is_secure())),
        _ => {}
    }
    let user = signed_in(&request, env, config).await?;
    let asker = Asker { db: Db::new(env)?, env, config, user };
    match route {
        Route::Me => json(200, &json!({ "user": user_json(&asker.user) })),
        Route::ListServers => asker.list_servers().await,
        Route::CreateServer => asker.create_server(body(&mut request).await?).await,
        Route::DeleteServer(id) => asker.delete_server(&id).await,
        Route::ListSessions(id) => asker.list_sessions(&id).await,
        Route::CreateSession(id) => asker.create_session(&id, body(&mut request).await?).await,
        Route::RenameSession(id, session) => {
            asker.rename_session(&id, session, body(&mut request).await?).await
        }
        Route::EndSession(id, session) => asker.end_session(&id, session).await,
        Route::WatcherSocket(id) => asker.watch(&request, &id).await,
        Route::ViewerSocket(id, session) => asker.view(&request, &id, session).await,
        Route::HubInstance(id) => asker.hub_instance(&id).await,
        Route::Config | Route::DevSignIn | Route::SignOut => Err(no_such_address()),
        Route::GatewaySocket(_) | Route::Asset => Err(no_such_address()),
    }
}

fn no_such_address() -> Failure {
    Failure::not_found("no such address")
}

/// Lets a gateway in by its token.
pub async fn gateway_socket(
    request: &Request,
    env: &Env,
    config: &Config,
    gateway_id: &str,
) -> Outcome {
    let refused = || Failure::new(401, "bad_token", "unknown gateway or wrong token");
    let header = request.headers().get("Authorization")?.unwrap_or_default();
    if header.is_empty() {
        require_upgrade(request)?;
    }
    let bearer = token::bearer(&header).ok_or_else(refused)?;
    let db = Db::new(env)?;
    let hashes = db.hashes(gateway_id).await?.ok_or_else(refused)?;
    let admission = token::admit(&config.token_secret, bearer, &hashes, now());
    let admission = admission.ok_or_else(refused)?;
    // After the token, so that `doctor` can show one without replacing a connection.
    require_upgrade(request)?;
    match admission {
        Admission::Known => {}
        Admission::CompleteEnrolment => db.complete_enrolment(gateway_id).await?,
        Admission::Enrol => return open_socket(env, gateway_id, "/gateway?enrol").await,
    }
    open_socket(env, gateway_id, "/gateway").await
}

async fn dev_sign_in(request: &mut Request, env: &Env, config: &Config) -> Outcome {
    if config.mode != Mode::Dev {
        return Err(no_such_address());
    }
    let sign_in: SignIn = body(request).await?;
    let email = sign_in.check().map_err(Failure::invalid)?;
    let user = Db::new(env)?.sign_in(&email, &random_id::<12>("u_")?, now()).await?;
    let value = cookie::sign(&config.cookie_secret, &user.user_id, now() + SIGN_IN_MS)
        .ok_or_else(|| Failure::new(500, "misconfigured", "COOKIE_SECRET cannot sign"))?;
    let response = json(200, &json!({ "user": user_json(&user) }))?;
    with_cookie(response, &cookie::set(&value, config.is_secure()))
}

fn with_cookie(mut response: Response, cookie: &str) -> Outcome {
    response.headers_mut().set("Set-Cookie", cookie)?;
    Ok(response)
}

async fn signed_in(request: &Request, env: &Env, config: &Config) -> Result<UserRow, Failure> {
    let header = request.headers().get("Cookie")?.unwrap_or_default();
    let user_id = cookie::find(&header)
        .and_then(|value| cookie::verify(&config.cookie_secret, value, now()))
        .ok_or_else(Failure::signed_out)?;
    Db::new(env)?.user(&user_id).await?.ok_or_else(Failure::signed_out)
}

async fn body<T: DeserializeOwned>(request: &mut Request) -> Result<T, Failure> {
    let length = request.headers().get("Content-Length")?;
    let too_large = || Failure::new(413, "too_large", "the body is limited to 64 KiB");
    if length.and_then(|length| length.parse().ok()).is_some_and(|len: usize| len > BODY_BYTES) {
        return Err(too_large());
    }
    let text = request.text().await?;
    if text.len() > BODY_BYTES {
        return Err(too_large());
    }
    serde_json::from_str(&text).map_err(|error| Failure::invalid(&error.to_string()))
}

fn require_upgrade(request: &Request) -> Result<(), Failure> {
    let upgrade = request.headers().get("Upgrade")?.unwrap_or_default();
    if upgrade.eq_ignore_ascii_case("websocket") {
        return Ok(());
    }
    Err(Failure::new(426, "upgrade_required", "this address is a WebSocket"))
}

fn hub(env: &Env, gateway_id: &str) -> Result<Stub, Failure> {
    Ok(env.durable_object("HUB")?.id_from_name(gateway_id)?.get_stub()?)
}

/// Opens a socket whose end is the hub: the Worker takes no part in it afterwards.
async fn open_socket(env: &Env, gateway_id: &str, operation: &str) -> Outcome {
    let mut request = Request::new(&format!("https://hub{operation}"), Method::Get)?;
    request.headers_mut()?.set("Upgrade", "websocket")?;
    Ok(hub(env, gateway_id)?.fetch_with_request(request).await?)
}

async fn tell_hub(
    env: &Env,
    gateway_id: &str,
    operation: &str,
    body: &str,
) -> Result<Response, Failure> {
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&body.into());
    let url = format!("https://hub{operation}");
    let request = web_sys::Request::new_with_str_and_init(&url, &init);
    let request = request.map_err(worker::Error::from)?;
    Ok(hub(env, gateway_id)?.fetch_with_request(request.into()).await?)
}

/// Sends a command and waits for the gateway's ack.
async fn call(env: &Env, gateway_id: &str, command: Command) -> Result<(), CallFailure> {
    // The hub gives the command its own request id.
    let text = command.to_json(Some("api"));
    let mut response =
        tell_hub(env, gateway_id, "/command", &text).await.map_err(CallFailure::Here)?;
    match response.status_code() {
        204 => Ok(()),
        _ => Err(response
            .json()
            .await
            .map_or_else(|error| CallFailure::Here(error.into()), CallFailure::There)),
    }
}

enum CallFailure {
    Here(Failure),
    There(CallError),
}

impl From<CallFailure> for Failure {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Here(failure) => failure,
            CallFailure::There(error) => error.into(),
        }
    }
}

impl CallFailure {
    fn is(&self, code: &str) -> bool {
        matches!(self, Self::There(error) if error.code == code)
    }

    /// Whether the command surely had no effect.
    fn is_refusal(&self) -> bool {
        let unclear = ["timed_out", "interrupted"];
        matches!(self, Self::There(error) if !unclear.contains(&error.code.as_str()))
    }
}

/// What a hub knows better than the database.
#[derive(Default, Deserialize)]
struct HubStatus {
    online: bool,
    viewers: BTreeMap<u32, usize>,
}

/// A signed-in user's request.
struct Asker<'a> {
    db: Db,
    env: &'a Env,
    config: &'a Config,
    user: UserRow,
}

impl Asker<'_> {
    /// The server, if it is the asker's.
    async fn server(&self, gateway_id: &str) -> Result<ServerRow, Failure> {
        let server = self.db.server(&self.user.user_id, gateway_id).await?;
        server.ok_or_else(|| Failure::not_found("no such server"))
    }

    async fn session(&self, gateway_id: &str, session_id: u32) -> Result<SessionRow, Failure> {
        self.server(gateway_id).await?;
        let session = self.db.session(gateway_id, session_id).await?;
        session.ok_or_else(|| Failure::not_found("no such session"))
    }

    async fn list_servers(&self) -> Outcome {
        let servers = self.db.servers(&self.user.user_id).await?;
        let servers: Vec<Value> = servers.iter().map(server_json).collect();
        json(200, &json!({ "servers": servers }))
    }

    async fn create_server(&self, new: Name) -> Outcome {
        let name = new.check().map_err(Failure::invalid)?;
        let user_id = &self.user.user_id;
        if self.db.servers(user_id).await?.len() >= MAX_SERVERS as usize {
            return Err(Failure::new(409, "server_limit", "50 servers are the limit"));
        }
        let gateway_id = random_id::<10>("gw_")?;
        let bootstrap_token = token::encode(&random()?);
        let hash = token::hash(&self.config.token_secret, &bootstrap_token)
            .ok_or_else(|| Failure::new(500, "misconfigured", "TOKEN_SECRET cannot hash"))?;
        let expires_at = now() + BOOTSTRAP_MS;
        self.db.add_server(user_id, &gateway_id, &name, &hash, expires_at, now()).await?;
        let server = server_json(&self.server(&gateway_id).await?);
        let body = json!({
            "server": server, "bootstrap_token": bootstrap_token, "expires_at": expires_at,
        });
        json(201, &body)
    }

    async fn delete_server(&self, gateway_id: &str) -> Outcome {
        self.server(gateway_id).await?;
        // The row first: a gateway that is thrown out must not find its way back.
        self.db.delete_server(gateway_id).await?;
        tell_hub(self.env, gateway_id, "/revoke", "").await?;
        nothing()
    }

    async fn list_sessions(&self, gateway_id: &str) -> Outcome {
        self.server(gateway_id).await?;
        let status = self.hub_status(gateway_id).await?;
        let sessions = self.db.sessions(gateway_id).await?;
        let sessions: Vec<Value> =
            sessions.iter().map(|row| session_json(gateway_id, row, &status)).collect();
        json(200, &json!({ "sessions": sessions }))
    }

    async fn create_session(&self, gateway_id: &str, new: NewSession) -> Outcome {
        let new = new.check().map_err(Failure::invalid)?;
        self.server(gateway_id).await?;
        if !self.hub_status(gateway_id).await?.online {
            return Err(CallError::offline().into());
        }
        let session_id = self.db.add_session(gateway_id, &new, now()).await?;
        let command = SessionCreate {
            session_id,
            name: new.name,
            workdir: new.workdir,
            agent: new.agent,
            agent_config: None,
            env: None,
            cols: new.cols,
            rows: new.rows,
        };
        if let Err(failure) = call(self.env, gateway_id, command.into()).await {
            // After a time-out the session may exist: the next hello tells.
            if failure.is_refusal() {
                self.db.drop_starting(gateway_id, session_id).await?;
            }
            return Err(failure.into());
        }
        self.db.set_running(gateway_id, session_id).await?;
        self.session_body(201, gateway_id, session_id).await
    }

    async fn rename_session(&self, gateway_id: &str, session_id: u32, new: Name) -> Outcome {
        let name = new.check().map_err(Failure::invalid)?;
        self.session(gateway_id, session_id).await?;
        self.db.rename(gateway_id, session_id, &name).await?;
        tell_hub(self.env, gateway_id, "/changed", "").await?;
        self.session_body(200, gateway_id, session_id).await
    }

    async fn end_session(&self, gateway_id: &str, session_id: u32) -> Outcome {
        if self.session(gateway_id, session_id).await?.status == "ended" {
            return nothing();
        }
        match call(self.env, gateway_id, SessionEnd { session_id }.into()).await {
            Err(failure) if failure.is(codes::UNKNOWN_SESSION) => {
                self.db.set_ended(gateway_id, session_id, "lost", None, None, now()).await?;
                tell_hub(self.env, gateway_id, "/changed", "").await?;
            }
            other => other?,
        }
        nothing()
    }

    async fn watch(&self, request: &Request, gateway_id: &str) -> Outcome {
        require_upgrade(request)?;
        self.server(gateway_id).await?;
        open_socket(self.env, gateway_id, "/watch").await
    }

    async fn view(&self, request: &Request, gateway_id: &str, session_id: u32) -> Outcome {
        require_upgrade(request)?;
        if self.session(gateway_id, session_id).await?.status == "ended" {
            return Err(Failure::ended());
        }
        open_socket(self.env, gateway_id, &format!("/view?{session_id}")).await
    }

    async fn hub_instance(&self, gateway_id: &str) -> Outcome {
        if self.config.mode != Mode::Dev {
            return Err(no_such_address());
        }
        self.server(gateway_id).await?;
        tell_hub(self.env, gateway_id, "/instance", "").await
    }

    async fn hub_status(&self, gateway_id: &str) -> Result<HubStatus, Failure> {
        Ok(tell_hub(self.env, gateway_id, "/status", "").await?.json().await?)
    }

    async fn session_body(&self, status: u16, gateway_id: &str, session_id: u32) -> Outcome {
        let hub = self.hub_status(gateway_id).await?;
        let session = self.session(gateway_id, session_id).await?;
        json(status, &json!({ "session": session_json(gateway_id, &session, &hub) }))
    }
}

fn user_json(user: &UserRow) -> Value {
    json!({ "user_id": user.user_id, "email": user.email })
}

fn server_json(row: &ServerRow) -> Value {
    let embedded = |text: &Option<String>| -> Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
    };
    let status = match (row.connected, row.version.is_some()) {
        (1, _) => "online",
        (_, true) => "offline",
        (_, false) => "pending",
    };
    json!({
        "gateway_id": row.gateway_id,
        "name": row.name,
        "status": status,
        "hostname": row.hostname,
        "version": row.version,
        "system_info": embedded(&row.system_info),
        "health": embedded(&row.health),
        "last_seen_at": row.last_seen_at.map(millis),
        "created_at": millis(row.created_at),
    })
}

fn session_json(gateway_id: &str, row: &SessionRow, hub: &HubStatus) -> Value {
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
        "viewers": hub.viewers.get(&row.session_id).copied().unwrap_or(0),
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

/// Times are whole milliseconds, also where JavaScript gave us a double.
fn millis(time: f64) -> u64 {
    time as u64
}
