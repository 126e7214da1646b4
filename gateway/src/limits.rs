//! Every bound of the gateway that is not part of the contract, with its unit and reason.

/// Monotonic milliseconds since the process started; every state machine takes its clock as this.
pub type Ms = u64;

/// Under load, output waits this many milliseconds for a fuller frame.
pub const BATCH_MS: Ms = 20;

/// Output below this many bytes in a batching period is no load: it leaves at once, so that the
/// echo of a keystroke is never held back.
pub const LIGHT_BYTES: usize = 4 * 1024;

/// Output that waits for a slow reader, in milliseconds of its own speed: what is older than that
/// when it arrives is worth less than the present screen.
pub const BACKLOG_MS: Ms = 750;

/// … but at least this many bytes: a screen full of colours.
pub const BACKLOG_BYTES: u64 = 64 * 1024;

/// What the snapshot after a lag may cost a slow reader, in milliseconds of its own speed.
pub const RECOVERY_MS: Ms = 300;

/// … but at least this many bytes: a screen.
pub const RECOVERY_BYTES: usize = 24 * 1024;

/// Bytes that a row of history is taken for when that bounds how many are asked for.
pub const HISTORY_ROW_BYTES: usize = 64;

/// Longest pause after a snapshot for a slow reader that does not ack it.
pub const HOLD_MS: Ms = 2_000;

/// `seq` is promised to tmux in steps of this many bytes before it is sent beyond.
pub const SEQ_STEP: u64 = 1024 * 1024;

/// After this long without an attach a flood is paused in tmux, and listened to again after as long.
pub const PAUSE_AFTER_MS: Ms = 60_000;

/// Bytes in that time that are a flood; agents at work print less.
pub const PAUSE_BYTES: usize = 4 * 1024 * 1024;

/// Bells and notifications within this time are one: programs send both.
pub const ATTENTION_MERGE_MS: Ms = 300;

/// The same words, or more words of the same kind, are told again only after this long.
pub const ATTENTION_AGAIN_MS: Ms = 10_000;

/// Output that goes on for this long after the last key is an agent's work, not an echo.
pub const ATTENTION_WORK_MS: Ms = 3_000;

/// An agent that worked waits for a person when it was quiet for this long. Their spinners turn
/// several times a second.
pub const ATTENTION_QUIET_MS: Ms = 10_000;

/// Bytes of a notification that comes in parts.
pub const NOTICE_PARTS_BYTES: usize = 1024;

/// Notifications between two reads of output that are looked at.
pub const NOTICES_PER_READ: usize = 8;

/// Longest notice of `chatcode-gateway notify`, in bytes: a title of four-byte characters.
pub const NOTICE_BYTES: usize = 1100;

/// Notices that are read before the loop turns to the others.
pub const NOTICES_PER_TURN: usize = 64;

/// An unused ring gives its memory back after this long.
pub const RING_IDLE_MS: Ms = 10_000;

/// Answers to attach and snapshot requests that may wait in one session.
pub const MAX_WAITING_ANSWERS: usize = 64;

/// Events that may wait at places of one session's stream.
pub const MAX_MARKS: usize = 256;

/// Resizes of one session in any second; the last one is always applied.
pub const RESIZES_PER_SECOND: u64 = 5;

/// Panes of one session whose modes are kept while another is shown.
pub const MAX_PANES: usize = 16;

/// Bytes in one `send-keys -H`: tmux takes quadratic time in the number of arguments.
pub const KEYS_PER_COMMAND: usize = 64;

/// Commands to tmux that may be unanswered before input waits its turn.
pub const TMUX_COMMANDS_IN_FLIGHT: usize = 64;

/// Longest line of control mode that is not output. Replies to captures are rows of cells; a row
/// of 1,000 cells with every attribute changing stays below this.
pub const CONTROL_LINE_BYTES: usize = 256 * 1024;

/// Reply bytes of one command to tmux: 10,000 lines of coloured text.
pub const CONTROL_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// Snapshots above this many bytes lose their hyperlinks, which can be hundred times the text.
pub const SNAPSHOT_LINKS_BYTES: usize = 64 * 1024;

