//! File transfers: up and down, what is refused, what fails in the middle, and what is left then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod endings;
mod faults;
mod paths;
mod slow_way;

use integration::fixture::Stage;
use integration::transfer::{Download, Failed, download, upload};
use protocol::commands::FileAckCommand;
use protocol::limits::FILE_CHUNK_BYTES;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes that differ from chunk to chunk.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from((at * 7 + at / 251) % 256).expect("a byte")).collect()
}

fn code<T>(outcome: Result<T, Failed>) -> String {
    outcome.map(drop).expect_err("it fails").code
}

fn workspace(stage: &Stage) -> PathBuf {
    stage.gateway.home.join("workspace")
}

/// Every file and folder beneath `folder`, hidden ones too.
fn all_beneath(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let entry = entry.expect("an entry");
            let relative = entry.path().strip_prefix(folder).expect("beneath").to_owned();
            found.push(relative.to_string_lossy().into_owned());
            if entry.file_type().expect("a type").is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn files_of_every_size_go_up_and_come_down() {
    let mut stage = Stage::new();
    let sizes = [0, 1, FILE_CHUNK_BYTES - 1, FILE_CHUNK_BYTES, 4 * FILE_CHUNK_BYTES, 20 << 20];
    for (id, bytes) in (0..).zip(sizes) {
        let content = content(bytes);
        upload(&mut stage, id, (None, "a/b/file"), &content).expect("uploaded");
        let path = workspace(&stage).join("a/b/file");
        assert!(std::fs::read(&path).expect("a file") == content, "{bytes} bytes");
        assert!(download(&mut stage, id, (None, "a/b/file")).expect("downloaded") == content);
    }
    assert_eq!(all_beneath(&workspace(&stage)), ["a", "a/b", "a/b/file"]);
}

#[test]
fn names_may_be_of_any_letters() {
    let mut stage = Stage::new();
    let names = ["with blanks and 'quotes'", "Grüße 你好 🙂", "a\nb", "-rf", "$(id)", ".hidden"];
    for (id, name) in (0..).zip(names) {
        upload(&mut stage, id, (None, name), name.as_bytes()).expect(name);
        assert_eq!(std::fs::read(workspace(&stage).join(name)).expect(name), name.as_bytes());
        assert_eq!(download(&mut stage, id, (None, name)).expect(name), name.as_bytes());
    }
}

#[test]
fn a_file_is_replaced_at_once_and_keeps_its_mode() {
    let mut stage = Stage::new();
    let path = workspace(&stage).join("script");
    std::fs::write(&path, "old").expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).expect("set");
    let new = content(3 * FILE_CHUNK_BYTES);
    let mut going =
        integration::transfer::Upload::begin(&mut stage, 1, (None, "script"), &new).expect("begun");
    stage
        .until("everything is stored", |link| going.advance(link).expect("no error").then_some(()));
    assert_eq!(std::fs::read(&path).expect("read"), b"old", "until the end it is the old one");
    going.complete(&mut stage).expect("in place");
    assert!(std::fs::read(&path).expect("read") == new);
    assert_eq!(path.metadata().expect("there").permissions().mode() & 0o7777, 0o750);
    let begin = Download::begin(&mut stage, 2, (None, "script")).expect("begun").begin;
    assert_eq!((begin.size, begin.mode), (new.len() as u64, 0o750));
    assert_eq!(all_beneath(&workspace(&stage)), ["script"]);
}

#[test]
fn paths_begin_at_the_session_s_folder_also_after_a_restart() {
    let mut stage = Stage::new();
    stage.open(3, 80, 24);
    upload(&mut stage, 1, (Some(3), "notes/a"), b"one").expect("uploaded");
    stage.kill_and_restart_gateway();
    assert_eq!(download(&mut stage, 1, (Some(3), "notes/a")).expect("downloaded"), b"one");
    assert_eq!(download(&mut stage, 2, (None, "work-3/notes/a")).expect("downloaded"), b"one");
    assert_eq!(code(download(&mut stage, 3, (Some(4), "notes/a"))), "unknown_session");
    stage.end(3);
    assert_eq!(code(download(&mut stage, 4, (Some(3), "notes/a"))), "unknown_session");
}

#[test]
fn a_reader_that_does_not_ack_stays_at_four_chunks_and_others_go_on() {
    let mut stage = Stage::new();
    let content = content(20 << 20);
    std::fs::write(workspace(&stage).join("file"), &content).expect("written");
    let mut silent = Download::begin(&mut stage, 1, (None, "file")).expect("begun");
    silent.acks = false;
    assert!(download(&mut stage, 2, (None, "file")).expect("downloaded") == content);
    stage.until("four chunks", |link| {
        silent.advance(link).expect("no error");
        (silent.chunks == 4).then_some(())
    });
    stage.take_for(Duration::from_millis(1_500));
    silent.advance(&mut stage).expect("at most four chunks");
    // Acks of what was never sent open nothing.
    stage.tell(FileAckCommand { transfer_id: 1, seq: 1_000 });
    stage.take_for(Duration::from_millis(300));
    assert_eq!(silent.chunks, 4);
    silent.acks = true;
    assert!(silent.complete(&mut stage).expect("downloaded") == content);
}
