//! The link: hello, liveness, reconnecting, refusals, and input that is not of the contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::gateway::{AUTH_TOKEN, GATEWAY_ID, Gateway};
use integration::link::{Ending, Link};
use integration::mock_cp::{Answer, MockCp};
use integration::tls::TestAuthority;
use integration::{PATIENCE, eventually};
use protocol::commands::{GatewayWatch, SessionEnd};
use protocol::events::Event;
use protocol::limits::{MAX_BINARY_BYTES, MAX_TEXT_BYTES};
use protocol::{CLOSE_REPLACED, CLOSE_REVOKED, CLOSE_TOO_LARGE, PING};
use std::time::{Duration, Instant};

/// Long enough to tell a delay of minutes from one of a second.
const NOT_SOON: Duration = Duration::from_secs(5);

/// What a loaded machine may add to a time that the contract names.
const SLACK: Duration = Duration::from_secs(4);

/// Whether the link still answers.
fn assert_alive(link: &mut Link) {
    let before = link.pongs;
    link.send_text(PING);
    link.until("a pong", |link| (link.pongs > before).then_some(()));
}

fn ending(link: &mut Link) -> Ending {
    let deadline = Instant::now() + PATIENCE;
    while link.ending.is_none() && Instant::now() < deadline {
        link.take_one(deadline);
    }
    link.ending.clone().expect("the link ends")
}

#[test]
fn hello_comes_first_and_says_who_and_where() {
    let stage = Stage::new();
    let handshake = &stage.handshake;
    assert_eq!(handshake.path, format!("/gateway/{GATEWAY_ID}"));
    assert_eq!(handshake.authorization, Some(format!("Bearer {AUTH_TOKEN}")));
    for unwanted in ["sec-websocket-protocol", "sec-websocket-extensions"] {
        assert!(!handshake.headers.iter().any(|name| name == unwanted), "{unwanted}");
    }
    let hello = stage.hello.clone().expect("hello");
    assert_eq!(hello.gateway_id, GATEWAY_ID);
    assert_eq!(hello.bootstrap_token, None);
    assert_eq!(hello.system_info.os, std::env::consts::OS);
    assert_eq!(hello.system_info.arch, std::env::consts::ARCH);
    assert!(hello.system_info.cpus > 0 && hello.system_info.ram_total_bytes > 0);
    assert!(hello.system_info.tmux_version.is_some());
    assert!(hello.sessions.is_empty());
}

#[test]
fn a_trailing_slash_of_the_url_is_ignored() {
    let cp = MockCp::new();
    let mut gateway = Gateway::new(&format!("{}/", cp.url()));
    gateway.run();
    assert_eq!(cp.accept().handshake.path, format!("/gateway/{GATEWAY_ID}"));
}

#[test]
fn before_enrolment_the_bearer_is_the_bootstrap_token_and_hello_repeats_it() {
    let cp = MockCp::new();
    let mut gateway = Gateway::new(&cp.url());
    gateway.unset("GATEWAY_AUTH_TOKEN");
    gateway.set("GATEWAY_BOOTSTRAP_TOKEN", "once");
    gateway.run();
    let mut link = cp.accept();
    assert_eq!(link.handshake.authorization.as_deref(), Some("Bearer once"));
    let hello = link.hello.clone().expect("hello");
    assert_eq!(hello.bootstrap_token.as_deref(), Some("once"));
    let auth_token = "its-own-token".to_owned();
    link.request(protocol::commands::GatewayCredentials { auth_token }).expect("acked");

    // The token is kept: after a restart the bootstrap token plays no part any more.
    gateway.run();
    let link = cp.accept();
    assert_eq!(link.handshake.authorization.as_deref(), Some("Bearer its-own-token"));
    assert_eq!(link.hello.as_ref().and_then(|hello| hello.bootstrap_token.clone()), None);
}

#[test]
fn health_follows_hello_and_watching_is_acked() {
    let mut stage = Stage::new();
    let health = stage.event("health", |event| match event {
        Event::GatewayHealth(health) => Some(health.clone()),
        _ => None,
    });
    assert!(health.ram_total_bytes >= health.ram_used_bytes && health.ram_used_bytes > 0);
    assert!(health.disk_total_bytes >= health.disk_used_bytes && health.disk_used_bytes > 0);
    stage.request(GatewayWatch { on: true }).expect("acked");
    stage.request(GatewayWatch { on: false }).expect("acked");
}

