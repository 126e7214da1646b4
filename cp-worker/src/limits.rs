//! Every bound of the control plane that is not already part of the contract.

/// A viewer is paused when it has this many windows of credit unacknowledged: the gateway keeps one
/// for the fastest, so that a viewer which alone holds the stream back is not paused. One that is
/// less than half as fast as another gets a single one.
pub const VIEWER_WINDOWS: u64 = 2;

/// What a slow viewer may spend on the history of its new beginning, in milliseconds of its speed.
pub const RECOVERY_MS: u64 = 500;

/// … but at least this many lines: a few screens.
pub const RECOVERY_LINES: u32 = 120;

/// Bytes that a row of history is taken for: a hundred cells with some colour, in base64.
pub const RECOVERY_ROW_BYTES: u64 = 200;

/// Bytes after which the hub acks to the gateway at once.
pub const ACK_BYTES: u32 = 64 * 1024;

/// Milliseconds between two acks of fewer bytes than [`ACK_BYTES`].
pub const ACK_INTERVAL_MS: u64 = 100;

/// Milliseconds after which positions are written to the sockets' attachments.
pub const SAVE_INTERVAL_MS: u64 = 100;

/// Milliseconds that a command waits for its ack; the gateway promises 8 s.
pub const COMMAND_TIMEOUT_MS: u64 = 10_000;

/// Commands that may wait for their acks at the same time.
pub const MAX_PENDING: usize = 256;

/// Jobs of a hub that may wait for the database: many times what the sessions of a server make, as
/// a record takes the place of those that it makes void.
pub const MAX_JOBS: usize = 512;

/// Milliseconds without any movement after which a transfer ends: a phone that changes its network
/// is back by then, and one that is gone does not hold one of few places for the whole deadline.
pub const FILE_STALL_MS: u64 = 30_000;

/// Milliseconds for which the body of a refused upload is still read: most senders look for the
/// answer only when they have sent all, and lose it when they are cut off.
pub const DRAIN_MS: u64 = 5_000;

/// Bytes that such a read takes at once.
pub const DRAIN_BYTES: u32 = 64 * 1024;

/// Seconds for which the deployment's support may log in after its owner said so: 24 hours.
pub const SUPPORT_KEY_SECONDS: u64 = 24 * 3_600;

/// Snapshots that a viewer may have been sent without confirming one; each is up to 1.4 MB.
pub const UNCONFIRMED_SNAPSHOTS: u8 = 2;

/// Milliseconds after hello in which a gateway reports ends; what is then missing is lost.
pub const RECONCILE_MS: u64 = 5_000;

/// Sessions that a gateway may name within that time; it keeps at most 50.
pub const KNOWN_SESSIONS: usize = 1_000;

/// Milliseconds without any sign of life after which a browser's socket is closed.
pub const BROWSER_SILENCE_MS: u64 = 600_000;

/// Milliseconds without any sign of life after which a gateway's socket is closed: three pings.
pub const GATEWAY_SILENCE_MS: u64 = 90_000;

/// Milliseconds without any sign of life after which nobody is taken to look at a page that said
/// it has the focus: two pings, and time for the second one to arrive.
pub const FOCUS_SILENCE_MS: u64 = 60_000;

/// Milliseconds between two looks for silent sockets, while browsers are connected.
pub const SWEEP_INTERVAL_MS: u64 = 600_000;

/// Milliseconds over which the hub counts what passes it: long enough to be read as a rate.
pub const METER_WINDOW_MS: u64 = 60_000;

/// Milliseconds of a slot: the steps in which that window moves.
pub const METER_SLOT_MS: u64 = 5_000;

/// Bytes a second of output above which a session may be a runaway: no program that somebody
/// reads prints that much, and at 16 KiB a frame it is 32 messages a second that are paid for.
pub const RUNAWAY_BYTES_PER_SECOND: u64 = 512 * 1024;

/// Milliseconds that a session must print so much without a pause to be reported as a runaway: a
/// build or a `cat` of something large is over by then.
pub const RUNAWAY_MS: u64 = 60_000;

/// Milliseconds between two samples of a machine's health that are kept.
pub const HISTORY_INTERVAL_MS: u64 = 300_000;

/// Samples of a machine's health that are kept: those of 24 hours.
pub const HISTORY_SAMPLES: u64 = 288;

/// Milliseconds by which a session's last activity must have moved to be written again: each write
/// costs, and nobody reads it to the second.
pub const ACTIVITY_STEP_MS: u64 = 60_000;

/// Milliseconds without activity after which a session is shown as archived: 24 hours.
pub const ARCHIVE_MS: u64 = 24 * 3_600_000;

/// Milliseconds without activity after which a connected server is called idle: 24 hours.
pub const IDLE_MS: u64 = 24 * 3_600_000;

/// Sessions at once of a gateway that does not say how many it allows: its default.
pub const DEFAULT_SESSIONS: u32 = 5;

/// Ended sessions that are remembered for each server; older ones are forgotten.
pub const KEPT_ENDED: u32 = 200;

/// Seconds for which the newest release is not asked for again.
pub const RELEASE_SECONDS: u64 = 600;

/// … and for which it is not when there is none: the shortest time that KV knows.
pub const NO_RELEASE_SECONDS: u64 = 60;

/// Browser sockets of one gateway.
pub const MAX_BROWSERS: usize = 64;

/// Largest request body of the HTTP API in bytes.
pub const BODY_BYTES: usize = 64 * 1024;

