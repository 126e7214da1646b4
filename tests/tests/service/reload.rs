//! SIGTERM and SIGHUP: sessions go on, settings are read again.

use super::{SETTINGS, Settings};
use integration::fixture::Stage;
use integration::gateway::Gateway;
use integration::link::{Ending, Link};
use integration::mock_cp::{Answer, MockCp};
use integration::process::{Running, is_alive, signal};
use integration::{PATIENCE, eventually};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Instant;

/// A gateway whose settings are in a file.
struct Served {
    settings: Settings,
    process: Running,
    gateway: Gateway,
}

impl Served {
    fn new(cp: &MockCp, set: &[(&'static str, &str)]) -> Self {
        let gateway = Gateway::new(&cp.url());
        let mut settings = Settings::new(&gateway, cp);
        for (name, value) in set {
            settings.set(name, *value);
        }
        let mut command = gateway.command();
        for name in SETTINGS {
            command.env_remove(name);
        }
        let log = std::fs::File::create(gateway.log_path()).expect("a log file");
        command.args(["run", "--log-format", "text", "--config"]).arg(&settings.path);
        let process = Running::start(command.stderr(log).stdin(Stdio::null()));
        Self { settings, process, gateway }
    }

    /// Sends SIGHUP and waits until the log says what came of it.
    fn reload(&self) {
        let said = |log: String| {
            let outcomes = ["the settings were read again", "the settings stay as they were"];
            outcomes.iter().map(|outcome| log.matches(outcome).count()).sum::<usize>()
        };
        let before = said(self.gateway.log());
        signal(self.process.id(), Signal::HUP);
        eventually("the settings are read", PATIENCE, || {
            (said(self.gateway.log()) > before).then_some(())
        });
    }
}

fn ended(link: &mut Link) -> Ending {
    eventually("the old link ends", PATIENCE, || {
        link.take_one(Instant::now());
        link.ending.clone()
    })
}

#[test]
fn sigterm_leaves_the_sessions_to_the_next_gateway() {
    let mut stage = Stage::new();
    let pid = stage.open(1, 80, 24);
    stage.type_in(1, "echo before-$((1+1))\r");
    stage.expect(1, "before-2");
    for name in [Signal::TERM, Signal::INT] {
        signal(stage.gateway.process().id(), name);
        let status = eventually("the gateway ends", PATIENCE, || {
            stage.gateway.process().child().try_wait().expect("a child")
        });
        assert_eq!((status.code(), status.signal()), (Some(0), None));
        assert_eq!(ended(&mut stage), Ending::Closed(Some(1001)));
        assert!(is_alive(pid) && stage.gateway.tmux.has(1));
        stage.gateway.run();
        stage.reconnect();
        let hello = stage.hello.clone().expect("hello");
        assert_eq!(hello.sessions.iter().map(|one| one.session_id).collect::<Vec<_>>(), [1]);
    }
    stage.attach(1, None);
    stage.type_in(1, "echo after-$((1+2))\r");
    stage.expect(1, "after-3");
}

#[test]
fn limits_and_the_log_change_while_the_link_stands() {
    let cp = MockCp::new();
    let mut served = Served::new(&cp, &[("GATEWAY_MAX_SESSIONS", "1")]);
    let mut link = cp.accept();
    link.open(1, 80, 24);
    let refused = link.request(Link::shell(2, 80, 24)).expect_err("one is enough");
    assert_eq!(refused.code, "session_limit");
    served.settings.set("GATEWAY_MAX_SESSIONS", "2");
    served.reload();
    link.open(2, 80, 24);
    // Nothing but errors is logged from now on, so that this one is seen by what it does: reports
    // come each second to whoever watches, not each half minute.
    served.settings.set("GATEWAY_LOG_LEVEL", "error");
    served.settings.set("GATEWAY_HEALTH_INTERVAL", "1");
    let logged = served.gateway.log();
    signal(served.process.id(), Signal::HUP);
    let mut health = || {
        link.event("health", |event| {
            matches!(event, protocol::events::Event::GatewayHealth(_)).then_some(())
        });
    };
    (0..4).for_each(|_| health());
    assert_eq!(served.gateway.log(), logged);
    assert_eq!(link.ending, None);
    link.type_in(1, "echo still-$((1+1))\r");
    link.expect(1, "still-2");
}

#[test]
fn another_url_or_token_makes_another_link_and_sessions_go_on() {
    let (first, second) = (MockCp::new(), MockCp::new());
    let mut served = Served::new(&first, &[]);
    let mut link = first.accept();
    let pid = link.open(1, 80, 24);
    served.settings.set("GATEWAY_CP_URL", second.url());
    served.reload();
    assert_eq!(ended(&mut link), Ending::Closed(Some(1001)));
    let mut link = second.accept();
    assert_eq!(link.hello.as_ref().map(|hello| hello.sessions.len()), Some(1));

    served.settings.set("GATEWAY_AUTH_TOKEN", "another");
    served.reload();
    assert_eq!(ended(&mut link), Ending::Closed(Some(1001)));
    let link = second.accept();
    assert_eq!(link.handshake.authorization.as_deref(), Some("Bearer another"));

    // A refused token would be tried again after minutes; a new one is tried at once.
    second.answer(Answer::Refuse(401, None));
    link.cut();
    eventually("the token is refused", PATIENCE, || {
        served.gateway.log().contains("status 401").then_some(())
    });
    second.answer(Answer::Accept);
    served.settings.set("GATEWAY_AUTH_TOKEN", "good");
    served.reload();
    let link = second.accept();
    assert_eq!(link.handshake.authorization.as_deref(), Some("Bearer good"));
    assert!(is_alive(pid));
    assert!(!served.gateway.log().contains("Bearer"), "the log keeps secrets");
}

#[test]
fn what_sessions_depend_on_waits_for_a_restart_and_is_named() {
    let cp = MockCp::new();
    let mut served = Served::new(&cp, &[]);
    let mut link = cp.accept();
    link.open(1, 80, 24);
    let fixed = ["GATEWAY_ID", "GATEWAY_WORKSPACE", "GATEWAY_STATE_DIR", "GATEWAY_TMUX_SOCKET"];
    for name in fixed {
        let value = if name.ends_with("ID") || name.ends_with("SOCKET") { "other" } else { "/o" };
        served.settings.set(name, value);
    }
    served.reload();
    let log = served.gateway.log();
    for name in fixed {
        assert!(log.contains(&format!("waits for a restart setting={name}")), "{name}: {log}");
    }
    let started = link.request(Link::shell(2, 80, 24)).expect("a session where they were");
    assert!(!started.is_empty() && served.gateway.tmux.has(2));
    assert_eq!(link.ending, None);
}

#[test]
fn a_broken_file_changes_nothing_and_its_line_is_named() {
    let cp = MockCp::new();
    let mut served = Served::new(&cp, &[("GATEWAY_MAX_SESSIONS", "1")]);
    let mut link = cp.accept();
    link.open(1, 80, 24);
    served.settings.set("GATEWAY_MAX_SESSIONS", "many");
    served.settings.set("GATEWAY_AUTH_TOKEN", "another");
    served.reload();
    let path = served.settings.path.display().to_string();
    let log = served.gateway.log();
    assert!(log.contains(&format!("{path}, line 4: GATEWAY_MAX_SESSIONS is \"many\"")), "{log}");
    std::fs::write(&served.settings.path, "GATEWAY_ID=x\nnonsense\n").expect("written");
    served.reload();
    assert!(served.gateway.log().contains(&format!("{path}, line 2: expected NAME=value")));
    std::fs::remove_file(&served.settings.path).expect("removed");
    served.reload();
    assert!(served.gateway.log().contains("cannot read the configuration"));
    assert_eq!(link.request(Link::shell(2, 80, 24)).expect_err("as before").code, "session_limit");
    link.type_in(1, "echo still-$((1+1))\r");
    link.expect(1, "still-2");
    assert_eq!(link.ending, None);
}
