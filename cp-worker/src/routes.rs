//! The table of routes.

use crate::auth::oauth::Provider;
use crate::auth::sign_in;
use protocol::commands::Agent;
use protocol::limits::is_gateway_id;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Route {
    Config,
    Status,
    Release,
    InstallScript,
    DevSignIn,
    RequestLink,
    ConfirmLink,
    /// To a provider that knows the person.
    StartOauth(Provider),
    /// Back from it.
    FinishOauth(Provider),
    SignOut,
    SignOutEverywhere,
    Me,
    DeleteMe,
    ListSignIns,
    /// One of the asker's sign-ins by its id.
    RemoveSignIn(String),
    /// The mails that were sent; in development only.
    Outbox,
    CloudConnection,
    /// To DigitalOcean, and back.
    ConnectCloud,
    ConnectedCloud,
    DisconnectCloud,
    CloudOptions,
    CreateDroplet,
    RetryDroplet(String),
    PowerDroplet(String),
    DestroyDroplet(String),
    ListServers,
    CreateServer,
    RenameServer(String),
    Bootstrap(String),
    DeleteServer(String),
    Rates(String),
    History(String),
    ListSessions(String),
    CreateSession(String),
    RenameSession(String, u32),
    EndSession(String, u32),
    Folders(String),
    ListKeys(String),
    AddKey(String),
    AddSupportKey(String),
    RemoveKey(String),
    ListAgents(String),
    /// The agent by its wire name; one that can be installed.
    InstallAgent(String, String),
    Update(String),
    /// A file in a session's folder, or in the workspace.
    Upload(String, Option<u32>),
    Download(String, Option<u32>),
    WatcherSocket(String),
    ViewerSocket(String, u32),
    GatewaySocket(String),
    /// Which instance of a hub runs; in development only.
    HubInstance(String),
    /// A file of the web app.
    Asset,
}

impl Route {
    /// Whether the request changes something, and so must come from our own pages.
    pub fn is_mutating(&self) -> bool {
        matches!(
            self,
            Self::DevSignIn
                | Self::RequestLink
                | Self::ConfirmLink
                | Self::SignOut
                | Self::SignOutEverywhere
                | Self::DeleteMe
                | Self::RemoveSignIn(_)
                | Self::DisconnectCloud
                | Self::CreateDroplet
                | Self::RetryDroplet(_)
                | Self::PowerDroplet(_)
                | Self::DestroyDroplet(_)
                | Self::CreateServer
                | Self::RenameServer(_)
                | Self::Bootstrap(_)
                | Self::DeleteServer(_)
                | Self::CreateSession(_)
                | Self::RenameSession(..)
                | Self::EndSession(..)
                | Self::AddKey(_)
                | Self::AddSupportKey(_)
                | Self::RemoveKey(_)
                | Self::InstallAgent(..)
                | Self::Update(_)
                | Self::Upload(..)
        )
    }

    /// Whether a browser opens a WebSocket.
    pub fn is_browser_socket(&self) -> bool {
        matches!(self, Self::WatcherSocket(_) | Self::ViewerSocket(..))
    }
}

/// What a path is about, for the log: its pattern, and the ids in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The path with names in the place of ids.
    pub pattern: String,
    /// The gateway that it names.
    pub gateway_id: Option<String>,
    /// The session that it names.
    pub session_id: Option<u32>,
}

impl Address {
    /// Reads a path that has a route.
    pub fn of(path: &str) -> Self {
        let (mut gateway_id, mut session_id) = (None, None);
        let mut pattern = String::new();
        let mut before = "";
        for segment in path.trim_matches('/').split('/') {
            pattern.push('/');
            pattern.push_str(match before {
                "servers" | "gateway" | "hubs" => {
                    gateway_id = Some(segment.to_owned());
                    ":gateway_id"
                }
                "sessions" => {
                    session_id = segment.parse().ok();
                    ":session_id"
                }
                "sign-ins" => ":sign_in_id",
                _ => segment,
            });
            before = segment;
        }
        Self { pattern, gateway_id, session_id }
    }
}

/// Why there is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// Nothing has this path.
    NotFound,
    /// The path is there, for other methods.
    MethodNotAllowed,
}