/// Bytes of a snapshot that its screens may take: the contract's limit less room for modes, tab
/// stops, a title and an unfinished sequence.
pub const SCREENS_BYTES: usize = protocol::limits::SNAPSHOT_BYTES - 32 * 1024;

/// Longest escape sequence that the mode tracker keeps as unfinished.
pub const UNFINISHED_BYTES: usize = 4 * 1024;

/// Longest title that is kept, in bytes.
pub const TITLE_BYTES: usize = 1024;

/// The tracker's state is mirrored into tmux after this long without a change.
pub const MIRROR_QUIET_MS: Ms = 100;

/// … and at the latest after this long, while it keeps changing.
pub const MIRROR_LATEST_MS: Ms = 1_000;

/// Bytes read from one pipe or socket before the loop turns to the others: a flood in one session
/// delays a keystroke's echo in another by the time that this many bytes take.
pub const READ_TURN_BYTES: usize = 64 * 1024;

/// Size of one read, in bytes. One buffer serves the whole loop.
pub const READ_BYTES: usize = 64 * 1024;

/// Frames sent for one session before the others have their turn.
pub const FRAMES_PER_TURN: usize = 4;

/// Unordered messages that may wait for the link; above it the link's commands are not read.
pub const OUTBOX_MESSAGES: usize = 256;

/// Bytes that tungstenite may hold when the peer does not read, beyond its one message.
pub const LINK_WRITE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Connect, TLS and upgrade together.
pub const CONNECT_MS: Ms = 10_000;

/// Head of the answer to the upgrade, in bytes.
pub const UPGRADE_HEAD_BYTES: usize = 16 * 1024;

/// Silence after which the gateway asks whether the link lives.
pub const PING_AFTER_MS: Ms = 25_000;

/// … and how long it waits for any byte.
pub const PONG_WITHIN_MS: Ms = 10_000;

/// First ceiling of the random delay between attempts; it doubles to [`BACKOFF_MAX_MS`].
pub const BACKOFF_BASE_MS: Ms = 1_000;

/// Largest ceiling of the delay between attempts.
pub const BACKOFF_MAX_MS: Ms = 30_000;

/// Smallest delay between attempts.
pub const BACKOFF_MIN_MS: Ms = 100;

/// A link that lived this long resets the delay.
pub const LINK_GOOD_MS: Ms = 10_000;

/// … and so does one that got this many bytes acknowledged.
pub const LINK_GOOD_BYTES: u64 = 64 * 1024;

/// Delay after 401, 403 and close 4001: a token does not become good by asking often.
pub const REFUSED_MS: Ms = 300_000;

/// Delay after close 4002, so that two gateways with one id do not chase each other.
pub const REPLACED_MS: Ms = 60_000;

/// Longest Retry-After that is honoured.
pub const RETRY_AFTER_MAX_MS: Ms = 300_000;

/// A difference between wall clock and monotonic clock that means the machine slept.
pub const SLEEP_JUMP_MS: Ms = 5_000;

/// Default of `GATEWAY_HEALTH_INTERVAL`, in seconds.
pub const HEALTH_SECONDS: u64 = 30;

/// While nobody watches, health is sent at most this often.
pub const HEALTH_UNWATCHED_MS: Ms = 3_600_000;

/// Default of `GATEWAY_MAX_SESSIONS`.
pub const DEFAULT_SESSIONS: usize = 5;

/// After a session came or went, health is told at once, but at most this often.
pub const HEALTH_CHANGE_MS: Ms = 1_000;

/// Largest `GATEWAY_SESSION_MEMORY`, in MiB: more than any machine has.
pub const MAX_SESSION_MIB: u64 = 16 * 1024 * 1024;

/// A child process that answers nothing for this long is killed.
pub const CHILD_MS: Ms = 7_000;

/// … and when it was tmux that did not answer it, tmux is asked again after this long.
pub const PROBE_AGAIN_MS: Ms = 2_000;

/// A child that was told to leave is killed after this long.
pub const CLOSING_MS: Ms = 2_000;

/// What a child process says and nobody has heard yet, in bytes: the longest event.
pub const CHILD_OUTPUT_BYTES: usize = protocol::limits::MAX_TEXT_BYTES;

