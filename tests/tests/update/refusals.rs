//! What is refused at once, with an ack that says why.

use super::release::{Key, Kind, Manifest};
use super::scene::{NEW, OLD, Scene};
use protocol::envelope::codes;

/// Trap 9: a hash from the same message, plain http, no size limit, no check for downgrades.
#[test]
fn trap_09_an_update_is_signed_newer_and_fetched_by_https() {
    let mut scene = Scene::new();
    let pid = scene.stage.open(1, 80, 24);
    let good = scene.offer(NEW, "none");
    let change = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        manifest.json()
    };
    let stranger = Key::new();
    let signed = |key: &Key, text: &str| (text.to_owned(), key.sign(text, Kind::Prehashed));
    let by_us = |text: String| signed(&scene.key, &text);
    let since = |minimum: &str| {
        good.json().replacen('{', &format!(r#"{{"minimum_version":"{minimum}","#), 1)
    };
    let plain = good.url.replace("https", "http");
    let commented = scene.key.sign(good.json(), Kind::Legacy).replace("a release", "b release");
    let cases = [
        ("another key", signed(&stranger, &good.json()), codes::BAD_SIGNATURE),
        (
            "other bytes",
            (format!("{} ", good.json()), scene.key.sign(good.json(), Kind::Prehashed)),
            codes::BAD_SIGNATURE,
        ),
        ("another comment", (good.json(), commented), codes::BAD_SIGNATURE),
        ("no signature", (good.json(), "x".to_owned()), codes::BAD_SIGNATURE),
        ("too large a step", by_us(since("0.1.1")), codes::TOO_OLD),
        ("no step", by_us(since("a while ago")), codes::BAD_MANIFEST),
        ("only its hash", (good.json(), good.sha256.clone()), codes::BAD_SIGNATURE),
        ("equal", by_us(change(&|it| it.version = OLD.to_owned())), codes::NOT_NEWER),
        ("older", by_us(change(&|it| it.version = "0.0.99".to_owned())), codes::NOT_NEWER),
        (
            "no release",
            by_us(change(&|it| it.version = "0.2.0-rc.1".to_owned())),
            codes::BAD_MANIFEST,
        ),
        (
            "another target",
            by_us(change(&|it| it.target = "z80-cpm".to_owned())),
            codes::WRONG_TARGET,
        ),
        ("plain http", by_us(change(&|it| it.url.clone_from(&plain))), codes::BAD_MANIFEST),
        ("a file", by_us(change(&|it| it.url = "file:///bin/sh".to_owned())), codes::BAD_MANIFEST),
        ("too large", by_us(change(&|it| it.size = 16 * 1024 * 1024 + 1)), codes::BAD_MANIFEST),
        ("no hash", by_us(change(&|it| it.sha256 = String::new())), codes::BAD_MANIFEST),
        ("no manifest", by_us("{}".to_owned()), codes::BAD_MANIFEST),
        ("endless", by_us(change(&|it| it.url.push_str(&"x".repeat(4096)))), codes::BAD_MANIFEST),
    ];
    for (what, (manifest, signature), code) in cases {
        let refused = scene.ask_raw(manifest, signature).expect_err(what);
        assert_eq!(refused.code, code, "{what}: {}", refused.message);
        assert!(!refused.message.is_empty(), "{what}");
    }
    assert_eq!(scene.server.asked("/0.2.0-none"), 0, "nothing was fetched");
    scene.expect_left(&["chatcode-gateway"]);
    assert!(integration::process::is_alive(pid));
    scene.stage.type_in(1, "echo still-$((1+1))\r");
    scene.stage.expect(1, "still-2");
}

#[test]
fn a_build_without_a_key_takes_no_updates() {
    let mut stage = integration::fixture::Stage::new();
    let key = Key::new();
    let manifest = Manifest::new("99.0.0", "https://127.0.0.1:1/x", b"x").json();
    let signature = key.sign(&manifest, Kind::Prehashed);
    let update = protocol::commands::GatewayUpdate { manifest, signature };
    let refused = stage.request(update).expect_err("refused");
    assert_eq!(refused.code, codes::BAD_SIGNATURE);
}

/// Homebrew's folders are its user's own: without a look at the path the update would succeed.
#[test]
fn what_a_package_owns_is_left_to_its_manager() {
    let place = "Cellar/chatcode-gateway/0.1.0/bin/chatcode-gateway";
    let mut scene = Scene::at(place, &[]);
    let binary = scene.stage.gateway.home.join(place);
    let before = std::fs::read(&binary).expect("a binary");
    let manifest = scene.offer(NEW, "none");
    scene.ask(&manifest).expect("accepted");
    let (code, message) = scene.failure();
    assert_eq!(code, codes::PERMISSION_DENIED, "{message}");
    assert!(message.contains("brew upgrade chatcode-gateway"), "{message}");
    assert_eq!(scene.server.asked("/0.2.0-none"), 0, "nothing was fetched");
    assert!(std::fs::read(&binary).expect("a binary") == before);
    assert_eq!(scene.stage.hello.as_ref().expect("hello").version, OLD);
}
