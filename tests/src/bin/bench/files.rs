//! Megabytes a second of a file up and down over TLS, beside the same bytes over a bare pair, and the
//! echo of a keystroke meanwhile.

use crate::report::{Report, percentile};
use crate::{Effort, MEGABYTE};
use integration::connection::Wire;
use integration::fixture::Stage;
use integration::mock_cp::MockCp;
use integration::patterns::{Random, noise};
use integration::process::memory;
use integration::tls::TestAuthority;
use integration::transfer::{Download, Upload, download, upload};
use protocol::limits::{FILE_BYTES, FILE_CHUNK_BYTES};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tungstenite::Message;

/// Runs of each; the best counts.
const RUNS: usize = 8;

/// Keystrokes that are measured beside each direction.
const KEYSTROKES: usize = 300;

/// The session that echoes.
const SESSION: u32 = 1;

/// How long a keystroke's echo may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of it.
pub fn all(report: &mut Report, effort: Effort) {
    let content = noise(5, usize::try_from(FILE_BYTES).expect("it fits"));
    let environment = [("GATEWAY_LOG_LEVEL", "info")];
    let mut stage = Stage::with(MockCp::tls(), &environment);
    stage.checks_schema = false;
    stage.open(SESSION, 80, 24);
    stage.type_in(SESSION, "stty raw -echo; echo raw-$((1+1)); exec cat\r");
    stage.expect(SESSION, "raw-2");

    let before = memory(stage.gateway.process().id(), "VmRSS");
    let runs = effort.samples(RUNS).max(2);
    let (mut up, mut down, mut floor_up, mut floor_down) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..runs {
        floor_up = floor_up.max(bare(&content, true));
        up = up.max(rate(&content, || upload(&mut stage, 1, (None, "file"), &content)));
        floor_down = floor_down.max(bare(&content, false));
        down = down.max(rate(&content, || {
            let came = download(&mut stage, 1, (None, "file"))?;
            assert_eq!(came.len(), content.len());
            Ok(())
        }));
    }
    let floor = "20 MiB over TLS beside a bare WebSocket";
    report.beside("file.up", &format!("upload, {floor}"), (up, floor_up), "MB/s");
    report.beside("file.down", &format!("download, {floor}"), (down, floor_down), "MB/s");

    let count = effort.samples(KEYSTROKES);
    echo(report, "up", keystrokes(&mut stage, count, &mut Uploads::new(&content)));
    echo(report, "down", keystrokes(&mut stage, count, &mut Downloads { going: None }));
    let after = memory(stage.gateway.process().id(), "VmRSS");
    report.add("file.rss.before", "  RSS before any transfer", before as f64 / MEGABYTE, "MB");
    report.add("file.rss.after", "  RSS after all of them", after as f64 / MEGABYTE, "MB");
}

fn rate(content: &[u8], run: impl FnOnce() -> Result<(), integration::transfer::Failed>) -> f64 {
    let started = Instant::now();
    run().expect("the file is carried");
    content.len() as f64 / MEGABYTE / started.elapsed().as_secs_f64()
}

fn echo(report: &mut Report, way: &str, mut samples: Vec<f64>) {
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let what = format!("  keystroke → echo beside {way}loads, {name}");
        let key = format!("file.{way}.echo.{name}");
        report.add(key, &what, percentile(&mut samples, share), "ms");
    }
}

/// Something that goes on while keys are typed.
trait Load {
    fn advance(&mut self, stage: &mut Stage);
}

/// One upload after the other.
struct Uploads<'a> {
    content: &'a [u8],
    going: Option<Upload>,
}

impl<'a> Uploads<'a> {
    fn new(content: &'a [u8]) -> Self {
        Self { content, going: None }
    }
}

impl Load for Uploads<'_> {
    fn advance(&mut self, stage: &mut Stage) {
        let begin = |stage: &mut Stage| Upload::begin(stage, 2, (None, "beside"), self.content);
        let going = self.going.get_or_insert_with(|| begin(stage).expect("begun"));
        if going.advance(stage).expect("no error") {
            let end = going.ask_end(stage);
            stage.answer(&end).expect("in place");
            self.going = None;
        }
    }
}

