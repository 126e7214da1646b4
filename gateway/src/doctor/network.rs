//! The way to the control plane: name, connection, certificate, token, and the two clocks.

use super::report::Finding;
use super::{Deadline, certificate, program, times};
use crate::config::CpUrl;
use crate::limits::MAX_ADDRESSES;
use crate::link::timed::{self, Timed};
use crate::link::tls;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The checks of this file, in their order: each needs the one before.
pub const CHECKS: [&str; 5] = [DNS, CONNECT, TLS, CREDENTIALS, CLOCK];

const DNS: &str = "dns";
const CONNECT: &str = "connect";
const TLS: &str = "tls";
const CREDENTIALS: &str = "credentials";
const CLOCK: &str = "clock";

/// A resolver that does not answer keeps libc waiting for longer.
const LOOK_UP: Duration = Duration::from_millis(2_500);

/// One address; a firewall that drops packets answers nothing.
const REACH: Duration = Duration::from_millis(1_500);

/// TLS and the answer to one request.
const TALK: Duration = Duration::from_millis(2_500);

/// Bytes of an answer's head that are read.
const HEAD_BYTES: usize = 16 * 1024;

/// Seconds that the clocks may differ; certificates and keys that end are judged by ours.
const SKEW: i64 = 300;

/// Seconds before a certificate's end at which nothing renews it any more.
const EXPIRES_SOON: i64 = 3 * 86_400;

/// Goes the way as far as it leads.
pub fn examine(url: &CpUrl, bearer: &str, deadline: Deadline) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What stops the way is its last finding.
    if let Err(failure) = go(url, bearer, deadline, &mut findings) {
        findings.push(*failure);
    }
    findings
}

/// Boxed, because most ways lead to their end.
type Stopped = Box<Finding>;

fn go(
    url: &CpUrl,
    bearer: &str,
    deadline: Deadline,
    findings: &mut Vec<Finding>,
) -> Result<(), Stopped> {
    let addresses = judge_dns(&url.host, look_up(url, deadline))?;
    findings.push(Finding::ok(DNS, format!("{} is {}", url.host, listed(&addresses))));
    let (socket, address) = judge_connect(url.port, reach(&addresses, deadline))?;
    findings.push(Finding::ok(CONNECT, format!("{address} answers")));
    let socket = Timed::new(socket, Instant::now() + deadline.within(TALK), TALK);
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut stream: Box<dyn Duplex> = if url.secure {
        let (stream, end) = secure(url, socket).map_err(|why| judge_refusal(&url.host, &why))?;
        findings.push(judge_certificate(end, now().cast_signed()));
        Box::new(stream)
    } else {
        findings.push(Finding::ok(TLS, "not used on this machine's own address"));
        Box::new(socket)
    };
    let head = ask(&mut *stream, &request(url, bearer));
    let head = head.map_err(|error| judge_answer(&error.to_string()))?;
    let (status, date) = read_head(&head).ok_or_else(|| judge_answer("it was no HTTP"))?;
    findings.push(judge_credentials(status));
    findings.push(judge_clock(date, now().cast_signed()));
    Ok(())
}

/// With or without TLS. As trait objects, `Read` and `Write` bring all that they can do.
trait Duplex {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

impl<T: Read + Write> Duplex for T {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.flush()
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }
}

/// A child looks the name up: it can be killed, and libc cannot.
fn look_up(url: &CpUrl, deadline: Deadline) -> program::Outcome {
    match std::env::current_exe() {
        Ok(own) => {
            let mut command = Command::new(own);
            command.args(["_resolve", &url.host, &url.port.to_string()]);
            program::run(&mut command, deadline.within(LOOK_UP))
        }
        Err(error) => program::Outcome::NotStarted(error.to_string()),
    }
}

fn judge_dns(host: &str, outcome: program::Outcome) -> Result<Vec<SocketAddr>, Stopped> {
    let failure =
        |code, found: &str, advice: &str| Err(Box::new(Finding::failure(DNS, code, found, advice)));
    let advice = "look at GATEWAY_CP_URL, at /etc/resolv.conf and at the network";
    let said = match outcome {
        program::Outcome::Done(_, said, _) => said,
        program::Outcome::Late => {
            let found = format!("the resolver does not answer for {host}");
            return failure("dns_silent", &found, advice);
        }
        program::Outcome::NotStarted(why) => return failure("dns_failed", &why, advice),
    };
    match crate::child::read_answer(&said) {
        Ok(list) => {
            let addresses = list.split(' ').filter_map(|address| address.parse().ok());
            let addresses: Vec<SocketAddr> = addresses.take(MAX_ADDRESSES).collect();
            if addresses.is_empty() {
                return failure("dns_failed", &format!("{host} has no address"), advice);
            }
            Ok(addresses)
        }
        Err((_, why)) => failure("dns_failed", &why, advice),
    }
}

fn listed(addresses: &[SocketAddr]) -> String {
    let words: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    words.join(", ")
}

