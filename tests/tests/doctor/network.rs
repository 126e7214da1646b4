//! Every way in which the way to the control plane ends early.

use crate::patient::{Patient, response};
use crate::server::{Answer, Server};
use integration::tls::TestAuthority;
use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, SystemTime};

/// An address of loopback for a name server that never answers.
const DEAD_NAME_SERVER: &str = "127.77.0.1";

#[test]
fn a_name_without_an_address() {
    let mut patient = Patient::new();
    patient.set("GATEWAY_CP_URL", "wss://no-such-host.invalid/gateway");
    let report = patient.says("dns", "dns_failed", 1);
    assert!(report.text("dns", "found").contains("no-such-host.invalid"));
    assert_eq!(report.not_checked(), ["connect", "tls", "credentials", "clock"]);
}

#[test]
fn a_resolver_that_does_not_answer() {
    let Ok(_dead) = UdpSocket::bind((DEAD_NAME_SERVER, 53)) else {
        return eprintln!("skipped: only root may listen where name servers do");
    };
    let mut patient = Patient::new();
    patient.set("GATEWAY_CP_URL", "wss://somewhere.example.org/gateway");
    patient.write("resolv.conf", &format!("nameserver {DEAD_NAME_SERVER}\n"), 0o644);
    let ours = patient.home.join("resolv.conf");
    patient.before = Some(format!("mount --bind {} /etc/resolv.conf", ours.display()));
    patient.says("dns", "dns_silent", 1);
}

#[test]
fn a_port_that_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut patient = Patient::new();
    patient.set("GATEWAY_CP_URL", &format!("wss://localhost:{port}/gateway"));
    let report = patient.says("connect", "connect_failed", 1);
    assert_eq!(report.not_checked(), ["tls", "credentials", "clock"]);
}

#[test]
fn certificates_that_are_not_to_be_trusted() {
    let good = || Answer::Bytes(response("426 Upgrade Required", 0));
    let mut patient = Patient::new();
    // By another authority of the same name, and by one that nobody has heard of.
    std::fs::write(patient.home.join("roots.pem"), TestAuthority::new().pem).expect("written");
    patient.says("tls", "tls_untrusted", 1);
    std::fs::write(patient.home.join("roots.pem"), "").expect("written");
    patient.says("tls", "tls_no_roots", 1);
    patient.unset("SSL_CERT_FILE");
    patient.says("tls", "tls_untrusted", 1);

    let expired = TestAuthority::signing(|it| it.not_after = rcgen::date_time_ymd(2020, 1, 1));
    Patient::with(&expired, good()).says("tls", "tls_expired", 1);
    let early = TestAuthority::signing(|it| it.not_before = rcgen::date_time_ymd(3000, 1, 1));
    Patient::with(&early, good()).says("tls", "tls_not_yet_valid", 1);
    let stranger = TestAuthority::signing(|it| {
        it.subject_alt_names = vec![rcgen::SanType::DnsName("example.org".try_into().unwrap())];
    });
    Patient::with(&stranger, good()).says("tls", "tls_wrong_name", 1);
    let soon = SystemTime::now() + Duration::from_secs(20 * 3600);
    let ends = TestAuthority::signing(|it| it.not_after = soon.into());
    let report = Patient::with(&ends, good()).says("tls", "tls_expires_soon", 2);
    assert!(report.names().contains(&"clock"), "a warning ends nothing");
}

#[test]
fn a_port_that_speaks_no_tls_or_nothing_at_all() {
    let mut patient = Patient::new();
    let plain = Server::start(None, Answer::Bytes(response("426 Upgrade Required", 0)));
    let silent = Server::start(None, Answer::Silence);
    patient.set("GATEWAY_CP_URL", &silent.url("wss", "localhost"));
    patient.says("tls", "tls_failed", 1);
    // The same port without TLS, which this machine's own address needs not.
    patient.set("GATEWAY_CP_URL", &silent.url("ws", "127.0.0.1"));
    patient.says("credentials", "no_answer", 1);
    patient.set("GATEWAY_CP_URL", &plain.url("ws", "127.0.0.1"));
    assert_eq!(patient.report().exit_code, 0);
}

#[test]
fn answers_other_than_that_the_token_is_good() {
    let cases = [
        ("401 Unauthorized", "token_refused", 1),
        ("403 Forbidden", "token_refused", 1),
        ("404 Not Found", "not_a_control_plane", 1),
        ("200 OK", "not_a_control_plane", 1),
        ("503 Service Unavailable", "control_plane_busy", 2),
    ];
    for (status, code, exit_code) in cases {
        let answer = Answer::Bytes(response(status, 0));
        Patient::with(&TestAuthority::new(), answer).says("credentials", code, exit_code);
    }
    let answer = Answer::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec());
    Patient::with(&TestAuthority::new(), answer).says("credentials", "no_answer", 1);
}

#[test]
fn clocks_that_differ() {
    let with = |skew| {
        let answer = Answer::Bytes(response("426 Upgrade Required", skew));
        Patient::with(&TestAuthority::new(), answer)
    };
    let report = with(600).says("clock", "clock_wrong", 1);
    assert!(report.text("clock", "found").contains("ahead"), "{:#}", report.value);
    let report = with(-600).says("clock", "clock_wrong", 1);
    assert!(report.text("clock", "found").contains("behind"), "{:#}", report.value);
    assert_eq!(with(200).report().exit_code, 0);
    let answer = Answer::Bytes(b"HTTP/1.1 426 Upgrade Required\r\n\r\n".to_vec());
    Patient::with(&TestAuthority::new(), answer).says("clock", "clock_unknown", 2);
}
