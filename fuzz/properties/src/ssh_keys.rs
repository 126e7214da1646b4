//! `authorized_keys`, which persons and their programs write, and keys that are pasted.

use chatcode_gateway::ssh_keys::key::PublicKey;
use chatcode_gateway::ssh_keys::text::Text;
use chatcode_gateway::ssh_keys::{label, line};

/// A key that nobody has; it comes and goes.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3sAX0mGmJzQZ2i4m8dGv0c1n5x9Yb7KfQ2oT6wRkLh";

pub(crate) fn check(bytes: &[u8]) {
    let mut text = Text::read(bytes, 0);
    assert!(text.bytes() == bytes, "what is read is written as it was");
    let before = text.keys();
    let key = PublicKey::read(KEY).expect("a key");
    let fingerprint = key.fingerprint();
    let is_new = before.iter().all(|key| key.fingerprint != fingerprint);
    if is_new && text.authorize(&key, "a label", None).is_ok() {
        let with = text.bytes();
        assert!(with.ends_with(bytes) || !before.is_empty(), "ours stands on top");
        let mut text = Text::read(&with, 0);
        assert_eq!(text.keys().len(), before.len() + 1);
        assert_eq!(text.revoke(&fingerprint).expect("it was added"), None);
        assert!(text.bytes() == bytes, "what was added goes, and nothing else");
    }
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if let Some(managed) = line::read(line) {
            assert!(line::holds(line, &managed.key));
        }
        let Ok(text) = std::str::from_utf8(line) else { continue };
        if let Ok(key) = PublicKey::read(text.trim_end_matches('\n')) {
            let again = format!("{} {}", key.kind(), key.base64());
            assert_eq!(PublicKey::read(&again).as_ref(), Ok(&key));
        }
        assert_eq!(label::decode(&label::encode(text)).as_deref(), Some(text));
    }
}