/// Longest reason of `session.attention` in bytes, as the contract bounds every code.
pub const REASON_BYTES: usize = 64;

/// Longest folder name in bytes (`PATH_MAX`).
pub const WORKDIR_BYTES: usize = 4096;

/// Longest e-mail address in bytes (RFC 5321).
pub const EMAIL_BYTES: usize = 254;

/// Servers of one user.
pub const MAX_SERVERS: u32 = 50;

/// Milliseconds without use after which a browser is signed out: 30 days.
pub const SIGN_IN_MS: u64 = 30 * 24 * 3_600_000;

/// Milliseconds after which it is signed out however it is used: a year. Browsers keep cookies for
/// 400 days.
pub const SIGN_IN_MAX_MS: u64 = 365 * 24 * 3_600_000;

/// Milliseconds between two notes of a sign-in's use: an hour, so that requests are not writes.
pub const SIGN_IN_SEEN_MS: u64 = 3_600_000;

/// Sign-ins of one user; a further one ends the one that was not used for longest.
pub const MAX_SIGN_INS: u32 = 100;

/// Longest `User-Agent` that is kept, in characters: enough to tell one's browsers apart.
pub const USER_AGENT_CHARS: usize = 256;

/// Milliseconds for which a mailed link signs in: 10 minutes, as long as slow mail takes.
pub const LINK_MS: u64 = 600_000;

/// Milliseconds over which attempts are counted: an hour.
pub const ATTEMPT_WINDOW_MS: u64 = 3_600_000;

/// Milliseconds in which a person must come back from a provider: 10 minutes, for those who look
/// for their second factor.
pub const OAUTH_STATE_MS: u64 = 600_000;

/// Milliseconds in which a new server must enrol: an hour, for slow cloud-init runs.
pub const BOOTSTRAP_MS: u64 = 3_600_000;

/// Milliseconds in which the API of somebody else must have answered: longer than any of them
/// takes on a bad day, shorter than a person waits for a page.
pub const OUTBOUND_MS: u32 = 10_000;

/// Largest answer of such an API in bytes: lists of a few hundred things.
pub const OUTBOUND_BYTES: usize = 512 * 1024;

/// Mails that the outbox of development keeps.
pub const OUTBOX_MAILS: usize = 20;

/// Seconds for which it keeps them: a day.
pub const OUTBOX_SECONDS: u64 = 24 * 3_600;

/// Bytes of randomness in a token.
pub const TOKEN_BYTES: usize = 32;

/// Shortest secret binding in bytes.
pub const SECRET_BYTES: usize = 32;

/// Browser close code: not signed in.
pub const CLOSE_NOT_SIGNED_IN: u16 = 4401;

/// Browser close code: no such server or session.
pub const CLOSE_NOT_FOUND: u16 = 4404;

/// Browser close code: no heartbeat.
pub const CLOSE_SILENT: u16 = 4408;

/// Browser close code: the session has ended.
pub const CLOSE_ENDED: u16 = 4409;

/// Droplets of one user: what a person works on, and far from what a slip could cost them.
pub const MAX_DROPLETS: u32 = 5;

/// Milliseconds in which a new droplet's gateway must say hello.
pub const PROVISIONING_MS: u64 = 600_000;

/// Milliseconds in which a droplet must be on or off.
pub const POWER_MS: u64 = 600_000;

/// Milliseconds that a machine gets to go down by itself before the plug is pulled.
pub const POWER_GRACE_MS: u64 = 90_000;

/// Milliseconds after a request to DigitalOcean in which a droplet may be there without being listed
/// or known by its number; longer than our request may take together with its delay.
pub const SETTLE_MS: u64 = 120_000;

/// Milliseconds between two looks at a droplet that is about to change; the cron comes less often.
pub const LOOK_MS: u64 = 5_000;

/// Milliseconds between two looks at a droplet that is off, or on without its gateway connected.
pub const REST_MS: u64 = 600_000;

/// Milliseconds to wait after DigitalOcean's first failure; it doubles with each further one …
pub const BACKOFF_MIN_MS: u64 = 30_000;

/// … up to a quarter of an hour.
pub const BACKOFF_MAX_MS: u64 = 900_000;

/// Characters of a sentence of DigitalOcean's that are kept.
pub const CLOUD_SENTENCE_CHARS: usize = 300;

/// Longest token of DigitalOcean's in bytes; theirs have 71.
pub const GRANT_BYTES: usize = 1024;

/// Droplets that a run of the cron looks at: each takes up to five statements and two requests, and
/// a free plan allows 50 of both in a run.
pub const LOOKS_PER_RUN: u32 = 8;

/// Calls to DigitalOcean that one look at a droplet may lead to.
pub const CALLS_PER_LOOK: u32 = 4;

/// Notices of idle servers that a run of the cron sends.
pub const NOTICES_PER_RUN: u32 = 5;

/// Milliseconds before the end of a grant at which it is renewed: a day of thirty.
pub const REFRESH_AHEAD_MS: u64 = 24 * 3_600_000;

/// Milliseconds for which whoever renews a grant does so alone: longer than its request may take.
pub const REFRESH_LEASE_MS: u64 = 30_000;

/// Milliseconds that others wait for it …
pub const REFRESH_WAIT_MS: u64 = 12_000;

/// … and between two looks whether it is done.
pub const REFRESH_POLL_MS: u64 = 200;

/// Seconds for which an account's regions, sizes and prices are kept.
pub const OPTIONS_SECONDS: u64 = 300;
