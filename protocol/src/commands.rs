//! Commands: what the control plane asks of a gateway.

use crate::message::{Read, message, messages};
use std::collections::BTreeMap;

messages! {
    /// A command's payload.
    Command {
        "session.create" => SessionCreate,
        "session.attach" => SessionAttach,
        "session.detach" => SessionDetach,
        "session.input" => SessionInput,
        "session.paste" => SessionPaste,
        "session.resize" => SessionResize,
        "session.colors" => SessionColors,
        "session.ack" => SessionAck,
        "session.snapshot" => SessionSnapshotRequest,
        "session.end" => SessionEnd,
        "ssh.authorize" => SshAuthorize,
        "ssh.revoke" => SshRevoke,
        "ssh.list" => SshList,
        "file.upload.begin" => FileUploadBegin,
        "file.upload.end" => FileUploadEnd,
        "file.download" => FileDownload,
        "file.ack" => FileAckCommand,
        "file.cancel" => FileCancel,
        "agents.list" => AgentsList,
        "agents.install" => AgentsInstall,
        "workspace.list" => WorkspaceList,
        "gateway.update" => GatewayUpdate,
        "gateway.watch" => GatewayWatch,
        "gateway.credentials" => GatewayCredentials,
    }
}

impl Command {
    /// Whether the command is fire-and-forget: never acked, its `request_id` optional.
    pub fn is_unacked(name: &str) -> bool {
        matches!(
            name,
            "session.input" | "session.ack" | "session.resize" | "session.colors" | "file.ack"
        )
    }
}

/// The agents that a session can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Agent {
    ClaudeCode,
    Codex,
    Gemini,
    Opencode,
    /// A plain login shell.
    None,
}

impl Agent {
    /// The agent called `name` on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "claude-code" => Self::ClaudeCode,
            "codex" => Self::Codex,
            "gemini" => Self::Gemini,
            "opencode" => Self::Opencode,
            "none" => Self::None,
            _ => return None,
        })
    }

    /// The program that starts the agent; `None` for a plain shell.
    pub fn program(self) -> Option<&'static str> {
        Some(match self {
            Self::ClaudeCode => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Opencode => "opencode",
            Self::None => return None,
        })
    }
}

message! {
    /// What a person wants added to the agents' instruction files.
    AgentConfig {
        /// Text for `CLAUDE.md`.
        claude_md: Option<String>,
        /// Text for `AGENTS.md`.
        agents_md: Option<String>,
    }
}

message! {
    /// Starts a session.
    SessionCreate {
        /// Unique per gateway, at least 1, chosen by the control plane.
        session_id: u32,
        /// What people call it.
        name: String,
        /// Folder, relative to the workspace or absolute beneath it.
        workdir: String,
        /// Wire name of an [`Agent`].
        agent: String,
        /// Additions to the instruction files.
        agent_config: Option<AgentConfig>,
        /// Variables for the session's processes.
        env: Option<BTreeMap<String, String>>,
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    }
}

message! {
    /// Makes output flow, from `resume_seq` or from a snapshot.
    SessionAttach {
        /// The session.
        session_id: u32,
        /// Next byte that the asker needs, if it has seen the stream before.
        resume_seq: Option<u32>,
        /// History lines of a snapshot.
        history_lines: Option<u32>,
    }
}

message! {
    /// No viewer is left; output stops.
    SessionDetach {
        /// The session.
        session_id: u32,
    }
}

message! {
    /// Keystrokes.
    SessionInput {
        /// The session.
        session_id: u32,
        /// Base64 bytes.
        data: String,
    }
}

message! {
    /// Pasted text, bracketed if the program asked for it.
    SessionPaste {
        /// The session.
        session_id: u32,
        /// Base64 bytes.
        data: String,
    }
}

message! {
    /// A new terminal size.
    SessionResize {
        /// The session.
        session_id: u32,
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    }
}

message! {
    /// The colours of the controller's terminal, which programs ask for by OSC 10 and OSC 11.
    SessionColors {
        /// The session.
        session_id: u32,
        /// Of plain text: `#rrggbb`.
        foreground: String,
        /// Behind plain text: `#rrggbb`.
        background: String,
    }
}

message! {
    /// Cumulative acknowledgement of output.
    SessionAck {
        /// The session.
        session_id: u32,
        /// Next byte expected.
        seq: u32,
    }
}

message! {
    /// Asks for a snapshot without touching the live stream.
    SessionSnapshotRequest {
        /// The session.
        session_id: u32,
        /// History lines of the snapshot.
        history_lines: Option<u32>,
    }
}

message! {
    /// Ends a session with all its processes.
    SessionEnd {
        /// The session.
        session_id: u32,
    }
}

message! {
    /// Adds an SSH key.
    SshAuthorize {
        /// One line in the form of a `.pub` file.
        public_key: String,
        /// What people call it.
        label: String,
        /// Unix time in seconds after which the host refuses the key.
        expires_at: Option<u64>,
    }
}

message! {
    /// Removes an SSH key.
    SshRevoke {
        /// As `ssh-keygen -lf` prints it.
        fingerprint: String,
    }
}

message! {
    /// Asks for the SSH keys.
    SshList {}
}

message! {
    /// Starts an upload; chunks follow as binary frames.
    FileUploadBegin {
        /// Chosen by the control plane.
        transfer_id: u32,
        /// Whose workdir the path is relative to; the workspace when absent.
        session_id: Option<u32>,
        /// Where the file goes.
        dest_path: String,
        /// Bytes.
        size: u64,
    }
}

