//! Fetches one file by HTTPS, for updates alone.
//!
//! This is a GET of our own because an HTTP client costs 120 KB of a binary that is to be about
//! 1 MB, and a GET is all that is needed: it uses the TLS settings and roots of the link, parses
//! heads with the parser that the WebSocket brings along, follows a few redirects, and knows no
//! proxies, no compression and no cookies. It blocks, so it runs in a child; what it gives is not
//! trusted before its hash was compared.

use super::body::Framing;
use super::url::Url;
use crate::limits::{CONNECT_MS, MAX_ADDRESSES, UPDATE_HEAD_BYTES, UPDATE_REDIRECTS};
use crate::limits::{UPDATE_HEADERS, UPDATE_SILENCE_MS};
use crate::link::timed::{self, Timed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Size of one read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The connection, the bytes that came with the last read, and where reading is.
type Stream = StreamOwned<ClientConnection, Timed>;

/// What a server said to one request.
enum Answer {
    /// The body begins with these bytes.
    Body(Box<Stream>, Framing, Vec<u8>),
    /// Look elsewhere.
    Elsewhere(Url),
}

/// Fetches exactly `size` bytes from `url` before `deadline` and hands them to `sink`, in order.
///
/// # Errors
/// What was tried and what was seen, in words; `sink` may have had some of the bytes.
pub fn get(
    url: &Url,
    size: u64,
    deadline: Instant,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let tls = crate::link::tls::client_config()?;
    let mut url = url.clone();
    for _ in 0..=UPDATE_REDIRECTS {
        let answer = ask(&tls, &url, deadline);
        match answer.map_err(|why| format!("{}: {why}", url.authority()))? {
            Answer::Elsewhere(next) => url = next,
            Answer::Body(mut stream, framing, begun) => {
                return receive(&mut stream, framing, begun, size, sink)
                    .map_err(|why| format!("{}: {why}", url.authority()));
            }
        }
    }
    Err(format!("more than {UPDATE_REDIRECTS} redirects"))
}

/// One request, up to the head of its answer.
fn ask(tls: &Arc<ClientConfig>, url: &Url, deadline: Instant) -> Result<Answer, String> {
    let name = ServerName::try_from(url.host.clone())
        .map_err(|_| "no name that a certificate can be for".to_owned())?;
    let session = ClientConnection::new(Arc::clone(tls), name)
        .map_err(|error| format!("TLS cannot begin: {error}"))?;
    let mut stream = StreamOwned::new(session, connect(url, deadline)?);
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: chatcode-gateway\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n",
        url.path,
        url.authority()
    );
    stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.flush())
        .map_err(|error| broken("asking", &error))?;
    let mut bytes = Vec::new();
    loop {
        if let Some((head, length)) = read_head(&bytes, url)? {
            bytes.drain(..length);
            match head {
                Head::Interim => continue,
                Head::Elsewhere(url) => return Ok(Answer::Elsewhere(url)),
                Head::Body(framing) => {
                    return Ok(Answer::Body(Box::new(stream), framing, bytes));
                }
            }
        }
        if bytes.len() >= UPDATE_HEAD_BYTES {
            return Err(format!("a head of more than {UPDATE_HEAD_BYTES} bytes"));
        }
        if read(&mut stream, &mut bytes)? == 0 {
            return Err("closed before it answered".to_owned());
        }
    }
}

/// What a head says.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// A 1xx; the answer follows.
    Interim,
    /// A redirect.
    Elsewhere(Url),
    /// The file follows.
    Body(Framing),
}

/// Reads the head at the front of `bytes`, once it is whole; gives its length too. `url` is what
/// was asked for.
///
/// # Errors
/// When it is none, or says that the file does not come.
pub fn read_head(bytes: &[u8], url: &Url) -> Result<Option<(Head, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; UPDATE_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("no HTTP: {error}")),
    };
    let head = match response.code.unwrap_or_default() {
        100..=199 => Head::Interim,
        200 => Head::Body(Framing::of(response.headers)?),
        status @ (301 | 302 | 303 | 307 | 308) => {
            let mut headers = response.headers.iter();
            let location = headers.find(|header| header.name.eq_ignore_ascii_case("location"));
            let location = location.and_then(|header| std::str::from_utf8(header.value).ok());
            let location = location.ok_or_else(|| format!("status {status} without a location"))?;
            let next = url.follow(location.trim());
            Head::Elsewhere(next.map_err(|why| format!("redirected to {why}"))?)
        }
        status => return Err(format!("status {status}")),
    };
    Ok(Some((head, length)))
}

