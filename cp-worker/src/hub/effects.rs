//! What the hub asks of its shell, what the database is to know, and why calls fail.

use super::history::Sample;
use super::{CallId, SocketId, Step, TransferId};
use miniserde::{Deserialize, Serialize};
use protocol::envelope::codes;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallError {
    /// One of the table in [`crate::status`].
    pub code: String,
    /// What was tried and what to do.
    pub message: String,
}

impl CallError {
    /// The code of [`CallError::too_many`].
    pub(super) const TOO_MANY: &str = "too_many_commands";

    pub(super) fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }

    /// The gateway is not connected.
    pub fn offline() -> Self {
        Self::new("gateway_offline", "the server is not connected; try again when it is back")
    }

    /// The hub was restarted while the command waited.
    pub fn interrupted() -> Self {
        Self::new("interrupted", "the connection was reset; look whether it happened")
    }

    /// The gateway acked a question without answering it.
    pub fn no_answer() -> Self {
        Self::new("no_answer", "the server did not say what it was asked; update its gateway")
    }

    pub(super) fn timed_out() -> Self {
        Self::new(codes::TIMED_OUT, "the server did not answer within 10 s")
    }

    pub(super) fn too_many() -> Self {
        Self::new(Self::TOO_MANY, "too many commands wait; try later")
    }
}

/// What the hub asks of its shell, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send text to the gateway.
    ToGateway(String),
    /// Send text to a browser.
    ToBrowser(SocketId, String),
    /// Send the message that is being handled to a browser, as it came.
    Pass(SocketId),
    /// Close the gateway's socket.
    CloseGateway(u16, &'static str),
    /// Close a browser's socket.
    CloseBrowser(SocketId, u16, &'static str),
    /// Keep this in the gateway socket's attachment.
    SaveGateway(String),
    /// Keep this in a browser socket's attachment.
    SaveBrowser(SocketId, String),
    /// Answer a call, after the records before it are written; with the event that the command
    /// asked for, as it came.
    Answer(CallId, Result<Option<String>, CallError>),
    /// Carry a transfer on.
    Transfer(TransferId, Step),
    /// Write to the database, in order.
    Record(Record),
    /// Keep how the machine was, unless a sample of these five minutes is kept.
    Sample(Sample),
    /// Write to the log that a session runs away, at so many bytes a second.
    Runaway(u32, u64),
    /// Make a token, keep its hash, then call [`Hub::enrol`].
    MakeToken,
}

/// What the database is to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The gateway is connected and is this.
    Hello {
        /// Its version.
        version: String,
        /// The machine's name.
        hostname: String,
        /// `system_info` as JSON.
        system_info: String,
        /// The sessions that it keeps.
        sessions: Vec<u32>,
        /// How many it allows at once, where it says so.
        max_sessions: Option<u32>,
    },
    /// How the gateway's machine is.
    Health {
        /// The health event as JSON.
        event: String,
        /// When each session was last active, in milliseconds since the Unix epoch.
        activity: Vec<(u32, u64)>,
    },
    /// The gateway's connection is gone.
    Offline,
    /// A session runs.
    Started(u32),
    /// A session has ended.
    Ended {
        /// The session.
        session_id: u32,
        /// As the contract names it.
        reason: String,
        /// The first process's exit code.
        exit_code: Option<i32>,
        /// The signal that killed it.
        signal: Option<i32>,
    },
    /// Sessions created before `before` (milliseconds) and not in `known` are lost.
    Lost {
        /// Sessions that the gateway has or had since its hello.
        known: Vec<u32>,
        /// When it said hello.
        before: u64,
    },
    /// A session wants a person.
    Attention {
        /// The session.
        session_id: u32,
        /// As the contract names it.
        reason: String,
        /// The program's own words.
        title: Option<String>,
    },
    /// A person looks at the session: it wants none any more.
    Attended(u32),
    /// The gateway has its own token: the bootstrap token is burnt.
    Enrolled,
}
