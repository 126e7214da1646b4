//! A blocking TCP stream with a deadline, for what is asked once and in a process of its own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A TCP stream on which nothing waits beyond the deadline, however slowly bytes drip.
pub struct Timed {
    tcp: TcpStream,
    deadline: Instant,
    silence: Duration,
}

impl Timed {
    /// Nothing on it takes longer than `silence`, or goes on after `deadline`.
    pub fn new(tcp: TcpStream, deadline: Instant, silence: Duration) -> Self {
        Self { tcp, deadline, silence }
    }

    fn left(&self) -> io::Result<Duration> {
        left(self.deadline, self.silence)
    }
}

/// Connects within `patience`, before `deadline`.
///
/// # Errors
/// As connecting does.
pub fn connect(
    address: &SocketAddr,
    deadline: Instant,
    patience: Duration,
) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(address, left(deadline, patience)?)
}

/// How long one step may take, which is never nothing.
fn left(deadline: Instant, most: Duration) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(ErrorKind::TimedOut, "no answer in time"));
    }
    Ok(left.min(most))
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.left()?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.left()?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}
