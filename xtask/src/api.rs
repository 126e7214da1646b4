//! The control plane's HTTP interface, as far as `dev` needs it.

use crate::Result;
use serde_json::{Value, json};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A signed-in user of a control plane.
pub struct Api {
    agent: ureq::Agent,
    origin: String,
    cookie: String,
}

impl Api {
    /// Signs in as `email`, as the development mode allows.
    ///
    /// # Errors
    /// When the control plane refuses or does not answer.
    pub fn sign_in(origin: &str, email: &str) -> Result<Self> {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build();
        let mut api =
            Self { agent: config.new_agent(), origin: origin.to_owned(), cookie: String::new() };
        let url = format!("{origin}/api/auth/dev");
        let mut response = api
            .agent
            .post(&url)
            .header("Origin", origin)
            .header("Content-Type", "application/json")
            .send(json!({ "email": email }).to_string())?;
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|value| value.split(';').next()).map(str::to_owned);
        read(&url, &mut response)?;
        api.cookie = cookie.ok_or("the control plane set no cookie")?;
        Ok(api)
    }

    /// The user's servers.
    ///
    /// # Errors
    /// When the control plane refuses or does not answer.
    pub fn servers(&self) -> Result<Vec<Value>> {
        let url = format!("{}/api/servers", self.origin);
        let mut response = self.agent.get(&url).header("Cookie", &self.cookie).call()?;
        let value = read(&url, &mut response)?;
        Ok(value["servers"].as_array().cloned().unwrap_or_default())
    }

    /// Adds a server; its gateway id and bootstrap token.
    ///
    /// # Errors
    /// When the control plane refuses or does not answer.
    pub fn add_server(&self, name: &str) -> Result<(String, String)> {
        let url = format!("{}/api/servers", self.origin);
        let mut response = self
            .agent
            .post(&url)
            .header("Origin", &self.origin)
            .header("Cookie", &self.cookie)
            .header("Content-Type", "application/json")
            .send(json!({ "name": name }).to_string())?;
        let value = read(&url, &mut response)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        text(&value["server"]["gateway_id"])
            .zip(text(&value["bootstrap_token"]))
            .ok_or_else(|| format!("POST {url} gave no gateway_id and bootstrap_token").into())
    }

    /// Removes a server.
    ///
    /// # Errors
    /// When the control plane refuses or does not answer.
    pub fn remove_server(&self, gateway_id: &str) -> Result<()> {
        let url = format!("{}/api/servers/{gateway_id}", self.origin);
        let mut response = self
            .agent
            .delete(&url)
            .header("Origin", &self.origin)
            .header("Cookie", &self.cookie)
            .call()?;
        read(&url, &mut response).map(drop)
    }
}

fn read(url: &str, response: &mut ureq::http::Response<ureq::Body>) -> Result<Value> {
    let status = response.status();
    let text = response.body_mut().read_to_string()?;
    if !status.is_success() {
        return Err(format!("{url}: {status}: {text}").into());
    }
    if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
}
