//! The fields that every text message shares, read leniently before its payload is.

use miniserde::de::{Map, Seq, Visitor};
use miniserde::{Deserialize, Result, make_place};

/// Codes of `ack.error`, `session.error`, `file.error` and of the browser's `error`.
pub mod codes {
    /// The gateway does not know the command.
    pub const UNKNOWN_COMMAND: &str = "unknown_command";
    /// The command is known here, its work comes with a later version.
    pub const UNSUPPORTED: &str = "unsupported";
    /// Fields are missing, of a wrong type or out of range.
    pub const INVALID_PAYLOAD: &str = "invalid_payload";
    /// Another `schema_version`.
    pub const UNSUPPORTED_VERSION: &str = "unsupported_version";
    /// No such session.
    pub const UNKNOWN_SESSION: &str = "unknown_session";
    /// The session id is taken.
    pub const SESSION_EXISTS: &str = "session_exists";
    /// As many sessions as the gateway keeps.
    pub const SESSION_LIMIT: &str = "session_limit";
    /// No agent of that name.
    pub const UNKNOWN_AGENT: &str = "unknown_agent";
    /// The folder is not beneath the workspace or cannot be made.
    pub const BAD_WORKDIR: &str = "bad_workdir";
    /// Columns or rows out of range.
    pub const BAD_SIZE: &str = "bad_size";
    /// The program does not read and the pending input is full.
    pub const INPUT_FULL: &str = "input_full";
    /// tmux refused or vanished.
    pub const TMUX_FAILED: &str = "tmux_failed";
    /// The session was detached before the answer.
    pub const DETACHED: &str = "detached";
    /// The work was not done in time.
    pub const TIMED_OUT: &str = "timed_out";
    /// Reading or writing a file failed.
    pub const IO: &str = "io";
    /// As much of this work as the gateway does at once is under way.
    pub const BUSY: &str = "busy";
    /// The path leaves the workspace, goes through a link, or names a folder.
    pub const BAD_PATH: &str = "bad_path";
    /// No such file.
    pub const NOT_FOUND: &str = "not_found";
    /// The file system does not let the gateway's user do it.
    pub const PERMISSION_DENIED: &str = "permission_denied";
    /// The file system is full.
    pub const DISK_FULL: &str = "disk_full";
    /// More bytes than the contract allows.
    pub const TOO_LARGE: &str = "too_large";
    /// As many transfers as the gateway carries at once.
    pub const TRANSFER_LIMIT: &str = "transfer_limit";
    /// The transfer id is taken.
    pub const TRANSFER_EXISTS: &str = "transfer_exists";
    /// No such transfer.
    pub const UNKNOWN_TRANSFER: &str = "unknown_transfer";
    /// A chunk out of turn, of the wrong size, or beyond what was announced.
    pub const BAD_CHUNK: &str = "bad_chunk";
    /// The digest is another one than was announced.
    pub const BAD_CHECKSUM: &str = "bad_checksum";
    /// The file changed while it was read.
    pub const FILE_CHANGED: &str = "file_changed";
    /// It was cancelled.
    pub const CANCELLED: &str = "cancelled";
    /// The text is no public key that the host may be given.
    pub const BAD_KEY: &str = "bad_key";
    /// As many keys as the gateway keeps.
    pub const KEY_LIMIT: &str = "key_limit";
    /// The label is longer than allowed or has control characters.
    pub const BAD_LABEL: &str = "bad_label";
    /// No key of that fingerprint that the gateway added.
    pub const UNKNOWN_KEY: &str = "unknown_key";
    /// The expiry lies in the past or the host's sshd cannot enforce one.
    pub const BAD_EXPIRY: &str = "bad_expiry";
    /// The manifest is not what the contract says.
    pub const BAD_MANIFEST: &str = "bad_manifest";
    /// The signature is not by the key that this gateway trusts, or not of these bytes.
    pub const BAD_SIGNATURE: &str = "bad_signature";
    /// The version is not newer than the one that runs.
    pub const NOT_NEWER: &str = "not_newer";
    /// The one that runs is older than the versions that this one may replace.
    pub const TOO_OLD: &str = "too_old";
    /// The binary is for another kind of machine.
    pub const WRONG_TARGET: &str = "wrong_target";
    /// The binary could not be fetched as the manifest describes it.
    pub const DOWNLOAD_FAILED: &str = "download_failed";
    /// The new binary did not pass its own test.
    pub const SELF_TEST_FAILED: &str = "self_test_failed";
    /// The new binary ran, was not confirmed, and the one before it is back.
    pub const ROLLED_BACK: &str = "rolled_back";
}