#[test]
fn a_ping_is_answered() {
    assert_alive(&mut Stage::new());
}

#[test]
fn a_cut_link_is_made_again_soon() {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.cut();
        stage.reconnect();
    }
    assert_alive(&mut stage);
}

#[test]
fn a_server_error_is_retried_soon_with_growing_delays() {
    let cp = MockCp::new();
    cp.answer(Answer::Refuse(500, None));
    let _gateway = Gateway::start(&cp);
    eventually("four attempts", PATIENCE, || (cp.attempts().len() >= 4).then_some(()));
    let attempts = cp.attempts();
    for pair in attempts.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(100), "at least 100 ms between tries");
    }
    cp.answer(Answer::Accept);
    cp.accept();
}

#[test]
fn a_refused_token_is_not_tried_again_soon() {
    for status in [401, 403] {
        let cp = MockCp::new();
        cp.answer(Answer::Refuse(status, None));
        let gateway = Gateway::start(&cp);
        eventually("an attempt", PATIENCE, || (!cp.attempts().is_empty()).then_some(()));
        std::thread::sleep(NOT_SOON);
        assert_eq!(cp.attempts().len(), 1, "status {status}");
        assert!(gateway.log().contains(&status.to_string()), "the log says so");
        assert!(!gateway.log().contains(AUTH_TOKEN), "the log keeps the secret");
    }
}

#[test]
fn retry_after_is_honoured() {
    for status in [429, 503] {
        let cp = MockCp::new();
        cp.answer(Answer::Refuse(status, Some(3)));
        let _gateway = Gateway::start(&cp);
        eventually("two attempts", PATIENCE, || (cp.attempts().len() >= 2).then_some(()));
        let waited = cp.attempts()[1] - cp.attempts()[0];
        assert!(waited >= Duration::from_secs(3), "status {status}: {waited:?}");
        assert!(waited < Duration::from_secs(3) + SLACK, "status {status}: {waited:?}");
    }
}

#[test]
fn a_revoked_or_replaced_gateway_does_not_come_back_soon() {
    for code in [CLOSE_REVOKED, CLOSE_REPLACED] {
        let mut stage = Stage::new();
        stage.close(code);
        assert_eq!(ending(&mut stage), Ending::Closed(Some(code)));
        std::thread::sleep(NOT_SOON);
        assert_eq!(stage.cp.attempts().len(), 1, "close code {code}");
    }
}

#[test]
fn a_silent_handshake_is_given_up_after_ten_seconds() {
    let cp = MockCp::new();
    cp.answer(Answer::Silence);
    let _gateway = Gateway::start(&cp);
    eventually("two attempts", PATIENCE, || (cp.attempts().len() >= 2).then_some(()));
    let waited = cp.attempts()[1] - cp.attempts()[0];
    assert!(waited >= Duration::from_secs(10), "{waited:?}");
    assert!(waited < Duration::from_secs(10) + SLACK, "{waited:?}");
}

#[test]
fn a_dead_peer_is_noticed_after_a_ping_without_answer() {
    let mut stage = Stage::new();
    stage.answers_pings = false;
    let started = Instant::now();
    stage.link.until_within(Duration::from_secs(25) + SLACK, "a ping", |link| {
        (link.pings > 0).then_some(())
    });
    assert!(started.elapsed() >= Duration::from_secs(24), "{:?}", started.elapsed());
    let next = stage.cp.accept_within(Duration::from_secs(11) + SLACK);
    assert!(next.is_some(), "a new connection after the old one was given up");
    assert!(started.elapsed() >= Duration::from_secs(34), "{:?}", started.elapsed());
}

