//! A person who uses the control plane's HTTP API as the pages do, and watches a server.

use crate::PATIENCE;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};
use ureq::http;

/// Who signs in.
const EMAIL: &str = "dev@chatcode.localhost";

/// What the API answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The bytes that came.
    pub body: Vec<u8>,
    /// Why the body ended early, if it did.
    pub broken: Option<String>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The code of an error.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The JSON of an answer that must have this status.
    pub fn expect(self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status, status, "{text:.500}");
        self.json()
    }

    /// Checks that it is an error of this status and code, and that it says something.
    pub fn expect_error(&self, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!((self.status, &*self.code()), (status, code), "{text:.500}");
        let message = self.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(' '), "a sentence: {message}");
    }
}

/// What somebody is told who has not signed in.
pub fn ask_as_nobody(url: &str, path: &str) -> Answer {
    Person { url: url.to_owned(), cookie: String::new(), agent: agent() }.ask("GET", path)
}

/// A client with a connection for each request. One that is kept may be closed by the server, which
/// does so after 5 s, in the moment in which the next request begins.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(Duration::from_secs(120)))
        .build()
        .into()
}

/// A signed-in person.
#[derive(Clone)]
pub struct Person {
    url: String,
    cookie: String,
    agent: ureq::Agent,
}

impl Person {
    /// Signs in at the control plane at `url`.
    pub fn sign_in(url: &str) -> Self {
        let mut person = Self { url: url.to_owned(), cookie: String::new(), agent: agent() };
        let answer = person.send("POST", "/api/auth/dev", json!({ "email": EMAIL }));
        let cookie = answer.headers.get("set-cookie").expect("a cookie").to_str().expect("text");
        person.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        answer.expect(200);
        person
    }

    /// A request without a body.
    pub fn ask(&self, method: &str, path: &str) -> Answer {
        self.request(method, path, "text/plain", &[])
    }

    /// A request with a JSON body.
    pub fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.request(method, path, "application/json", body.to_string().as_bytes())
    }

    /// Puts a file.
    pub fn put(&self, path: &str, bytes: &[u8]) -> Answer {
        self.request("PUT", path, "application/octet-stream", bytes)
    }

    /// What the API says to a file of `length` bytes before any of them is sent.
    pub fn announce(&self, path: &str, length: usize) -> Answer {
        use std::io::{Read as _, Write as _};
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the control plane listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {}\r\nCookie: {}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n",
            self.url, self.cookie
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut bytes = Vec::new();
        // The server may reset what it does not want to read, after its answer.
        let broken = stream.read_to_end(&mut bytes).err().map(|error| error.to_string());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = text.find('{').and_then(|at| text.get(at..=text.rfind('}')?));
        let body = body.unwrap_or_default().as_bytes().to_vec();
        Answer { status, headers: http::HeaderMap::new(), body, broken }
    }

    fn request(&self, method: &str, path: &str, kind: &str, bytes: &[u8]) -> Answer {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("origin", &self.url)
            .header("cookie", &self.cookie);
        let has_body = matches!(method, "POST" | "PUT" | "PATCH");
        if has_body {
            request = request.header("content-type", kind).header("content-length", bytes.len());
        }
        let request = request.body(bytes).expect("a request");
        let (head, body) = if has_body {
            self.agent.run(request).expect("an answer").into_parts()
        } else {
            self.agent.run(request.map(|_| ())).expect("an answer").into_parts()
        };
        let mut answer = Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: Vec::new(),
            broken: None,
        };
        let read = std::io::Read::read_to_end(&mut body.into_reader(), &mut answer.body);
        answer.broken = read.err().map(|error| error.to_string());
        answer
    }

    /// A new server: its id and its bootstrap token.
    pub fn new_server(&self, name: &str) -> (String, String) {
        let made = self.send("POST", "/api/servers", json!({ "name": name })).expect(201);
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        (text(&made["server"]["gateway_id"]), text(&made["bootstrap_token"]))
    }

    /// A socket of the API, signed in.
    pub fn socket(&self, path: &str) -> Socket {
        let url = format!("{}{path}", self.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.parse().expect("a header"));
        headers.insert("origin", self.url.parse().expect("a header"));
        let address = self.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).expect("the control plane listens");
        stream.set_nodelay(true).expect("no delay");
        let stream = MaybeTlsStream::Plain(stream);
        let (socket, _) = tungstenite::client(request, stream).expect("a socket");
        Socket { patience: PATIENCE, socket }
    }
}

/// A page's socket.
pub struct Socket {
    /// How long what should come is waited for.
    pub patience: Duration,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Sends a message.
    pub fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).expect("sent");
    }

    /// The next message, if one comes before `deadline`.
    pub fn next(&mut self, deadline: Instant) -> Option<Message> {
        let left = deadline.saturating_duration_since(Instant::now());
        let MaybeTlsStream::Plain(stream) = self.socket.get_ref() else { return None };
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).expect("a time-out");
        self.socket.read().ok()
    }

    /// The next event of this type, whatever comes before it.
    pub fn event(&mut self, kind: &str) -> Value {
        self.find(kind, |event| event["type"] == kind)
    }

    /// The next text message that `is` what is looked for.
    pub fn find(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + self.patience;
        loop {
            let message = self.next(deadline).unwrap_or_else(|| panic!("not in time: {what}"));
            let Message::Text(text) = message else { continue };
            let event: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            if is(&event) {
                return event;
            }
        }
    }
}
