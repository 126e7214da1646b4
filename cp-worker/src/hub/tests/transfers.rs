//! The hub's promises about files: windows, order, digests, deadlines, and every way to end early.

use super::*;
use crate::limits::FILE_STALL_MS;
use protocol::commands::{FileDownload, FileUploadBegin};
use protocol::limits::{
    FILE_BYTES, FILE_CHUNK_BYTES, FILE_DEADLINE_MS, FILE_TRANSFERS, FILE_WINDOW_CHUNKS,
};

const CHUNK: usize = FILE_CHUNK_BYTES;

impl World {
    fn upload(&mut self, size: u64) -> TransferId {
        let (session_id, dest_path) = (Some(SESSION), "a".into());
        let begin = FileUploadBegin { transfer_id: 0, session_id, dest_path, size };
        let id = self.hub.upload(begin, self.now).unwrap();
        self.look();
        id
    }

    /// An upload whose chunks the gateway awaits.
    fn accepted(&mut self, size: u64) -> TransferId {
        let id = self.upload(size);
        let begin = self.command("file.upload.begin");
        assert_eq!(begin["transfer_id"], id);
        self.ack(&begin);
        id
    }

    fn download(&mut self) -> TransferId {
        let download = FileDownload { transfer_id: 0, session_id: None, path: "a".into() };
        let id = self.hub.download(download, self.now).unwrap();
        self.look();
        id
    }

    /// A download of `size` bytes that has begun.
    fn begun(&mut self, size: u64) -> TransferId {
        let id = self.download();
        let download = self.command("file.download");
        self.ack(&download);
        self.content_begin(id, size);
        assert_eq!(self.steps(id), [Step::Begin { size, mtime: 5 }]);
        id
    }

    fn content_begin(&mut self, id: TransferId, size: u64) {
        self.say(json!({
            "type": "file.content.begin", "transfer_id": id, "size": size, "mode": 0o644,
            "mtime": 5,
        }));
    }

    fn content_end(&mut self, id: TransferId, sha256: &str) {
        self.say(json!({ "type": "file.content.end", "transfer_id": id, "sha256": sha256 }));
    }

    fn ack(&mut self, command: &Value) {
        let request_id = &command["request_id"];
        self.say(json!({ "type": "ack", "request_id": request_id, "ok": true }));
    }

    fn refuse(&mut self, command: &Value, code: &str) {
        let error = json!({ "code": code, "message": "m" });
        let request_id = &command["request_id"];
        self.say(json!({ "type": "ack", "request_id": request_id, "ok": false, "error": error }));
    }

    fn file_acked(&mut self, id: TransferId, seq: u32) {
        self.say(json!({ "type": "file.ack", "transfer_id": id, "seq": seq }));
    }

    /// The shell has read what it was asked to; the number of the chunk that it sends.
    fn read(&mut self, id: TransferId, len: usize) -> Option<u32> {
        let head = self.hub.chunk_read(id, len, self.now)?;
        self.look();
        let frame = frame::Frame::decode(&head).unwrap();
        assert_eq!((frame.kind, frame.id), (frame::Kind::FileChunk, id));
        Some(frame.seq)
    }

    fn chunk(&mut self, id: TransferId, seq: u32, len: usize) {
        let head = frame::header(frame::Kind::FileChunk, id, seq);
        self.hub.gateway_binary(&head, frame::HEADER_BYTES + len, self.now);
        self.look();
    }

    /// What the shell was asked to do for a transfer since last asked.
    fn steps(&mut self, id: TransferId) -> Vec<Step> {
        let (mine, rest) = std::mem::take(&mut self.other)
            .into_iter()
            .partition(|effect| matches!(effect, Effect::Transfer(one, _) if *one == id));
        self.other = rest;
        let steps = |effect| match effect {
            Effect::Transfer(_, step) => Some(step),
            _ => None,
        };
        Vec::into_iter(mine).filter_map(steps).collect()
    }

