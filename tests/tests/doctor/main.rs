//! `doctor`: what it says of a machine on which all is well, and of each thing that is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod machine;
mod network;
mod openssl;
mod patient;
mod server;
mod settings;

use integration::fixture::Stage;
use integration::gateway::AUTH_TOKEN;
use patient::Patient;
use std::time::Duration;

#[test]
fn on_a_good_machine_all_is_well() {
    let patient = Patient::new();
    let report = patient.report();
    assert_eq!(report.exit_code, 0, "{:#}", report.value);
    assert_eq!(
        report.names(),
        [
            "config",
            "token",
            "dns",
            "connect",
            "tls",
            "credentials",
            "clock",
            "tmux",
            "terminfo",
            "workspace",
            "state",
            "disk",
            "memory",
            "ssh_files",
            "sshd",
            "service",
            "agents",
        ]
    );
    assert!(report.not_checked().is_empty());
    assert_eq!(report.text("agents", "found"), "claude");

    let output = patient.output(&[]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.ends_with("All is well.\n") && output.status.success(), "{text}");
    // No colour: it is no terminal.
    assert!(!text.contains('\x1b') && text.lines().all(|line| line.len() <= 120), "{text}");
    // Nothing that was made to look is left.
    for folder in ["workspace", "state"] {
        assert_eq!(std::fs::read_dir(patient.home.join(folder)).expect("listed").count(), 0);
    }
    for request in patient.server.requests() {
        assert!(request.starts_with("GET /gateway/gw-test HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("Authorization: Bearer {AUTH_TOKEN}\r\n")), "{request}");
        assert!(!request.to_lowercase().contains("upgrade"), "{request}");
    }
}

/// A second connection would replace the gateway's own, for a minute.
#[test]
fn a_gateway_that_runs_is_not_disturbed() {
    let mut stage = Stage::new();
    let mut doctor = stage.gateway.command();
    let output = doctor.args(["doctor", "--json"]).stdout(std::process::Stdio::piped()).output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("UTF-8");
    // The stand-in for the control plane takes upgrades alone: the request did reach it.
    assert!(text.contains(r#""code":"no_answer""#), "{text}");
    assert_eq!(stage.cp.attempts().len(), 2);
    assert!(stage.cp.accept_within(Duration::from_millis(300)).is_none(), "another connection");
    stage.open(1, 80, 24);
    assert_eq!(stage.ending, None);
}
