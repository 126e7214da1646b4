//! Files go up and down, folders are listed, and what cannot be is said with its reason.

use integration::PATIENCE;
use integration::api::{Answer, Socket};
use integration::patterns::{noise, sha256};
use integration::stack::Installation;
use serde_json::json;
use std::time::Instant;

/// The largest file that may be transferred.
const LARGEST: usize = protocol::limits::FILE_BYTES as usize;

fn files(installation: &Installation, session: Option<u64>, path: &str) -> String {
    let place = session.map_or_else(String::new, |id| format!("/sessions/{id}"));
    installation.path(&format!("{place}/files?path={path}"))
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).expect(name).to_str().expect("text")
}

#[test]
fn a_file_goes_up_into_the_sessions_folder_and_comes_down_again() {
    let all = Installation::new(|_| {});
    let session = all.create_session("shop");
    let workdir = all.gateway.home.join("workspace/shop");
    for length in [0, 1, 128 * 1024, 300_000] {
        let bytes = noise(1, length);
        let path = files(&all, Some(session), "docs/a%20b.bin");
        let put = all.person.put(&path, &bytes).expect(201);
        assert_eq!(put["size"], length);
        assert_eq!(put["sha256"], sha256(&bytes));
        assert_eq!(std::fs::read(workdir.join("docs/a b.bin")).expect("the file"), bytes);
        let got = all.person.ask("GET", &path);
        assert_eq!((got.status, got.broken.as_deref()), (200, None));
        assert!(got.body == bytes, "{length} bytes come back as they went");
        assert_eq!(header(&got, "content-length"), length.to_string());
        assert!(header(&got, "content-disposition").contains("attachment"));
        assert_eq!(header(&got, "x-content-type-options"), "nosniff");
    }
    // Beneath the workspace, without a session.
    all.person.put(&files(&all, None, "notes.txt"), b"hello").expect(201);
    let kept = std::fs::read(all.gateway.home.join("workspace/notes.txt")).expect("the file");
    assert_eq!(kept, b"hello");
    assert_eq!(std::fs::read_dir(&workdir).expect("the folder").count(), 1, "nothing left over");
}

#[test]
fn what_cannot_be_transferred_is_said_with_its_reason() {
    let all = Installation::new(|_| {});
    let session = all.create_session("shop");
    let workspace = all.gateway.home.join("workspace");
    std::os::unix::fs::symlink("/etc", workspace.join("shop/etc")).expect("a link");
    std::os::unix::fs::symlink("/etc/hostname", workspace.join("shop/name")).expect("a link");
    std::fs::create_dir(workspace.join("shop/folder")).expect("a folder");
    let get = |path: &str| all.person.ask("GET", &files(&all, Some(session), path));
    let put = |path: &str| all.person.put(&files(&all, Some(session), path), b"x");
    for path in ["..%2F..%2Fout", "%2Fetc%2Fhostname", "etc%2Fhostname", "name"] {
        assert_eq!(get(path).code(), "bad_path", "GET {path}");
        assert_eq!(put(path).code(), "bad_path", "PUT {path}");
    }
    get("folder").expect_error(400, "bad_path");
    put("folder").expect_error(400, "bad_path");
    get("missing").expect_error(404, "not_found");
    let large = all.person.announce(&files(&all, Some(session), "large"), LARGEST + 1);
    large.expect_error(413, "too_large");
    all.person.ask("GET", &files(&all, Some(session), "")).expect_error(400, "invalid");
    let names: Vec<_> = std::fs::read_dir(workspace.join("shop")).expect("the folder").collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!all.gateway.home.join("out").exists());
}

#[test]
fn twenty_mebibytes_go_up_and_down_while_somebody_types() {
    let all = Installation::new(|_| {});
    let session = all.create_session("shop");
    let mut viewer = all.person.socket(&all.path(&format!("/sessions/{session}/socket")));
    viewer.send(json!({ "type": "viewer.attach" }));
    viewer.event("session.snapshot");
    let bytes = noise(1, LARGEST);
    let path = files(&all, Some(session), "large.bin");
    let (person, wanted) = (all.person.clone(), bytes.clone());
    let transfer = std::thread::spawn(move || {
        let begin = Instant::now();
        person.put(&path, &wanted).expect(201);
        let up = begin.elapsed();
        let got = person.ask("GET", &path);
        assert_eq!((got.status, got.broken.as_deref()), (200, None));
        assert!(got.body == wanted, "the bytes come back as they went");
        (up, begin.elapsed() - up)
    });
    let mut echoes = Vec::new();
    while !transfer.is_finished() {
        let begin = Instant::now();
        viewer.send(json!({ "type": "session.input", "data": "eA==" }));
        echoes.push(echo(&mut viewer, begin));
    }
    let (up, down) = transfer.join().expect("the transfer succeeds");
    echoes.sort();
    let (median, worst) = (echoes[echoes.len() / 2], echoes[echoes.len() - 1]);
    println!(
        "20 MiB through workerd: up {up:?}, down {down:?}; {} echoes meanwhile: median {median:?}, \
         worst {worst:?}",
        echoes.len()
    );
    assert!(echoes.len() > 5, "keys were typed meanwhile");
    // Ten times what a person takes for instant is a stall, also on a loaded machine.
    assert!(worst.as_millis() < 1_000, "worst echo {worst:?}");
}

/// Waits for output after `begin`, acks it, and tells how long it took.
fn echo(viewer: &mut Socket, begin: Instant) -> std::time::Duration {
    loop {
        match viewer.next(begin + PATIENCE).expect("an echo") {
            tungstenite::Message::Binary(frame) => {
                let frame = protocol::frame::Frame::decode(&frame).expect("a frame");
                let seq = frame.seq.wrapping_add(frame.payload.len() as u32);
                viewer.send(json!({ "type": "session.ack", "seq": seq }));
                return begin.elapsed();
            }
            _ => continue,
        }
    }
}

#[test]
fn the_picker_gets_the_workspaces_folders() {
    let all = Installation::new(|_| {});
    let workspace = all.gateway.home.join("workspace");
    std::fs::create_dir_all(workspace.join("shop/api")).expect("folders");
    std::fs::create_dir_all(workspace.join(".cache")).expect("a folder");
    let listed = all.person.ask("GET", &all.path("/folders")).expect(200);
    assert_eq!(listed["folders"], json!(["shop", "shop/api"]));
}
