//! The real stack: the built worker in workerd, a gateway that enrolled with it, and browsers.

use crate::browser::{Browser, Page};
use crate::gateway::Gateway;
use crate::tempdir::TempDir;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Who signs in.
const EMAIL: &str = "dev@chatcode.localhost";

/// The control plane: node, Miniflare and workerd in one process group.
pub struct ControlPlane {
    port: u16,
    state: TempDir,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

impl ControlPlane {
    /// Starts it on a free port.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts it on a free port, with these variables beside those of the test.
    pub fn with(environment: &[(&str, &str)]) -> Self {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(pair).collect();
        let mut control_plane = Self { port: 0, state: TempDir::new(), environment, child: None };
        control_plane.run();
        control_plane
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts the processes on the old port, or at first on a free one, with the old state.
    pub fn run(&mut self) {
        self.kill();
        let mut child = Command::new("node")
            .current_dir(crate::repository())
            .arg("cp-worker/miniflare.mjs")
            .args(["--quiet", "--port", &self.port.to_string(), "--state"])
            .arg(self.state.path())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("node runs");
        let output = child.stdout.take().expect("a pipe");
        self.child = Some(child);
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let ready = lines.find_map(|line| {
            let value: Value = serde_json::from_str(&line).ok()?;
            value["url"].as_str().map(str::to_owned)
        });
        let url = ready.expect("the control plane starts; build it with cargo xtask build-worker");
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        self.port = port.expect("an address with a port");
        // Whoever prints into a pipe that nobody reads dies of it.
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// Changes rows while nothing runs, for what would take a day; something must be changed.
    pub fn change_rows(&mut self, statement: &str) {
        self.kill();
        let mut command = Command::new("node");
        command.current_dir(crate::repository()).arg("tests/node/rows.mjs");
        command.arg(self.state.path()).arg(statement);
        let status = command.stdout(Stdio::null()).status().expect("node runs");
        assert!(status.success(), "no row: {statement}");
        self.run();
    }

    /// Ends node and workerd as `kill -9` does.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.wait();
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.kill();
    }
}

/// All of it, with one server of one user.
pub struct Stack {
    /// Its pages are signed in.
    pub browser: Browser,
    /// The gateway, online.
    pub gateway: Gateway,
    /// The server's id.
    pub gateway_id: String,
    /// The control plane.
    pub control_plane: ControlPlane,
}

impl Stack {
    /// Starts everything and opens a first page, signed in through the form, on the servers.
    pub fn new(size: (u32, u32)) -> (Self, Page) {
        Self::in_browser(Browser::new(), size)
    }

    /// As [`Self::new`], in a browser that runs.
    pub fn in_browser(browser: Browser, size: (u32, u32)) -> (Self, Page) {
        let control_plane = ControlPlane::start();
        let page = sign_in(&browser, "first", &control_plane.url(), size);
        // What the form for a new server asks of the API, without copying a command by hand.
        let made = page.run(
            "fetch('/api/servers', { method: 'POST', body: JSON.stringify({ name: 'Test' }), \
             headers: { 'content-type': 'application/json' } }).then((it) => it.json())",
        );
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let gateway_id = text(&made["server"]["gateway_id"]);
        let url = format!("{}/gateway", control_plane.url().replacen("http", "ws", 1));
        let mut gateway = Gateway::new(&url);
        gateway.unset("GATEWAY_AUTH_TOKEN");
        gateway.set("GATEWAY_ID", &gateway_id);
        gateway.set("GATEWAY_BOOTSTRAP_TOKEN", &text(&made["bootstrap_token"]));
        gateway.run();
        page.reload();
        page.wait_attribute("server-status", "data-status", "online");
        (Self { browser, gateway, gateway_id, control_plane }, page)
    }

    /// Another person's browser, signed in as the same user.
    pub fn another_page(&self, name: &'static str, size: (u32, u32)) -> Page {
        sign_in(&self.browser, name, &self.control_plane.url(), size)
    }

    /// Creates a session of a plain shell through the form; the page shows its terminal.
    pub fn create_session(&self, page: &Page, name: &str) -> u32 {
        page.click("server-link");
        page.click("new-session");
        page.fill("session-name", name);
        page.click("agent-none");
        page.click("session-create");
        page.wait_attribute("connection-state", "data-state", "live");
        page.wait_typing();
        let url = page.url();
        let (_, session_id) = url.rsplit_once('/').expect("the session's address");
        session_id.parse().expect("a session id")
    }
}

/// A page of `browser` at `url`, signed in through the form.
pub fn sign_in(browser: &Browser, name: &'static str, url: &str, size: (u32, u32)) -> Page {
    sign_in_at(browser.open(name, &format!("{url}/sign-in"), size))
}

/// Signs in through the form that a page shows.
pub fn sign_in_at(page: Page) -> Page {
    page.fill("sign-in-email", EMAIL);
    page.click("sign-in-submit");
    page.wait(&crate::browser::id("account-menu"));
    page
}

/// A control plane, a person, and the gateway of their one server: all but a browser.
pub struct Installation {
    /// Signed in.
    pub person: crate::api::Person,
    /// The gateway, online.
    pub gateway: Gateway,
    /// The server's id.
    pub gateway_id: String,
    /// The control plane.
    pub control_plane: ControlPlane,
}

impl Installation {
    /// Starts everything; `prepare` may change how the gateway will run.
    pub fn new(prepare: impl FnOnce(&mut Gateway)) -> Self {
        Self::at(ControlPlane::start(), prepare)
    }

    /// As [`Self::new`], at a control plane that runs.
    pub fn at(control_plane: ControlPlane, prepare: impl FnOnce(&mut Gateway)) -> Self {
        let person = crate::api::Person::sign_in(&control_plane.url());
        let (gateway_id, bootstrap_token) = person.new_server("Test");
        let url = format!("{}/gateway", control_plane.url().replacen("http", "ws", 1));
        let mut gateway = Gateway::new(&url);
        gateway.unset("GATEWAY_AUTH_TOKEN");
        gateway.set("GATEWAY_ID", &gateway_id);
        gateway.set("GATEWAY_BOOTSTRAP_TOKEN", &bootstrap_token);
        prepare(&mut gateway);
        gateway.run();
        let installation = Self { person, gateway, gateway_id, control_plane };
        installation.wait_online();
        installation
    }

    /// Waits until the control plane calls the server online.
    pub fn wait_online(&self) {
        crate::eventually("the server is online", crate::PATIENCE, || {
            (self.server()["status"] == "online").then_some(())
        });
    }

    /// The server as the API shows it.
    pub fn server(&self) -> Value {
        self.person.ask("GET", "/api/servers").expect(200)["servers"][0].take()
    }

    /// The path of something of the server.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/servers/{}{rest}", self.gateway_id)
    }

    /// A new session of a plain shell in a folder of the workspace; its id.
    pub fn create_session(&self, workdir: &str) -> u64 {
        let body = serde_json::json!({
            "name": workdir, "workdir": workdir, "agent": "none", "cols": 80, "rows": 24,
        });
        let made = self.person.send("POST", &self.path("/sessions"), body).expect(201);
        made["session"]["session_id"].as_u64().expect("an id")
    }

    /// A watcher of the server.
    pub fn watch(&self) -> crate::api::Socket {
        self.person.socket(&self.path("/socket"))
    }
}
