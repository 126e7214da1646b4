//! A server on loopback that answers every request as a test wishes, and remembers what was asked.

use integration::tls::TestAuthority;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a connection is listened to.
const LISTEN: Duration = Duration::from_secs(10);

/// What a connection gets.
pub enum Answer {
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// Nothing, not even TLS, until the other side goes.
    Silence,
}

/// The server. Dropping it ends it.
pub struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Over TLS with the authority's certificate, or without.
    pub fn start(authority: Option<&TestAuthority>, answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (requests, stop) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (asked, over) = (Arc::clone(&requests), Arc::clone(&stop));
        let config = authority.map(|authority| Arc::clone(&authority.server));
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                // One that does not trust us goes away; what it says then is for it to tell.
                let _ = serve(socket, config.as_ref(), &answer, &asked);
            }
        });
        Self { port, requests, stop, thread: Some(thread) }
    }

    /// The URL of a control plane there.
    pub fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/gateway", self.port)
    }

    /// The heads of all requests.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no poison").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut socket: TcpStream,
    tls: Option<&Arc<rustls::ServerConfig>>,
    answer: &Answer,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    socket.set_read_timeout(Some(LISTEN))?;
    let Answer::Bytes(bytes) = answer else {
        let mut said = [0; 4096];
        while socket.read(&mut said)? > 0 {}
        return Ok(());
    };
    let Some(config) = tls else { return talk(&mut socket, bytes, asked) };
    let session = rustls::ServerConnection::new(Arc::clone(config)).expect("a session");
    let mut stream = rustls::StreamOwned::new(session, socket);
    talk(&mut stream, bytes, asked)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn talk(
    stream: &mut (impl Read + Write),
    bytes: &[u8],
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    asked.lock().expect("no poison").push(String::from_utf8_lossy(&head).into_owned());
    stream.write_all(bytes)?;
    stream.flush()
}