/// One download after the other.
struct Downloads {
    going: Option<Download>,
}

impl Load for Downloads {
    fn advance(&mut self, stage: &mut Stage) {
        let begin = |stage: &mut Stage| Download::begin(stage, 3, (None, "file"));
        let going = self.going.get_or_insert_with(|| begin(stage).expect("begun"));
        if going.advance(stage).expect("no error").is_some() {
            self.going = None;
        }
    }
}

/// Times of echoes in milliseconds, while `load` goes on.
fn keystrokes(stage: &mut Stage, count: usize, load: &mut impl Load) -> Vec<f64> {
    let mut random = Random::new(1);
    let sample = |n: usize| {
        let pause = Instant::now() + Duration::from_micros(500 + random.number() % 4000);
        while Instant::now() < pause {
            load.advance(stage);
            stage.take_one(Instant::now() + Duration::from_micros(200));
        }
        stage.stream(SESSION).unread.clear();
        let key = char::from(b'a' + u8::try_from(n % 26).expect("a letter")).to_string();
        let started = Instant::now();
        stage.type_in(SESSION, &key);
        while stage.stream(SESSION).consume_through(key.as_bytes()).is_none() {
            assert!(started.elapsed() < PATIENCE, "no echo");
            load.advance(stage);
            stage.take_one(Instant::now() + Duration::from_millis(1));
        }
        let came = stage.stream(SESSION).last_at.expect("output came");
        (came - started).as_secs_f64() * 1e3
    };
    (0..count).map(sample).collect()
}

/// The floor: the same chunks through a WebSocket over TLS with nothing behind it.
fn bare(content: &[u8], up: bool) -> f64 {
    let authority = TestAuthority::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let config = Arc::clone(&authority.server);
    let sender = std::thread::spawn({
        let content = if up { content.to_vec() } else { Vec::new() };
        let length = FILE_BYTES;
        move || {
            let (socket, _) = listener.accept().expect("a client");
            socket.set_nodelay(true).expect("set");
            let socket = mio::net::TcpStream::from_std(socket);
            let session = rustls::ServerConnection::new(config).expect("a session");
            let wire = Wire::Tls(Box::new(rustls::StreamOwned::new(session, socket)));
            let mut server = tungstenite::accept(wire).map_err(|e| e.to_string()).expect("up");
            exchange(&mut server, up, &content, length);
        }
    });
    let socket = TcpStream::connect(address).expect("it listens");
    socket.set_nodelay(true).expect("set");
    let client = rustls::ClientConnection::new(client_config(&authority), server_name());
    let client = client.expect("a session");
    let stream = rustls::StreamOwned::new(client, socket);
    let (mut client, _) = tungstenite::client(format!("wss://{address}/"), stream)
        .map_err(|error| error.to_string())
        .expect("an upgrade");
    let started = Instant::now();
    exchange(&mut client, !up, content, FILE_BYTES);
    let took = started.elapsed();
    sender.join().expect("the other side ends");
    content.len() as f64 / MEGABYTE / took.as_secs_f64()
}

/// Sends the content in chunks and waits for a word, or takes it and says one.
fn exchange<S: std::io::Read + std::io::Write>(
    socket: &mut tungstenite::WebSocket<S>,
    sends: bool,
    content: &[u8],
    length: u64,
) {
    if sends {
        for chunk in content.chunks(FILE_CHUNK_BYTES) {
            socket.send(Message::binary(chunk.to_vec())).expect("sent");
        }
        socket.read().expect("the other side's word");
        return;
    }
    let mut came = 0;
    while came < length {
        came += socket.read().expect("a chunk").len() as u64;
    }
    socket.send(Message::text("all")).expect("sent");
}

fn client_config(authority: &TestAuthority) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.pem.as_bytes());
    roots.add(certificate.expect("a certificate")).expect("added");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn server_name() -> ServerName<'static> {
    ServerName::try_from("127.0.0.1").expect("a name")
}
