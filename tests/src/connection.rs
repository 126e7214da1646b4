//! One WebSocket of the in-process control plane: a thread that moves messages both ways.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Instant;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, WebSocket};

/// Messages read before the other direction gets its turn.
const READS_A_TURN: usize = 32;

const SOCKET: Token = Token(0);
const WAKE: Token = Token(1);

/// The byte stream under the WebSocket.
pub enum Wire {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>),
}

impl Wire {
    /// The socket beneath.
    pub fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// What came from the gateway.
#[derive(Debug)]
pub enum Received {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// The other side closed with this code.
    Closed(Option<u16>),
    /// The connection ended without a close frame.
    Lost(String),
}

/// What the control plane does with the connection.
pub enum Order {
    /// Sends a message.
    Send(Message),
    /// Starts the closing handshake.
    Close(u16, &'static str),
    /// Stops or resumes reading, as a peer does whose machine hangs.
    Stall(bool),
    /// Ends the TCP connection without a word.
    Cut,
}

/// The test's end of a connection.
pub struct Connection {
    orders: Sender<Order>,
    waker: Arc<Waker>,
    /// What came, with the time of its arrival.
    pub incoming: Receiver<(Instant, Received)>,
}

impl Connection {
    /// Runs the connection in a thread of its own.
    pub fn start(mut socket: WebSocket<Wire>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        rustix::io::ioctl_fionbio(socket.get_mut().socket(), true)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(socket.get_mut().socket(), SOCKET, interest)?;
        let (orders, their_orders) = channel();
        let (arrivals, incoming) = channel();
        // The first turn must not wait: bytes may have come with the handshake.
        waker.wake()?;
        let pump = Pump { socket, orders: their_orders, arrivals, stalled: false };
        std::thread::spawn(move || pump.run(poll));
        Ok(Self { orders, waker, incoming })
    }

    /// Gives an order; nothing happens when the connection is gone.
    pub fn order(&self, order: Order) {
        let _ = self.orders.send(order);
        let _ = self.waker.wake();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.order(Order::Cut);
    }
}

struct Pump {
    socket: WebSocket<Wire>,
    orders: Receiver<Order>,
    arrivals: Sender<(Instant, Received)>,
    stalled: bool,
}

/// Whether the connection goes on.
type GoesOn = bool;

impl Pump {
    fn run(mut self, mut poll: Poll) {
        let mut events = Events::with_capacity(8);
        loop {
            match poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.arrived(Received::Lost(error.to_string())),
                Ok(()) => {}
            }
            // Readiness is told once, so a turn ends only when there is nothing left to read.
            loop {
                let (goes_on, more) = self.turn();
                if !goes_on {
                    return;
                }
                if !more {
                    break;
                }
            }
        }
    }

    fn turn(&mut self) -> (GoesOn, bool) {
        if !self.obey() {
            return (false, false);
        }
        if self.stalled {
            return (true, false);
        }
        for _ in 0..READS_A_TURN {
            match self.socket.read() {
                Ok(Message::Text(text)) => self.arrived(Received::Text(text.as_str().to_owned())),
                Ok(Message::Binary(bytes)) => self.arrived(Received::Binary(bytes.to_vec())),
                Ok(Message::Close(frame)) => {
                    self.arrived(Received::Closed(frame.map(|frame| frame.code.into())));
                    let _ = self.socket.flush();
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return (true, false);
                }
                Err(error) => {
                    self.arrived(Received::Lost(error.to_string()));
                    return (false, false);
                }
            }
        }
        (true, true)
    }

    fn obey(&mut self) -> GoesOn {
        loop {
            let done = match self.orders.try_recv() {
                Ok(Order::Send(message)) => self.socket.write(message),
                Ok(Order::Close(code, reason)) => self
                    .socket
                    .close(Some(CloseFrame { code: CloseCode::from(code), reason: reason.into() })),
                Ok(Order::Stall(stalled)) => {
                    self.stalled = stalled;
                    Ok(())
                }
                Ok(Order::Cut) | Err(TryRecvError::Disconnected) => {
                    let _ = self.socket.get_mut().socket().shutdown(std::net::Shutdown::Both);
                    return false;
                }
                Err(TryRecvError::Empty) => break,
            };
            // A failed write is no end: what the other side said before may still be read.
            let _ = done;
        }
        // A full socket is told again by readiness to write.
        let _ = self.socket.flush();
        true
    }

    fn arrived(&mut self, what: Received) {
        let _ = self.arrivals.send((Instant::now(), what));
    }
}
