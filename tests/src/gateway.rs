//! A real gateway process with state, workspace and tmux server of its own.

use crate::process::Running;
use crate::tempdir::TempDir;
use crate::tmux::Tmux;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// The gateway's id in every test.
pub const GATEWAY_ID: &str = "gw-test";

/// The gateway's token in every test.
pub const AUTH_TOKEN: &str = "token-of-the-test-gateway";

/// Where `cargo xtask test` names a gateway that is built already.
const BINARY: &str = "CHATCODE_GATEWAY_BIN";

static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    if let Some(path) = std::env::var_os(BINARY) {
        return PathBuf::from(path);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--workspace", "--bin", "chatcode-gateway"])
        .current_dir(crate::repository())
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the gateway builds");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| crate::repository().join("target"), PathBuf::from);
    target.join("debug/chatcode-gateway")
});

/// The gateway's binary, built when it was not named by `CHATCODE_GATEWAY_BIN`.
pub fn binary() -> PathBuf {
    BUILT.clone()
}

/// A gateway and the place that it lives in. The place outlives a restart of the process.
pub struct Gateway {
    url: String,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    process: Option<Running>,
    /// Its tmux server.
    pub tmux: Tmux,
    /// State, workspace and logs.
    pub home: TempDir,
}

impl Gateway {
    /// A place for a gateway of the control plane at `url`; nothing runs yet.
    pub fn new(url: &str) -> Self {
        let home = TempDir::new();
        std::fs::create_dir_all(home.join("workspace")).expect("a workspace");
        let tmux = Tmux::new("t", home.path());
        let environment = vec![("GATEWAY_AUTH_TOKEN".to_owned(), AUTH_TOKEN.to_owned())];
        Self { url: url.to_owned(), binary: binary(), environment, process: None, tmux, home }
    }

    /// Starts a gateway of `cp`.
    pub fn start(cp: &crate::mock_cp::MockCp) -> Self {
        let mut gateway = Self::new(&cp.url());
        if let Some(authority) = &cp.authority {
            gateway.trust(&authority.pem);
        }
        gateway.run();
        gateway
    }

    /// Makes it trust a certificate authority and no other.
    pub fn trust(&mut self, pem: &str) {
        let path = self.home.join("roots.pem");
        std::fs::write(&path, pem).expect("the roots are written");
        self.set("SSL_CERT_FILE", &path.to_string_lossy());
    }

    /// Sets a variable for the next [`Self::run`].
    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Removes a variable for the next [`Self::run`].
    pub fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Sets what is run by the next [`Self::run`].
    pub fn set_binary(&mut self, path: PathBuf) {
        self.binary = path;
    }

    /// Sets where the control plane is for the next [`Self::run`].
    pub fn set_url(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    /// The command line with the environment that the gateway runs in.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        // The last one is what `cargo xtask dist` has qemu be.
        let inherited = ["HOME", "LANG", "LC_ALL", "USER", "SHELL", "QEMU_CPU"];
        command.env_clear();
        for name in inherited {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            // Widths and UTF-8 must not depend on who runs the tests; the shell's files neither.
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", crate::tmux::search_path())
            .env("HOME", self.home.path())
            .env("SHELL", "/bin/bash")
            .env("TMUX_TMPDIR", self.home.path())
            .env("GATEWAY_ID", GATEWAY_ID)
            .env("GATEWAY_CP_URL", &self.url)
            .env("GATEWAY_WORKSPACE", self.home.join("workspace"))
            .env("GATEWAY_STATE_DIR", self.home.join("state"))
            .env("GATEWAY_TMUX_SOCKET", self.tmux.socket())
            .env("GATEWAY_LOG_LEVEL", "debug")
            .env("GATEWAY_LOG_FORMAT", "text");
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts the process; a running one is killed first.
    pub fn run(&mut self) {
        self.kill();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path());
        let mut command = self.command();
        command.arg("run").stderr(log.expect("a log file"));
        self.process = Some(Running::start(&mut command));
    }

    /// Ends the process as `kill -9` does; sessions stay.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Running {
        self.process.as_mut().expect("the gateway runs")
    }

    /// Where the process's stderr goes.
    pub fn log_path(&self) -> PathBuf {
        self.home.join("gateway.log")
    }

    /// All that the processes logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// A path in a session's folder as [`crate::link::Link::shell`] names it.
    pub fn in_workdir(&self, session_id: u32, name: &str) -> PathBuf {
        let folder = self.home.join("workspace").join(format!("work-{session_id}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder.join(name)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(30)..].join("\n");
            eprintln!("--- the gateway's last words\n{tail}\n---");
        }
        // Its control clients must be gone first: undrained ones make `kill-server` hang.
        self.kill();
        self.tmux.kill_server();
        crate::process::kill_marked(&format!("{}/state", self.home.path().display()));
    }
}
