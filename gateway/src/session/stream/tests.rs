//! The stream's rules, one by one.

use super::*;
use protocol::frame::Frame;

/// A stream that is attached and may send anything, as after a snapshot at its beginning.
fn live() -> Stream {
    let mut stream = Stream::new(7, None);
    stream.snapshot_taken(0, 0);
    stream.bound_confirmed(u64::MAX);
    stream.greeted = true;
    stream
}

fn frames(stream: &mut Stream, now: Ms) -> Vec<(u32, usize)> {
    std::iter::from_fn(|| match stream.next(now)? {
        Out::Frame(bytes) => {
            let frame = Frame::decode(&bytes).expect("a frame");
            Some((frame.seq, frame.payload.len()))
        }
        other => panic!("{other:?}"),
    })
    .collect()
}

fn texts(stream: &mut Stream, now: Ms) -> Vec<String> {
    std::iter::from_fn(|| stream.next(now))
        .filter_map(|out| match out {
            Out::Text(text) | Out::Answer(_, text) => Some(text),
            Out::Frame(_) => None,
        })
        .collect()
}

#[test]
fn light_output_leaves_at_once_and_load_fills_frames() {
    let mut stream = live();
    for n in 0..10 {
        stream.push(b"key", 100 + n);
        assert_eq!(frames(&mut stream, 100 + n).len(), 1, "an echo is never held back");
    }
    stream.push(&[0; 5_000], 110);
    assert_eq!(frames(&mut stream, 110).len(), 1);
    stream.push(&[0; 5_000], 111);
    assert_eq!(frames(&mut stream, 111), []);
    assert_eq!(stream.deadline(true), Some(120));
    stream.push(&[0; 12_000], 112);
    assert_eq!(frames(&mut stream, 112), [(5_031, 16_384)]);
    assert_eq!(frames(&mut stream, 120), [(21_415, 616)]);
}

#[test]
fn credit_is_never_exceeded_and_acks_out_of_range_are_ignored() {
    let mut stream = live();
    stream.push(&vec![0; 600_000], 0);
    let sent: usize = frames(&mut stream, 0).iter().map(|(_, length)| length).sum();
    assert_eq!(sent as u64, OUTPUT_WINDOW);
    stream.ack(seq::narrow(1 + OUTPUT_WINDOW + 1), 0);
    stream.ack(0, 0);
    assert_eq!(stream.unacked(), OUTPUT_WINDOW);
    stream.ack(1 + 10_000, 0);
    let sent: usize = frames(&mut stream, 50).iter().map(|(_, length)| length).sum();
    assert_eq!((sent, stream.unacked()), (10_000, OUTPUT_WINDOW));
}

#[test]
fn a_full_ring_is_dropped_said_once_and_wants_a_snapshot_when_it_was_read() {
    let mut stream = live();
    stream.push(&vec![0; 300_000], 0);
    frames(&mut stream, 0);
    stream.push(&vec![0; RING_BYTES + 1], 1);
    stream.push(&vec![0; RING_BYTES + 1], 2);
    let said = texts(&mut stream, 3);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("session.lagged") && said[0].contains("\"seq\":262145"));
    assert!(!stream.wants_recovery(0));
    stream.ack(seq::narrow(1 + OUTPUT_WINDOW - LAG_RECOVERY_BYTES), 0);
    assert!(stream.wants_recovery(0));
    assert!(!stream.snapshot_taken(0, 0), "nothing flowed");
    stream.push(b"after", 4);
    assert_eq!(frames(&mut stream, 100), [(300_001 + 2 * (1 << 20) + 2, 5)]);
}

#[test]
fn a_lag_before_its_snapshot_was_sent_is_the_same_lag() {
    let mut stream = live();
    stream.push(&vec![0; 300_000], 0);
    frames(&mut stream, 0);
    stream.push(&vec![0; RING_BYTES], 0);
    assert_eq!(texts(&mut stream, 0).len(), 1);
    stream.ack(seq::narrow(1 + OUTPUT_WINDOW), 0);
    stream.snapshot_taken(0, 0);
    stream.mark_recovery("first".to_owned());
    stream.push(&vec![0; RING_BYTES + 1], 0);
    assert_eq!(texts(&mut stream, 0), [""; 0], "nobody is told twice");
    stream.snapshot_taken(0, 0);
    stream.mark_recovery("second".to_owned());
    assert_eq!(texts(&mut stream, 0), ["second"]);
}

