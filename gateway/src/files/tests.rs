//! The transfers beside a child that is played.

use super::*;
use protocol::events::decode;
use protocol::frame::Frame;
use protocol::limits::{FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS};

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The file of a download, its child's output and what the other side has seen.
struct World {
    transfers: Transfers,
    now: Ms,
}

impl World {
    fn new() -> Self {
        Self { transfers: Transfers::default(), now: 1_000 }
    }

    fn begin(&mut self, id: u32, task: Task) -> Result<Slot, Refusal> {
        self.transfers.begin(&format!("r{id}"), id, task, vec!["_x".to_owned()], self.now)?;
        match self.transfers.take_effects().pop() {
            Some(Effect::Start(slot, _)) => Ok(slot),
            other => panic!("{other:?}"),
        }
    }

    /// An accepted upload.
    fn upload(&mut self, id: u32, size: u64) -> Slot {
        let slot = self.begin(id, Task::Upload(size)).expect("begun");
        self.say(slot, "open\n");
        assert_eq!(self.told(), [format!("ack r{id} ok")]);
        slot
    }

    /// An accepted download of so many full chunks, all of them read.
    fn download(&mut self, id: u32, chunks: u32) -> Slot {
        let slot = self.begin(id, Task::Download).expect("begun");
        self.say(slot, &format!("open {} 420 7\n", u64::from(chunks) * FILE_CHUNK_BYTES as u64));
        assert_eq!(self.told(), [format!("ack r{id} ok"), format!("begin {id} r{id}")]);
        for _ in 0..chunks {
            let length = u32::try_from(FILE_CHUNK_BYTES).expect("fits").to_be_bytes();
            let chunk = [length.as_slice(), &[b'x'; FILE_CHUNK_BYTES]].concat();
            self.transfers.on_output(slot, &chunk, self.now);
        }
        slot
    }

    fn say(&mut self, slot: Slot, text: &str) {
        self.transfers.on_output(slot, text.as_bytes(), self.now);
    }

    fn chunk(&mut self, id: u32, seq: u32, bytes: usize) -> bool {
        self.transfers.chunk(id, seq, &vec![b'x'; bytes], self.now)
    }

    /// What was told, in short words.
    fn told(&mut self) -> Vec<String> {
        self.transfers.take_told().iter().map(|text| short(text)).collect()
    }

    /// Numbers of the chunks that are sent now, by transfer, and `end`s.
    fn sent(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.transfers.next_message(self.now))
            .map(|message| match message {
                Message::Text(text) => short(&text),
                Message::Binary(bytes) => {
                    let frame = Frame::decode(&bytes).expect("a frame");
                    format!("{}.{}", frame.id, frame.seq)
                }
            })
            .collect()
    }

    fn effects(&mut self) -> Vec<Effect> {
        self.transfers.take_effects()
    }
}

