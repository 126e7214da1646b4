//! A machine on which all is well, for a test to spoil one thing of, and the doctor's report on it.

use crate::server::{Answer, Server};
use integration::gateway::{AUTH_TOKEN, GATEWAY_ID, binary};
use integration::tempdir::TempDir;
use integration::tls::TestAuthority;
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What the command promises for the whole of it, and time for a loaded machine to start it.
const WHOLE: Duration = Duration::from_secs(15);

/// The machine.
pub struct Patient {
    /// A home that sshd would trust.
    pub home: TempDir,
    /// The control plane.
    pub server: Server,
    environment: Vec<(String, String)>,
    /// Programs of the test, found before all others.
    programs: PathBuf,
    /// Shell words that run first, in a mount namespace of their own.
    pub before: Option<String>,
}

impl Patient {
    /// In good health.
    pub fn new() -> Self {
        Self::with(&TestAuthority::new(), Answer::Bytes(response("426 Upgrade Required", 0)))
    }

    /// Whose control plane has another certificate or answers differently.
    pub fn with(authority: &TestAuthority, answer: Answer) -> Self {
        let home = TempDir::in_home();
        let server = Server::start(Some(authority), answer);
        let programs = home.join("bin");
        for folder in ["bin", "workspace", "state"] {
            std::fs::create_dir(home.join(folder)).expect("made");
        }
        std::fs::set_permissions(home.join("state"), Permissions::from_mode(0o700)).expect("set");
        std::fs::write(home.join("roots.pem"), &authority.pem).expect("written");
        let profile = format!("echo Welcome\nPATH={}:$PATH\n", programs.display());
        std::fs::write(home.join(".bash_profile"), profile).expect("written");
        let path = integration::tmux::search_path().to_string_lossy().into_owned();
        let path = format!("{}:{path}", programs.display());
        let at = |name: &str| home.join(name).to_string_lossy().into_owned();
        let environment = [
            ("PATH", path),
            ("HOME", home.path().to_string_lossy().into_owned()),
            ("SHELL", "/bin/bash".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("SSL_CERT_FILE", at("roots.pem")),
            ("GATEWAY_ID", GATEWAY_ID.to_owned()),
            ("GATEWAY_CP_URL", server.url("wss", "localhost")),
            ("GATEWAY_AUTH_TOKEN", AUTH_TOKEN.to_owned()),
            ("GATEWAY_WORKSPACE", at("workspace")),
            ("GATEWAY_STATE_DIR", at("state")),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let patient = Self { home, server, environment, programs, before: None };
        patient.program("claude", "exit 0");
        // Whatever sshd this machine has, and whoever asks it.
        patient.sshd(
            "OpenSSH_9.2",
            "pubkeyauthentication yes\nauthorizedkeysfile .ssh/authorized_keys",
        );
        patient.service("LoadState=loaded\nActiveState=active");
        patient
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Puts a program before all others.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.programs.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("set");
    }

    /// Puts an sshd there.
    pub fn sshd(&self, version: &str, settings: &str) {
        let script = format!(
            "case $1 in -V) echo '{version}p1, OpenSSL 3' >&2;; -T) echo '{settings}';; esac"
        );
        self.program("sshd", &script);
    }

    /// Puts a service manager there that says this of the gateway.
    pub fn service(&self, properties: &str) {
        self.program("systemctl", &format!("echo '{properties}'"));
    }

    /// Writes a file in the home.
    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.home.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
    }

    /// What the doctor prints and how it ends.
    pub fn output(&self, words: &[&str]) -> Output {
        let mut command = match &self.before {
            None => Command::new(binary()),
            Some(before) => {
                let mut unshare = Command::new("unshare");
                if !rustix::process::geteuid().is_root() {
                    unshare.arg("--map-root-user");
                }
                let script = format!("set -e; {before}; exec \"$@\"");
                unshare.args(["--mount", "sh", "-c", &script, "sh"]).arg(binary());
                unshare
            }
        };
        command.env_clear().envs(self.environment.iter().cloned()).arg("doctor").args(words);
        let started = Instant::now();
        let output = command.stdin(Stdio::null()).output().expect("the gateway's binary runs");
        assert!(started.elapsed() < WHOLE, "it took {:?}", started.elapsed());
        output
    }

    /// The report, checked for its form.
    pub fn report(&self) -> Report {
        let output = self.output(&["--json"]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let said = String::from_utf8_lossy(&output.stderr);
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text} {said}"));
        let report = Report { value, exit_code: output.status.code().expect("no signal") };
        report.check_form();
        report
    }

    /// Asserts that `check` says `code`, and that nothing else went wrong than what follows from it.
    #[track_caller]
    pub fn says(&self, check: &str, code: &str, exit_code: i32) -> Report {
        let report = self.report();
        let wrong: Vec<(&str, &str)> = report.wrong();
        assert_eq!(wrong, [(check, code)], "{:#}", report.value);
        assert_eq!(report.exit_code, exit_code);
        report
    }
}

/// What the doctor says.
pub struct Report {
    pub value: Value,
    pub exit_code: i32,
}

impl Report {
    fn checks(&self) -> &Vec<Value> {
        self.value["checks"].as_array().expect("an array")
    }

    fn check_form(&self) {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let mut worst = "ok".to_owned();
        for check in self.checks() {
            let (state, code) = (text(&check["state"]), text(&check["code"]));
            assert!(["ok", "warning", "failure"].contains(&state.as_str()), "{check}");
            assert_eq!(state == "ok", code == "ok", "{check}");
            assert_eq!(check["advice"].is_null(), state == "ok", "{check}");
            assert!(
                !text(&check["check"]).is_empty() && !text(&check["found"]).is_empty(),
                "{check}"
            );
            if state == "failure" || (state == "warning" && worst == "ok") {
                worst = state;
            }
        }
        assert_eq!(text(&self.value["state"]), worst);
        let codes = [("ok", 0), ("failure", 1), ("warning", 2)];
        assert!(codes.contains(&(worst.as_str(), self.exit_code)), "{worst} {}", self.exit_code);
        assert_eq!(text(&self.value["version"]), env!("CARGO_PKG_VERSION"));
        self.not_checked();
    }

    fn wrong(&self) -> Vec<(&str, &str)> {
        let bad = self.checks().iter().filter(|check| check["code"] != "ok");
        let names =
            bad.filter_map(|check| Some((check["check"].as_str()?, check["code"].as_str()?)));
        names.collect()
    }

    /// The names of all checks, in their order.
    pub fn names(&self) -> Vec<&str> {
        self.checks().iter().filter_map(|check| check["check"].as_str()).collect()
    }

    /// The names of those that had nothing to look at.
    pub fn not_checked(&self) -> Vec<&str> {
        let names = self.value["not_checked"].as_array().expect("an array");
        names.iter().map(|name| name.as_str().expect("a name")).collect()
    }

    /// A text field of a check.
    pub fn text(&self, check: &str, field: &str) -> &str {
        let found = self.checks().iter().find(|it| it["check"] == check).expect("the check");
        found[field].as_str().expect("text")
    }
}

/// An answer whose date is `skew` seconds before ours.
pub fn response(status: &str, skew: i64) -> Vec<u8> {
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs().cast_signed();
    let mut date = Command::new("date");
    let at = format!("@{}", now - skew);
    let date = date.env("LC_ALL", "C").args(["-u", "-d", &at, "+%a, %d %b %Y %H:%M:%S GMT"]);
    let date = String::from_utf8(date.output().expect("date runs").stdout).expect("text");
    let date = date.trim();
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nDate: {date}\r\n\r\n").into_bytes()
}
