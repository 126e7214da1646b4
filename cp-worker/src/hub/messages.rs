//! What browsers say to the hub and what the hub says to them, apart from gateway events.

use protocol::BASE64;
use protocol::Engine as _;
use serde::{Deserialize, Serialize};

/// A text message of a viewer.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type")]
pub enum ViewerMessage {
    /// Asks for the stream, from `resume_seq` or from a snapshot.
    #[serde(rename = "viewer.attach")]
    Attach {
        /// Next byte that the viewer needs, if it has seen the stream before.
        resume_seq: Option<u32>,
        /// History lines of a snapshot.
        history_lines: Option<u32>,
    },
    /// Keystrokes.
    #[serde(rename = "session.input")]
    Input {
        /// Base64 bytes.
        data: String,
    },
    /// Pasted text.
    #[serde(rename = "session.paste")]
    Paste {
        /// Base64 bytes.
        data: String,
        /// Chosen by the page; the answer carries it.
        request_id: String,
    },
    /// A new terminal size.
    #[serde(rename = "session.resize")]
    Resize {
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    },
    /// The colours of the viewer's terminal.
    #[serde(rename = "session.colors")]
    Colors {
        /// Of plain text: `#rrggbb`.
        foreground: String,
        /// Behind plain text: `#rrggbb`.
        background: String,
    },
    /// Whether a person looks at the page.
    #[serde(rename = "viewer.focus")]
    Focus {
        /// Whether it has the focus now.
        on: bool,
    },
    /// Next byte that the viewer's terminal has not parsed.
    #[serde(rename = "session.ack")]
    Ack {
        /// Offset modulo 2³².
        seq: u32,
    },
    /// Asks for control.
    #[serde(rename = "control.take")]
    Take,
    /// Gives control back.
    #[serde(rename = "control.release")]
    Release,
}

/// How the socket stands, sent on every change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ViewerState {
    /// `awaiting`, `live` or `lagging`.
    pub state: &'static str,
    /// `you`, `other` or `none`.
    pub control: &'static str,
    /// Viewers of the session.
    pub viewers: usize,
    /// `online` or `offline`.
    pub gateway: &'static str,
}

impl ViewerState {
    /// The message.
    pub fn to_json(&self) -> String {
        tagged("viewer.state", self)
    }
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    r#type: &'static str,
    schema_version: &'static str,
    #[serde(flatten)]
    payload: &'a T,
}

fn tagged<T: Serialize>(kind: &'static str, payload: &T) -> String {
    let message = Tagged { r#type: kind, schema_version: protocol::SCHEMA_VERSION, payload };
    // Strings, numbers and structs always serialise.
    serde_json::to_string(&message).unwrap_or_default()
}

/// `error {code, message}`.
pub fn error(code: &str, message: &str) -> String {
    #[derive(Serialize)]
    struct Error<'a> {
        code: &'a str,
        message: &'a str,
    }
    tagged("error", &Error { code, message })
}

/// Tells watchers to read the list of sessions again.
pub fn sessions_changed() -> String {
    #[derive(Serialize)]
    struct Nothing {}
    tagged("sessions.changed", &Nothing {})
}

/// Tells watchers that a session prints more than anybody reads.
pub fn runaway(session_id: u32, bytes_per_second: u64) -> String {
    #[derive(Serialize)]
    struct Runaway {
        session_id: u32,
        bytes_per_second: u64,
    }
    tagged("session.runaway", &Runaway { session_id, bytes_per_second })
}

/// Bytes that well-formed base64 stands for, without decoding it.
pub fn encoded_len(data: &str) -> usize {
    data.trim_end_matches('=').len() * 3 / 4
}

/// Whether `text` is a colour of the contract: `#rrggbb` in lower case.
pub fn is_color(text: &str) -> bool {
    text.len() == 7
        && text.strip_prefix('#').is_some_and(|digits| {
            digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
}

/// Bytes that `data` decodes to; `None` when it is not base64.
pub fn decoded_len(data: &str) -> Option<usize> {
    BASE64.decode(data).ok().map(|bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_by_name() {
        let attach: ViewerMessage =
            serde_json::from_str(r#"{"type":"viewer.attach","schema_version":"1"}"#).unwrap();
        assert_eq!(attach, ViewerMessage::Attach { resume_seq: None, history_lines: None });
        assert!(serde_json::from_str::<ViewerMessage>(r#"{"type":"session.ack"}"#).is_err());
        assert!(serde_json::from_str::<ViewerMessage>(r#"{"type":"gateway.hello"}"#).is_err());
    }

    #[test]
    fn lengths_are_known_without_decoding() {
        for len in 0..10 {
            let data = BASE64.encode(vec![7; len]);
            assert_eq!((encoded_len(&data), decoded_len(&data)), (len, Some(len)));
        }
        assert_eq!(decoded_len("?"), None);
    }

    #[test]
    fn colours_are_six_digits_in_lower_case() {
        assert!(is_color("#0b0d10"));
        for bad in
            ["", "#", "#fff", "0b0d10f", "#0B0D10", "#0b0d1", "#0b0d101", "#ggggggg", "#é0000"]
        {
            assert!(!is_color(bad), "{bad}");
        }
    }

    #[test]
    fn answers_carry_the_version() {
        assert_eq!(
            error("malformed", "no"),
            r#"{"type":"error","schema_version":"1","code":"malformed","message":"no"}"#
        );
        assert_eq!(sessions_changed(), r#"{"type":"sessions.changed","schema_version":"1"}"#);
    }
}