#[test]
fn oversized_messages_close_with_1009_and_the_gateway_comes_back() {
    let mut stage = Stage::new();
    stage.send_text(&"x".repeat(MAX_TEXT_BYTES + 1));
    assert_eq!(ending(&mut stage), Ending::Closed(Some(CLOSE_TOO_LARGE)));
    stage.reconnect();
    stage.send_binary(vec![1; MAX_BINARY_BYTES + 1]);
    assert_eq!(ending(&mut stage), Ending::Closed(Some(CLOSE_TOO_LARGE)));
    stage.reconnect();
    // The largest allowed text is read, and refused for what it says.
    let id = stage.new_request();
    let head = format!(r#"{{"type":"session.fly","schema_version":"1","request_id":"{id}","x":""#);
    let filler = "x".repeat(MAX_TEXT_BYTES - head.len() - 2);
    stage.send_text(&format!("{head}{filler}\"}}"));
    assert_eq!(stage.answer(&id).expect_err("refused").code, "unknown_command");
}

#[test]
fn wrong_commands_are_refused_by_code() {
    let mut stage = Stage::new();
    for (code, kind, version, rest) in [
        ("unknown_command", "session.fly", r#""1""#, ""),
        ("invalid_payload", "session.end", r#""1""#, ""),
        ("invalid_payload", "session.end", r#""1""#, r#","session_id":"7""#),
        ("invalid_payload", "session.attach", r#""1""#, r#","session_id":-7"#),
        ("unsupported_version", "session.end", r#""2""#, r#","session_id":7"#),
        ("unsupported_version", "session.end", "1", r#","session_id":7"#),
    ] {
        let id = stage.new_request();
        let head = format!(r#""type":"{kind}","schema_version":{version},"request_id":"{id}""#);
        stage.send_text(&format!("{{{head}{rest}}}"));
        let error = stage.answer(&id).expect_err("refused");
        assert_eq!(error.code, code, "{kind} {version} {rest}");
        assert!(!error.message.is_empty());
    }
    let error = stage.request(SessionEnd { session_id: 404 }).expect_err("refused");
    assert_eq!(error.code, "unknown_session");
}

#[test]
fn what_nobody_can_be_told_about_is_dropped() {
    let mut stage = Stage::new();
    let deep = "[".repeat(100_000);
    let long_id = "x".repeat(65);
    for text in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        r#"{"type":"session.end","schema_version":"1","session_id":7}"#,
        &format!(r#"{{"type":"ssh.list","schema_version":"1","request_id":"{long_id}"}}"#),
        &deep,
    ] {
        stage.send_text(text);
    }
    for bytes in [
        vec![],
        vec![1],
        vec![1; 8],
        vec![0; 64],
        vec![0xff; 64],
        [&[1, 0, 0, 0, 9, 0, 0, 0, 0][..], b"output of nobody"].concat(),
        [&[2, 0, 0, 0, 9, 0, 0, 0, 0][..], b"chunk of nobody"].concat(),
    ] {
        stage.send_binary(bytes);
    }
    assert_alive(&mut stage);
    assert!(stage.ending.is_none());
}

#[test]
fn tls_is_verified_against_the_given_roots() {
    let mut stage = Stage::on(MockCp::tls());
    assert_alive(&mut stage);
    stage.open(1, 80, 24);
    stage.type_in(1, "echo over-$((40+2))-tls\r");
    stage.expect(1, "over-42-tls");
}

#[test]
fn tls_works_by_name_too() {
    let cp = MockCp::tls();
    let mut gateway = Gateway::new(&format!("wss://localhost:{}/gateway", cp.port()));
    gateway.trust(&cp.authority.as_ref().expect("an authority").pem);
    gateway.run();
    assert_alive(&mut cp.accept());
}

#[test]
fn an_unknown_authority_is_refused() {
    let cp = MockCp::tls();
    let mut gateway = Gateway::new(&cp.url());
    gateway.trust(&TestAuthority::new().pem);
    gateway.run();
    eventually("an attempt", PATIENCE, || (!cp.attempts().is_empty()).then_some(()));
    assert!(cp.accept_within(NOT_SOON).is_none(), "no link to a stranger");
}

#[test]
fn plain_websockets_are_for_loopback_alone() {
    let mut gateway = Gateway::new("ws://192.0.2.1:9/gateway");
    gateway.run();
    let status = eventually("the gateway refuses to start", PATIENCE, || {
        gateway.process().child().try_wait().expect("a child")
    });
    assert!(!status.success());
    assert!(gateway.log().contains("wss"), "it says what to do: {}", gateway.log());
}

#[test]
fn sigterm_ends_it_cleanly() {
    let mut stage = Stage::new();
    let status = stage.gateway.process().terminate();
    assert!(status.success(), "{status}");
    ending(&mut stage);
}
