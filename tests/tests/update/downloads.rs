//! Downloads and files that are not what was signed: the old version stays and says what it saw.

use super::release::{self, Manifest};
use super::scene::{NEW, OLD, Scene};
use super::server::{Part, Server};
use protocol::envelope::codes;
use std::time::Duration;

/// Time between the bytes of a server that is never silent and never done.
const DRIP: Duration = Duration::from_millis(50);

fn text(text: &str) -> Part {
    Part::Bytes(text.as_bytes().to_vec())
}

/// Answers that fail, and words of the failure.
fn bad_answers(bytes: &[u8]) -> Vec<(&'static str, Vec<Part>, &'static str)> {
    let size = bytes.len();
    let ok = |length: usize| text(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
    let all = || Part::Bytes(bytes.to_vec());
    let half = || Part::Bytes(bytes[..size / 2].to_vec());
    let mut flipped = bytes.to_vec();
    flipped[size / 2] ^= 1;
    let mut dripping = vec![ok(size)];
    dripping.extend((0..1000).flat_map(|_| [text("x"), Part::Pause(DRIP)]));
    let to =
        |location: &str| vec![text(&format!("HTTP/1.1 301 x\r\nLocation: {location}\r\n\r\n"))];
    let chunk = format!("{:x}\r\n", size + 1);
    vec![
        ("truncated", vec![ok(size), half()], "ended after"),
        ("half", vec![ok(size / 2), half()], "the manifest says"),
        ("larger", vec![ok(size + 1), all(), text("x")], "the manifest says"),
        (
            "larger without a length",
            vec![text("HTTP/1.1 200 OK\r\n\r\n"), all(), text("x")],
            "more than",
        ),
        (
            "larger in chunks",
            vec![
                text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                text(&chunk),
                all(),
                text("x"),
            ],
            "more than",
        ),
        ("another hash", vec![ok(size), Part::Bytes(flipped)], "another SHA-256"),
        ("not there", vec![text("HTTP/1.1 404 Not Found\r\n\r\n")], "status 404"),
        ("to plain http", to("http://127.0.0.1:1/x"), "only https"),
        ("to itself", to("/bad"), "more than 5 redirects"),
        ("an endless head", vec![Part::Bytes(vec![b'x'; 40_000])], "HTTP"),
        ("no HTTP", vec![text("220 ready\r\n")], "HTTP"),
        ("nothing", vec![], "closed before"),
        ("dripping", dripping, "too long"),
        ("silent", vec![Part::Hold], "too long"),
    ]
}

#[test]
fn a_download_that_is_not_what_was_signed_changes_nothing() {
    let mut scene = Scene::with(&[("GATEWAY_UPDATE_DOWNLOAD_SECONDS", "4")]);
    let pid = scene.stage.gateway.process().id();
    let bytes = release::built(NEW, &scene.key, "none");
    let manifest = Manifest::new(NEW, &scene.server.url("/bad"), &bytes);
    for (what, answer, words) in bad_answers(&bytes) {
        scene.server.put("/bad", answer);
        scene.ask(&manifest).expect(what);
        let (code, message) = scene.failure();
        assert_eq!(code, codes::DOWNLOAD_FAILED, "{what}: {message}");
        assert!(message.contains(words), "{what}: {message}");
        scene.expect_left(&["chatcode-gateway"]);
    }
    let untrusted = Server::new();
    untrusted.put_file("/gateway", &bytes);
    scene.ask(&Manifest::new(NEW, &untrusted.url("/gateway"), &bytes)).expect("accepted");
    let (code, message) = scene.failure();
    assert_eq!((code.as_str(), untrusted.asked("/gateway")), (codes::DOWNLOAD_FAILED, 0));
    assert!(message.contains("certificate"), "{message}");
    assert_eq!(scene.stage.gateway.process().id(), pid);
    assert_eq!(scene.stage.gateway.log().matches("gateway starts").count(), 1);
    // After all of them it still can.
    scene.take_over();
}

#[test]
fn a_file_that_does_not_work_here_does_not_get_the_name() {
    let mut scene = Scene::new();
    let older = release::built("0.1.5", &scene.key, "none");
    let script = b"#!/bin/sh\necho chatcode-gateway 0.2.0\nkill -9 $$\n".to_vec();
    let cases = [
        ("fails-its-test", release::built(NEW, &scene.key, "fails-its-test"), "too old"),
        ("another-version", older, "says that it is chatcode-gateway 0.1.5"),
        ("killed", script, "signal: 9"),
        ("no-program", b"neither ELF nor script".to_vec(), "cannot start"),
    ];
    for (what, bytes, words) in cases {
        let path = format!("/{what}");
        scene.server.put_file(&path, &bytes);
        scene.ask(&Manifest::new(NEW, &scene.server.url(&path), &bytes)).expect(what);
        let (code, message) = scene.failure();
        assert_eq!(code, codes::SELF_TEST_FAILED, "{what}: {message}");
        assert!(message.contains(words), "{what}: {message}");
        scene.expect_left(&["chatcode-gateway"]);
    }
    assert_eq!(scene.version(), OLD);
}

/// The new version is asked with the settings that it would run with.
#[test]
fn a_version_that_refuses_the_configuration_does_not_get_the_name() {
    let mut scene = Scene::new();
    let roots = scene.stage.gateway.home.join("roots.pem");
    let manifest = scene.offer(NEW, "none");
    // The file that the settings name is read at each start.
    scene.stage.gateway.set("GATEWAY_CONFIG", "/dev/null");
    let token = scene.stage.gateway.home.join("token");
    std::fs::write(&token, "token\n").expect("written");
    scene.stage.gateway.unset("GATEWAY_AUTH_TOKEN");
    scene.stage.gateway.set("GATEWAY_AUTH_TOKEN_FILE", &token.to_string_lossy());
    scene.stage.gateway.run();
    scene.stage.reconnect();
    std::fs::remove_file(&token).expect("removed");
    scene.ask(&manifest).expect("accepted");
    let (code, message) = scene.failure();
    assert_eq!(code, codes::SELF_TEST_FAILED, "{message}");
    assert!(message.contains("token"), "{message}");
    assert!(roots.exists());
    scene.expect_left(&["chatcode-gateway"]);
}

/// Several gateways may run one binary; one of them updates it.
#[test]
fn a_binary_that_another_gateway_updates_is_left_to_it() {
    let mut scene = Scene::new();
    let manifest = scene.offer(NEW, "none");
    let binary = std::fs::File::open(scene.binary()).expect("the binary");
    rustix::fs::flock(&binary, rustix::fs::FlockOperation::LockExclusive).expect("locked");
    scene.ask(&manifest).expect("accepted");
    let (code, message) = scene.failure();
    assert_eq!(code, codes::BUSY, "{message}");
    assert_eq!(scene.server.asked("/0.2.0-none"), 0);
    drop(binary);
    scene.ask(&manifest).expect("accepted");
    scene.stage.reconnect();
    assert_eq!(scene.version(), NEW);
}

#[test]
fn a_binary_whose_folder_is_not_ours_is_left_alone() {
    let mut scene = Scene::new();
    let folder = scene.stage.gateway.home.join("bin");
    let manifest = scene.offer(NEW, "none");
    // A folder in the way of the new file stops root too.
    std::fs::create_dir_all(folder.join("chatcode-gateway.new/x")).expect("a folder");
    scene.ask(&manifest).expect("accepted");
    let (code, message) = scene.failure();
    assert_eq!(code, codes::IO, "{message}");
    assert!(message.contains("chatcode-gateway.new"), "{message}");
    assert_eq!(scene.server.asked("/0.2.0-none"), 0);
}
