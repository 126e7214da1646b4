//! A server of releases: HTTPS on loopback, with answers that a test wrote byte by byte.

use integration::tls::TestAuthority;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two looks at what changes.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A part of an answer.
#[derive(Clone)]
pub(crate) enum Part {
    Bytes(Vec<u8>),
    /// Time without a byte.
    Pause(Duration),
    /// Nothing until [`Server::release`].
    Hold,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Vec<Part>>>,
    asked: Mutex<Vec<String>>,
    released: AtomicBool,
    stop: AtomicBool,
}

/// The server. Dropping it ends it.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
    /// What `SSL_CERT_FILE` must hold.
    pub(crate) roots: String,
}

impl Server {
    /// On a free port.
    pub(crate) fn new() -> Self {
        Self::at(0)
    }

    /// On a port that manifests name already.
    pub(crate) fn at(port: u16) -> Self {
        let authority = TestAuthority::new();
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (theirs, tls) = (Arc::clone(&shared), Arc::clone(&authority.server));
        let listener = std::thread::spawn(move || listen(&listener, &theirs, &tls));
        Self { address, shared, listener: Some(listener), roots: authority.pem }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.address.port())
    }

    /// Sets the whole answer to a request for `path`, head and all.
    pub(crate) fn put(&self, path: &str, parts: Vec<Part>) {
        self.shared.answers.lock().expect("no poison").insert(path.to_owned(), parts);
    }

    /// Serves a file as servers do.
    pub(crate) fn put_file(&self, path: &str, bytes: &[u8]) {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        self.put(path, vec![Part::Bytes(head.into_bytes()), Part::Bytes(bytes.to_vec())]);
    }

    /// Sends whoever asks for `path` elsewhere.
    pub(crate) fn put_redirect(&self, path: &str, location: &str) {
        let head =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        self.put(path, vec![Part::Bytes(head.into_bytes())]);
    }

    /// Lets answers go on that are held.
    pub(crate) fn release(&self) {
        self.shared.released.store(true, Ordering::Relaxed);
    }

    /// How often `path` was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.shared.asked.lock().expect("no poison").iter().filter(|asked| *asked == path).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>, tls: &Arc<ServerConfig>) {
    while !shared.stop.load(Ordering::Relaxed) {
        let Ok((socket, _)) = listener.accept() else {
            std::thread::sleep(LOOK_AGAIN);
            continue;
        };
        let (shared, tls) = (Arc::clone(shared), Arc::clone(tls));
        std::thread::spawn(move || {
            // Who hangs up has reasons of its own.
            let _ = answer(socket, &shared, tls);
        });
    }
}

fn answer(socket: TcpStream, shared: &Shared, tls: Arc<ServerConfig>) -> std::io::Result<()> {
    socket.set_nonblocking(false)?;
    let session = ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(session, socket);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    shared.asked.lock().expect("no poison").push(path.clone());
    let parts = shared.answers.lock().expect("no poison").get(&path).cloned();
    let missing = || vec![Part::Bytes(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec())];
    for part in parts.unwrap_or_else(missing) {
        match part {
            Part::Bytes(bytes) => stream.write_all(&bytes)?,
            Part::Pause(time) => std::thread::sleep(time),
            Part::Hold => {
                let over = || {
                    shared.released.load(Ordering::Relaxed) || shared.stop.load(Ordering::Relaxed)
                };
                while !over() {
                    std::thread::sleep(LOOK_AGAIN);
                }
            }
        }
        stream.flush()?;
    }
    stream.conn.send_close_notify();
    stream.flush()
}