fn receive(
    stream: &mut Stream,
    mut framing: Framing,
    mut bytes: Vec<u8>,
    size: u64,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    if let Framing::Length(length) = framing
        && length != size
    {
        return Err(format!("it has {length} bytes, the manifest says {size}"));
    }
    let mut received = 0;
    loop {
        let mut input = bytes.as_slice();
        while !input.is_empty() && !framing.is_over() {
            let body = framing.take(&mut input)?;
            received += body.len() as u64;
            if received > size {
                return Err(format!("it has more than the {size} bytes of the manifest"));
            }
            sink(body)?;
        }
        bytes.clear();
        if framing.is_over() || read(stream, &mut bytes)? == 0 {
            break;
        }
    }
    if received < size {
        return Err(format!("it ended after {received} of {size} bytes"));
    }
    Ok(())
}

/// Appends what came; 0 at the end. Servers that close without a word of TLS have ended too: the
/// size and the hash say whether anything is missing.
fn read(stream: &mut Stream, bytes: &mut Vec<u8>) -> Result<usize, String> {
    let start = bytes.len();
    bytes.resize(start + READ_BYTES, 0);
    let outcome = loop {
        match stream.read(bytes.get_mut(start..).unwrap_or_default()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break Ok(0),
            outcome => break outcome,
        }
    };
    bytes.truncate(start + outcome.as_ref().map_or(0, |count| *count));
    outcome.map_err(|error| broken("reading", &error))
}

fn connect(url: &Url, deadline: Instant) -> Result<Timed, String> {
    let addresses = (url.host.as_str(), url.port).to_socket_addrs();
    let addresses = addresses.map_err(|error| format!("cannot look it up: {error}"))?;
    let mut why = "it has no address".to_owned();
    for address in addresses.take(MAX_ADDRESSES) {
        match timed::connect(&address, deadline, Duration::from_millis(CONNECT_MS)) {
            Ok(tcp) => {
                let silence = Duration::from_millis(UPDATE_SILENCE_MS);
                return Ok(Timed::new(tcp, deadline, silence));
            }
            Err(error) => why = broken(&format!("connecting to {address}"), &error),
        }
    }
    Err(why)
}

fn broken(doing: &str, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("{doing} took too long"),
        _ => format!("{doing} failed: {}", crate::link::tls::in_words(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<(Head, usize)>, String> {
        read_head(text.as_bytes(), &Url::read("https://h/a").expect("an address"))
    }

    #[test]
    fn heads_are_read_once_they_are_whole() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        for cut in 0..text.len() {
            assert_eq!(head(text.get(..cut).expect("ASCII")), Ok(None));
        }
        let whole = Some((Head::Body(Framing::Length(5)), text.len()));
        assert_eq!(head(&format!("{text}12345")), Ok(whole));
        let interim = head("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK");
        assert!(matches!(interim, Ok(Some((Head::Interim, _)))));
    }

    #[test]
    fn only_what_is_asked_for_is_taken() {
        for wrong in [
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "HTTP/1.1 206 Partial Content\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\n\r\n",
            "HTTP/1.1 302 Found\r\n\r\n",
            "HTTP/1.1 302 Found\r\nLocation: http://h/a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        ] {
            assert!(head(wrong).is_err(), "{wrong}");
        }
        let Ok(Some((Head::Elsewhere(url), _))) = head("HTTP/1.1 301 x\r\nLocation: /b\r\n\r\n")
        else {
            panic!("a redirect");
        };
        assert_eq!((url.host.as_str(), url.path.as_str()), ("h", "/b"));
    }
}