message! {
    /// Closes an upload.
    FileUploadEnd {
        /// The transfer.
        transfer_id: u32,
        /// Lower-case hex digest of the whole file.
        sha256: String,
    }
}

message! {
    /// Asks for a file.
    FileDownload {
        /// Chosen by the control plane.
        transfer_id: u32,
        /// Whose workdir the path is relative to; the workspace when absent.
        session_id: Option<u32>,
        /// The file.
        path: String,
    }
}

message! {
    /// Cumulative acknowledgement of a download's chunks.
    FileAckCommand {
        /// The transfer.
        transfer_id: u32,
        /// Next chunk expected.
        seq: u32,
    }
}

message! {
    /// Ends a transfer early.
    FileCancel {
        /// The transfer.
        transfer_id: u32,
    }
}

message! {
    /// Asks which agents are installed.
    AgentsList {}
}

message! {
    /// Installs an agent.
    AgentsInstall {
        /// Wire name of an [`Agent`].
        agent: String,
    }
}

message! {
    /// Asks for the workspace's folders.
    WorkspaceList {}
}

message! {
    /// Replaces the gateway's binary.
    GatewayUpdate {
        /// The exact bytes of the JSON manifest.
        manifest: String,
        /// Minisign signature over them.
        signature: String,
    }
}

message! {
    /// Turns health events on or off.
    GatewayWatch {
        /// Whether somebody watches.
        on: bool,
    }
}

message! {
    /// The gateway's own token, after enrolment by bootstrap token.
    GatewayCredentials {
        /// The bearer of every later connection.
        auth_token: String,
    }
}

/// What a text frame from the control plane came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// A command to carry out.
    Command {
        /// Present unless the command is fire-and-forget.
        request_id: Option<String>,
        /// Its payload.
        command: Command,
    },
    /// To be answered with `ack ok=false`.
    Refused {
        /// Whose ack it is.
        request_id: String,
        /// One of [`crate::envelope::codes`].
        code: &'static str,
        /// What was wrong.
        message: String,
    },
    /// To be counted, logged and dropped: there is nobody to answer.
    Dropped(&'static str),
}

/// Reads a text frame from the control plane. Never panics, whatever the text.
pub fn decode(text: &str) -> Incoming {
    use crate::envelope::{codes, peek};
    let Some(head) = peek(text) else { return Incoming::Dropped("not a JSON object") };
    let Some(name) = head.kind else { return Incoming::Dropped("no type") };
    let unacked = Command::is_unacked(&name);
    let refuse = |code, message| match &head.request_id {
        Some(request_id) if !unacked => {
            Incoming::Refused { request_id: request_id.clone(), code, message }
        }
        _ => Incoming::Dropped("malformed, and nobody to answer"),
    };
    if head.schema_version.as_deref() != Some(crate::SCHEMA_VERSION) {
        return refuse(codes::UNSUPPORTED_VERSION, "schema_version must be \"1\"".to_owned());
    }
    match Command::read(&name, text) {
        Read::Message(command) if unacked || head.request_id.is_some() => {
            Incoming::Command { request_id: head.request_id, command }
        }
        Read::Message(_) => Incoming::Dropped("no request_id"),
        Read::WrongShape => {
            refuse(codes::INVALID_PAYLOAD, format!("{name}: fields missing or of a wrong type"))
        }
        Read::UnknownName => {
            refuse(codes::UNKNOWN_COMMAND, "this gateway does not know the command".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_code(text: &str) -> &'static str {
        match decode(text) {
            Incoming::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn absent_fields_are_left_out_and_read_back() {
        let attach = SessionAttach { session_id: 7, resume_seq: None, history_lines: Some(5) };
        let text = Command::from(attach.clone()).to_json(Some("r1"));
        assert_eq!(
            text,
            r#"{"type":"session.attach","schema_version":"1","request_id":"r1","session_id":7,"history_lines":5}"#
        );
        assert_eq!(
            decode(&text),
            Incoming::Command { request_id: Some("r1".into()), command: attach.into() }
        );
    }

    #[test]
    fn wrong_commands_are_refused_by_code() {
        assert_eq!(
            refused_code(r#"{"type":"session.fly","schema_version":"1","request_id":"a"}"#),
            "unknown_command"
        );
        assert_eq!(
            refused_code(r#"{"type":"session.end","schema_version":"1","request_id":"a"}"#),
            "invalid_payload"
        );
        assert_eq!(
            refused_code(r#"{"type":"session.end","schema_version":2,"request_id":"a"}"#),
            "unsupported_version"
        );
        let negative =
            r#"{"type":"session.end","schema_version":"1","request_id":"a","session_id":-1}"#;
        assert_eq!(refused_code(negative), "invalid_payload");
    }

    #[test]
    fn text_that_nobody_can_be_told_about_is_dropped() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "[]", "null", "{\"type\":3}", &deep] {
            assert!(matches!(decode(text), Incoming::Dropped(_)), "{text:.20}");
        }
        let long = "x".repeat(65);
        let text = format!(r#"{{"type":"ssh.list","schema_version":"1","request_id":"{long}"}}"#);
        assert!(matches!(decode(&text), Incoming::Dropped(_)));
    }

    #[test]
    fn unknown_fields_of_any_shape_are_ignored() {
        let text = r#"{"zz":[{"a":[1,2,{}]}],"type":"ssh.list","schema_version":"1","request_id":"a","b":{"c":null}}"#;
        assert!(matches!(decode(text), Incoming::Command { .. }));
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let text =
            format!(r#"{{"type":"ssh.list","schema_version":"1","request_id":"a","zz":{deep}}}"#);
        assert!(matches!(decode(&text), Incoming::Command { .. }));
    }
}