#[test]
fn a_short_absence_is_replayed_and_a_long_one_is_not() {
    let mut stream = live();
    stream.push(b"before", 0);
    frames(&mut stream, 0);
    stream.detach();
    stream.push(b" meanwhile", 1);
    assert_eq!(stream.replay(7 + 4).as_deref(), Some(b"nwhile".as_slice()));
    assert_eq!(stream.mode(), Mode::Live);
    stream.detach();
    stream.push(&vec![0; RING_BYTES + 1], 2);
    assert_eq!(stream.replay(17), None);
    assert_eq!(stream.replay(0xffff_0000), None, "ahead or long ago");
}

#[test]
fn a_replay_is_limited_and_the_rest_follows() {
    let mut stream = live();
    stream.detach();
    stream.push(&vec![0; 300_000], 0);
    assert_eq!(stream.replay(1).map(|data| data.len()), Some(REPLAY_BYTES));
    assert_eq!(frames(&mut stream, 0), [], "it counts against credit");
    stream.ack(seq::narrow(1 + REPLAY_BYTES as u64), 0);
    let rest = [frames(&mut stream, 50), frames(&mut stream, 70)].concat();
    let rest: usize = rest.iter().map(|(_, length)| length).sum();
    assert_eq!(rest, 300_000 - REPLAY_BYTES);
}

#[test]
fn events_stay_at_their_place() {
    let mut stream = live();
    stream.push(b"one", 0);
    stream.mark_resized("resized".to_owned());
    stream.push(b"two", 0);
    stream.mark_answer("r".to_owned(), "answer".to_owned(), "ack".to_owned());
    stream.push(b"three", 0);
    let all: Vec<String> = std::iter::from_fn(|| stream.next(0))
        .map(|out| match out {
            Out::Frame(bytes) => String::from_utf8_lossy(&bytes[HEADER_BYTES..]).into_owned(),
            Out::Text(text) | Out::Answer(_, text) => text,
        })
        .collect();
    assert_eq!(all, ["one", "resized", "two", "answer", "ack", "three"]);
}

#[test]
fn nothing_is_sent_beyond_what_tmux_remembers() {
    let mut stream = Stream::new(7, Some(5_000_000));
    assert_eq!(stream.end(), 5_000_000, "a new process goes on from the bound");
    stream.snapshot_taken(0, 0);
    stream.push(b"text", 0);
    assert_eq!(stream.next(0), None);
    let bound = stream.wants_bound().expect("a bound is asked for");
    assert!(bound >= stream.end() && stream.wants_bound().is_none());
    stream.bound_confirmed(bound);
    assert_eq!(frames(&mut stream, 0), [(5_000_000, 4)]);
}

#[test]
fn a_lag_makes_waiting_answers_void_and_a_detach_drops_what_was_for_viewers() {
    let mut stream = live();
    stream.push(&vec![0; 300_000], 0);
    stream.mark_answer("r".to_owned(), "answer".to_owned(), "ack".to_owned());
    stream.push(&vec![0; RING_BYTES], 0);
    assert_eq!((stream.mode(), stream.take_orphans()), (Mode::Lagged, vec!["r".to_owned()]));
    stream.mark("the end".to_owned());
    stream.detach();
    assert_eq!(texts(&mut stream, 0), ["the end"]);
}

/// A reader of 125 bytes a millisecond and 300 ms, on the way to which everything queues.
struct SlowReader {
    stream: Stream,
    now: Ms,
    free_at: Ms,
    arriving: VecDeque<(Ms, u32)>,
    snapshots: u32,
    screen: u64,
    /// Milliseconds between two looks of the browser at what came.
    clump_ms: Ms,
}

/// Bytes of a screen full of colours.
const COLOURFUL: u64 = 20_000;

/// Bytes of a plain screen: the way to such a reader is never full for long.
const PLAIN: u64 = 8_000;

impl SlowReader {
    /// A reader whose screen costs so many bytes, and which reads every so many milliseconds.
    fn new(screen: u64, clump_ms: Ms) -> Self {
        let mut stream = live();
        stream.push(b"$ ", 0);
        let (arriving, snapshots) = (VecDeque::new(), 0);
        let mut reader = Self { stream, now: 0, free_at: 0, arriving, snapshots, screen, clump_ms };
        reader.pass(400, 0);
        reader
    }

