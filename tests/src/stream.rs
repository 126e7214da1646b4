//! A session's output as one reader sees it: no gap, no duplicate, credit never exceeded.

use protocol::events::{Event, SessionEnded, SessionSnapshot};
use protocol::limits::OUTPUT_WINDOW;
use protocol::{BASE64, Engine as _, seq};
use std::time::Instant;

/// When the reader acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acking {
    /// Each time that this many bytes are unacknowledged; 1 acknowledges each frame.
    Every(u32),
    /// Not at all: a stalled reader.
    Never,
}

/// What a terminal must be fed, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Bytes of the program.
    Output(Vec<u8>),
    /// A full reset to a screen of this size, then these bytes.
    Reset {
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
        /// A snapshot's bytes.
        data: Vec<u8>,
    },
    /// The size changed here.
    Resized {
        /// Columns of cells.
        cols: u32,
        /// Rows of cells.
        rows: u32,
    },
}

/// An acknowledging reader of one session.
#[derive(Debug)]
pub struct Stream {
    session_id: u32,
    /// When it acknowledges.
    pub acking: Acking,
    /// Whether live output may come.
    pub attached: bool,
    /// Next byte expected; `None` before the first attach.
    pub next: Option<u32>,
    acked: u32,
    /// Most bytes that were ever unacknowledged.
    pub most_unacked: u64,
    /// Live and replayed bytes so far.
    pub total: u64,
    /// Live frames so far.
    pub frames: u64,
    /// When the last live frame came.
    pub last_at: Option<Instant>,
    /// Live and replayed bytes that nobody has consumed yet.
    pub unread: Vec<u8>,
    /// Whether [`Self::log`] is filled.
    pub keep_log: bool,
    /// What a terminal has not been fed yet.
    pub log: Vec<Item>,
    /// The request id of an attach on its way.
    pub attaching: Option<String>,
    lagged: bool,
    /// How often output was dropped.
    pub lags: u32,
    /// Every snapshot that set the stream's position.
    pub snapshots: Vec<SessionSnapshot>,
    /// Every replay's length in bytes.
    pub replays: Vec<usize>,
    /// Sizes told in the stream.
    pub sizes: Vec<(u32, u32)>,
    /// How the session ended.
    pub ended: Option<SessionEnded>,
}

impl Stream {
    /// A reader that acknowledges every frame.
    pub fn new(session_id: u32) -> Self {
        Self {
            session_id,
            acking: Acking::Every(1),
            attached: false,
            next: None,
            acked: 0,
            most_unacked: 0,
            total: 0,
            frames: 0,
            last_at: None,
            unread: Vec::new(),
            keep_log: false,
            log: Vec::new(),
            attaching: None,
            lagged: false,
            lags: 0,
            snapshots: Vec::new(),
            replays: Vec::new(),
            sizes: Vec::new(),
            ended: None,
        }
    }

    /// Takes a live frame. Returns the seq to acknowledge, if it is time.
    pub fn take_output(&mut self, at: Instant, from: u32, payload: &[u8]) -> Option<u32> {
        self.last_at = Some(at);
        self.frames += 1;
        let id = self.session_id;
        assert!(self.attached, "session {id}: output while detached");
        assert!(!self.lagged, "session {id}: output between lagged and its snapshot");
        assert!(self.ended.is_none(), "session {id}: output after its end");
        assert!(!payload.is_empty(), "session {id}: an empty frame");
        let next = self.next.expect("attached streams have a position");
        assert_eq!(
            from,
            next,
            "session {id}: a {} of {} bytes",
            if seq::is_before(next, from) { "gap" } else { "duplicate" },
            seq::distance(next, from).unsigned_abs()
        );
        self.append(payload);
        let unacked = self.unacked();
        self.most_unacked = self.most_unacked.max(unacked);
        assert!(
            unacked <= OUTPUT_WINDOW,
            "session {id}: {unacked} bytes unacknowledged, credit is {OUTPUT_WINDOW}"
        );
        match self.acking {
            Acking::Every(bytes) if unacked >= u64::from(bytes) => self.ack(),
            _ => None,
        }
    }

    /// Acknowledges all that came. Returns the seq, if there is anything new.
    pub fn ack(&mut self) -> Option<u32> {
        let next = self.next?;
        (next != self.acked).then(|| {
            self.acked = next;
            next
        })
    }

    /// Bytes that came and are not acknowledged.
    pub fn unacked(&self) -> u64 {
        let distance = seq::distance(self.acked, self.next.unwrap_or(self.acked));
        u64::try_from(distance).expect("acked is never ahead")
    }

    /// Takes an event of this session.
    pub fn take_event(&mut self, request_id: Option<&str>, event: &Event) {
        let attach = request_id.is_some() && request_id == self.attaching.as_deref();
        match event {
            Event::SessionReplay(replay) if attach && !self.attached => {
                let data = BASE64.decode(&replay.data).expect("base64");
                assert_eq!(Some(replay.from_seq), self.next, "a replay starts where asked");
                assert!(data.len() as u64 <= OUTPUT_WINDOW, "a replay fits into credit");
                self.attached = true;
                self.acked = replay.from_seq;
                self.replays.push(data.len());
                self.append(&data);
            }
            Event::SessionSnapshot(snapshot) if attach && !self.attached => {
                self.attached = true;
                self.reset_to(snapshot);
            }
            Event::SessionSnapshot(snapshot) if request_id.is_none() => {
                assert!(self.lagged, "a snapshot that nobody asked for follows a lag");
                self.lagged = false;
                self.reset_to(snapshot);
            }
            Event::SessionLagged(lagged) => {
                assert!(self.attached, "no lag while detached");
                assert!(!self.lagged, "a lag is told once");
                assert_eq!(Some(lagged.seq), self.next, "a lag starts after the last byte sent");
                self.lagged = true;
                self.lags += 1;
            }
            Event::SessionResized(resized) if self.attached => {
                assert_eq!(Some(resized.seq), self.next, "a resize has its place in the stream");
                self.sizes.push((resized.cols, resized.rows));
                self.record(Item::Resized { cols: resized.cols, rows: resized.rows });
            }
            Event::SessionEnded(ended) => {
                assert!(self.ended.is_none(), "a session ends once");
                self.ended = Some(ended.clone());
            }
            _ => {}
        }
    }

    fn reset_to(&mut self, snapshot: &SessionSnapshot) {
        if let Some(next) = self.next {
            assert!(!seq::is_before(snapshot.seq, next), "seq never goes back");
        }
        self.next = Some(snapshot.seq);
        self.acked = snapshot.seq;
        let data = BASE64.decode(&snapshot.data).expect("base64");
        self.record(Item::Reset { cols: snapshot.cols, rows: snapshot.rows, data });
        self.snapshots.push(snapshot.clone());
    }

    fn append(&mut self, bytes: &[u8]) {
        let next = self.next.expect("a position");
        self.next = Some(next.wrapping_add(u32::try_from(bytes.len()).expect("a frame")));
        self.total += bytes.len() as u64;
        self.unread.extend_from_slice(bytes);
        if !bytes.is_empty() {
            self.record(Item::Output(bytes.to_vec()));
        }
    }

    fn record(&mut self, item: Item) {
        if self.keep_log {
            self.log.push(item);
        }
    }

    /// Consumes the bytes up to and including `pattern`, if it has come.
    pub fn consume_through(&mut self, pattern: &[u8]) -> Option<Vec<u8>> {
        let end = find(&self.unread, pattern)? + pattern.len();
        Some(self.unread.drain(..end).collect())
    }
}

/// Where `pattern` first starts in `bytes`.
pub fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