/// Commands of the control plane that children carry out at once.
pub const MAX_SERVICES: usize = 8;

/// Times that a new session is asked of a tmux server that is just ending, and the pause between
/// two: together far longer than a server takes to end, far shorter than a command may take.
pub const CREATE_TRIES: u32 = 10;

/// See [`CREATE_TRIES`].
pub const CREATE_AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// Levels of folders beneath the workspace that are listed.
pub const FOLDER_DEPTH: usize = 3;

/// An agent's installation takes minutes on a small machine with a slow line; then it is stuck.
pub const INSTALL_MS: Ms = 900_000;

/// … and so is one that prints nothing and writes nothing for this long.
pub const INSTALL_QUIET_MS: Ms = 300_000;

/// Its last line is told at most this often.
pub const INSTALL_PROGRESS_MS: Ms = 1_000;

/// An agent that does not tell its version within this is listed without one. With it, the whole
/// list is ready before [`CHILD_MS`].
pub const VERSION_MS: Ms = 5_000;

/// … and just installed, when nothing of it is in memory yet.
pub const VERSION_FIRST_MS: Ms = 60_000;

/// Addresses of a host that are tried in turn.
pub const MAX_ADDRESSES: usize = 8;

/// Seconds of silence after which systemd starts the gateway again. It is told of life twice as
/// often, which is one wake-up a minute.
pub const WATCHDOG_SECONDS: u64 = 120;

/// How long a service manager may take to forget a service that was told to leave: what the service
/// has to end, and some.
pub const SERVICE_GONE: std::time::Duration = std::time::Duration::from_secs(15);

/// Time between two looks whether it has.
pub const SERVICE_GONE_LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// Configuration file size in bytes.
pub const CONFIG_BYTES: u64 = 64 * 1024;

/// A second between two `session.error` events of one session and code.
pub const ERROR_EVERY_MS: Ms = 1_000;

/// `session.end` looks this often whether the processes are gone, in milliseconds.
pub const END_POLL_MS: u64 = 500;

/// Polls before the processes are killed: 3 s.
pub const END_POLLS: u32 = 6;

/// Sessions that are not here and are complained about within one [`ERROR_EVERY_MS`].
pub const MAX_STRANGERS: usize = 64;

/// A control client that has not attached after this long is not waited for any more.
pub const ATTACH_MS: Ms = 3_000;

/// Default of `GATEWAY_UPDATE_CONFIRM_SECONDS`: a new version is confirmed when its link lived for
/// so many seconds and the control plane has spoken.
pub const UPDATE_CONFIRM_SECONDS: u64 = 30;

/// Default of `GATEWAY_UPDATE_LINK_SECONDS`: a new version that has no link after so many seconds
/// gives way to the one before it. Several attempts at the longest back-off.
pub const UPDATE_LINK_SECONDS: u64 = 300;

/// Default of `GATEWAY_UPDATE_DOWNLOAD_SECONDS`: a whole binary at 28 KB/s.
pub const UPDATE_DOWNLOAD_SECONDS: u64 = 600;

/// An update's server that sends nothing for so many milliseconds is given up.
pub const UPDATE_SILENCE_MS: u64 = 30_000;

/// Redirects of one download: an object store behind a release page needs two.
pub const UPDATE_REDIRECTS: usize = 5;

/// Bytes of a response's head: signed addresses of object stores are long.
pub const UPDATE_HEAD_BYTES: usize = 16 * 1024;

/// Header fields of a response.
pub const UPDATE_HEADERS: usize = 64;

/// The new binary's own test: reading a configuration and asking tmux for its version, on a small
/// machine under load.
pub const SELF_TEST_MS: u64 = 20_000;

/// Bytes of what the self-test says.
pub const SELF_TEST_BYTES: usize = 4 * 1024;

/// What an update's child may take beyond its download and self-test: hashing and syncing 16 MiB.
pub const UPDATE_MARGIN_MS: Ms = 120_000;

/// Before the gateway becomes its new version, it waits so long for children at work: a little
/// longer than [`CHILD_MS`].
pub const RESTART_MS: Ms = 8_000;

/// Bytes of the record of an update.
pub const UPDATE_RECORD_BYTES: u64 = 4 * 1024;
