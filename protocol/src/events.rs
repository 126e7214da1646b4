//! Events: what a gateway tells the control plane, and the control plane the browsers.

use crate::message::{Read, message, messages};

messages! {
    /// An event's payload.
    Event {
        "ack" => Ack,
        "gateway.hello" => GatewayHello,
        "gateway.health" => GatewayHealth,
        "gateway.offline" => GatewayOffline,
        "gateway.updated" => GatewayUpdated,
        "gateway.update_failed" => GatewayUpdateFailed,
        "session.started" => SessionStarted,
        "session.ended" => SessionEnded,
        "session.error" => SessionError,
        "session.replay" => SessionReplay,
        "session.snapshot" => SessionSnapshot,
        "session.resized" => SessionResized,
        "session.pane" => SessionPane,
        "session.lagged" => SessionLagged,
        "session.attention" => SessionAttention,
        "ssh.keys" => SshKeys,
        "file.content.begin" => FileContentBegin,
        "file.content.end" => FileContentEnd,
        "file.ack" => FileAck,
        "file.error" => FileError,
        "agents.status" => AgentsStatus,
        "agent.install_progress" => AgentInstallProgress,
        "agent.installed" => AgentInstalled,
        "agent.install_failed" => AgentInstallFailed,
        "workspace.folders" => WorkspaceFolders,
    }
}

/// Reads an event that a gateway made. `None` when it is none of this contract.
pub fn decode(text: &str) -> Option<(Option<String>, Event)> {
    let head = crate::envelope::peek(text)?;
    if head.schema_version.as_deref() != Some(crate::SCHEMA_VERSION) {
        return None;
    }
    match Event::read(head.kind.as_deref()?, text) {
        Read::Message(event) => Some((head.request_id, event)),
        Read::WrongShape | Read::UnknownName => None,
    }
}

message! {
    /// Why a command failed.
    AckError {
        /// One of [`crate::envelope::codes`].
        code: String,
        /// What was tried, with what, and what to do.
        message: String,
    }
}

message! {
    /// Ends a command.
    Ack {
        /// Whether it was carried out or accepted.
        ok: bool,
        /// Present when not ok.
        error: Option<AckError>,
    }
}

message! {
    /// What the machine is.
    SystemInfo {
        /// `linux` or `macos`.
        os: String,
        /// As Rust names it: `x86_64`, `aarch64`, `arm`.
        arch: String,
        /// Logical processors.
        cpus: u32,
        /// Bytes.
        ram_total_bytes: u64,
        /// Bytes of the workspace's file system.
        disk_total_bytes: u64,
        /// As `tmux -V` prints it, without the word tmux; absent when tmux is missing.
        tmux_version: Option<String>,
        /// The triple that the gateway was compiled for.
        target: Option<String>,
    }
}

message! {
    /// A session that the gateway keeps.
    HelloSession {
        /// The session.
        session_id: u32,
        /// Offset of the next output byte.
        seq: u32,
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    }
}

message! {
    /// The first frame on every connection.
    GatewayHello {
        /// The gateway.
        gateway_id: String,
        /// The gateway's own version.
        version: String,
        /// The machine's name.
        hostname: String,
        /// The bearer, before enrolment.
        bootstrap_token: Option<String>,
        /// The machine.
        system_info: SystemInfo,
        /// What it keeps.
        sessions: Vec<HelloSession>,
        /// Sessions that it allows at once.
        max_sessions: Option<u32>,
    }
}

message! {
    /// A session's last sign of life.
    HealthSession {
        /// The session.
        session_id: u32,
        /// Milliseconds since the Unix epoch of its last input or output.
        last_activity_at: u64,
        /// Memory of its processes together; absent when not measured.
        memory_bytes: Option<u64>,
    }
}

message! {
    /// How the machine is.
    GatewayHealth {
        /// Milliseconds since the Unix epoch.
        timestamp: u64,
        /// Of all processors together, 0–100, since the last health event.
        cpu_percent: f64,
        /// Bytes.
        ram_used_bytes: u64,
        /// Bytes.
        ram_total_bytes: u64,
        /// Bytes of the workspace's file system.
        disk_used_bytes: u64,
        /// Bytes of the workspace's file system.
        disk_total_bytes: u64,
        /// Seconds since the machine started.
        uptime_seconds: u64,
        /// Milliseconds since the Unix epoch of the last input or output of any session.
        last_activity_at: Option<u64>,
        /// Each session.
        sessions: Vec<HealthSession>,
    }
}

message! {
    /// Made by the control plane for browsers: the gateway's connection is gone.
    GatewayOffline {
        /// The gateway.
        gateway_id: String,
    }
}

message! {
    /// The new binary runs.
    GatewayUpdated {
        /// Its version.
        version: String,
    }
}

message! {
    /// The old binary runs.
    GatewayUpdateFailed {
        /// What stopped the update.
        code: String,
        /// What was tried, with what.
        message: String,
    }
}