fn reach(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<(TcpStream, SocketAddr)> {
    let mut last = io::Error::from(ErrorKind::TimedOut);
    for address in addresses {
        match timed::connect(address, deadline.0, REACH) {
            Ok(socket) => return Ok((socket, *address)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn judge_connect<T>(port: u16, outcome: io::Result<T>) -> Result<T, Stopped> {
    outcome.map_err(|error| {
        let found = format!("port {port} cannot be reached: {error}");
        let advice = "a firewall may stop it: the gateway needs outgoing TCP to this port alone";
        Box::new(Finding::failure(CONNECT, "connect_failed", found, advice))
    })
}

/// Why there is no TLS.
enum Refusal {
    /// This machine knows nobody to trust.
    Roots(String),
    /// What they sent is not to be trusted.
    Tls(rustls::Error),
    /// Anything else, in words.
    Other(String),
}

type Secure = StreamOwned<ClientConnection, Timed>;

fn secure(url: &CpUrl, mut socket: Timed) -> Result<(Secure, Option<i64>), Refusal> {
    let config = tls::client_config().map_err(Refusal::Roots)?;
    let name = ServerName::try_from(url.host.clone());
    let name = name.map_err(|error| Refusal::Other(error.to_string()))?;
    let mut session = ClientConnection::new(config, name).map_err(Refusal::Tls)?;
    session.complete_io(&mut socket).map_err(|error| match error.downcast() {
        Ok(refused) => Refusal::Tls(refused),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Refusal::Other("the connection was closed".to_owned())
        }
        Err(error) => Refusal::Other(error.to_string()),
    })?;
    let certificates = session.peer_certificates().and_then(|list| list.first());
    let end = certificates.and_then(|certificate| certificate::not_after(certificate));
    Ok((StreamOwned::new(session, socket), end))
}

fn judge_refusal(host: &str, refusal: &Refusal) -> Stopped {
    use CertificateError as Bad;
    let (code, found, advice) = match refusal {
        Refusal::Tls(rustls::Error::InvalidCertificate(why)) => match why {
            Bad::Expired | Bad::ExpiredContext { .. } => (
                "tls_expired",
                format!("the certificate of {host} has expired"),
                "if the clock of this machine is right, its owner must renew it",
            ),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => (
                "tls_not_yet_valid",
                format!("the certificate of {host} is not valid yet"),
                "the clock of this machine is behind: timedatectl set-ntp true",
            ),
            // A bad signature is that of another authority with the name of a trusted one.
            Bad::UnknownIssuer | Bad::BadSignature => (
                "tls_untrusted",
                format!("the certificate of {host} is by nobody whom this machine trusts"),
                "install ca-certificates, or name a bundle in SSL_CERT_FILE; if something reads \
                 along on the way, its owner has a bundle for you",
            ),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
                "tls_wrong_name",
                format!("the certificate is not for {host}"),
                "look at GATEWAY_CP_URL",
            ),
            other => (
                "tls_failed",
                format!("bad certificate: {}", tls::certificate_in_words(other)),
                "look at GATEWAY_CP_URL",
            ),
        },
        Refusal::Tls(error) => {
            ("tls_failed", error.to_string(), "look at GATEWAY_CP_URL: does its port speak TLS?")
        }
        Refusal::Roots(why) => {
            ("tls_no_roots", why.clone(), "install ca-certificates, or set SSL_CERT_FILE")
        }
        Refusal::Other(why) => {
            ("tls_failed", why.clone(), "try again; something on the way may stop TLS")
        }
    };
    Box::new(Finding::failure(TLS, code, found, advice))
}

fn judge_certificate(end: Option<i64>, now: i64) -> Finding {
    let Some(end) = end else { return Finding::ok(TLS, "the certificate is trusted") };
    let days = (end - now) / 86_400;
    let found = format!("the certificate is trusted and valid for {days} days more");
    if end - now >= EXPIRES_SOON {
        return Finding::ok(TLS, found);
    }
    let advice = "its owner should have renewed it by now";
    Finding::warning(TLS, "tls_expires_soon", found, advice)
}

/// Without an upgrade, which would replace the connection of a gateway that runs. The control plane
/// looks at the token first.
fn request(url: &CpUrl, bearer: &str) -> String {
    let rest = url.full.split_once("://").map_or(url.full.as_str(), |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {bearer}\r\n\
         User-Agent: chatcode-gateway/{}\r\nConnection: close\r\n\r\n",
        crate::identity::OWN.version
    )
}

fn ask(stream: &mut dyn Duplex, request: &str) -> io::Result<Vec<u8>> {
    stream.send(request.as_bytes())?;
    let (mut head, mut buffer) = (Vec::new(), [0; 2048]);
    while head.len() < HEAD_BYTES && !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.receive(&mut buffer) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}

/// The status and the `Date` of an answer.
fn read_head(head: &[u8]) -> Option<(u16, Option<i64>)> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    let mut dates = headers.filter(|(name, _)| name.eq_ignore_ascii_case("date"));
    Some((status, dates.next().and_then(|(_, date)| times::http(date.trim()))))
}

fn judge_answer(why: &str) -> Stopped {
    let found = format!("no answer to a request: {why}");
    let advice = "look at GATEWAY_CP_URL: is it the control plane that is there?";
    Box::new(Finding::failure(CREDENTIALS, "no_answer", found, advice))
}

fn judge_credentials(status: u16) -> Finding {
    let failure = |code, found: String, advice| Finding::failure(CREDENTIALS, code, found, advice);
    match status {
        // It asks for the upgrade, which comes after the token.
        426 => Finding::ok(CREDENTIALS, "the control plane accepts the token"),
        401 | 403 => failure(
            "token_refused",
            format!("the control plane refuses the token, status {status}"),
            "take a new install line from the web app; look at GATEWAY_ID, too",
        ),
        429 | 500.. => Finding::warning(
            CREDENTIALS,
            "control_plane_busy",
            format!("the control plane answers with status {status}"),
            "try again in some minutes",
        ),
        _ => failure(
            "not_a_control_plane",
            format!("what answers is no control plane: status {status}"),
            "look at the path in GATEWAY_CP_URL",
        ),
    }
}

fn judge_clock(theirs: Option<i64>, ours: i64) -> Finding {
    let Some(theirs) = theirs else {
        let advice = "compare the output of date with a clock";
        return Finding::warning(CLOCK, "clock_unknown", "the control plane tells no date", advice);
    };
    let skew = ours.saturating_sub(theirs);
    let direction = if skew < 0 { "behind" } else { "ahead of" };
    let found = format!("{} s {direction} the control plane's", skew.abs());
    if skew.abs() <= SKEW {
        return Finding::ok(CLOCK, found);
    }
    let advice = "set the clock: timedatectl set-ntp true, or chronyd, or the settings of macOS";
    Finding::failure(CLOCK, "clock_wrong", found, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use program::Outcome;

    #[test]
    fn look_ups_end_in_addresses_or_in_a_reason() {
        let judge = |said: &str| judge_dns("h", Outcome::Done(true, said.into(), String::new()));
        assert_eq!(judge("ok 127.0.0.1:443 [::1]:443\n").expect("two").len(), 2);
        assert_eq!(judge("ok \n").expect_err("none").code, "dns_failed");
        assert_eq!(judge("err io cannot look up h\n").expect_err("none").found, "cannot look up h");
        assert_eq!(judge_dns("h", Outcome::Late).expect_err("late").code, "dns_silent");
        let error = io::Error::from(ErrorKind::ConnectionRefused);
        assert_eq!(judge_connect::<()>(1, Err(error)).expect_err("refused").code, "connect_failed");
    }

    #[test]
    fn heads_are_read_and_statuses_judged() {
        let head = b"HTTP/1.1 426 Upgrade Required\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nx";
        assert_eq!(read_head(head), Some((426, Some(784_111_777))));
        assert_eq!(read_head(b"HTTP/1.0 200\r\n\r\nDate: no"), Some((200, None)));
        assert_eq!(read_head(b"SSH-2.0-OpenSSH_9.2\r\n"), None);
        assert_eq!(read_head(b""), None);
        let codes = [
            (426, "ok"),
            (401, "token_refused"),
            (403, "token_refused"),
            (404, "not_a_control_plane"),
            (200, "not_a_control_plane"),
            (101, "not_a_control_plane"),
            (429, "control_plane_busy"),
            (503, "control_plane_busy"),
        ];
        for (status, code) in codes {
            assert_eq!(judge_credentials(status).code, code, "{status}");
        }
    }

    #[test]
    fn clocks_and_certificates_have_their_bounds() {
        let code = |skew| judge_clock(Some(1_000_000), 1_000_000 + skew).code;
        assert_eq!([code(SKEW), code(-SKEW)], ["ok", "ok"]);
        assert_eq!([code(SKEW + 1), code(-SKEW - 1)], ["clock_wrong", "clock_wrong"]);
        assert_eq!(judge_clock(None, 0).code, "clock_unknown");
        assert_eq!(judge_certificate(Some(EXPIRES_SOON), 0).code, "ok");
        assert_eq!(judge_certificate(Some(EXPIRES_SOON - 1), 0).code, "tls_expires_soon");
        assert_eq!(judge_certificate(None, 0).code, "ok");
        for (why, code) in [
            (CertificateError::Expired, "tls_expired"),
            (CertificateError::NotValidYet, "tls_not_yet_valid"),
            (CertificateError::UnknownIssuer, "tls_untrusted"),
            (CertificateError::NotValidForName, "tls_wrong_name"),
            (CertificateError::BadEncoding, "tls_failed"),
        ] {
            let refusal = Refusal::Tls(rustls::Error::InvalidCertificate(why));
            assert_eq!(judge_refusal("h", &refusal).code, code);
        }
    }

    #[test]
    fn the_request_asks_for_no_upgrade() {
        let url = CpUrl::read("wss://h:99/a/b/", "pi").expect("a url");
        let text = request(&url, "secret");
        assert!(text.starts_with("GET /a/b/pi HTTP/1.1\r\nHost: h:99\r\n"), "{text}");
        assert!(!text.to_lowercase().contains("upgrade"));
    }
}
