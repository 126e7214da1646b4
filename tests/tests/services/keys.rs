//! SSH keys, from the API into authorized_keys.

use crate::sshd::Host;
use integration::stack::{ControlPlane, Installation};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds.
const DAY: u64 = 24 * 3600;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmZg8nmzRq3XoROFvoImRGBqvkWBPPSPA3qN3oYCgDy";

#[test]
fn keys_are_added_listed_and_removed_and_the_rest_of_the_file_stays() {
    let all = Installation::new(|_| {});
    let home = all.gateway.home.path().to_owned();
    let ssh = home.join(".ssh");
    std::fs::create_dir(&ssh).expect("a folder");
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o700)).expect("a mode");
    let file = ssh.join("authorized_keys");
    let before = "# mine\r\nssh-rsa AAAA not a key\n\n  no newline at the end";
    std::fs::write(&file, before).expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");

    let keys = all.path("/keys");
    assert_eq!(all.person.ask("GET", &keys).expect(200)["keys"], json!([]));
    let made = all.person.send("POST", &keys, json!({ "public_key": KEY, "label": "my laptop" }));
    let made = made.expect(201);
    assert_eq!(made["keys"][0]["label"], "my laptop");
    let fingerprint = made["keys"][0]["fingerprint"].as_str().expect("text").to_owned();
    assert!(fingerprint.starts_with("SHA256:"));
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.ends_with(before) && text.contains(KEY), "{text}");
    for (label, key, code) in [
        ("two\nlines", KEY, "bad_label"),
        ("options", &format!("command=\"id\" {KEY}"), "bad_key"),
        ("none", "ssh-ed25519 AAAA", "bad_key"),
    ] {
        let body = json!({ "public_key": key, "label": label });
        let refused = all.person.send("POST", &keys, body);
        assert!(refused.status == 400, "{label}: {}", refused.status);
        assert!([code, "invalid"].contains(&&*refused.code()), "{label}: {}", refused.code());
    }
    let revoke = format!("{keys}?fingerprint={}", fingerprint.replace('+', "%2B"));
    all.person.ask("DELETE", &revoke).expect(204);
    all.person.ask("DELETE", &revoke).expect_error(404, "unknown_key");
    let after = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(after, before);
}

#[test]
fn a_key_logs_in_at_the_hosts_sshd_until_it_is_revoked_and_support_has_a_day() {
    let host = Host::start();
    let home = host.home.path().to_string_lossy().into_owned();
    let all = Installation::new(|gateway| gateway.set("HOME", &home));
    let keys = all.path("/keys");
    let pair = host.pair("laptop", &["-t", "ed25519"]);
    assert!(!host.lets_in(&pair));
    let body = json!({ "public_key": pair.public, "label": "laptop" });
    let made = all.person.send("POST", &keys, body).expect(201);
    assert_eq!(made["keys"][0]["fingerprint"], pair.fingerprint);
    assert!(host.lets_in(&pair));
    let revoke = format!("{keys}?fingerprint={}", pair.fingerprint.replace('+', "%2B"));
    all.person.ask("DELETE", &revoke).expect(204);
    assert!(!host.lets_in(&pair));
    // This deployment has no key of a support.
    all.person
        .send("POST", &format!("{keys}/support"), json!({}))
        .expect_error(409, "no_support_key");
}

#[test]
fn the_support_of_a_deployment_gets_a_day() {
    let host = Host::start();
    let home = host.home.path().to_string_lossy().into_owned();
    let pair = host.pair("support", &["-t", "ed25519"]);
    let control_plane = ControlPlane::with(&[("SUPPORT_PUBLIC_KEY", &pair.public)]);
    let all = Installation::at(control_plane, |gateway| gateway.set("HOME", &home));
    let made = all.person.send("POST", &all.path("/keys/support"), json!({})).expect(201);
    let key = &made["keys"][0];
    assert_eq!((&key["label"], &key["fingerprint"]), (&json!("support"), &json!(pair.fingerprint)));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let left = key["expires_at"].as_u64().expect("an end") - now;
    assert!((DAY - 60..=DAY).contains(&left), "{left} s");
    assert!(String::from_utf8_lossy(&host.file()).contains("expiry-time="));
    assert!(host.lets_in(&pair));
}
