//! Transfers that end early: cancelled, cut off, killed, too many. Nothing is left of them.

use super::{all_beneath, code, content, workspace};
use integration::fixture::Stage;
use integration::process::{children, is_alive, memory, signal};
use integration::transfer::{Download, Upload, download, take_error, upload};
use integration::{PATIENCE, eventually};
use protocol::commands::{FileCancel, FileUploadBegin};
use protocol::limits::{FILE_CHUNK_BYTES, FILE_TRANSFERS};
use rustix::process::Signal;
use std::time::Duration;

/// `upload.begin`s of a peer that has lost its mind.
const MANY: u32 = 2_500;

/// An upload of which a part is stored, and its child.
fn in_the_middle(stage: &mut Stage) -> (Upload, u32) {
    let gateway = stage.gateway.process().id();
    let before = children(gateway);
    let content = content(40 * FILE_CHUNK_BYTES);
    let place = (None, "new/deep/file");
    let mut going = Upload::begin(stage, 1, place, &content).expect("begun");
    for _ in 0..3 {
        stage.take_one(std::time::Instant::now() + Duration::from_millis(200));
        going.advance(stage).expect("no error");
    }
    let child = children(gateway).into_iter().find(|pid| !before.contains(pid));
    (going, child.expect("a child carries it"))
}

fn nothing_is_left(stage: &Stage, child: u32) {
    eventually("the child is gone", PATIENCE, || (!is_alive(child)).then_some(()));
    assert_eq!(all_beneath(&workspace(stage)), Vec::<String>::new());
}

#[test]
fn a_cancelled_transfer_leaves_nothing() {
    let mut stage = Stage::new();
    let (_, child) = in_the_middle(&mut stage);
    stage.request(FileCancel { transfer_id: 1 }).expect("acked");
    assert_eq!(all_beneath(&workspace(&stage)), Vec::<String>::new(), "as the ack says");
    nothing_is_left(&stage, child);
    std::fs::write(workspace(&stage).join("file"), content(20 << 20)).expect("written");
    Download::begin(&mut stage, 1, (None, "file")).expect("begun");
    stage.request(FileCancel { transfer_id: 1 }).expect("acked");
    let again = stage.request(FileCancel { transfer_id: 1 }).expect_err("gone");
    assert_eq!(again.code, "unknown_transfer");
    stage.take_for(Duration::from_millis(200));
    let chunks = stage.chunks.len();
    stage.take_for(Duration::from_millis(200));
    assert_eq!((stage.chunks.len(), take_error(&mut stage, 1).map(|e| e.code)), (chunks, None));
}

#[test]
fn a_lost_connection_leaves_nothing_and_tells_nothing() {
    let mut stage = Stage::new();
    let (_, child) = in_the_middle(&mut stage);
    stage.cut();
    nothing_is_left(&stage, child);
    stage.reconnect();
    stage.take_for(Duration::from_millis(300));
    assert!(take_error(&mut stage, 1).is_none(), "it died with its connection");
    upload(&mut stage, 1, (None, "file"), b"x").expect("its id is free");
}

#[test]
fn a_killed_gateway_leaves_nothing() {
    let mut stage = Stage::new();
    let (_, child) = in_the_middle(&mut stage);
    stage.gateway.kill();
    nothing_is_left(&stage, child);
    stage.gateway.run();
    stage.reconnect();
    upload(&mut stage, 1, (None, "file"), b"x").expect("as before");
}

#[test]
fn a_killed_child_is_told_and_leaves_nothing() {
    let mut stage = Stage::new();
    let (going, child) = in_the_middle(&mut stage);
    signal(child, Signal::KILL);
    assert_eq!(code(going.complete(&mut stage)), "io");
    nothing_is_left(&stage, child);
}

#[test]
fn trap_12_of_2500_uploads_eight_are_accepted() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let gateway = stage.gateway.process().id();
    let files = |pid| std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").count();
    let (files_before, memory_before) = (files(gateway), memory(gateway, "VmRSS"));
    let mut requests = Vec::new();
    for id in 0..MANY {
        let (dest_path, size) = (format!("file-{id}"), 1 << 20);
        let begin = FileUploadBegin { transfer_id: id, session_id: None, dest_path, size };
        requests.push(stage.ask(begin));
    }
    stage.type_in(1, "echo still-$((6*7))-here\r");
    let answers: Vec<_> = requests.iter().map(|id| stage.answer(id).map_err(|e| e.code)).collect();
    let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(accepted, FILE_TRANSFERS);
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(refused.into_iter().all(|code| code == "transfer_limit"));
    stage.expect(1, "still-42-here");
    assert!(files(gateway) <= files_before + 2 * FILE_TRANSFERS, "{} files", files(gateway));
    let grown = memory(gateway, "VmRSS").saturating_sub(memory_before);
    assert!(grown < 4_000_000, "{grown} bytes more");
    let again = upload(&mut stage, 0, (None, "x"), b"");
    assert_eq!(code(again), "transfer_exists");
    stage.cut();
    stage.reconnect();
    stage.attach(1, None);
    upload(&mut stage, 0, (None, "x"), b"").expect("there is room again");
    assert_eq!(all_beneath(&workspace(&stage)), ["work-1", "x"]);
    assert_eq!(download(&mut stage, 0, (None, "x")).expect("downloaded"), b"");
}
