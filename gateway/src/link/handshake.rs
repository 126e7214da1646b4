//! The WebSocket upgrade of RFC 6455 §4, from the client's side and without I/O.
//!
//! tungstenite has one too, at 37 KB of this binary; the upgrade that a gateway needs is one request
//! and the head of one answer.

use super::policy::Ending;
use crate::config::CpUrl;
use crate::limits::UPGRADE_HEAD_BYTES;
use protocol::{BASE64, Engine as _};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// What RFC 6455 §1.3 adds to the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Headers of an answer that are looked at.
const MAX_HEADERS: usize = 64;

/// One upgrade.
#[derive(Clone, Debug)]
pub struct Handshake {
    host: String,
    request: Vec<u8>,
    sent: usize,
    accept: String,
    received: Vec<u8>,
}

impl Handshake {
    /// The upgrade for `url`, with a token.
    ///
    /// # Errors
    /// [`Ending::Failed`] when the token cannot stand in a header, or there is no randomness.
    pub fn new(url: &CpUrl, bearer: &str) -> Result<Self, Ending> {
        let failed = |why: &str| Ending::Failed(why.to_owned());
        if !bearer.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(failed("the token has characters that no header can carry"));
        }
        let mut nonce = [0; 16];
        SystemRandom::new().fill(&mut nonce).map_err(|_| failed("the system has no randomness"))?;
        let key = BASE64.encode(nonce);
        Ok(Self {
            host: url.host.clone(),
            request: request(url, bearer, &key).into_bytes(),
            sent: 0,
            accept: accept(&key),
            received: Vec::new(),
        })
    }

    /// What is still to be sent.
    pub fn unsent(&self) -> &[u8] {
        self.request.get(self.sent..).unwrap_or_default()
    }

    /// `count` bytes of [`Handshake::unsent`] are sent.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
    }

    /// What the server is to prove with that it read the key.
    pub fn expected_digest(&self) -> &str {
        &self.accept
    }

    /// Takes what came; gives what followed the head of the answer once that is whole and agrees.
    ///
    /// # Errors
    /// [`Ending::Status`] when the server answered something else, [`Ending::Failed`] when it does
    /// not speak the protocol.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Ending> {
        self.received.extend_from_slice(bytes);
        let strange = |what: &str| Ending::Failed(format!("{} answered {what}", self.host));
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(&self.received);
        let Ok(parsed) = parsed else { return Err(strange("no HTTP")) };
        let httparse::Status::Complete(length) = parsed else {
            let too_long = self.received.len() > UPGRADE_HEAD_BYTES;
            return if too_long { Err(strange("a head without end")) } else { Ok(None) };
        };
        let header = |name: &str| {
            let found = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case(name));
            found.and_then(|it| std::str::from_utf8(it.value).ok()).map(str::trim)
        };
        let status = response.code.unwrap_or(0);
        if status != 101 {
            let seconds = header("retry-after").and_then(|text| text.parse().ok());
            return Err(Ending::Status(status, seconds));
        }
        let names = |list: Option<&str>, word: &str| {
            list.is_some_and(|list| list.split(',').any(|it| it.trim().eq_ignore_ascii_case(word)))
        };
        let agreed = names(header("upgrade"), "websocket")
            && names(header("connection"), "upgrade")
            && header("sec-websocket-accept") == Some(&self.accept)
            && header("sec-websocket-extensions").is_none()
            && header("sec-websocket-protocol").is_none();
        if !agreed {
            return Err(strange("with an upgrade to something else"));
        }
        Ok(Some(self.received.split_off(length)))
    }
}

fn request(url: &CpUrl, bearer: &str, key: &str) -> String {
    let address = url.full.split_once("://").map_or("", |(_, address)| address);
    let (authority, path) = address.split_once('/').unwrap_or((address, ""));
    format!(
        "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Authorization: Bearer {bearer}\r\n\r\n"
    )
}

fn accept(key: &str) -> String {
    BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake() -> Handshake {
        let url = CpUrl::read("wss://[::1]:8443/gateway/", "pi-4").expect("a URL");
        Handshake::new(&url, "secret").expect("a request")
    }

    fn answer(handshake: &Handshake, extra: &str) -> String {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUPGRADE: WebSocket\r\nConnection: x, Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n{extra}\r\n",
            handshake.accept
        )
    }

    #[test]
    fn the_key_is_answered_as_the_rfc_says() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn the_request_names_the_gateway_and_its_token() {
        let mut handshake = handshake();
        let text = String::from_utf8(handshake.unsent().to_vec()).expect("ASCII");
        assert!(text.starts_with("GET /gateway/pi-4 HTTP/1.1\r\nHost: [::1]:8443\r\n"), "{text}");
        assert!(text.ends_with("Authorization: Bearer secret\r\n\r\n"));
        handshake.sent(text.len());
        assert!(handshake.unsent().is_empty());
        let url = CpUrl::read("wss://h", "g").expect("a URL");
        assert!(Handshake::new(&url, "a\r\nb").is_err());
    }

    #[test]
    fn an_answer_in_pieces_gives_what_follows_it() {
        let mut handshake = handshake();
        let text = answer(&handshake, "") + "\u{81}";
        let (last, before) = text.as_bytes().split_last().expect("bytes");
        for byte in before.iter().take(before.len() - 2) {
            assert_eq!(handshake.receive(&[*byte]), Ok(None));
        }
        let end = before.get(before.len() - 2..).expect("two bytes");
        assert_eq!(handshake.receive(&[end, &[*last]].concat()), Ok(Some(vec![0xc2, 0x81])));
    }

    #[test]
    fn other_answers_are_told_apart() {
        let refused = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n";
        assert_eq!(handshake().receive(refused.as_bytes()), Err(Ending::Status(503, Some(7))));
        let old = b"HTTP/1.1 401 No\r\nRetry-After: tomorrow\r\n\r\n";
        assert_eq!(handshake().receive(old), Err(Ending::Status(401, None)));
        let mut wrong = vec!["SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "x".repeat(100)];
        let fresh = handshake();
        wrong.push(answer(&fresh, "").replace(&fresh.accept, "AAAA"));
        wrong.push(answer(&fresh, "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
        wrong.push(format!("HTTP/1.1 101 A\r\nX: {}", "y".repeat(UPGRADE_HEAD_BYTES)));
        for text in wrong {
            let mut handshake = Handshake { accept: fresh.accept.clone(), ..handshake() };
            let outcome = handshake.receive(text.as_bytes());
            assert!(matches!(outcome, Err(Ending::Failed(_))), "{text:.40} {outcome:?}");
        }
    }
}