fn short(text: &str) -> String {
    let (request_id, event) = decode(text).expect("an event");
    let request_id = request_id.unwrap_or_default();
    match event {
        Event::Ack(ack) => match ack.error {
            Some(error) => format!("ack {request_id} {}", error.code),
            None => format!("ack {request_id} ok"),
        },
        Event::FileAck(ack) => format!("stored {}", ack.seq),
        Event::FileError(error) => format!("error {request_id} {}", error.code),
        Event::FileContentBegin(begin) => format!("begin {} {request_id}", begin.transfer_id),
        Event::FileContentEnd(end) => format!("end {} {}", end.transfer_id, end.sha256),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_upload_goes_through() {
    let mut world = World::new();
    let slot = world.upload(7, FILE_CHUNK_BYTES as u64 + 1);
    assert!(world.chunk(7, 0, FILE_CHUNK_BYTES) && world.chunk(7, 1, 1));
    world.transfers.end("e", 7, SHA256, world.now).expect("closed");
    let written = [vec![b'x'; FILE_CHUNK_BYTES], vec![b'x'], SHA256.as_bytes().to_vec()];
    assert_eq!(world.effects(), written.map(|bytes| Effect::Write(slot, bytes)));
    world.say(slot, "stored\nstored\nok \n");
    assert_eq!(world.told(), ["stored 1", "stored 2", "ack e ok"]);
    world.transfers.on_closed(slot, world.now);
    assert_eq!((world.told(), world.effects()), (Vec::new(), Vec::new()));
    assert_eq!(world.transfers.deadline(true), None);
    world.upload(7, 0);
}

#[test]
fn what_is_refused_before_is_an_answer_and_after_an_event() {
    let mut world = World::new();
    let slot = world.begin(1, Task::Upload(5)).expect("begun");
    world.say(slot, "err permission_denied no\n");
    assert_eq!(world.told(), ["ack r1 permission_denied"]);
    world.transfers.on_closed(slot, world.now);
    let slot = world.upload(2, 5);
    world.say(slot, "err disk_full full\n");
    assert_eq!(world.told(), ["error  disk_full"]);
    assert!(!world.chunk(2, 0, 5), "it is over");
    let slot = world.upload(3, 0);
    world.transfers.end("e", 3, SHA256, world.now).expect("closed");
    world.say(slot, "err bad_checksum no\n");
    assert_eq!(world.told(), ["error e bad_checksum", "ack e bad_checksum"]);
    let slot = world.download(4, 1);
    world.say(slot, "\0\0\0\0err file_changed no\n");
    assert_eq!(world.told(), ["error r4 file_changed"]);
    assert_eq!(world.sent(), Vec::<String>::new());
}

#[test]
fn chunks_that_break_the_contract_end_the_upload() {
    for (seq, bytes) in [(1, FILE_CHUNK_BYTES), (0, 1), (0, 0)] {
        let mut world = World::new();
        let slot = world.upload(1, FILE_CHUNK_BYTES as u64 * 2);
        assert!(world.chunk(1, seq, bytes));
        assert_eq!(world.told(), ["error  bad_chunk"]);
        assert_eq!(world.effects(), [Effect::Close(slot)]);
        assert!(!world.chunk(1, seq, bytes), "told once");
    }
    let mut world = World::new();
    let slot = world.upload(1, FILE_CHUNK_BYTES as u64 * 9);
    for seq in 0..=FILE_WINDOW_CHUNKS {
        world.chunk(1, seq, FILE_CHUNK_BYTES);
    }
    assert_eq!(world.told(), ["error  bad_chunk"]);
    world.transfers.on_closed(slot, world.now);
    world.upload(2, 5);
    world.transfers.end("e", 2, SHA256, world.now).expect("answered by an event and an ack");
    assert_eq!(world.told(), ["error e bad_chunk", "ack e bad_chunk"]);
    let slot = world.begin(3, Task::Upload(5)).expect("begun");
    assert!(world.chunk(3, 0, 5), "before it was accepted");
    assert_eq!(world.told(), ["ack r3 bad_chunk"]);
    assert!(world.effects().contains(&Effect::Close(slot)));
}

#[test]
fn eight_go_at_once_and_children_that_do_not_leave_count() {
    let mut world = World::new();
    let limit = u32::try_from(FILE_TRANSFERS).expect("fits");
    for id in 0..limit {
        world.begin(id, Task::Upload(1)).expect("begun");
    }
    assert_eq!(world.begin(0, Task::Download).expect_err("twice").0, codes::TRANSFER_EXISTS);
    assert_eq!(world.begin(99, Task::Download).expect_err("a ninth").0, codes::TRANSFER_LIMIT);
    for id in 0..limit {
        world.transfers.cancel("c", id, world.now).expect("cancelled");
        world.effects();
        world.begin(id, Task::Download).expect("there is room while the other leaves");
    }
    world.transfers.cancel("c", 0, world.now).expect("cancelled");
    assert_eq!(world.begin(0, Task::Download).expect_err("stuck").0, codes::TRANSFER_LIMIT);
}

#[test]
fn a_cancelled_transfer_is_acked_when_its_child_is_gone() {
    let mut world = World::new();
    let upload = world.upload(1, 5);
    let download = world.download(2, 1);
    let opening = world.begin(3, Task::Upload(5)).expect("begun");
    for id in 1..=3 {
        world.transfers.cancel(&format!("c{id}"), id, world.now).expect("cancelled");
    }
    assert_eq!(world.told(), ["ack r3 cancelled"]);
    let effects = [Effect::Close(upload), Effect::Kill(download), Effect::Close(opening)];
    assert_eq!(world.effects(), effects);
    world.transfers.on_closed(upload, world.now);
    world.transfers.on_closed(download, world.now);
    assert_eq!(world.told(), ["ack c1 ok", "ack c2 ok"]);
    let again = world.transfers.cancel("c", 1, world.now).expect_err("gone");
    assert_eq!(again.0, codes::UNKNOWN_TRANSFER);
    world.now += CLOSING_MS;
    world.transfers.tick(world.now);
    assert_eq!(world.effects(), [Effect::Kill(opening)]);
    world.now += CHILD_MS;
    world.transfers.tick(world.now);
    assert_eq!(world.told(), ["ack c3 timed_out"]);
    assert_eq!(world.transfers.deadline(true), None);
    world.transfers.on_closed(opening, world.now);
    assert_eq!(world.told(), Vec::<String>::new());
}

#[test]
fn every_stage_has_its_deadline() {
    let mut world = World::new();
    world.begin(1, Task::Upload(5)).expect("begun");
    assert_eq!(world.transfers.deadline(true), Some(world.now + CHILD_MS));
    world.now += CHILD_MS;
    world.transfers.tick(world.now);
    assert_eq!(world.told(), ["ack r1 timed_out"]);

    let mut world = World::new();
    let slot = world.upload(1, 5);
    world.download(2, 1);
    world.transfers.tick(world.now + FILE_DEADLINE_MS - 1);
    assert_eq!(world.told(), Vec::<String>::new());
    world.transfers.tick(world.now + FILE_DEADLINE_MS);
    assert_eq!(world.told(), ["error  timed_out", "error r2 timed_out"]);
    assert_eq!(world.effects().first(), Some(&Effect::Close(slot)));

    let mut world = World::new();
    let slot = world.upload(1, 0);
    world.transfers.end("e", 1, SHA256, world.now).expect("closed");
    world.effects();
    let late = world.transfers.cancel("c", 1, world.now).expect_err("too late");
    assert_eq!(late.0, codes::BUSY);
    world.transfers.tick(world.now + CHILD_MS);
    assert_eq!(world.told(), ["error e timed_out", "ack e timed_out"]);
    assert_eq!(world.effects(), [Effect::Kill(slot)], "the file must not come later");
}

#[test]
fn a_download_goes_as_far_as_acks_allow() {
    let mut world = World::new();
    let slot = world.download(7, 6);
    assert!(!world.transfers.wants(slot));
    // The pace begins with one chunk and grows as acks come.
    let mut sent = world.sent();
    assert_eq!(sent, ["7.0"]);
    world.transfers.ack(7, 1, world.now);
    sent.extend(world.sent());
    assert_eq!(sent, ["7.0", "7.1", "7.2"]);
    world.transfers.ack(7, 9, world.now);
    assert_eq!(world.sent(), Vec::<String>::new(), "an ack of what was never sent");
    world.transfers.ack(7, 3, world.now);
    assert_eq!(world.sent(), ["7.3", "7.4", "7.5"]);
    assert!(world.transfers.wants(slot));
    world.say(slot, "\0\0\0\0ok abc\n");
    world.transfers.on_closed(slot, world.now);
    assert_eq!(world.sent(), ["end 7 abc"], "also when its child is gone");
    world.transfers.ack(7, 6, world.now);
    assert_eq!((world.told(), world.transfers.deadline(true)), (Vec::new(), None));
}

#[test]
fn a_reader_that_does_not_ack_stays_at_four_chunks_and_the_others_go_on() {
    let mut world = World::new();
    world.download(1, 6);
    world.download(2, 200);
    let (mut first, mut second) = (0, 0);
    let deadline = world.now + 60_000;
    while second < 200 && world.now < deadline {
        for sent in world.sent() {
            if sent.starts_with("1.") {
                first += 1;
            } else {
                second += 1;
                world.transfers.ack(2, second, world.now);
            }
        }
        world.now += 5;
    }
    assert_eq!((first, second), (FILE_WINDOW_CHUNKS, 200), "at {}", world.now);
    assert!(world.now < 5_000, "the others lost {} ms", world.now);
}

#[test]
fn a_download_whose_child_is_done_can_end_early_too() {
    let mut world = World::new();
    let told: [&[&str]; 3] = [&["ack c ok"], &[], &["error r7 timed_out"]];
    for (ending, told) in told.into_iter().enumerate() {
        let slot = world.download(7, 3);
        world.say(slot, "\0\0\0\0ok abc\n");
        world.transfers.on_closed(slot, world.now);
        match ending {
            0 => world.transfers.cancel("c", 7, world.now).expect("cancelled"),
            1 => world.transfers.link_lost(world.now),
            _ => world.transfers.tick(world.now + FILE_DEADLINE_MS),
        }
        assert!(world.transfers.is_idle());
        assert_eq!(world.told(), told);
    }
}

#[test]
fn a_lost_link_ends_everything_in_silence() {
    let mut world = World::new();
    let slots = [world.upload(1, 5), world.download(2, 1)];
    let opening = world.begin(3, Task::Upload(5)).expect("begun");
    world.transfers.cancel("c", 1, world.now).expect("cancelled");
    world.effects();
    world.transfers.link_lost(world.now);
    assert_eq!(world.effects(), [Effect::Kill(slots[1]), Effect::Close(opening)]);
    for slot in [slots[0], slots[1], opening] {
        world.transfers.on_closed(slot, world.now);
    }
    assert_eq!((world.told(), world.sent()), (Vec::new(), Vec::new()));
    assert_eq!(world.transfers.deadline(true), None);
}

#[test]
fn a_child_that_dies_is_told() {
    let mut world = World::new();
    let slot = world.upload(1, 5);
    world.transfers.on_closed(slot, world.now);
    assert_eq!(world.told(), ["error  io"]);
    let slot = world.begin(2, Task::Download).expect("begun");
    world.transfers.on_closed(slot, world.now);
    assert_eq!(world.told(), ["ack r2 io"]);
}
