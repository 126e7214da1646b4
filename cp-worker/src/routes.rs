//! The table of routes, and the checks of what requests carry.

use crate::limits::{EMAIL_BYTES, WORKDIR_BYTES};
use protocol::commands::Agent;
use protocol::limits::{NAME_CHARS, is_gateway_id, is_terminal_size};
use serde::Deserialize;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Route {
    Config,
    DevSignIn,
    SignOut,
    Me,
    ListServers,
    CreateServer,
    DeleteServer(String),
    ListSessions(String),
    CreateSession(String),
    RenameSession(String, u32),
    EndSession(String, u32),
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
                | Self::SignOut
                | Self::CreateServer
                | Self::DeleteServer(_)
                | Self::CreateSession(_)
                | Self::RenameSession(..)
                | Self::EndSession(..)
        )
    }

    /// Whether a browser opens a WebSocket.
    pub fn is_browser_socket(&self) -> bool {
        matches!(self, Self::WatcherSocket(_) | Self::ViewerSocket(..))
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
        _ => vec![("GET", Route::Asset), ("HEAD", Route::Asset)],
    };
    let fitting = choices.into_iter().find(|(known, _)| *known == method);
    fitting.map(|(_, route)| route).ok_or(NoRoute::MethodNotAllowed)
}

/// What each method means for a path of the API.
fn api(path: &[&str]) -> Result<Vec<(&'static str, Route)>, NoRoute> {
    Ok(match path {
        ["config"] => vec![("GET", Route::Config)],
        ["auth", "dev"] => vec![("POST", Route::DevSignIn)],
        ["auth", "sign-out"] => vec![("POST", Route::SignOut)],
        ["me"] => vec![("GET", Route::Me)],
        ["dev", "hubs", id] => vec![("GET", Route::HubInstance(gateway_id(id)?))],
        ["servers"] => vec![("GET", Route::ListServers), ("POST", Route::CreateServer)],
        ["servers", id] => vec![("DELETE", Route::DeleteServer(gateway_id(id)?))],
        ["servers", id, "socket"] => vec![("GET", Route::WatcherSocket(gateway_id(id)?))],
        ["servers", id, "sessions"] => vec![
            ("GET", Route::ListSessions(gateway_id(id)?)),
            ("POST", Route::CreateSession(gateway_id(id)?)),
        ],
        ["servers", id, "sessions", session] => {
            let (id, session) = (gateway_id(id)?, session_id(session)?);
            vec![
                ("PATCH", Route::RenameSession(id.clone(), session)),
                ("DELETE", Route::EndSession(id, session)),
            ]
        }
        ["servers", id, "sessions", session, "socket"] => {
            vec![("GET", Route::ViewerSocket(gateway_id(id)?, session_id(session)?))]
        }
        _ => return Err(NoRoute::NotFound),
    })
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

/// Body of `POST /api/auth/dev`.
#[derive(Debug, Deserialize)]
pub struct SignIn {
    /// Who signs in.
    pub email: String,
}

impl SignIn {
    /// The address in lower case.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<String, &'static str> {
        let email = self.email.trim().to_lowercase();
        let plausible = email.len() <= EMAIL_BYTES
            && !email.chars().any(|c| c.is_whitespace() || c.is_control())
            && email
                .split_once('@')
                .is_some_and(|(local, host)| !local.is_empty() && is_host(host));
        if plausible { Ok(email) } else { Err("email must be an address like ada@example.com") }
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.contains('@')
}

/// Body of requests that name something.
#[derive(Debug, Deserialize)]
pub struct Name {
    /// What people call it.
    pub name: String,
}

impl Name {
    /// The name, trimmed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<String, &'static str> {
        check_name(&self.name)
    }
}

fn check_name(name: &str) -> Result<String, &'static str> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err("name must have 1 to 64 characters and no control characters")
    }
}

/// Body of `POST /api/servers/:gateway_id/sessions`.
#[derive(Debug, Deserialize)]
pub struct NewSession {
    /// What people call it.
    pub name: String,
    /// Folder, relative to the workspace or absolute beneath it.
    pub workdir: String,
    /// Wire name of an agent.
    pub agent: String,
    /// Columns of cells.
    pub cols: u32,
    /// Rows of cells.
    pub rows: u32,
}

impl NewSession {
    /// The request with its name trimmed. The gateway checks the folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(mut self) -> Result<Self, &'static str> {
        self.name = check_name(&self.name)?;
        if self.workdir.len() > WORKDIR_BYTES || self.workdir.chars().any(char::is_control) {
            return Err("workdir must have at most 4096 bytes and no control characters");
        }
        if Agent::from_name(&self.agent).is_none() {
            return Err("agent must be claude-code, codex, gemini, opencode or none");
        }
        if !is_terminal_size(self.cols, self.rows) {
            return Err("cols and rows must be 1 to 1000");
        }
        Ok(self)
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
        assert_eq!(
            ok("GET", "/api/servers/a/sessions/7/socket"),
            Route::ViewerSocket("a".into(), 7)
        );
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
            ("GET", "/gateway"),
            ("GET", "/gateway/a/b"),
        ] {
            assert_eq!(route(method, path), Err(NoRoute::NotFound), "{path}");
        }
        for (method, path) in [("PUT", "/api/me"), ("POST", "/gateway/a"), ("POST", "/")] {
            assert_eq!(route(method, path), Err(NoRoute::MethodNotAllowed), "{path}");
        }
    }

    #[test]
    fn bodies_are_checked() {
        let email = |email: &str| SignIn { email: email.into() }.check();
        assert_eq!(email(" Ada@Example.com "), Ok("ada@example.com".into()));
        for bad in ["", "ada", "@b", "a@", "a@b@c", "a b@c", &format!("{:0>255}@a", "")] {
            assert!(email(bad).is_err(), "{bad}");
        }
        let name = |name: &str| Name { name: name.into() }.check();
        assert_eq!(name(" pi "), Ok("pi".into()));
        for bad in ["", " ", "a\u{7}b", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
        let session = |agent: &str, workdir: &str, cols| {
            let (name, agent, workdir) = ("n".into(), agent.into(), workdir.into());
            NewSession { name, workdir, agent, cols, rows: 24 }.check().is_ok()
        };
        assert!(session("none", "app", 80));
        assert!(!session("vim", "app", 80));
        assert!(!session("none", "a\nb", 80));
        assert!(!session("none", "app", 0));
    }
}