    fn carry(&mut self, bytes: u64, ack: u32) {
        self.free_at = self.free_at.max(self.now) + bytes / 125;
        self.arriving.push_back((self.free_at + 300, ack));
    }

    /// Browsers are handed what came in clumps, and confirm it at once.
    fn deliver(&mut self) {
        let mut last = None;
        while let Some((_, ack)) =
            self.arriving.pop_front_if(|(at, _)| at.next_multiple_of(self.clump_ms) <= self.now)
        {
            last = Some(ack);
        }
        if let Some(ack) = last {
            self.stream.ack(ack, self.now);
        }
    }

    /// Lets time pass while a program prints so many bytes each millisecond.
    fn pass(&mut self, ms: Ms, bytes: usize) {
        for _ in 0..ms {
            self.now += 1;
            self.stream.push(&vec![b'x'; bytes], self.now);
            self.deliver();
            self.stream.tick(self.now);
            if self.stream.wants_recovery(self.now) {
                self.snapshots += 1;
                self.stream.snapshot_taken(self.screen, self.now);
                self.stream.mark_recovery(String::new());
                self.carry(self.screen, seq::narrow(self.stream.sent));
            }
            while let Some(out) = self.stream.next(self.now) {
                if let Out::Frame(frame) = out {
                    self.carry(frame.len() as u64, seq::narrow(self.stream.sent));
                }
            }
        }
    }
}

#[test]
fn a_storm_costs_a_slow_reader_one_screen_a_round_trip() {
    let mut reader = SlowReader::new(COLOURFUL, 1);
    reader.pass(5_000, 2_000);
    let before = reader.snapshots;
    for _ in 0..100 {
        reader.pass(100, 2_000);
        let late = reader.free_at.saturating_sub(reader.now);
        assert!(late < 600, "what is sent now arrives {late} ms late");
    }
    let snapshots = reader.snapshots - before;
    assert!((10..=34).contains(&snapshots), "{snapshots} screens in 33 round trips");
}

#[test]
fn what_a_slow_reader_sees_after_a_flood_is_not_old() {
    let readers = [COLOURFUL, PLAIN].map(|screen| [1, 235, 500].map(|clump_ms| (screen, clump_ms)));
    for ((screen, clump_ms), stopped) in
        readers.as_flattened().iter().flat_map(|reader| (0..40).map(move |at| (*reader, at)))
    {
        let mut reader = SlowReader::new(screen, clump_ms);
        reader.pass(5_000 + stopped * 37, 2_000);
        let start = reader.now;
        while reader.stream.sent < reader.stream.end || reader.stream.mode() != Mode::Live {
            reader.pass(1, 0);
        }
        let waits = reader.free_at.max(reader.now) + 300 - start;
        assert!(waits < 1_800, "{waits} ms until the last byte has come: {screen}, {clump_ms}");
    }
}

#[test]
fn a_slow_reader_gets_every_byte_of_what_fits_its_backlog() {
    let mut reader = SlowReader::new(COLOURFUL, 1);
    reader.pass(5_000, 2_000);
    while reader.stream.sent < reader.stream.end || reader.stream.mode() != Mode::Live {
        reader.pass(1, 0);
    }
    let before = reader.snapshots;
    reader.pass(3_000, 0);
    reader.pass(1_000, 60);
    reader.pass(3_000, 0);
    assert_eq!((reader.snapshots, reader.stream.unacked()), (before, 0));
}

#[test]
fn a_flood_before_the_answer_to_an_attach_is_no_lag() {
    let mut stream = Stream::new(7, None);
    stream.snapshot_taken(0, 0);
    stream.mark_answer("r-1".into(), "snapshot".into(), "ack".into());
    // tmux has not confirmed the bound yet, so the answer waits.
    stream.push(b"$ ", 0);
    stream.push(&vec![b'x'; RING_BYTES + 1], 0);
    assert_eq!((stream.mode(), stream.take_orphans()), (Mode::Detached, vec!["r-1".to_owned()]));
    assert!(texts(&mut stream, 1).is_empty(), "nothing is told to who has no place yet");
    stream.snapshot_taken(0, 2);
    stream.mark_answer("r-1".into(), "snapshot".into(), "ack".into());
    stream.bound_confirmed(u64::MAX);
    assert_eq!(texts(&mut stream, 3), ["snapshot", "ack"]);
}
