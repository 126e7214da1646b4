//! Every bound that is part of the contract, with its unit and reason.

/// Largest text frame in bytes, both directions. Holds a 1 MiB snapshot in base64 with room.
pub const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// Largest file chunk payload in bytes; every chunk but the last has exactly this size.
pub const FILE_CHUNK_BYTES: usize = 128 * 1024;

/// Largest binary frame in bytes: a file chunk and its header.
pub const MAX_BINARY_BYTES: usize = FILE_CHUNK_BYTES + crate::frame::HEADER_BYTES;

/// Largest payload in bytes of one terminal output frame.
pub const OUTPUT_FRAME_BYTES: usize = 16 * 1024;

/// Credit: payload bytes of one session that may be sent and not yet acknowledged.
pub const OUTPUT_WINDOW: u64 = 256 * 1024;

/// Largest `session.replay` in bytes, decoded. It counts against credit, so it fits the window.
pub const REPLAY_BYTES: usize = 256 * 1024;

/// Largest `session.snapshot` in bytes, decoded. Longer ones lose their oldest history.
pub const SNAPSHOT_BYTES: usize = 1024 * 1024;

/// Output bytes that a session's ring keeps unsent before the latest wins.
pub const RING_BYTES: usize = 1024 * 1024;

/// Unacknowledged bytes at or below which a lagging session gets its recovery snapshot.
pub const LAG_RECOVERY_BYTES: u64 = 128 * 1024;

/// A jump of `seq` stays below this many bytes, so that serial comparison is never ambiguous.
pub const SEQ_JUMP_BYTES: u64 = 1 << 30;

/// Largest `session.paste` in bytes, decoded.
pub const PASTE_BYTES: usize = 1024 * 1024;

/// Largest `session.input` in bytes, decoded.
pub const INPUT_BYTES: usize = 48 * 1024;

/// Input bytes that may wait for a program that does not read.
pub const PENDING_INPUT_BYTES: usize = 256 * 1024;

/// Largest terminal size in columns and in rows; the smallest is 1.
pub const MAX_CELLS: u32 = 1000;

/// History lines of a snapshot when `history_lines` is missing.
pub const DEFAULT_HISTORY_LINES: u32 = 1_000;

/// Most history lines that a snapshot may ask for.
pub const MAX_HISTORY_LINES: u32 = 10_000;

/// Longest `request_id` in bytes; the shortest is 1.
pub const REQUEST_ID_BYTES: usize = 64;

/// Longest session name in characters.
pub const NAME_CHARS: usize = 64;

/// Session environment, keys and values together, in bytes.
pub const ENV_BYTES: usize = 32 * 1024;

/// Longest `gateway_id` in bytes; its alphabet is `[A-Za-z0-9_-]`.
pub const GATEWAY_ID_BYTES: usize = 64;

/// Longest title of `session.attention` in characters.
pub const ATTENTION_TITLE_CHARS: usize = 256;

/// Most sessions of one gateway, whatever its configuration says.
pub const MAX_SESSIONS: usize = 50;

/// Largest file of a transfer in bytes.
pub const FILE_BYTES: u64 = 20 * 1024 * 1024;

/// Chunks of one transfer that may be sent and not yet acknowledged.
pub const FILE_WINDOW_CHUNKS: u32 = 4;

/// Transfers of one gateway at once, both directions together.
pub const FILE_TRANSFERS: usize = 8;

/// Milliseconds that a transfer may take.
pub const FILE_DEADLINE_MS: u64 = 300_000;

/// Longest path in bytes (`PATH_MAX`).
pub const PATH_BYTES: usize = 4096;

/// Longest label of an SSH key in characters.
pub const KEY_LABEL_CHARS: usize = 64;

/// Longest public key line in bytes: RSA with 16,384 bits and a comment.
pub const PUBLIC_KEY_BYTES: usize = 4 * 1024;

/// Keys that the gateway manages at once.
pub const MAX_SSH_KEYS: usize = 100;

/// Folders that `workspace.folders` names.
pub const WORKSPACE_FOLDERS: usize = 1_000;

/// Longest update manifest and longest signature in bytes.
pub const MANIFEST_BYTES: usize = 4 * 1024;

/// Largest binary of an update in bytes.
pub const UPDATE_BYTES: u64 = 16 * 1024 * 1024;

/// Milliseconds within which every command is acked.
pub const ACK_DEADLINE_MS: u64 = 8_000;

/// Whether `id` is a well-formed gateway id.
pub fn is_gateway_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= GATEWAY_ID_BYTES
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether a terminal size is allowed.
pub fn is_terminal_size(cols: u32, rows: u32) -> bool {
    (1..=MAX_CELLS).contains(&cols) && (1..=MAX_CELLS).contains(&rows)
}