/// The route of a request.
///
/// # Errors
/// [`NoRoute`] when there is none.
pub fn route(method: &str, path: &str) -> Result<Route, NoRoute> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let choices = match segments.as_slice() {
        ["gateway", id] => vec![("GET", Route::GatewaySocket(gateway_id(id)?))],
        ["api", rest @ ..] => api(rest)?,
        ["gateway", ..] => return Err(NoRoute::NotFound),
        ["install.sh"] => vec![("GET", Route::InstallScript)],
        _ => vec![("GET", Route::Asset), ("HEAD", Route::Asset)],
    };
    let fitting = choices.into_iter().find(|(known, _)| *known == method);
    fitting.map(|(_, route)| route).ok_or(NoRoute::MethodNotAllowed)
}

/// What each method means for a path of the API.
fn api(path: &[&str]) -> Result<Vec<(&'static str, Route)>, NoRoute> {
    Ok(match path {
        ["config"] => vec![("GET", Route::Config)],
        ["status"] => vec![("GET", Route::Status)],
        ["release"] => vec![("GET", Route::Release)],
        ["auth", "dev"] => vec![("POST", Route::DevSignIn)],
        ["auth", "email"] => vec![("POST", Route::RequestLink)],
        ["auth", "email", "confirm"] => vec![("POST", Route::ConfirmLink)],
        ["auth", "sign-out"] => vec![("POST", Route::SignOut)],
        ["auth", "sign-out-everywhere"] => vec![("POST", Route::SignOutEverywhere)],
        ["auth", name] => vec![("GET", Route::StartOauth(provider(name)?))],
        ["auth", name, "callback"] => vec![("GET", Route::FinishOauth(provider(name)?))],
        ["me"] => vec![("GET", Route::Me), ("DELETE", Route::DeleteMe)],
        ["me", "sign-ins"] => vec![("GET", Route::ListSignIns)],
        ["me", "sign-ins", id] => vec![("DELETE", Route::RemoveSignIn(sign_in_id(id)?))],
        ["dev", "outbox"] => vec![("GET", Route::Outbox)],
        ["dev", "hubs", id] => vec![("GET", Route::HubInstance(gateway_id(id)?))],
        ["cloud", rest @ ..] => cloud(rest)?,
        ["servers"] => vec![("GET", Route::ListServers), ("POST", Route::CreateServer)],
        ["servers", id, rest @ ..] => server(gateway_id(id)?, rest)?,
        _ => return Err(NoRoute::NotFound),
    })
}

/// What each method means for a path about servers at DigitalOcean.
fn cloud(path: &[&str]) -> Result<Vec<(&'static str, Route)>, NoRoute> {
    Ok(match path {
        [] => vec![("GET", Route::CloudConnection), ("DELETE", Route::DisconnectCloud)],
        ["connect"] => vec![("GET", Route::ConnectCloud)],
        ["callback"] => vec![("GET", Route::ConnectedCloud)],
        ["options"] => vec![("GET", Route::CloudOptions)],
        ["servers"] => vec![("POST", Route::CreateDroplet)],
        ["servers", id] => vec![("DELETE", Route::DestroyDroplet(gateway_id(id)?))],
        ["servers", id, "retry"] => vec![("POST", Route::RetryDroplet(gateway_id(id)?))],
        ["servers", id, "power"] => vec![("POST", Route::PowerDroplet(gateway_id(id)?))],
        _ => return Err(NoRoute::NotFound),
    })
}

/// What each method means for a path beneath a server's.
fn server(id: String, path: &[&str]) -> Result<Vec<(&'static str, Route)>, NoRoute> {
    Ok(match path {
        [] => {
            vec![("PATCH", Route::RenameServer(id.clone())), ("DELETE", Route::DeleteServer(id))]
        }
        ["bootstrap"] => vec![("POST", Route::Bootstrap(id))],
        ["rates"] => vec![("GET", Route::Rates(id))],
        ["history"] => vec![("GET", Route::History(id))],
        ["socket"] => vec![("GET", Route::WatcherSocket(id))],
        ["folders"] => vec![("GET", Route::Folders(id))],
        ["keys"] => vec![
            ("GET", Route::ListKeys(id.clone())),
            ("POST", Route::AddKey(id.clone())),
            ("DELETE", Route::RemoveKey(id)),
        ],
        ["keys", "support"] => vec![("POST", Route::AddSupportKey(id))],
        ["agents"] => vec![("GET", Route::ListAgents(id))],
        ["agents", agent] => vec![("POST", Route::InstallAgent(id, installable(agent)?))],
        ["update"] => vec![("POST", Route::Update(id))],
        ["files"] => files(id, None),
        ["sessions"] => {
            vec![("GET", Route::ListSessions(id.clone())), ("POST", Route::CreateSession(id))]
        }
        ["sessions", session, rest @ ..] => {
            let session = session_id(session)?;
            match rest {
                [] => vec![
                    ("PATCH", Route::RenameSession(id.clone(), session)),
                    ("DELETE", Route::EndSession(id, session)),
                ],
                ["socket"] => vec![("GET", Route::ViewerSocket(id, session))],
                ["files"] => files(id, Some(session)),
                _ => return Err(NoRoute::NotFound),
            }
        }
        _ => return Err(NoRoute::NotFound),
    })
}

