//! What is written for the managers is what these accept, also with odd paths.

use chatcode_gateway::service::launchd::Launchd;
use chatcode_gateway::service::systemd::Systemd;
use chatcode_gateway::service::{Scope, Service, ServiceManager};
use integration::gateway::binary;
use integration::tempdir::TempDir;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The same without what systemd allows in no program's path.
const ODD_PROGRAM: &str = "a %h $HOME ${x} <c> & é;#=";

/// Everything that means something to one of the managers.
const ODD: &str = "a %h $HOME ${x} \"b\" <c> & 'd' é;#=\\x";

fn service(scope: Scope, binary: PathBuf, config: PathBuf) -> Service {
    Service { scope, binary, config, home: PathBuf::from("/home/person"), uid: 501 }
}

fn scopes() -> [Scope; 2] {
    [Scope::User, Scope::System("daemon".to_owned())]
}

/// What `systemd-analyze verify` complains of: nothing, when the unit is good.
fn complaints(unit: &Path, scope: &Scope) -> String {
    let mut command = Command::new("systemd-analyze");
    command.args((*scope == Scope::User).then_some("--user"));
    command.arg("verify").arg(unit).env("XDG_RUNTIME_DIR", unit.parent().expect("a folder"));
    let output = command.output().expect("systemd-analyze runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    // The manager looks at its other units too; those of this machine are not ours.
    let name = unit.file_name().expect("a name").to_string_lossy().into_owned();
    let about_us = text.lines().filter(|line| line.contains(&name) || line.contains("chatcode"));
    let lines: Vec<&str> = about_us.collect();
    assert!(output.status.success() || !lines.is_empty(), "verify fails otherwise: {text}");
    lines.join("\n")
}

#[test]
fn systemd_accepts_the_units() {
    let home = TempDir::new();
    let odd = home.join(ODD_PROGRAM).join("gateway");
    std::fs::create_dir_all(odd.parent().expect("a folder")).expect("made");
    std::os::unix::fs::symlink(binary(), &odd).expect("a link");
    let unit = home.join("chatcode-gateway.service");
    for scope in scopes() {
        for (program, config) in
            [(binary(), PathBuf::from("/etc/chatcode/gateway.env")), (odd.clone(), home.join(ODD))]
        {
            let text = Systemd.text(&service(scope.clone(), program, config)).expect("a unit");
            std::fs::write(&unit, &text).expect("written");
            assert_eq!(complaints(&unit, &scope), "", "{text}");
            // The check can fail: with a path that is not there, and with a word that is none.
            for (right, wrong) in [("run --config", "\"run --config"), ("/bin/sh", "/no/sh")] {
                std::fs::write(&unit, text.replace(right, wrong)).expect("written");
                assert_ne!(complaints(&unit, &scope), "", "{wrong}");
            }
        }
    }
    let quote = service(Scope::User, PathBuf::from("/a\"b"), PathBuf::from("/c"));
    assert!(Systemd.text(&quote).is_err());
    let newline = service(Scope::User, binary(), PathBuf::from("/a\nExecStartPre=/bin/x"));
    assert!(Systemd.text(&newline).is_err() && Launchd.text(&newline).is_err());
}

fn plist(text: &str) -> Value {
    let home = TempDir::new();
    let file = home.join("x.plist");
    std::fs::write(&file, text).expect("written");
    let program = "import json, plistlib, sys; \
                   print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let output = Command::new("python3").args(["-c", program]).arg(&file).output();
    let output = output.expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_property_list_is_one() {
    for scope in scopes() {
        let binary = Path::new("/opt").join(ODD);
        let config = Path::new("/etc").join(ODD);
        let job = service(scope.clone(), binary.clone(), config.clone());
        let list = plist(&Launchd.text(&job).expect("a list"));
        let arguments = [binary.to_str(), Some("run"), Some("--config"), config.to_str()];
        let arguments = arguments.map(|word| Value::from(word.expect("text")));
        assert_eq!(list["ProgramArguments"].as_array().expect("an array"), &arguments);
        for yes in ["RunAtLoad", "KeepAlive", "AbandonProcessGroup"] {
            assert_eq!(list[yes], true, "{yes}");
        }
        assert_eq!(
            (&list["Label"], &list["ProcessType"]),
            (&"chatcode-gateway".into(), &"Interactive".into())
        );
        assert!(list["EnvironmentVariables"]["PATH"].as_str().expect("text").contains("homebrew"));
        let (user, log) = match scope {
            Scope::User => (Value::Null, "/home/person/Library/Logs/chatcode-gateway.log"),
            Scope::System(name) => (name.into(), "/Library/Logs/chatcode-gateway.log"),
        };
        assert_eq!((&list["UserName"], &list["StandardErrorPath"]), (&user, &log.into()));
    }
}

/// `deploy/` holds what is written for a machine that the installer prepares.
#[test]
fn the_files_in_deploy_are_those_that_are_written() {
    let usual = |scope, home: &str| Service {
        scope,
        binary: PathBuf::from("/usr/local/bin/chatcode-gateway"),
        config: PathBuf::from("/etc/chatcode/gateway.env"),
        home: PathBuf::from(home),
        uid: 1000,
    };
    let vibe = || Scope::System("vibe".to_owned());
    let user = usual(Scope::User, "/home/vibe");
    for (name, text) in [
        ("chatcode-gateway.service", Systemd.text(&usual(vibe(), "/root"))),
        ("chatcode-gateway.user.service", Systemd.text(&user)),
        ("chatcode-gateway.plist", Launchd.text(&usual(vibe(), "/var/root"))),
    ] {
        let path = integration::repository().join("deploy").join(name);
        let text = text.expect("a file");
        if std::env::var_os("CHATCODE_WRITE_DEPLOY").is_some() {
            std::fs::write(&path, &text).expect("written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, text, "{name}: CHATCODE_WRITE_DEPLOY=1 writes it");
    }
}
