//! New versions that are no good: the old one comes back and says so.

use super::release::{self, Manifest};
use super::scene::{NEW, OLD, Scene};
use integration::mock_cp::Answer;
use integration::{PATIENCE, eventually};
use protocol::envelope::codes;
use std::time::Duration;

#[test]
fn a_version_that_crashes_gives_way_at_its_second_start() {
    let mut scene = Scene::new();
    scene.stage.open(1, 80, 24);
    let shell = scene.shell_pid();
    let manifest = scene.offer(NEW, "crashes");
    scene.ask(&manifest).expect("accepted");
    scene.stage.reconnect();
    assert_eq!(scene.version(), NEW);
    let gateway = &mut scene.stage.gateway;
    eventually("the crash", PATIENCE, || (!gateway.process().is_running()).then_some(()));
    // As a service manager does.
    scene.stage.gateway.run();
    scene.stage.reconnect();
    assert_eq!(scene.version(), OLD);
    let (code, message) = scene.failure();
    assert_eq!(code, codes::ROLLED_BACK, "{message}");
    assert!(message.contains(NEW) && message.contains("before it was confirmed"), "{message}");
    scene.expect_left(&["chatcode-gateway"]);
    scene.stage.attach(1, None);
    assert_eq!(scene.shell_pid(), shell, "the same shell");

    // It was not the machine: a better one is welcome, also of the same version.
    scene.take_over();
}

/// The control plane refuses the new version, as if it spoke another contract.
#[test]
fn a_version_that_cannot_link_gives_way_by_itself() {
    let mut scene = Scene::new();
    let pid = scene.stage.gateway.process().id();
    let manifest = scene.offer(NEW, "none");
    scene.ask(&manifest).expect("accepted");
    scene.stage.cp.answer(Answer::Refuse(503, None));
    let gateway = &scene.stage.gateway;
    eventually("the way back", PATIENCE, || {
        gateway.log().contains("going back to the version before").then_some(())
    });
    scene.stage.cp.answer(Answer::Accept);
    scene.stage.reconnect();
    assert_eq!((scene.version(), scene.stage.gateway.process().id()), (OLD.to_owned(), pid));
    let (code, message) = scene.failure();
    assert_eq!(code, codes::ROLLED_BACK, "{message}");
    assert!(message.contains("not linked"), "{message}");
    scene.expect_left(&["chatcode-gateway"]);
}

/// What passed its test a moment ago cannot be run: the old process is still there and goes on.
#[test]
fn a_version_that_cannot_be_run_is_undone() {
    let mut scene = Scene::new();
    scene.stage.open(1, 80, 24);
    let shell = scene.shell_pid();
    let script = format!("#!/bin/sh\necho chatcode-gateway {NEW}\nchmod a-x \"$0\"\n");
    scene.server.put_file("/script", script.as_bytes());
    let manifest = Manifest::new(NEW, &scene.server.url("/script"), script.as_bytes());
    scene.ask(&manifest).expect("accepted");
    scene.stage.reconnect();
    assert_eq!(scene.version(), OLD);
    let (code, message) = scene.failure();
    assert_eq!(code, codes::IO, "{message}");
    assert!(message.contains("cannot run"), "{message}");
    scene.expect_left(&["chatcode-gateway"]);
    assert_eq!(scene.stage.gateway.log().matches("gateway starts").count(), 1);
    scene.stage.attach(1, None);
    assert_eq!(scene.shell_pid(), shell, "the same shell");

    scene.take_over();
}

/// Somebody installed another binary by hand, and the gateway was not restarted yet.
#[test]
fn a_binary_that_somebody_replaced_is_left_alone() {
    let mut scene = Scene::new();
    let manifest = scene.offer(NEW, "none");
    let other = scene.stage.gateway.home.join("other");
    release::build(&other, "0.9.0", &scene.key, "none");
    std::fs::rename(other, scene.binary()).expect("replaced");
    scene.ask(&manifest).expect("accepted");
    let (code, message) = scene.failure();
    assert_eq!(code, codes::IO, "{message}");
    assert!(message.contains("restart the gateway"), "{message}");
    scene.expect_left(&["chatcode-gateway"]);
}

/// Whoever was told nothing may have lost it with the connection: it is told again until then.
#[test]
fn a_failure_is_told_until_it_is_heard() {
    let mut scene = Scene::new();
    let manifest = scene.offer(NEW, "fails-its-test");
    scene.ask(&manifest).expect("accepted");
    for _ in 0..2 {
        let told = scene.stage.event("a failure", |event| match event {
            protocol::events::Event::GatewayUpdateFailed(failed) => Some(failed.code.clone()),
            _ => None,
        });
        assert_eq!(told, codes::SELF_TEST_FAILED);
        scene.stage.link.cut();
        scene.stage.reconnect();
    }
    assert_eq!(scene.failure().0, codes::SELF_TEST_FAILED);
    scene.expect_left(&["chatcode-gateway"]);
    scene.stage.link.cut();
    scene.stage.reconnect();
    scene.stage.take_for(Duration::from_millis(300));
    assert!(!scene.stage.link.events.iter().any(|(_, event)| event.name().contains("update")));
}
