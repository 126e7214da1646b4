//! A new version of the gateway, asked for by the API.

use crate::release::{self, Key, Kind, Manifest};
use crate::server::Server;
use integration::stack::Installation;
use integration::{PATIENCE, eventually};
use serde_json::json;

const OLD: &str = "0.1.0";
const NEW: &str = "0.2.0";

/// A gateway that takes updates signed by `key` from `server`, and confirms them soon.
fn updatable(key: &Key, server: &Server) -> Installation {
    Installation::new(|gateway| {
        let binary = gateway.home.join("bin/chatcode-gateway");
        release::build(&binary, OLD, key, "none");
        gateway.set_binary(binary);
        gateway.trust(&server.roots);
        gateway.set("GATEWAY_UPDATE_CONFIRM_SECONDS", "1");
    })
}

fn offer(key: &Key, server: &Server, version: &str) -> Manifest {
    let bytes = release::built(version, key, "none");
    let path = format!("/{version}");
    server.put_file(&path, &bytes);
    Manifest::new(version, &server.url(&path), &bytes)
}

#[test]
fn a_signed_new_version_takes_over_and_the_session_goes_on() {
    let (key, server) = (Key::new(), Server::new());
    let all = updatable(&key, &server);
    let session = all.create_session("shop");
    let mut watcher = all.watch();
    watcher.event("gateway.health");
    let manifest = offer(&key, &server, NEW).json();
    let body = json!({ "manifest": manifest, "signature": key.sign(&manifest, Kind::Prehashed) });
    all.person.send("POST", &all.path("/update"), body).expect(202);
    assert_eq!(watcher.event("gateway.updated")["version"], NEW);
    eventually("the API shows the new version", PATIENCE, || {
        (all.server()["version"] == NEW).then_some(())
    });
    let mut viewer = all.person.socket(&all.path(&format!("/sessions/{session}/socket")));
    viewer.send(json!({ "type": "viewer.attach" }));
    viewer.event("session.snapshot");
}

#[test]
fn what_must_not_be_installed_is_refused_at_once() {
    let (key, foreign, server) = (Key::new(), Key::new(), Server::new());
    let all = updatable(&key, &server);
    let refused = |manifest: &Manifest, signer: &Key, status: u16, code: &str| {
        let manifest = manifest.json();
        let signature = signer.sign(&manifest, Kind::Prehashed);
        let body = json!({ "manifest": manifest, "signature": signature });
        all.person.send("POST", &all.path("/update"), body).expect_error(status, code);
    };
    let new = offer(&key, &server, NEW);
    refused(&new, &foreign, 400, "bad_signature");
    refused(&Manifest { version: OLD.to_owned(), ..new.clone() }, &key, 409, "not_newer");
    refused(&Manifest { version: "0.0.9".to_owned(), ..new.clone() }, &key, 409, "not_newer");
    refused(
        &Manifest { target: "sparc-sun-solaris".to_owned(), ..new.clone() },
        &key,
        409,
        "wrong_target",
    );
    refused(&Manifest { url: "http://127.0.0.1/x".to_owned(), ..new }, &key, 400, "bad_manifest");
    assert_eq!(all.server()["version"], OLD);
}

#[test]
fn a_truncated_download_leaves_the_old_version() {
    let (key, server) = (Key::new(), Server::new());
    let all = updatable(&key, &server);
    let session = all.create_session("shop");
    let mut watcher = all.watch();
    watcher.event("gateway.health");
    let new = offer(&key, &server, NEW);
    let cut = Manifest { size: new.size + 1, ..new }.json();
    let body = json!({ "manifest": cut, "signature": key.sign(&cut, Kind::Legacy) });
    all.person.send("POST", &all.path("/update"), body).expect(202);
    let failed = watcher.event("gateway.update_failed");
    assert_eq!(failed["code"], "download_failed", "{failed}");
    assert_eq!(all.server()["version"], OLD);
    let sessions = all.person.ask("GET", &all.path("/sessions")).expect(200);
    assert_eq!(sessions["sessions"][0]["session_id"], session);
    assert_eq!(sessions["sessions"][0]["status"], "running");
}
