//! A control plane in-process: listens on loopback, hands each gateway connection to the test.

use crate::connection::{Connection, Wire};
use crate::link::Link;
use crate::tls::TestAuthority;
use protocol::limits::{MAX_BINARY_BYTES, MAX_TEXT_BYTES};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::header::{AUTHORIZATION, RETRY_AFTER};
use tungstenite::http::{HeaderValue, StatusCode};
use tungstenite::protocol::WebSocketConfig;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Time between two looks for a new connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(2);

/// What a gateway sent to open its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The request's path.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// Names of all headers, in lower case.
    pub headers: Vec<String>,
}

/// How connections are answered.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Upgrade.
    Accept,
    /// An HTTP status, with `Retry-After` in seconds where given.
    Refuse(u16, Option<u32>),
    /// Accept TCP and say nothing.
    Silence,
}

struct Shared {
    answer: Mutex<Answer>,
    attempts: Mutex<Vec<Instant>>,
    stop: AtomicBool,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// The control plane. Dropping it ends the listener; connections live in their [`Link`].
pub struct MockCp {
    address: SocketAddr,
    /// Present when it speaks TLS.
    pub authority: Option<TestAuthority>,
    shared: Arc<Shared>,
    links: Receiver<(Handshake, Connection)>,
    listener: Option<JoinHandle<()>>,
}

impl MockCp {
    /// Over plain TCP on a free port.
    pub fn new() -> Self {
        Self::bind(0, None).expect("a free port")
    }

    /// Over TLS on a free port, with an authority of its own.
    pub fn tls() -> Self {
        Self::bind(0, Some(TestAuthority::new())).expect("a free port")
    }

    /// On a given port of loopback; 0 picks a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn bind(port: u16, authority: Option<TestAuthority>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            answer: Mutex::new(Answer::Accept),
            attempts: Mutex::default(),
            stop: AtomicBool::new(false),
            tls: authority.as_ref().map(|authority| Arc::clone(&authority.server)),
        });
        let (found, links) = channel();
        let theirs = Arc::clone(&shared);
        let listener = std::thread::spawn(move || listen(&listener, &theirs, &found));
        Ok(Self { address, authority, shared, links, listener: Some(listener) })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What `GATEWAY_CP_URL` must be.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/gateway", self.address)
    }

    /// How connections are answered from now on.
    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().expect("no poison") = answer;
    }

    /// When connections were tried so far.
    pub fn attempts(&self) -> Vec<Instant> {
        self.shared.attempts.lock().expect("no poison").clone()
    }

    /// The next gateway connection, its hello already read.
    pub fn accept(&self) -> Link {
        let mut link = self.accept_raw();
        link.read_hello();
        link
    }

    /// The next gateway connection within `patience`, its hello not yet read.
    pub fn accept_within(&self, patience: Duration) -> Option<Link> {
        let (handshake, connection) = self.accept_connection(patience)?;
        Some(Link::new(handshake, connection))
    }

    /// The next gateway connection within `patience`, with nothing read or checked.
    pub fn accept_connection(&self, patience: Duration) -> Option<(Handshake, Connection)> {
        self.links.recv_timeout(patience).ok()
    }

    /// The next gateway connection, its hello not yet read.
    pub fn accept_raw(&self) -> Link {
        self.accept_within(crate::PATIENCE).expect("a gateway connects")
    }
}

impl Default for MockCp {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for MockCp {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>, found: &Sender<(Handshake, Connection)>) {
    // Connections that are accepted and then ignored must stay open to be ignored.
    let mut ignored = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let Ok((socket, _)) = listener.accept() else {
            std::thread::sleep(ACCEPT_AGAIN);
            continue;
        };
        shared.attempts.lock().expect("no poison").push(Instant::now());
        let answer = *shared.answer.lock().expect("no poison");
        if matches!(answer, Answer::Silence) {
            ignored.push(socket);
            continue;
        }
        let (shared, found) = (Arc::clone(shared), found.clone());
        std::thread::spawn(move || {
            // A failed handshake is the gateway's business: tests look at what it does next.
            if let Ok(accepted) = handshake(socket, &shared, answer) {
                let _ = found.send(accepted);
            }
        });
    }
}

type Fault = Box<dyn std::error::Error>;

fn handshake(
    socket: TcpStream,
    shared: &Shared,
    answer: Answer,
) -> Result<(Handshake, Connection), Fault> {
    socket.set_nonblocking(false)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(HANDSHAKE))?;
    let socket = mio::net::TcpStream::from_std(socket);
    let wire = match &shared.tls {
        None => Wire::Plain(socket),
        Some(config) => {
            let session = rustls::ServerConnection::new(Arc::clone(config))?;
            Wire::Tls(Box::new(rustls::StreamOwned::new(session, socket)))
        }
    };
    // The gateway's own limits, so that a message beyond them ends the connection here too.
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_TEXT_BYTES.max(MAX_BINARY_BYTES)))
        .max_frame_size(Some(MAX_TEXT_BYTES));
    let mut seen = None;
    // tungstenite asks for this shape of error.
    #[allow(clippy::result_large_err)]
    let callback = |request: &Request, response: Response| {
        seen = Some(read_request(request));
        match answer {
            Answer::Refuse(status, retry_after) => Err(refusal(status, retry_after)),
            Answer::Accept | Answer::Silence => Ok(response),
        }
    };
    let socket = tungstenite::accept_hdr_with_config(wire, callback, Some(config))
        .map_err(|error| error.to_string())?;
    let handshake = seen.ok_or("the handshake has a request")?;
    Ok((handshake, Connection::start(socket)?))
}

