//! Messages of every type as Rust makes them: each once with all fields, once with the fewest.

use protocol::commands::*;
use protocol::events::*;
use std::collections::BTreeMap;

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const FINGERPRINT: &str = "SHA256:uNiVztksCsDhcc0u9e8BrrtAdvlsfX92XW6PT21rPQQ";

/// One of two values: the fewest fields, or all.
#[derive(Clone, Copy)]
pub enum Fill {
    Fewest,
    All,
}

impl Fill {
    /// An optional field's value.
    fn some<T>(self, value: T) -> Option<T> {
        match self {
            Self::Fewest => None,
            Self::All => Some(value),
        }
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// Every command.
pub fn commands(fill: Fill) -> Vec<Command> {
    let (session_id, transfer_id) = (7, u32::MAX);
    let agent_config =
        AgentConfig { claude_md: fill.some(text("a\n")), agents_md: fill.some(text("b\n")) };
    let env = BTreeMap::from([(text("LANG"), text("C.UTF-8"))]);
    vec![
        SessionCreate {
            session_id,
            name: text("naïve 名前"),
            workdir: text("shop"),
            agent: text("claude-code"),
            agent_config: fill.some(agent_config),
            env: fill.some(env),
            cols: 1,
            rows: 1000,
        }
        .into(),
        SessionAttach {
            session_id,
            resume_seq: fill.some(u32::MAX),
            history_lines: fill.some(10_000),
        }
        .into(),
        SessionDetach { session_id }.into(),
        SessionInput { session_id, data: text("bHMK") }.into(),
        SessionPaste { session_id, data: text("bA==") }.into(),
        SessionResize { session_id, cols: 1000, rows: 1 }.into(),
        SessionColors { session_id, foreground: "#ffffff".into(), background: "#0b0d10".into() }
            .into(),
        SessionAck { session_id, seq: u32::MAX }.into(),
        SessionSnapshotRequest { session_id, history_lines: fill.some(0) }.into(),
        SessionEnd { session_id }.into(),
        SshAuthorize {
            public_key: text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ana@laptop"),
            label: text("laptop"),
            expires_at: fill.some(1_767_312_000),
        }
        .into(),
        SshRevoke { fingerprint: text(FINGERPRINT) }.into(),
        SshList {}.into(),
        FileUploadBegin {
            transfer_id,
            session_id: fill.some(session_id),
            dest_path: text("a b/logo.png"),
            size: 20 * 1024 * 1024,
        }
        .into(),
        FileUploadEnd { transfer_id, sha256: text(SHA256) }.into(),
        FileDownload { transfer_id, session_id: fill.some(session_id), path: text("x") }.into(),
        FileAckCommand { transfer_id, seq: 4 }.into(),
        FileCancel { transfer_id }.into(),
        AgentsList {}.into(),
        AgentsInstall { agent: text("opencode") }.into(),
        WorkspaceList {}.into(),
        GatewayUpdate { manifest: text(r#"{"version":"0.2.0"}"#), signature: text("RWQ=\n") }
            .into(),
        GatewayWatch { on: true }.into(),
        GatewayCredentials { auth_token: text("gwt_q83vEjRWeJA") }.into(),
    ]
}

/// Every event.
pub fn events(fill: Fill) -> Vec<Event> {
    let mut events = gateway_events(fill);
    events.extend(session_events(fill));
    events.extend(other_events(fill));
    events
}

fn gateway_events(fill: Fill) -> Vec<Event> {
    let (version, gateway_id) = (text("0.1.0"), text("gw_4f2a"));
    let error = AckError { code: text("io"), message: text("disk full") };
    let system_info = SystemInfo {
        os: text("linux"),
        arch: text("x86_64"),
        cpus: 2,
        ram_total_bytes: 1 << 31,
        disk_total_bytes: 1 << 42,
        tmux_version: fill.some(text("3.3a")),
        target: fill.some(text("aarch64-unknown-linux-musl")),
    };
    vec![
        Ack { ok: matches!(fill, Fill::Fewest), error: fill.some(error) }.into(),
        GatewayHello {
            gateway_id: gateway_id.clone(),
            version: version.clone(),
            hostname: text("pi"),
            bootstrap_token: fill.some(text("bt_3q2-7w")),
            system_info,
            sessions: vec![HelloSession { session_id: 7, seq: u32::MAX, cols: 80, rows: 24 }],
            max_sessions: fill.some(5),
        }
        .into(),
        GatewayHealth {
            timestamp: 1_767_225_600_000,
            cpu_percent: 0.1 + 0.2,
            ram_used_bytes: 1,
            ram_total_bytes: 1 << 31,
            disk_used_bytes: 0,
            disk_total_bytes: (1 << 53) - 1,
            uptime_seconds: 0,
            last_activity_at: fill.some(1_767_225_590_000),
            sessions: vec![HealthSession {
                session_id: 7,
                last_activity_at: 1_767_225_590_000,
                memory_bytes: fill.some(1 << 28),
            }],
        }
        .into(),
        GatewayOffline { gateway_id }.into(),
        GatewayUpdated { version }.into(),
        GatewayUpdateFailed { code: text("bad_signature"), message: text("…") }.into(),
    ]
}

fn session_events(fill: Fill) -> Vec<Event> {
    let (session_id, seq, cols, rows) = (u32::MAX, u32::MAX, 80, 24);
    vec![
        SessionStarted { session_id, pid: 1 }.into(),
        SessionEnded {
            session_id,
            exit_code: fill.some(255),
            signal: fill.some(9),
            reason: text("out_of_memory"),
        }
        .into(),
        SessionError { session_id, code: text("input_full"), message: text("") }.into(),
        SessionReplay { session_id, from_seq: seq, data: text("") }.into(),
        SessionSnapshot {
            session_id,
            seq,
            cols,
            rows,
            data: text("G2M="),
            alternate_on: true,
            cursor_x: 80,
            cursor_y: 23,
            cursor_visible: false,
            history_lines: 10_000,
            truncated: true,
        }
        .into(),
        SessionResized { session_id, seq, cols, rows }.into(),
        SessionPane { session_id, seq, pane: 2, panes: 3 }.into(),
        SessionLagged { session_id, seq }.into(),
        SessionAttention { session_id, reason: text("bell"), title: fill.some(text("!")) }.into(),
    ]
}

fn other_events(fill: Fill) -> Vec<Event> {
    let (transfer_id, agent) = (0, text("gemini"));
    let key = SshKey {
        fingerprint: text(FINGERPRINT),
        label: text("laptop"),
        expires_at: fill.some(1_767_312_000),
    };
    let state = AgentState { agent: agent.clone(), installed: true, version: fill.some(text("1")) };
    vec![
        SshKeys { keys: vec![key] }.into(),
        FileContentBegin { transfer_id, size: 0, mode: 0o7777, mtime: 1_767_225_600 }.into(),
        FileContentEnd { transfer_id, sha256: text(SHA256) }.into(),
        FileAck { transfer_id, seq: 0 }.into(),
        FileError { transfer_id, code: text("io"), message: text("disk full") }.into(),
        AgentsStatus { agents: vec![state] }.into(),
        AgentInstallProgress { agent: agent.clone(), message: text("\u{1b}[1m") }.into(),
        AgentInstalled { agent: agent.clone(), version: fill.some(text("1")) }.into(),
        AgentInstallFailed { agent, message: text("no npm") }.into(),
        WorkspaceFolders { folders: vec![text("shop")] }.into(),
    ]
}
