//! One connection: TCP, TLS and WebSocket without blocking. Policy is elsewhere.

use super::handshake::Handshake;
use super::policy::Ending;
use super::tls::in_words;
use crate::config::CpUrl;
use crate::daemon::Message as Outgoing;
use crate::limits::LINK_WRITE_BUFFER_BYTES;
use mio::net::TcpStream;
use protocol::CLOSE_TOO_LARGE;
use protocol::limits::{MAX_BINARY_BYTES, MAX_TEXT_BYTES};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use tungstenite::Message;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};

/// Bytes of tungstenite's read buffer; its default would cost every idle gateway 128 KiB.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// The byte stream under the WebSocket. It notes whether anything came, for liveness.
struct Stream {
    transport: Transport,
    received: bool,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.transport {
            Transport::Plain(tcp) => tcp.read(buffer),
            Transport::Tls(tls) => tls.read(buffer),
        }?;
        self.received |= count > 0;
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.transport {
            Transport::Plain(tcp) => tcp.write(bytes),
            Transport::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.transport {
            Transport::Plain(tcp) => tcp.flush(),
            Transport::Tls(tls) => tls.flush(),
        }
    }
}

impl Stream {
    fn tcp(&mut self) -> &mut TcpStream {
        match &mut self.transport {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => &mut tls.sock,
        }
    }
}

/// How far the connection is.
enum Stage {
    /// The socket is not writable yet.
    Connecting(TcpStream),
    /// TLS and upgrade are under way.
    Handshake(Stream, Handshake),
    Open(WebSocket<Stream>),
    /// It ended; nothing more comes.
    Over,
}

/// What was received.
#[derive(Debug)]
pub enum Incoming {
    /// The handshake is done.
    Opened,
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// Nothing more for now.
    Nothing,
}

/// One connection.
pub struct Connection {
    stage: Stage,
    url: CpUrl,
    bearer: String,
    tls: Option<Arc<ClientConfig>>,
    /// The peer does not take more bytes; wait until the socket is writable.
    blocked: bool,
}

