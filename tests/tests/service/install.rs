//! `chatcode-gateway service` against a manager that notes what it is asked.

use integration::gateway::binary;
use integration::tempdir::TempDir;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Notes its arguments and answers from a file; fails while a file says so.
const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> \"$HOME/asked\"\n\
    if [ -e \"$HOME/broken\" ]; then cat \"$HOME/broken\" >&2; exit 1; fi\n\
    case \"$*\" in *show*) cat \"$HOME/answer\";; esac\n";

/// A person with a service manager.
struct Person {
    home: TempDir,
}

impl Person {
    fn new() -> Self {
        let home = TempDir::new();
        std::fs::create_dir_all(home.join("bin")).expect("a folder");
        let systemctl = home.join("bin/systemctl");
        std::fs::write(&systemctl, SYSTEMCTL).expect("written");
        std::fs::set_permissions(&systemctl, std::fs::Permissions::from_mode(0o755)).expect("set");
        std::fs::write(home.join("answer"), "LoadState=not-found\n").expect("written");
        Self { home }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        let path = format!("{}:/usr/bin:/bin", self.home.join("bin").display());
        command.env_clear().env("PATH", path).env("HOME", self.home.path()).arg("service");
        command.args(words);
        command
    }

    /// Exit code, and all that was printed.
    fn run(&self, words: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.command(words).output().expect("it runs");
        let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        (status.code().expect("an exit code"), text)
    }

    /// What the manager was asked since this was last read.
    fn asked(&self) -> Vec<String> {
        let path = self.home.join("asked");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    fn answers(&self, text: &str) {
        std::fs::write(self.home.join("answer"), text).expect("written");
    }

    fn unit(&self) -> PathBuf {
        self.home.join(".config/systemd/user/chatcode-gateway.service")
    }

    fn write_settings(&self) -> PathBuf {
        let path = self.home.join(".config/chatcode/gateway.env");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, "GATEWAY_ID=mine\n").expect("written");
        path
    }
}

#[test]
fn a_service_is_installed_renewed_and_removed() {
    let person = Person::new();
    let settings = person.write_settings();
    let install = ["--user daemon-reload", "--user enable chatcode-gateway"];
    let install: Vec<&str> =
        install.into_iter().chain(["--user restart chatcode-gateway"]).collect();
    for _ in 0..2 {
        let (code, text) = person.run(&["install", "--user"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("loginctl enable-linger"), "{text}");
        assert_eq!(person.asked(), install);
        let unit = std::fs::read_to_string(person.unit()).expect("a unit");
        assert!(unit.contains(&format!("--config \"{}\"", settings.display())), "{unit}");
        assert!(unit.contains(&binary().display().to_string()), "{unit}");
        // Whatever was there is renewed.
        std::fs::write(person.unit(), "old").expect("written");
    }
    for _ in 0..2 {
        let (code, text) = person.run(&["uninstall", "--user"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("Sessions go on") && !person.unit().exists(), "{text}");
        let disable = "--user disable --now chatcode-gateway";
        assert_eq!(person.asked(), [disable, "--user daemon-reload"]);
    }
    assert!(settings.exists(), "the person's file stays");
}

#[test]
fn the_status_is_told_in_words_and_by_the_exit_code() {
    let person = Person::new();
    let told = |answer: &str, code: i32, says: &str| {
        person.answers(answer);
        let (got, text) = person.run(&["status", "--user"]);
        assert_eq!(got, code, "{text}");
        assert!(text.contains(says), "{text}");
    };
    told("LoadState=not-found\nActiveState=inactive\n", 4, "not installed");
    told(
        "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nMainPID=77\n\
         StatusText=0.1.0, 2 sessions, linked\n",
        0,
        "installed, starts by itself, running, process 77\n0.1.0, 2 sessions, linked\n",
    );
    told(
        "LoadState=loaded\nUnitFileState=disabled\nActiveState=failed\nMainPID=0\nStatusText=\n",
        3,
        "installed, does not start by itself, not running, failed\n",
    );
    std::fs::write(person.home.join("broken"), "Failed to connect to bus").expect("written");
    let (code, text) = person.run(&["status", "--user"]);
    assert_eq!(code, 69, "{text}");
    assert!(text.contains("systemctl --user show") && text.contains("to bus"), "{text}");
}

#[test]
fn what_cannot_be_done_is_said_and_nothing_is_left_half() {
    let person = Person::new();
    let (code, text) = person.run(&["install", "--user"]);
    assert_eq!(code, 66, "{text}");
    assert!(text.contains("gateway.env") && text.contains("--config"), "{text}");
    assert!(!person.unit().exists() && person.asked().is_empty());
    person.write_settings();
    std::fs::write(person.home.join("broken"), "no reload today").expect("written");
    let (code, text) = person.run(&["install", "--user"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("systemctl --user daemon-reload failed: no reload today"), "{text}");

    for (words, says) in [
        (&["install", "--system", "--user"][..], "not both"),
        (&["install", "--system"], "--run-as NAME"),
        (&["install", "--system", "--run-as", "root"], "never runs as root"),
        (&["install", "--system", "--run-as", "a\nb"], "name of a user"),
        (&["start"], "none of install, uninstall, status"),
    ] {
        let (code, text) = person.run(words);
        assert_eq!(code, 64, "{words:?} {text}");
        assert!(text.contains(says), "{words:?} {text}");
    }
    let mut without = person.command(&["status", "--user"]);
    let output = without.env("PATH", "/nowhere").output().expect("it runs");
    assert_eq!(output.status.code(), Some(69));
}

#[test]
fn a_dry_run_shows_all_and_touches_nothing() {
    let person = Person::new();
    let config = person.home.join("my own.env");
    let config = config.to_str().expect("text");
    let system = ["install", "--dry-run", "--system", "--run-as", "vibe", "--config", config];
    let (code, text) = person.run(&system);
    assert_eq!(code, 0, "{text}");
    for says in [
        "write /etc/systemd/system/chatcode-gateway.service",
        "User=vibe",
        "my own.env\"",
        "run loginctl enable-linger vibe",
        "run systemctl daemon-reload",
        "run systemctl restart chatcode-gateway",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    // Root looks after a binary that is its user's without running it.
    let (code, text) = person.run(&[&system[..], &["--binary", "/home/vibe/gw"]].concat());
    assert!(code == 0 && text.contains("ExecStart=\"/home/vibe/gw\" run"), "{text}");
    let (code, text) = person.run(&["uninstall", "--dry-run", "--user"]);
    assert_eq!(code, 0);
    assert!(text.contains("run systemctl --user disable --now chatcode-gateway"), "{text}");
    assert!(person.asked().is_empty() && !person.unit().exists());
    assert!(!PathBuf::from("/etc/systemd/system/chatcode-gateway.service").exists());
    // Whoever called sudo is whose sessions these are.
    let output =
        person.command(&["install", "--dry-run", "--system"]).env("SUDO_USER", "ada").output();
    assert!(String::from_utf8_lossy(&output.expect("it runs").stdout).contains("User=ada"));
}