fn read_request(request: &Request) -> Handshake {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Handshake {
        path: request.uri().path().to_owned(),
        authorization: request.headers().get(AUTHORIZATION).map(text),
        headers: request.headers().keys().map(|name| name.as_str().to_owned()).collect(),
    }
}

fn refusal(status: u16, retry_after: Option<u32>) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Ending;
    use protocol::events::{Ack, Event, GatewayHello, SessionSnapshot, SystemInfo};
    use protocol::frame::{Frame, Kind};
    use tungstenite::{Message, WebSocket};

    type Client = WebSocket<TcpStream>;

    /// The smallest gateway: connects and says hello.
    fn client(cp: &MockCp) -> Client {
        let socket = TcpStream::connect(cp.address).expect("the mock listens");
        socket.set_read_timeout(Some(crate::PATIENCE)).expect("a time-out");
        let (mut client, _) =
            tungstenite::client(format!("{}/gw-1", cp.url()), socket).expect("a handshake");
        let system_info = SystemInfo {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpus: 1,
            ram_total_bytes: 1,
            disk_total_bytes: 1,
            tmux_version: None,
            target: None,
        };
        let hello = Event::from(GatewayHello {
            gateway_id: "gw-1".into(),
            version: "0.0.0".into(),
            hostname: "here".into(),
            bootstrap_token: None,
            system_info,
            sessions: Vec::new(),
            max_sessions: None,
        });
        client.send(Message::text(hello.to_json(None))).expect("hello");
        client
    }

    /// Reads the next text that is a command and returns its request id and text.
    fn command(client: &mut Client) -> (Option<String>, String) {
        match client.read().expect("a command") {
            Message::Text(text) => {
                let head = protocol::envelope::peek(&text).expect("an object");
                (head.request_id, text.as_str().to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    fn snapshot(seq: u32) -> Event {
        Event::from(SessionSnapshot {
            session_id: 7,
            seq,
            cols: 80,
            rows: 24,
            data: String::new(),
            alternate_on: false,
            cursor_x: 0,
            cursor_y: 0,
            cursor_visible: true,
            history_lines: 0,
            truncated: false,
        })
    }

    fn attached(cp: &MockCp) -> (Client, Link) {
        let mut client = client(cp);
        let mut link = cp.accept();
        let gateway = std::thread::spawn(move || {
            let (id, _) = command(&mut client);
            let ack = Event::from(Ack { ok: true, error: None });
            for event in [snapshot(100), ack] {
                client.send(Message::text(event.to_json(id.as_deref()))).expect("sent");
            }
            client
        });
        link.attach(7, None);
        (gateway.join().expect("the client lives"), link)
    }

    fn frame(seq: u32, payload: &[u8]) -> Message {
        Message::binary(Frame { kind: Kind::Output, id: 7, seq, payload }.encode())
    }

    #[test]
    fn a_reader_acks_what_it_gets_and_sees_the_end() {
        let cp = MockCp::new();
        let (mut client, mut link) = attached(&cp);
        assert_eq!(link.handshake.path, "/gateway/gw-1");
        client.send(frame(100, b"hello")).expect("sent");
        assert_eq!(link.expect(7, "ello"), b"hello");
        let (_, ack) = command(&mut client);
        assert!(ack.contains(r#""type":"session.ack""#) && ack.contains(r#""seq":105"#), "{ack}");
        client.close(None).expect("a close");
        let _ = client.flush();
        link.take_for(Duration::from_millis(200));
        assert_eq!(link.ending, Some(Ending::Closed(None)));
    }

    #[test]
    #[should_panic(expected = "a gap of 3 bytes")]
    fn a_gap_is_noticed() {
        let cp = MockCp::new();
        let (mut client, mut link) = attached(&cp);
        client.send(frame(103, b"hello")).expect("sent");
        link.expect(7, "hello");
    }

    #[test]
    #[should_panic(expected = "a duplicate of 1 bytes")]
    fn a_duplicate_is_noticed() {
        let cp = MockCp::new();
        let (mut client, mut link) = attached(&cp);
        client.send(frame(100, b"hello")).expect("sent");
        client.send(frame(104, b"o")).expect("sent");
        link.expect(7, "oo");
    }

    #[test]
    #[should_panic(expected = "bytes unacknowledged, credit is 262144")]
    fn exceeded_credit_is_noticed() {
        let cp = MockCp::new();
        let (mut client, mut link) = attached(&cp);
        link.stream(7).acking = crate::stream::Acking::Never;
        for at in 0..17 {
            client.send(frame(100 + at * 16_384, &[b'x'; 16_384])).expect("sent");
        }
        link.expect(7, "y");
    }

    #[test]
    #[should_panic(expected = "which is unknown or was acked before")]
    fn a_second_ack_is_noticed() {
        let cp = MockCp::new();
        let (mut client, mut link) = attached(&cp);
        let again = Event::from(Ack { ok: true, error: None }).to_json(Some("r1"));
        client.send(Message::text(again)).expect("sent");
        link.expect(7, "y");
    }

    #[test]
    fn refusals_and_attempts_are_seen() {
        let cp = MockCp::new();
        cp.answer(Answer::Refuse(429, Some(3)));
        let socket = TcpStream::connect(cp.address).expect("the mock listens");
        let refused = tungstenite::client(cp.url(), socket).expect_err("refused");
        assert!(refused.to_string().contains("429"), "{refused}");
        assert_eq!(cp.attempts().len(), 1);
    }
}
