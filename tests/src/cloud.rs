//! The stand-in for DigitalOcean as a process, and what its droplets were told to do.

use crate::process::Running;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdin, Command, Stdio};

/// `cp-worker/stand-ins/digitalocean.mjs`; it ends with this value.
pub struct DigitalOcean {
    url: String,
    agent: ureq::Agent,
    _input: ChildStdin,
    _process: Running,
}

/// What a droplet's cloud-init gives to the installer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The server that it is for.
    pub gateway_id: String,
    /// What its gateway enrols with.
    pub token: String,
}

impl DigitalOcean {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let mut command = Command::new("node");
        command
            .current_dir(crate::repository())
            .arg("cp-worker/stand-ins/digitalocean.mjs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let input = process.child().stdin.take().expect("a pipe");
        let output = process.child().stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("it says where it is");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let url = ready["url"].as_str().expect("an address").to_owned();
        Self { url, agent: crate::api::agent(), _input: input, _process: process }
    }

    /// The variables by which a control plane uses it.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("DO_CLIENT_ID", "client".to_owned()),
            ("DO_CLIENT_SECRET", "secret".to_owned()),
            ("DO_API_URL", self.url.clone()),
            ("DO_OAUTH_URL", format!("{}/v1/oauth", self.url)),
        ]
    }

    /// Gives it orders, as its head describes them; the state that it is in then.
    pub fn control(&self, orders: &Value) -> Value {
        let url = format!("{}/control", self.url);
        let mut answer = self.agent.post(&url).send(orders.to_string()).expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Every droplet that there ever was, the newest last.
    pub fn droplets(&self) -> Vec<Value> {
        self.control(&json!({}))["droplets"].as_array().cloned().unwrap_or_default()
    }
}

/// What a droplet was told at its creation.
pub fn order_of(droplet: &Value) -> Order {
    let text = droplet["user_data"].as_str().expect("cloud-init's text");
    let (_, arguments) = text.split_once("sh /run/chatcode-install.sh ").expect("the installer");
    let mut words = arguments.split(' ').map(|word| word.trim_matches(['\'', ';']).to_owned());
    let mut word = || words.next().expect("an argument");
    Order { gateway_id: word(), token: word() }
}