    /// The code that a transfer has just failed with.
    fn failed(&mut self, id: TransferId) -> String {
        match self.steps(id).as_slice() {
            [Step::Fail(error)] => error.code.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Whether the gateway was just told to forget a transfer, and nothing else.
    fn cancelled(&mut self, id: TransferId) -> bool {
        let said = std::mem::take(&mut self.gateway);
        match said.as_slice() {
            [] => false,
            [one] => one["type"] == "file.cancel" && one["transfer_id"] == id,
            more => panic!("{more:?}"),
        }
    }
}

#[test]
fn an_upload_goes_chunk_by_chunk_as_the_gateway_acks() {
    let mut world = World::online();
    let size = 5 * CHUNK + 100;
    let id = world.accepted(size as u64);
    assert_eq!(world.steps(id), [Step::Read(CHUNK)], "nothing is known of the way");
    assert_eq!(world.read(id, CHUNK), Some(0));
    assert_eq!(world.hub.chunk_read(id, CHUNK, world.now), None, "the window is closed");
    world.file_acked(id, 2);
    assert_eq!(world.steps(id), [], "an ack of what was not sent");
    world.file_acked(id, 1);
    assert_eq!(world.steps(id), [Step::Read(CHUNK), Step::Read(CHUNK)]);
    for number in 1..3 {
        assert_eq!(world.read(id, CHUNK), Some(number));
    }
    world.file_acked(id, 3);
    assert_eq!(world.steps(id), [Step::Read(CHUNK), Step::Read(CHUNK), Step::Read(100)]);
    world.file_acked(id, 2);
    assert_eq!(world.steps(id), [], "an ack that came late");
    world.read(id, CHUNK);
    world.read(id, CHUNK);
    world.read(id, 100);
    assert_eq!(world.steps(id), [Step::Digest]);
    world.hub.digested(id, "d", world.now);
    world.file_acked(id, 5);
    assert!(world.gateway.is_empty(), "not before the last chunk has arrived");
    world.file_acked(id, 6);
    let end = world.command("file.upload.end");
    assert_eq!((&end["transfer_id"], &end["sha256"]), (&json!(id), &json!("d")));
    assert_eq!(world.steps(id), []);
    world.ack(&end);
    assert_eq!(world.steps(id), [Step::Finish]);
    assert_eq!(world.hub.transfers.next_deadline(), None);
}

/// Chunks that are asked for after each ack, when every chunk takes `way` milliseconds of the way.
fn asked_on_a_way_of(way: u64) -> Vec<usize> {
    let mut world = World::online();
    let id = world.accepted(20 * CHUNK as u64);
    let mut asked = vec![world.steps(id).len()];
    let mut under_way = 0;
    for acked in 1..=10 {
        for _ in 0..*asked.last().unwrap() {
            world.read(id, CHUNK);
            under_way += 1;
        }
        world.now += way;
        under_way -= 1;
        world.file_acked(id, acked);
        asked.push(world.steps(id).len());
        assert!(under_way + asked.last().unwrap() <= FILE_WINDOW_CHUNKS as usize);
    }
    asked
}

#[test]
fn a_slow_way_carries_one_chunk_at_a_time_so_that_keys_find_it_free() {
    assert_eq!(asked_on_a_way_of(10), [1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(asked_on_a_way_of(1_000), [1; 11], "1 Mbit/s");
}

#[test]
fn an_empty_file_has_no_chunks() {
    let mut world = World::online();
    let id = world.accepted(0);
    assert_eq!(world.steps(id), [Step::Digest]);
    world.hub.digested(id, "d", world.now);
    world.look();
    let end = world.command("file.upload.end");
    world.ack(&end);
    assert_eq!(world.steps(id), [Step::Finish]);

    let id = world.begun(0);
    world.content_end(id, "d");
    world.hub.digested(id, "d", world.now);
    world.look();
    assert_eq!(world.steps(id), [Step::Digest, Step::Finish]);
}

#[test]
fn a_download_is_acked_as_the_browser_takes_it_and_ends_after_its_digest() {
    let mut world = World::online();
    let id = world.begun(4 * CHUNK as u64 + 7);
    for seq in 0..4 {
        world.chunk(id, seq, CHUNK);
    }
    assert_eq!(world.steps(id), vec![Step::Write; 4]);
    assert!(world.gateway.is_empty(), "nothing is acked before it is written");
    for seq in 1..=3 {
        world.hub.chunk_written(id, world.now);
        world.look();
        assert_eq!(world.command("file.ack")["seq"], seq);
    }
    world.chunk(id, 4, 7);
    assert_eq!(world.steps(id), [Step::Hold]);
    assert!(world.gateway.is_empty());
    world.hub.chunk_written(id, world.now);
    world.look();
    // The one that is held back too: the gateway may tell the digest only then.
    assert_eq!(world.command("file.ack")["seq"], 5);
    world.content_end(id, "d");
    assert_eq!(world.steps(id), [Step::Digest]);
    world.hub.digested(id, "d", world.now);
    world.look();
    assert_eq!(world.steps(id), [Step::Finish]);
    world.hub.delivered(id);
    world.look();
    assert!(world.gateway.is_empty());
    assert_eq!(world.hub.transfers.next_deadline(), None);
}

#[test]
fn a_damaged_download_is_broken_off() {
    let mut world = World::online();
    let id = world.begun(7);
    world.chunk(id, 0, 7);
    world.content_end(id, "announced");
    assert_eq!(world.steps(id), [Step::Hold, Step::Digest]);
    world.gateway.clear();
    world.hub.digested(id, "another", world.now);
    world.look();
    assert_eq!(world.failed(id), "bad_checksum");
    assert!(!world.cancelled(id), "the gateway has no part in it any more");
}

#[test]
fn what_a_gateway_sends_out_of_turn_ends_the_download() {
    type Fault = fn(&mut World, TransferId);
    let faults: [Fault; 7] = [
        |world, id| world.chunk(id, 1, CHUNK),
        |world, id| world.chunk(id, 0, CHUNK - 1),
        |world, id| world.chunk(id, 0, 0),
        |world, id| world.content_begin(id, 7),
        |world, id| world.content_end(id, "d"),
        // One more than the window holds.
        |world, id| (0..=FILE_WINDOW_CHUNKS).for_each(|seq| world.chunk(id, seq, CHUNK)),
        |world, id| {
            world.chunk(id, 0, CHUNK);
            world.chunk(id, 0, CHUNK);
        },
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let mut world = World::online();
        let id = world.begun(6 * CHUNK as u64);
        fault(&mut world, id);
        let error = world.steps(id).pop();
        let Some(Step::Fail(error)) = error else { panic!("fault {number}: {error:?}") };
        assert_eq!(error.code, "bad_chunk", "fault {number}");
        assert!(world.cancelled(id), "fault {number}");
    }
    let mut world = World::online();
    let id = world.download();
    world.gateway.clear();
    world.content_begin(id, FILE_BYTES + 1);
    assert_eq!(world.failed(id), "too_large");
    assert!(world.cancelled(id));
    // Of transfers that are not there nothing is said.
    world.chunk(id, 0, 1);
    world.content_end(id, "d");
    world.file_acked(id, 1);
    assert!(world.gateway.is_empty() && world.steps(id).is_empty());
}

#[test]
fn refusals_and_failures_of_the_gateway_are_passed_on() {
    let mut world = World::online();
    let id = world.upload(1);
    let begin = world.command("file.upload.begin");
    world.refuse(&begin, "permission_denied");
    assert_eq!(world.failed(id), "permission_denied");
    assert!(!world.cancelled(id), "there is nothing to cancel");

    let id = world.accepted(1);
    world.say(json!({
        "type": "file.error", "transfer_id": id, "code": "disk_full", "message": "m",
    }));
    world.other.retain(|effect| *effect != Effect::Transfer(id, Step::Read(1)));
    assert_eq!(world.failed(id), "disk_full");
    assert_eq!(world.read(id, 1), None, "what was read meanwhile is not sent");
    assert!(!world.cancelled(id));

    let id = world.accepted(1);
    world.read(id, 1);
    world.hub.digested(id, "d", world.now);
    world.file_acked(id, 1);
    world.steps(id);
    let end = world.command("file.upload.end");
    world.refuse(&end, "bad_checksum");
    assert_eq!(world.failed(id), "bad_checksum");
}

#[test]
fn a_browser_that_leaves_or_breaks_off_cancels() {
    let mut world = World::online();
    let id = world.accepted(2 * CHUNK as u64);
    world.steps(id);
    world.hub.client_gone(id, world.now);
    world.look();
    assert_eq!(world.failed(id), "cancelled");
    assert!(world.cancelled(id));

    let id = world.accepted(2 * CHUNK as u64);
    world.steps(id);
    assert_eq!(world.read(id, CHUNK - 1), None);
    world.look();
    assert_eq!(world.failed(id), "invalid");
    assert!(world.cancelled(id));
}

#[test]
fn what_does_not_move_ends_and_so_does_what_moves_too_slowly() {
    // The gateway does not ack.
    let mut world = World::online();
    let id = world.accepted(CHUNK as u64);
    world.read(id, CHUNK);
    world.steps(id);
    let start = world.now;
    while world.hub.next_deadline().is_some() {
        world.tick();
    }
    assert_eq!((world.failed(id), world.now - start), ("timed_out".into(), FILE_STALL_MS));
    assert!(world.cancelled(id));
    // The browser does not send.
    let id = world.accepted(CHUNK as u64);
    world.steps(id);
    world.tick();
    assert_eq!((world.failed(id).as_str(), world.cancelled(id)), ("stalled", true));
    // The browser does not read.
    let id = world.begun(2 * CHUNK as u64);
    world.chunk(id, 0, CHUNK);
    world.steps(id);
    world.tick();
    assert_eq!((world.failed(id).as_str(), world.cancelled(id)), ("stalled", true));
    // The gateway does not go on.
    let id = world.begun(2 * CHUNK as u64);
    world.tick();
    assert_eq!((world.failed(id).as_str(), world.cancelled(id)), ("timed_out", true));
    // The gateway does not answer: it may have begun.
    let id = world.upload(1);
    world.gateway.clear();
    world.tick();
    assert_eq!((world.failed(id).as_str(), world.cancelled(id)), ("timed_out", true));
    // Something moves all the time.
    let (id, start) = (world.begun(FILE_BYTES), world.now);
    for seq in 0.. {
        world.now += FILE_STALL_MS - 1;
        if world.hub.next_deadline().is_some_and(|at| at <= world.now) {
            break;
        }
        world.chunk(id, seq, CHUNK);
        world.hub.chunk_written(id, world.now);
        world.look();
    }
    world.gateway.clear();
    world.steps(id);
    world.tick();
    assert_eq!((world.failed(id).as_str(), world.cancelled(id)), ("timed_out", true));
    assert!((FILE_DEADLINE_MS..FILE_DEADLINE_MS + FILE_STALL_MS).contains(&(world.now - start)));
}

#[test]
fn the_gateways_end_ends_all_that_it_had_a_part_in() {
    let mut world = World::online();
    let sending = world.accepted(CHUNK as u64);
    let asking = world.upload(1);
    let receiving = world.begun(CHUNK as u64);
    let delivering = world.begun(3);
    world.chunk(delivering, 0, 3);
    world.content_end(delivering, "d");
    for id in [sending, asking, receiving, delivering] {
        world.steps(id);
    }
    world.hub.gateway_closed();
    world.look();
    for id in [sending, asking, receiving] {
        assert_eq!(world.failed(id), "gateway_offline");
    }
    world.hub.digested(delivering, "d", world.now);
    world.look();
    assert_eq!(world.steps(delivering), [Step::Finish]);

    // The next connection knows nothing of them, and its transfers have other ids.
    world.hub.gateway_connected(false);
    world.hello(&[SESSION]);
    world.gateway.clear();
    let next = world.accepted(CHUNK as u64);
    assert!(![sending, asking, receiving, delivering].contains(&next));
    world.steps(next);
    world.file_acked(sending, 1);
    world.hub.client_gone(sending, world.now);
    world.look();
    assert!(world.gateway.is_empty());
}

#[test]
fn transfers_are_few_and_need_a_gateway() {
    let download = || FileDownload { transfer_id: 0, session_id: None, path: "a".into() };
    let mut world = World::new();
    assert_eq!(world.hub.download(download(), 0), Err(CallError::offline()));

    let mut world = World::online();
    let ids: BTreeSet<_> = (0..FILE_TRANSFERS).map(|_| world.begun(1)).collect();
    assert_eq!(ids.len(), FILE_TRANSFERS);
    let refused = world.hub.download(download(), world.now).unwrap_err();
    assert_eq!(refused.code, "transfer_limit");
    world.look();
    assert!(world.gateway.is_empty());
    world.hub.client_gone(*ids.first().unwrap(), world.now);
    assert!(world.hub.download(download(), world.now).is_ok());
}

#[test]
fn what_another_instance_began_is_cancelled_and_its_ids_are_not_used_again() {
    let mut world = World::online();
    let done = world.begun(0);
    world.hub.delivered(done);
    let left = world.accepted(CHUNK as u64);
    let attachment = world.gateway_attachment.clone().unwrap();

    let mut world = World::new();
    world.hub.restore_gateway(&attachment);
    world.hub.restored();
    world.look();
    assert!(world.cancelled(left));
    let next = world.upload(1);
    assert!(next != left && next != done);
    let attachment = world.gateway_attachment.clone().unwrap();
    let mut world = World::new();
    world.hub.restore_gateway(&attachment);
    world.hub.restored();
    world.look();
    assert!(world.cancelled(next), "the first one is not cancelled again");
}

/// A gateway, a body and a reader that each do what they may in a random order.
#[test]
fn every_schedule_ends_each_transfer_once_and_keeps_its_window() {
    for seed in 0..400 {
        let mut random = u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15) + 1;
        let mut below = |bound: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % bound
        };
        let mut world = World::online();
        let size = below(7 * CHUNK as u64);
        let chunks = size.div_ceil(CHUNK as u64) as u32;
        let (up, down) = (world.accepted(size), world.begun(size));
        let (mut reads, mut sent, mut acked) = (vec![], 0, 0);
        let (mut given, mut taken, mut writes) = (0, 0, 0);
        let (mut ended, mut ends) = (false, BTreeMap::new());
        for _ in 0..400 {
            for id in [up, down] {
                for step in world.steps(id) {
                    match step {
                        Step::Read(len) => reads.push(len),
                        Step::Write => writes += 1,
                        Step::Digest => world.hub.digested(id, "d", world.now),
                        Step::Finish | Step::Fail(_) => {
                            *ends.entry(id).or_insert(0) += 1;
                            world.hub.delivered(id);
                        }
                        Step::Hold | Step::Begin { .. } => {}
                    }
                }
            }
            for said in std::mem::take(&mut world.gateway) {
                match said["type"].as_str().unwrap() {
                    "file.ack" => taken = said["seq"].as_u64().unwrap() as u32,
                    "file.upload.end" => world.ack(&said),
                    other => assert_eq!(other, "file.cancel", "seed {seed}"),
                }
            }
            match below(60) {
                0..=14 if !reads.is_empty() => {
                    sent += u32::from(world.read(up, reads.remove(0)).is_some());
                    assert!(sent - acked <= FILE_WINDOW_CHUNKS, "seed {seed}");
                }
                15..=29 if acked < sent => {
                    acked += 1;
                    world.file_acked(up, acked);
                }
                30..=39 if given < chunks && given - taken < FILE_WINDOW_CHUNKS => {
                    let rest = size - u64::from(given) * CHUNK as u64;
                    world.chunk(down, given, rest.min(CHUNK as u64) as usize);
                    given += 1;
                }
                40..=54 if writes > 0 => {
                    writes -= 1;
                    world.hub.chunk_written(down, world.now);
                }
                55 if given == chunks && !ended => {
                    ended = true;
                    world.content_end(down, "d");
                }
                56 if below(40) == 0 => world.hub.client_gone(up, world.now),
                57 if below(40) == 0 => world.hub.gateway_closed(),
                58 if below(40) == 0 && world.hub.next_deadline().is_some() => world.tick(),
                _ => {}
            }
            world.look();
        }
        world.hub.gateway_closed();
        world.look();
        for id in [up, down] {
            let last = world.steps(id).into_iter().filter(|step| matches!(step, Step::Fail(_)));
            let ends = ends.get(&id).copied().unwrap_or(0) + last.count();
            assert_eq!(ends, 1, "seed {seed}, transfer {id}");
        }
    }
}