message! {
    /// A session runs.
    SessionStarted {
        /// The session.
        session_id: u32,
        /// Process id of its first process.
        pid: u32,
    }
}

message! {
    /// A session is gone; comes after its last output byte, exactly once.
    SessionEnded {
        /// The session.
        session_id: u32,
        /// The first process's exit code.
        exit_code: Option<i32>,
        /// The signal that killed it.
        signal: Option<i32>,
        /// `exited`, `ended`, `killed`, `out_of_memory` or `lost`.
        reason: String,
    }
}

message! {
    /// A fire-and-forget command failed.
    SessionError {
        /// The session.
        session_id: u32,
        /// One of [`crate::envelope::codes`].
        code: String,
        /// What was tried, with what, and what to do.
        message: String,
    }
}

message! {
    /// Bytes missed since an attach's `resume_seq`.
    SessionReplay {
        /// The session.
        session_id: u32,
        /// Offset of the first byte; equal to `resume_seq`.
        from_seq: u32,
        /// Base64 bytes, possibly none.
        data: String,
    }
}

message! {
    /// Bytes that bring an empty terminal to the present screen.
    SessionSnapshot {
        /// The session.
        session_id: u32,
        /// Offset of the next live byte.
        seq: u32,
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
        /// Base64 bytes; they begin with a full reset.
        data: String,
        /// Whether the alternate screen is shown.
        alternate_on: bool,
        /// Column of the cursor, from 0.
        cursor_x: u32,
        /// Row of the cursor, from 0.
        cursor_y: u32,
        /// Whether the cursor is shown.
        cursor_visible: bool,
        /// History lines in `data`.
        history_lines: u32,
        /// Whether older history was left out to fit.
        truncated: bool,
    }
}

message! {
    /// The size changed at this place of the stream.
    SessionResized {
        /// The session.
        session_id: u32,
        /// Offset of the next live byte.
        seq: u32,
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    }
}

message! {
    /// Which of the session's panes is shown from this place of the stream on.
    SessionPane {
        /// The session.
        session_id: u32,
        /// Offset of the next live byte.
        seq: u32,
        /// Its number, from 1, over all windows of the session.
        pane: u32,
        /// How many there are.
        panes: u32,
    }
}

message! {
    /// Output was dropped for a slow reader; a snapshot follows.
    SessionLagged {
        /// The session.
        session_id: u32,
        /// First byte that was not sent.
        seq: u32,
    }
}

message! {
    /// The session wants a person.
    SessionAttention {
        /// The session.
        session_id: u32,
        /// What made it so.
        reason: String,
        /// The program's own words.
        title: Option<String>,
    }
}

message! {
    /// A key that may log in.
    SshKey {
        /// As `ssh-keygen -lf` prints it.
        fingerprint: String,
        /// What people call it.
        label: String,
        /// Unix time in seconds.
        expires_at: Option<u64>,
    }
}

message! {
    /// The keys that the gateway manages.
    SshKeys {
        /// Each key.
        keys: Vec<SshKey>,
    }
}

message! {
    /// A download starts.
    FileContentBegin {
        /// The transfer.
        transfer_id: u32,
        /// Bytes.
        size: u64,
        /// Unix permission bits.
        mode: u32,
        /// Unix time in seconds.
        mtime: u64,
    }
}

message! {
    /// A download is complete.
    FileContentEnd {
        /// The transfer.
        transfer_id: u32,
        /// Lower-case hex digest of the whole file.
        sha256: String,
    }
}

message! {
    /// Cumulative acknowledgement of an upload's chunks.
    FileAck {
        /// The transfer.
        transfer_id: u32,
        /// Next chunk expected.
        seq: u32,
    }
}

message! {
    /// A transfer failed.
    FileError {
        /// The transfer.
        transfer_id: u32,
        /// One of [`crate::envelope::codes`].
        code: String,
        /// What was tried, with what, and what to do.
        message: String,
    }
}

message! {
    /// An agent's state on this machine.
    AgentState {
        /// Wire name.
        agent: String,
        /// Whether its program was found.
        installed: bool,
        /// As its program prints it.
        version: Option<String>,
    }
}

message! {
    /// The agents' states.
    AgentsStatus {
        /// Each agent.
        agents: Vec<AgentState>,
    }
}

message! {
    /// An installation goes on.
    AgentInstallProgress {
        /// Wire name.
        agent: String,
        /// The installer's last words.
        message: String,
    }
}

message! {
    /// An installation succeeded.
    AgentInstalled {
        /// Wire name.
        agent: String,
        /// As its program prints it.
        version: Option<String>,
    }
}

message! {
    /// An installation failed.
    AgentInstallFailed {
        /// Wire name.
        agent: String,
        /// The installer's last lines.
        message: String,
    }
}

message! {
    /// The workspace's folders.
    WorkspaceFolders {
        /// Paths relative to the workspace.
        folders: Vec<String>,
    }
}
