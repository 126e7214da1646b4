//! The HTTP API: who asks, whether it is theirs, what the database and the hub say.

mod account;
mod cloud;
mod files;
mod relay;
mod release;
mod servers;
mod services;
mod sessions;
mod status;

use super::config::Config;
use super::db::{Db, ServerRow, SessionRow, SignedInRow};
use super::log::Trace;
use super::now;
use super::respond::{Failure, Outcome};
use super::streams::Body;
use crate::auth::token;
use crate::auth::token::Admission;
use crate::limits::BODY_BYTES;
use crate::routes::Route;
use miniserde::Deserialize;
pub(super) use relay::Relay;
use serde_json::Value;
use worker::{Env, Request};

/// Answers all routes but the gateway's socket and the web app's files.
pub async fn answer(
    mut request: Request,
    env: &Env,
    config: &Config,
    route: Route,
    trace: &Trace,
) -> Outcome {
    match &route {
        Route::Config => return account::config(env, config),
        Route::DevSignIn => return account::dev_sign_in(&mut request, env, config).await,
        Route::RequestLink => return account::request_link(&mut request, env, config).await,
        Route::ConfirmLink => return account::confirm_link(&mut request, env, config).await,
        Route::StartOauth(provider) => return account::start_oauth(env, config, *provider),
        Route::FinishOauth(provider) => {
            return account::finish_oauth(&request, env, config, *provider).await;
        }
        Route::SignOut => return account::sign_out(&request, env, config).await,
        Route::Outbox => return account::outbox(env, config).await,
        Route::Status => return status::status(env).await,
        Route::Release => return release::release(&request, env).await,
        Route::InstallScript => return release::install_script(&request, env, config).await,
        _ => {}
    }
    let user = account::signed_in(&request, env, config).await?;
    trace.user(&user.user_id);
    let asker = Asker { db: Db::new(env)?, env, config, user };
    match route {
        Route::SignOutEverywhere => asker.sign_out_everywhere().await,
        Route::Me => asker.me().await,
        Route::DeleteMe => asker.delete_me(body(&mut request).await?).await,
        Route::ListSignIns => asker.list_sign_ins().await,
        Route::RemoveSignIn(id) => asker.remove_sign_in(&id).await,
        Route::CloudConnection => asker.cloud_connection().await,
        Route::ConnectCloud => asker.connect_cloud(),
        Route::ConnectedCloud => asker.connected_cloud(&request).await,
        Route::DisconnectCloud => asker.disconnect_cloud().await,
        Route::CloudOptions => asker.cloud_options().await,
        Route::CreateDroplet => asker.create_droplet(&value(&mut request).await?).await,
        Route::RetryDroplet(id) => asker.retry_droplet(&id).await,
        Route::PowerDroplet(id) => asker.power_droplet(&id, &value(&mut request).await?).await,
        Route::DestroyDroplet(id) => asker.destroy_droplet(&id, body(&mut request).await?).await,
        Route::ListServers => asker.list_servers().await,
        Route::CreateServer => asker.create_server(body(&mut request).await?).await,
        Route::RenameServer(id) => asker.rename_server(&id, body(&mut request).await?).await,
        Route::Bootstrap(id) => asker.bootstrap(&id).await,
        Route::Rates(id) => asker.hub_says(&id, "/rates").await,
        Route::History(id) => asker.hub_says(&id, "/history").await,
        Route::DeleteServer(id) => asker.delete_server(&id).await,
        Route::ListSessions(id) => asker.list_sessions(&id).await,
        Route::CreateSession(id) => asker.create_session(&id, body(&mut request).await?).await,
        Route::RenameSession(id, session) => {
            asker.rename_session(&id, session, body(&mut request).await?).await
        }
        Route::EndSession(id, session) => asker.end_session(&id, session).await,
        Route::Folders(id) => asker.folders(&id).await,
        Route::ListKeys(id) => asker.list_keys(&id).await,
        Route::AddKey(id) => asker.add_key(&id, body(&mut request).await?).await,
        Route::AddSupportKey(id) => asker.add_support_key(&id).await,
        Route::RemoveKey(id) => asker.remove_key(&id, &query(&request)).await,
        Route::ListAgents(id) => asker.list_agents(&id).await,
        Route::InstallAgent(id, agent) => asker.install_agent(&id, agent).await,
        Route::Update(id) => asker.update(&id, body(&mut request).await?).await,
        Route::Upload(id, session) => asker.upload(&request, &id, session).await,
        Route::Download(id, session) => asker.download(&request, &id, session).await,
        Route::WatcherSocket(id) => asker.watch(&request, &id).await,
        Route::ViewerSocket(id, session) => asker.view(&request, &id, session).await,
        Route::HubInstance(id) => asker.hub_instance(&id).await,
        // Answered above.
        Route::Config
        | Route::Status
        | Route::Release
        | Route::InstallScript
        | Route::DevSignIn
        | Route::RequestLink
        | Route::ConfirmLink
        | Route::StartOauth(_)
        | Route::FinishOauth(_)
        | Route::SignOut
        | Route::Outbox
        | Route::GatewaySocket(_)
        | Route::Asset => Err(no_such_address()),
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
    let refused = || Failure::new("bad_token", "unknown gateway or wrong token");
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
        Admission::Enrol => return Relay::to(env, gateway_id)?.open_socket("/gateway?enrol").await,
    }
    Relay::to(env, gateway_id)?.open_socket("/gateway").await
}

async fn body<T: Deserialize>(request: &mut Request) -> Result<T, Failure> {
    miniserde::json::from_str(&text(request).await?).map_err(|_| unreadable())
}

async fn value(request: &mut Request) -> Result<Value, Failure> {
    serde_json::from_str(&text(request).await?).map_err(|_| unreadable())
}

fn unreadable() -> Failure {
    Failure::invalid("the body must be JSON with the fields of this request")
}

async fn text(request: &mut Request) -> Result<String, Failure> {
    let length = request.headers().get("Content-Length")?;
    let too_large = || Failure::new("too_large", "the body is limited to 64 KiB");
    if length.and_then(|length| length.parse().ok()).is_some_and(|len: usize| len > BODY_BYTES) {
        return Err(too_large());
    }
    // Not read to its end: one that tells no length may have none.
    let body = Body::new(request.inner().body()).map_err(worker::Error::from)?;
    let read = body.piece(BODY_BYTES + 1).await.map_err(worker::Error::from)?;
    if read.len() > BODY_BYTES {
        return Err(too_large());
    }
    String::from_utf8(read.payload().to_vec()).map_err(|_| unreadable())
}

/// What stands behind the `?` of an address.
fn query(request: &Request) -> String {
    let url = request.inner().url();
    url.split_once('?').map_or("", |(_, query)| query).to_owned()
}

fn require_upgrade(request: &Request) -> Result<(), Failure> {
    let upgrade = request.headers().get("Upgrade")?.unwrap_or_default();
    if upgrade.eq_ignore_ascii_case("websocket") {
        return Ok(());
    }
    Err(Failure::new("upgrade_required", "this address is a WebSocket"))
}

/// A signed-in user's request.
struct Asker<'a> {
    db: Db,
    env: &'a Env,
    config: &'a Config,
    user: SignedInRow,
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

    /// The hub of a server that is the asker's.
    fn hub(&self, gateway_id: &str) -> Result<Relay, Failure> {
        Relay::to(self.env, gateway_id)
    }
}

/// Times are whole milliseconds, also where JavaScript gave us a double.
fn millis(time: f64) -> u64 {
    time as u64
}
