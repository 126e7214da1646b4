//! File transfers: up and down, what is refused, what fails in the middle, and what is left then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::transfer::{download, upload};
use protocol::limits::FILE_CHUNK_BYTES;

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn files_of_every_size_go_up_and_come_down() {
    let mut stage = Stage::new();
    let sizes = [0, 1, FILE_CHUNK_BYTES - 1, FILE_CHUNK_BYTES, 4 * FILE_CHUNK_BYTES, 20 << 20];
    for (id, bytes) in (0..).zip(sizes) {
        let content = content(bytes);
        upload(&mut stage, id, (None, "a/b/file"), &content).expect("uploaded");
        let path = stage.gateway.home.join("workspace/a/b/file");
        assert!(std::fs::read(&path).expect("a file") == content, "{bytes} bytes");
        assert!(download(&mut stage, id, (None, "a/b/file")).expect("downloaded") == content);
    }
}
