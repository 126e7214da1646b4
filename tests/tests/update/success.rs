//! Updates that go well: sessions feel nothing of them.

use super::release::{self, Kind, Manifest};
use super::scene::{NEW, OLD, Outcome, Scene};
use super::server::Part;
use integration::screen::Screen;
use integration::{PATIENCE, eventually};
use protocol::events::Event;
use protocol::limits::MAX_HISTORY_LINES;
use std::process::Command;
use std::time::Duration;

/// Prints numbers until there is a file `stop`, slowly enough that all of them stay in the history.
const COUNTING: &str =
    "i=0; until [ -e stop ]; do i=$((i+1)); echo $i; sleep 0.005; done; echo end-$((1+1))\r";

fn version_on_disk(path: &std::path::Path) -> String {
    let output = Command::new(path).arg("version").output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_session_that_prints_all_the_time_feels_nothing() {
    let mut scene = Scene::new();
    let gateway_pid = scene.stage.gateway.process().id();
    scene.stage.stream(1).keep_log = true;
    scene.stage.open(1, 80, 24);
    let shell = scene.shell_pid();
    scene.stage.type_in(1, COUNTING);
    scene.stage.expect(1, "\r\n50\r\n");

    let manifest = scene.offer(NEW, "none");
    scene.ask(&manifest).expect("accepted");
    let before = scene.stage.stream(1).next.expect("a position");
    scene.stage.reconnect();
    assert_eq!(scene.version(), NEW);
    assert_eq!(scene.stage.gateway.process().id(), gateway_pid, "the same process");
    let hello = scene.stage.hello.clone().expect("hello");
    let [session] = hello.sessions.as_slice() else { panic!("{hello:?}") };
    assert!(!protocol::seq::is_before(session.seq, before), "seq never goes back");

    scene.stage.attach(1, Some(MAX_HISTORY_LINES));
    assert_eq!(scene.outcome(), Outcome::Updated(NEW.to_owned()));
    scene.expect_left(&["chatcode-gateway", "chatcode-gateway.old"]);
    std::fs::write(scene.stage.gateway.in_workdir(1, "stop"), "").expect("written");
    scene.stage.expect(1, "end-2");

    let mut screen = Screen::new();
    screen.expect_equal(&mut scene.stage.link, &scene.stage.gateway.tmux, 1);
    let shown = screen.shown();
    let lines = shown.history.iter().cloned().chain(shown.text());
    let numbers: Vec<u32> = lines.filter_map(|line| line.parse().ok()).collect();
    let last = numbers.last().copied().expect("numbers");
    assert!(last > 50);
    assert_eq!(numbers, (1..=last).collect::<Vec<u32>>(), "a line is lost or comes twice");

    assert_eq!(scene.shell_pid(), shell, "the same shell");
    assert_eq!(version_on_disk(&scene.binary()), format!("chatcode-gateway {NEW}"));
    let old = scene.binary().with_file_name("chatcode-gateway.old");
    assert_eq!(version_on_disk(&old), format!("chatcode-gateway {OLD}"));
    let children = integration::process::children(gateway_pid);
    let dead = children.iter().filter(|child| !integration::process::is_alive(**child)).count();
    assert_eq!(dead, 0, "nobody waits for a child of the version before");
}

/// As release pages serve: two redirects, chunks, an interim answer, the older kind of signature.
#[test]
fn updates_follow_each_other_through_redirects_and_chunks() {
    let mut scene = Scene::new();
    let bytes = release::built(NEW, &scene.key, "none");
    let mut chunked = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for chunk in bytes.chunks(100_000) {
        chunked.extend(format!("{:x};name=value\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\nTrailer: x\r\n\r\n");
    scene.server.put("/store/file?token=1", vec![Part::Bytes(chunked)]);
    scene.server.put_redirect("/store/page", "file?token=1");
    scene.server.put_redirect("/release", &scene.server.url("/store/page"));
    let manifest = Manifest::new(NEW, &scene.server.url("/release"), &bytes);
    let signature = scene.key.sign(manifest.json(), Kind::Legacy);
    scene.ask_raw(manifest.json(), signature).expect("accepted");
    scene.stage.reconnect();
    let next = scene.offer("0.10.0", "none");
    let busy = scene.ask(&next).expect_err("not confirmed yet");
    assert_eq!(busy.code, protocol::envelope::codes::BUSY);
    assert_eq!(scene.outcome(), Outcome::Updated(NEW.to_owned()));

    scene.ask(&next).expect("accepted");
    scene.stage.reconnect();
    assert_eq!(
        (scene.version(), scene.outcome()),
        ("0.10.0".into(), Outcome::Updated("0.10.0".into()))
    );
    let old = scene.binary().with_file_name("chatcode-gateway.old");
    assert_eq!(version_on_disk(&old), format!("chatcode-gateway {NEW}"));
}

#[test]
fn a_second_update_waits_for_the_first() {
    let mut scene = Scene::new();
    let bytes = release::built(NEW, &scene.key, "none");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let parts = vec![Part::Bytes(head.into_bytes()), Part::Hold, Part::Bytes(bytes.clone())];
    scene.server.put("/slow", parts);
    let slow = Manifest::new(NEW, &scene.server.url("/slow"), &bytes);
    scene.ask(&slow).expect("accepted");
    let other = scene.offer("0.3.0", "none");
    let busy = scene.ask(&other).expect_err("one at a time");
    assert_eq!(busy.code, protocol::envelope::codes::BUSY);
    // The connection that asked need not last.
    scene.stage.link.cut();
    scene.stage.reconnect();
    assert_eq!(scene.version(), OLD);
    scene.server.release();
    scene.stage.reconnect();
    assert_eq!((scene.version(), scene.outcome()), (NEW.into(), Outcome::Updated(NEW.into())));
}

/// A control plane that says nothing at all: its `pong` is enough.
#[test]
fn an_answer_to_a_ping_confirms() {
    let mut scene = Scene::new();
    let manifest = scene.offer(NEW, "none");
    scene.ask(&manifest).expect("accepted");
    scene.stage.reconnect();
    let updated = |event: &Event| matches!(event, Event::GatewayUpdated(_)).then_some(());
    scene.stage.take_for(Duration::from_secs(5));
    assert!(!scene.stage.link.events.iter().any(|(_, event)| updated(event).is_some()));
    let confirmed = eventually("a confirmation", PATIENCE * 2, || {
        scene.stage.take_for(Duration::from_millis(100));
        scene.stage.link.events.iter().find(|(_, event)| updated(event).is_some()).cloned()
    });
    assert!(confirmed.0.is_some() && scene.stage.pings > 0);
}
