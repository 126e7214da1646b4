//! One line of ours in `authorized_keys`: written, and told from every other line.

use super::expiry::Expiry;
use super::key::PublicKey;
use super::label;
use protocol::{BASE64, Engine as _};

/// Begins the comment of our lines.
const MARK: &str = "chatcode:";

/// What the digest covers before the line itself, so that it is no digest of anything else.
const DOMAIN: &str = "chatcode authorized_keys line 1\n";

/// Base64 characters of the digest: 96 bits do not come by chance.
const CHECK_CHARS: usize = 16;

/// Stands for the time of a key that does not expire.
const NEVER: &str = "never";

/// What a line of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// The key.
    pub key: PublicKey,
    /// What people call it.
    pub label: String,
    /// Unix time in seconds after which sshd refuses it.
    pub expires_at: Option<u64>,
}

/// Writes a line, its newline included.
pub fn write(key: &PublicKey, name: &str, expiry: Option<&Expiry>) -> String {
    let options = expiry.map(|expiry| format!("expiry-time=\"{}\" ", expiry.time));
    let options = options.unwrap_or_default();
    let at = expiry.map_or_else(|| NEVER.to_owned(), |expiry| expiry.at.to_string());
    let (kind, base64, name) = (key.kind(), key.base64(), label::encode(name));
    let body = format!("{options}{kind} {base64} {MARK}{name}:{at}");
    format!("{body}:{}\n", check(&body))
}

/// Reads a line with or without its end. `None` when it is not ours.
pub fn read(line: &[u8]) -> Option<Managed> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    // An editor that changed the file's line ends has not made our lines a person's.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (body, digest) = std::str::from_utf8(line).ok()?.rsplit_once(':')?;
    if check(body) != digest {
        return None;
    }
    let (rest, comment) = body.rsplit_once(' ')?;
    let (name, at) = comment.strip_prefix(MARK)?.split_once(':')?;
    let (rest, base64) = rest.rsplit_once(' ')?;
    let kind = rest.rsplit(' ').next()?;
    Some(Managed {
        key: PublicKey::read(&format!("{kind} {base64}")).ok()?,
        label: label::decode(name)?,
        expires_at: if at == NEVER { None } else { Some(at.parse().ok()?) },
    })
}

/// Whether any line, whoever wrote it, lets `key` in. Its options, if any, stand before the kind.
pub fn holds(line: &[u8], key: &PublicKey) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none_or(|first| first.starts_with(b"#")) {
        return false;
    }
    let mut before: &[u8] = b"";
    words.any(|word| {
        let found = before == key.kind().as_bytes() && word == key.base64().as_bytes();
        before = word;
        found
    })
}

fn check(body: &str) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(DOMAIN.as_bytes());
    context.update(body.as_bytes());
    let mut text = BASE64.encode(context.finish());
    text.truncate(CHECK_CHARS);
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A key that is told from others by a number.
    pub fn key(number: u8) -> PublicKey {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend([number; 32]);
        PublicKey::read(&format!("ssh-ed25519 {}", BASE64.encode(blob))).expect("a key")
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let expiry = Expiry { at: 1_767_312_000, time: "20260102000000Z".to_owned() };
        for (name, expiry) in [("my laptop", None), ("a:b:c %", Some(&expiry))] {
            let line = write(&key(1), name, expiry);
            let expires_at = expiry.map(|expiry| expiry.at);
            let wanted = Managed { key: key(1), label: name.to_owned(), expires_at };
            assert_eq!(read(line.as_bytes()), Some(wanted.clone()));
            assert_eq!(read(line.replace('\n', "\r\n").as_bytes()), Some(wanted.clone()));
            assert_eq!(read(line.trim_end().as_bytes()), Some(wanted));
            assert!(holds(line.as_bytes(), &key(1)) && !holds(line.as_bytes(), &key(2)));
        }
    }

    #[test]
    fn a_line_with_any_byte_changed_is_a_persons() {
        let line = write(&key(1), "laptop", None);
        for at in 0..line.len() - 1 {
            let mut changed = line.clone().into_bytes();
            changed[at] ^= 1;
            assert_eq!(read(&changed), None, "{at}");
        }
        assert_eq!(read(format!("from=\"10.0.0.1\" {line}").as_bytes()), None);
        assert_eq!(read(format!(" {line}").as_bytes()), None);
        assert_eq!(read(b"ssh-ed25519 AAAA chatcode:laptop"), None);
    }

    #[test]
    fn a_key_is_found_in_lines_of_persons() {
        let (kind, base64) = (key(1).kind(), key(1).base64().to_owned());
        let holds = |line: String| holds(line.as_bytes(), &key(1));
        assert!(holds(format!("{kind} {base64}")));
        assert!(holds(format!("  command=\"echo a b\",no-pty\t{kind}  {base64} me\r\n")));
        assert!(!holds(format!("# {kind} {base64}")));
        assert!(!holds(format!("{kind} {base64}A")));
        assert!(!holds(String::new()));
    }
}