/// Reasons of `session.attention`.
pub mod attention {
    /// The terminal's bell.
    pub const BELL: &str = "bell";
    /// A program asked for a notification.
    pub const NOTIFICATION: &str = "notification";
    /// An agent worked and has become quiet.
    pub const WAITING: &str = "waiting";
}

/// The shared fields of a message. What is missing or of another type is `None`.
#[derive(Debug, Default, PartialEq, Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: Lenient,
    schema_version: Lenient,
    request_id: Lenient,
    session_id: Lenient,
    seq: Lenient,
}

/// The shared fields of a message, as far as they can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The message's name.
    pub kind: Option<String>,
    /// The contract's version.
    pub schema_version: Option<String>,
    /// 1–64 bytes; anything else counts as absent.
    pub request_id: Option<String>,
    /// The session it is about.
    pub session_id: Option<u32>,
    /// A position in the session's stream.
    pub seq: Option<u32>,
}

/// Reads the shared fields and skips the rest without building it. `None` if `text` is no object.
pub fn peek(text: &str) -> Option<Head> {
    let raw: Raw = miniserde::json::from_str(text).ok()?;
    let request_id = raw
        .request_id
        .text()
        .filter(|id| (1..=crate::limits::REQUEST_ID_BYTES).contains(&id.len()));
    Some(Head {
        kind: raw.kind.text(),
        schema_version: raw.schema_version.text(),
        request_id,
        session_id: raw.session_id.number(),
        seq: raw.seq.number(),
    })
}

/// A scalar of any type; containers are skipped.
#[derive(Debug, Default, PartialEq)]
enum Lenient {
    Text(String),
    Number(u64),
    #[default]
    Other,
}

impl Lenient {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(self) -> Option<u32> {
        match self {
            Self::Number(number) => u32::try_from(number).ok(),
            _ => None,
        }
    }
}

make_place!(Place);

impl Deserialize for Lenient {
    fn begin(out: &mut Option<Self>) -> &mut dyn Visitor {
        Place::new(out)
    }

    fn default() -> Option<Self> {
        Some(Self::Other)
    }
}

impl Place<Lenient> {
    fn put(&mut self, value: Lenient) -> Result<()> {
        self.out = Some(value);
        Ok(())
    }
}

impl Visitor for Place<Lenient> {
    fn null(&mut self) -> Result<()> {
        self.put(Lenient::Other)
    }

    fn boolean(&mut self, _: bool) -> Result<()> {
        self.put(Lenient::Other)
    }

    fn string(&mut self, text: &str) -> Result<()> {
        self.put(Lenient::Text(text.to_owned()))
    }

    fn negative(&mut self, _: i64) -> Result<()> {
        self.put(Lenient::Other)
    }

    fn nonnegative(&mut self, number: u64) -> Result<()> {
        self.put(Lenient::Number(number))
    }

    fn float(&mut self, _: f64) -> Result<()> {
        self.put(Lenient::Other)
    }

    fn seq(&mut self) -> Result<Box<dyn Seq + '_>> {
        self.put(Lenient::Other)?;
        Ok(Box::new(Skip))
    }

    fn map(&mut self) -> Result<Box<dyn Map + '_>> {
        self.put(Lenient::Other)?;
        Ok(Box::new(Skip))
    }
}

/// Skips a container.
struct Skip;

impl Seq for Skip {
    fn element(&mut self) -> Result<&mut dyn Visitor> {
        Ok(<dyn Visitor>::ignore())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Map for Skip {
    fn key(&mut self, _: &str) -> Result<&mut dyn Visitor> {
        Ok(<dyn Visitor>::ignore())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_wrong_type_count_as_absent() {
        let head =
            peek(r#"{"type":"ack","request_id":[1,{"a":2}],"seq":-1,"session_id":4294967296}"#)
                .expect("an object");
        assert_eq!(head, Head { kind: Some("ack".into()), ..Head::default() });
    }
}