impl Connection {
    /// Begins to connect. `tls` is needed for `wss`.
    ///
    /// # Errors
    /// [`Ending::Failed`] when not even a socket could be made.
    pub fn start(
        address: SocketAddr,
        url: CpUrl,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, Ending> {
        let tcp = TcpStream::connect(address)
            .map_err(|error| Ending::Failed(format!("cannot connect to {address}: {error}")))?;
        let (stage, bearer) = (Stage::Connecting(tcp), String::new());
        Ok(Self { stage, url, bearer, tls, blocked: false })
    }

    /// The socket, to register it with the poll.
    pub fn socket(&mut self) -> Option<&mut TcpStream> {
        match &mut self.stage {
            Stage::Connecting(tcp) => Some(tcp),
            Stage::Handshake(stream, _) => Some(stream.tcp()),
            Stage::Open(socket) => Some(socket.get_mut().tcp()),
            Stage::Over => None,
        }
    }

    /// The token that the upgrade will carry.
    pub fn set_bearer(&mut self, bearer: &str) {
        bearer.clone_into(&mut self.bearer);
    }

    /// Whether the upgrade is done.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Whether any byte came since this was last asked.
    pub fn take_received(&mut self) -> bool {
        match &mut self.stage {
            Stage::Open(socket) => std::mem::take(&mut socket.get_mut().received),
            _ => false,
        }
    }

    /// Goes on as far as possible and gives one thing that was received.
    ///
    /// # Errors
    /// The [`Ending`] of the connection.
    pub fn receive(&mut self) -> Result<Incoming, Ending> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Connecting(tcp) => self.connected(tcp),
            Stage::Handshake(stream, handshake) => self.shake_hands(stream, handshake),
            Stage::Open(socket) => {
                self.stage = Stage::Open(socket);
                self.read()
            }
            Stage::Over => Err(Ending::Failed("the connection is over".to_owned())),
        }
    }

    fn connected(&mut self, tcp: TcpStream) -> Result<Incoming, Ending> {
        if let Some(error) = tcp.take_error().ok().flatten() {
            return Err(Ending::Failed(format!("cannot connect to {}: {error}", self.url.host)));
        }
        if tcp.peer_addr().is_err() {
            self.stage = Stage::Connecting(tcp);
            return Ok(Incoming::Nothing);
        }
        // Keystrokes' echoes are small and must not wait for company.
        let _ = tcp.set_nodelay(true);
        let transport = self.transport(tcp).map_err(Ending::Failed)?;
        let handshake = Handshake::new(&self.url, &self.bearer)?;
        self.shake_hands(Stream { transport, received: false }, handshake)
    }

    fn transport(&self, tcp: TcpStream) -> Result<Transport, String> {
        let Some(config) = self.tls.as_ref().filter(|_| self.url.secure) else {
            return Ok(Transport::Plain(tcp));
        };
        let host = &self.url.host;
        let name = ServerName::try_from(host.clone())
            .map_err(|_| format!("{host} is not a name that a certificate can be for"))?;
        let tls = ClientConnection::new(config.clone(), name)
            .map_err(|error| format!("TLS with {host} cannot begin: {error}"))?;
        Ok(Transport::Tls(Box::new(StreamOwned::new(tls, tcp))))
    }

    /// Sends what is left of the request and reads what there is of the answer.
    fn shake_hands(
        &mut self,
        mut stream: Stream,
        mut hands: Handshake,
    ) -> Result<Incoming, Ending> {
        let mut buffer = [0; 2048];
        loop {
            let moved = match hands.unsent() {
                [] => stream.read(&mut buffer),
                unsent => stream.write(unsent),
            };
            match moved {
                Ok(0) => return Err(self.broken("closed it during the upgrade")),
                Ok(count) if !hands.unsent().is_empty() => hands.sent(count),
                Ok(count) => {
                    let came = buffer.get(..count).unwrap_or_default();
                    let Some(rest) = hands.receive(came)? else { continue };
                    let settings = Some(settings());
                    let socket =
                        WebSocket::from_partially_read(stream, rest, Role::Client, settings);
                    self.stage = Stage::Open(socket);
                    return Ok(Incoming::Opened);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stage = Stage::Handshake(stream, hands);
                    return Ok(Incoming::Nothing);
                }
                Err(error) => return Err(self.failed(&in_words(&error))),
            }
        }
    }

    fn broken(&self, what: &str) -> Ending {
        Ending::Failed(format!("the connection to {} failed: the server {what}", self.url.host))
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Ending {
        Ending::Failed(format!("the connection to {} failed: {error}", self.url.host))
    }

    fn read(&mut self) -> Result<Incoming, Ending> {
        let Stage::Open(socket) = &mut self.stage else { return Ok(Incoming::Nothing) };
        loop {
            return match socket.read() {
                Ok(Message::Text(text)) => Ok(Incoming::Text(text.as_str().to_owned())),
                Ok(Message::Binary(bytes)) if bytes.len() <= MAX_BINARY_BYTES => {
                    Ok(Incoming::Binary(bytes.into()))
                }
                Ok(Message::Binary(_)) => Err(self.too_large()),
                Ok(Message::Close(frame)) => {
                    // The answer to the close goes out as far as the socket takes it.
                    let _ = socket.flush();
                    Err(Ending::Closed(frame.map_or(1005, |frame| frame.code.into())))
                }
                Ok(_) => continue,
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    Ok(Incoming::Nothing)
                }
                Err(tungstenite::Error::Capacity(_)) => Err(self.too_large()),
                Err(error) => Err(self.failed(&error)),
            };
        }
    }

    fn too_large(&mut self) -> Ending {
        self.close(CLOSE_TOO_LARGE, "message too large");
        Ending::Failed(
            "the control plane sent a message larger than the contract allows".to_owned(),
        )
    }

    /// Says goodbye, as far as the socket takes it.
    pub fn close(&mut self, code: u16, reason: &'static str) {
        if let Stage::Open(socket) = &mut self.stage {
            let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
            let _ = socket.close(Some(frame));
            let _ = socket.flush();
        }
    }

    /// Whether a message can be handed over now.
    pub fn can_send(&self) -> bool {
        self.is_open() && !self.blocked
    }

    /// Hands over a message; call only when [`Connection::can_send`].
    ///
    /// # Errors
    /// The [`Ending`] of the connection.
    pub fn send(&mut self, message: Outgoing) -> Result<(), Ending> {
        let message = match message {
            Outgoing::Text(text) => Message::text(text),
            Outgoing::Binary(bytes) => Message::binary(bytes),
        };
        let Stage::Open(socket) = &mut self.stage else { return Ok(()) };
        let outcome = socket.write(message);
        self.settle(outcome)
    }

    /// Pushes out what is buffered.
    ///
    /// # Errors
    /// The [`Ending`] of the connection.
    pub fn flush(&mut self) -> Result<(), Ending> {
        let Stage::Open(socket) = &mut self.stage else { return Ok(()) };
        let outcome = socket.flush();
        self.blocked = false;
        self.settle(outcome)
    }

    /// A socket that would block keeps the message and is left alone until it is writable.
    fn settle(&mut self, outcome: tungstenite::Result<()>) -> Result<(), Ending> {
        match outcome {
            Ok(()) => Ok(()),
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.blocked = true;
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }
}

fn settings() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(LINK_WRITE_BUFFER_BYTES)
        .max_message_size(Some(MAX_TEXT_BYTES))
        .max_frame_size(Some(MAX_TEXT_BYTES))
}