fn files(id: String, session: Option<u32>) -> Vec<(&'static str, Route)> {
    vec![("PUT", Route::Upload(id.clone(), session)), ("GET", Route::Download(id, session))]
}

fn installable(agent: &str) -> Result<String, NoRoute> {
    let known = Agent::from_name(agent).and_then(Agent::program);
    known.map(|_| agent.to_owned()).ok_or(NoRoute::NotFound)
}

fn provider(name: &str) -> Result<Provider, NoRoute> {
    Provider::from_name(name).ok_or(NoRoute::NotFound)
}

fn sign_in_id(text: &str) -> Result<String, NoRoute> {
    if sign_in::is_id(text) { Ok(text.to_owned()) } else { Err(NoRoute::NotFound) }
}

fn gateway_id(text: &str) -> Result<String, NoRoute> {
    if is_gateway_id(text) { Ok(text.to_owned()) } else { Err(NoRoute::NotFound) }
}

fn session_id(text: &str) -> Result<u32, NoRoute> {
    match text.parse() {
        Ok(id) if id >= 1 && !text.starts_with('+') => Ok(id),
        _ => Err(NoRoute::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_find_their_routes() {
        let ok = |method, path| route(method, path).unwrap();
        assert_eq!(ok("GET", "/gateway/gw-1"), Route::GatewaySocket("gw-1".into()));
        assert_eq!(ok("POST", "/api/servers/"), Route::CreateServer);
        assert_eq!(ok("DELETE", "/api/servers/a/sessions/7"), Route::EndSession("a".into(), 7));
        assert_eq!(ok("PATCH", "/api/servers/a"), Route::RenameServer("a".into()));
        assert_eq!(ok("POST", "/api/servers/a/bootstrap"), Route::Bootstrap("a".into()));
        assert_eq!(ok("GET", "/install.sh"), Route::InstallScript);
        assert_eq!(
            ok("GET", "/api/servers/a/sessions/7/socket"),
            Route::ViewerSocket("a".into(), 7)
        );
        let agent = Route::InstallAgent("a".into(), "codex".into());
        assert_eq!(ok("POST", "/api/servers/a/agents/codex"), agent);
        assert_eq!(ok("DELETE", "/api/servers/a/keys"), Route::RemoveKey("a".into()));
        assert_eq!(ok("POST", "/api/servers/a/keys/support"), Route::AddSupportKey("a".into()));
        assert_eq!(ok("PUT", "/api/servers/a/files"), Route::Upload("a".into(), None));
        assert_eq!(
            ok("GET", "/api/servers/a/sessions/7/files"),
            Route::Download("a".into(), Some(7))
        );
        assert_eq!(ok("POST", "/api/auth/email/confirm"), Route::ConfirmLink);
        assert_eq!(ok("GET", "/api/auth/github"), Route::StartOauth(Provider::GitHub));
        let back = Route::FinishOauth(Provider::Google);
        assert_eq!(ok("GET", "/api/auth/google/callback"), back);
        let id = "0f".repeat(32);
        let path = format!("/api/me/sign-ins/{id}");
        assert_eq!(ok("DELETE", &path), Route::RemoveSignIn(id));
        for path in ["/", "/servers/a", "/index.html"] {
            assert_eq!(ok("GET", path), Route::Asset);
        }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_not_allowed() {
        for (method, path) in [
            ("GET", "/api"),
            ("GET", "/api/nothing"),
            ("GET", "/api/servers/a%2Fb/sessions"),
            ("GET", "/api/servers/a/sessions/0/socket"),
            ("GET", "/api/servers/a/sessions/+7/socket"),
            ("GET", "/api/servers/a/sessions/4294967296/socket"),
            ("POST", "/api/servers/a/agents/none"),
            ("POST", "/api/servers/a/agents/vim"),
            ("GET", "/api/servers/a/sessions/7/files/x"),
            ("GET", "/api/auth/gitlab"),
            ("GET", "/api/auth/email/callback"),
            ("DELETE", "/api/me/sign-ins/0F"),
            ("DELETE", "/api/me/sign-ins/%2e%2e"),
            ("GET", "/gateway"),
            ("GET", "/gateway/a/b"),
        ] {
            assert_eq!(route(method, path), Err(NoRoute::NotFound), "{path}");
        }
        for (method, path) in [
            ("PUT", "/api/me"),
            ("GET", "/api/auth/email"),
            ("GET", "/api/auth/sign-out"),
            ("POST", "/api/auth/github"),
            ("POST", "/gateway/a"),
            ("POST", "/"),
            ("POST", "/install.sh"),
            ("GET", "/api/servers/a/bootstrap"),
            ("GET", "/api/servers/a/keys/support"),
            ("POST", "/api/servers/a/files"),
            ("GET", "/api/servers/a/update"),
        ] {
            assert_eq!(route(method, path), Err(NoRoute::MethodNotAllowed), "{path}");
        }
    }

    #[test]
    fn addresses_tell_what_they_are_about() {
        let of = |path| {
            let Address { pattern, gateway_id, session_id } = Address::of(path);
            (pattern, gateway_id.unwrap_or_default(), session_id)
        };
        let session = "/api/servers/:gateway_id/sessions/:session_id/socket".to_owned();
        assert_eq!(of("/api/servers/gw_1/sessions/7/socket"), (session, "gw_1".into(), Some(7)));
        let socket = "/gateway/:gateway_id".to_owned();
        assert_eq!(of("/gateway/gw_1"), (socket, "gw_1".into(), None));
        assert_eq!(of("/api/me/sign-ins/abc").0, "/api/me/sign-ins/:sign_in_id");
        assert_eq!(of("/api/servers"), ("/api/servers".into(), String::new(), None));
        assert_eq!(of("/").0, "/");
    }

    #[test]
    fn whatever_changes_something_must_come_from_our_own_pages() {
        for (method, path, mutating) in [
            ("POST", "bootstrap", true),
            ("GET", "rates", false),
            ("GET", "folders", false),
            ("GET", "keys", false),
            ("POST", "keys", true),
            ("POST", "keys/support", true),
            ("DELETE", "keys", true),
            ("GET", "agents", false),
            ("POST", "agents/gemini", true),
            ("POST", "update", true),
            ("PUT", "files", true),
            ("GET", "files", false),
            ("PUT", "sessions/7/files", true),
            ("GET", "sessions/7/files", false),
        ] {
            let route = route(method, &format!("/api/servers/a/{path}")).unwrap();
            assert_eq!(route.is_mutating(), mutating, "{method} {path}");
        }
        let id = "0f".repeat(32);
        for (method, path, mutating) in [
            ("POST", "auth/email", true),
            ("POST", "auth/email/confirm", true),
            ("POST", "auth/sign-out", true),
            ("POST", "auth/sign-out-everywhere", true),
            ("DELETE", "me", true),
            ("DELETE", &*format!("me/sign-ins/{id}"), true),
            ("DELETE", "cloud", true),
            ("POST", "cloud/servers", true),
            ("DELETE", "cloud/servers/a", true),
            ("POST", "cloud/servers/a/retry", true),
            ("POST", "cloud/servers/a/power", true),
            ("GET", "cloud", false),
            ("GET", "cloud/connect", false),
            ("GET", "cloud/options", false),
            // From the providers' pages, and held by their state instead.
            ("GET", "cloud/callback", false),
            ("GET", "auth/github", false),
            ("GET", "auth/github/callback", false),
        ] {
            let route = route(method, &format!("/api/{path}")).unwrap();
            assert_eq!(route.is_mutating(), mutating, "{method} {path}");
        }
    }
}
