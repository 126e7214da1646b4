//! What browsers say to the hub and what the hub says to them, apart from gateway events.

use miniserde::Deserialize;
use protocol::BASE64;
use protocol::Engine as _;
use serde_json::{Value, json};

/// What a page calls itself, the same through reloads and lost connections.
pub type PageId = u64;

/// Hexadecimal digits of a page's id.
const PAGE_DIGITS: usize = 16;

fn page_id(text: &str) -> Option<PageId> {
    let is_plain = text.len() == PAGE_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_plain.then(|| PageId::from_str_radix(text, 16).ok())?
}

/// A text message of a viewer.
#[derive(Debug, PartialEq)]
pub enum ViewerMessage {
    /// Asks for the stream, from `resume_seq` or from a snapshot.
    Attach {
        /// Next byte that the viewer needs, if it has seen the stream before.
        resume_seq: Option<u32>,
        /// History lines of a snapshot.
        history_lines: Option<u32>,
        /// The page's own id.
        page: Option<PageId>,
    },
    /// Keystrokes.
    Input {
        /// Base64 bytes.
        data: String,
    },
    /// Pasted text.
    Paste {
        /// Base64 bytes.
        data: String,
        /// Chosen by the page; the answer carries it.
        request_id: String,
    },
    /// A new terminal size.
    Resize {
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    },
    /// The colours of the viewer's terminal.
    Colors {
        /// Of plain text: `#rrggbb`.
        foreground: String,
        /// Behind plain text: `#rrggbb`.
        background: String,
    },
    /// Whether a person looks at the page.
    Focus {
        /// Whether it has the focus now.
        on: bool,
    },
    /// Next byte that the viewer's terminal has not parsed.
    Ack {
        /// Offset modulo 2³².
        seq: u32,
    },
    /// Asks for control.
    Take,
    /// Gives control back.
    Release,
}

/// The fields of all of a viewer's messages.
#[derive(Deserialize)]
struct Fields {
    r#type: String,
    resume_seq: Option<u32>,
    history_lines: Option<u32>,
    page: Option<String>,
    data: Option<String>,
    request_id: Option<String>,
    cols: Option<u32>,
    rows: Option<u32>,
    foreground: Option<String>,
    background: Option<String>,
    on: Option<bool>,
    seq: Option<u32>,
}

impl ViewerMessage {
    /// Reads a message; `None` when it is none of a viewer's.
    pub fn read(text: &str) -> Option<Self> {
        let fields: Fields = miniserde::json::from_str(text).ok()?;
        Some(match fields.r#type.as_str() {
            "viewer.attach" => {
                let Fields { resume_seq, history_lines, page, .. } = fields;
                Self::Attach { resume_seq, history_lines, page: page.as_deref().and_then(page_id) }
            }
            "session.input" => Self::Input { data: fields.data? },
            "session.paste" => Self::Paste { data: fields.data?, request_id: fields.request_id? },
            "session.resize" => Self::Resize { cols: fields.cols?, rows: fields.rows? },
            "session.colors" => {
                Self::Colors { foreground: fields.foreground?, background: fields.background? }
            }
            "viewer.focus" => Self::Focus { on: fields.on? },
            "session.ack" => Self::Ack { seq: fields.seq? },
            "control.take" => Self::Take,
            "control.release" => Self::Release,
            _ => return None,
        })
    }
}

/// How the socket stands, sent on every change.
#[derive(Clone, Debug, PartialEq)]
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
        let Self { state, control, viewers, gateway } = self;
        let fields = json!({
            "state": state, "control": control, "viewers": viewers, "gateway": gateway,
        });
        tagged("viewer.state", fields)
    }
}

fn tagged(kind: &'static str, mut message: Value) -> String {
    if let Some(fields) = message.as_object_mut() {
        fields.insert("type".to_owned(), kind.into());
        fields.insert("schema_version".to_owned(), protocol::SCHEMA_VERSION.into());
    }
    message.to_string()
}

/// `error {code, message}`.
pub fn error(code: &str, message: &str) -> String {
    tagged("error", json!({ "code": code, "message": message }))
}

/// Tells watchers to read the list of sessions again.
pub fn sessions_changed() -> String {
    tagged("sessions.changed", json!({}))
}

/// Tells watchers that a session prints more than anybody reads.
pub fn runaway(session_id: u32, bytes_per_second: u64) -> String {
    let fields = json!({ "session_id": session_id, "bytes_per_second": bytes_per_second });
    tagged("session.runaway", fields)
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
        let attach = ViewerMessage::read(r#"{"type":"viewer.attach","schema_version":"1"}"#);
        let nothing = ViewerMessage::Attach { resume_seq: None, history_lines: None, page: None };
        assert_eq!(attach, Some(nothing));
        let ack = ViewerMessage::read(r#"{"seq":4294967295,"type":"session.ack"}"#);
        assert_eq!(ack, Some(ViewerMessage::Ack { seq: u32::MAX }));
        for foreign in [
            "",
            "null",
            "[]",
            r#"{"seq":1}"#,
            r#"{"type":"session.ack"}"#,
            r#"{"type":"session.ack","seq":null}"#,
            r#"{"type":"session.ack","seq":-1}"#,
            r#"{"type":"session.ack","seq":4294967296}"#,
            r#"{"type":"session.ack","seq":"1"}"#,
            r#"{"type":"session.ack","seq":1} x"#,
            r#"{"type":"gateway.hello"}"#,
        ] {
            assert_eq!(ViewerMessage::read(foreign), None, "{foreign}");
        }
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
            r#"{"code":"malformed","message":"no","schema_version":"1","type":"error"}"#
        );
        assert_eq!(sessions_changed(), r#"{"schema_version":"1","type":"sessions.changed"}"#);
    }
}
