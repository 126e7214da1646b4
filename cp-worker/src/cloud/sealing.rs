//! Which key seals and which open, and how a sealed text is written. The cipher is AES-256-GCM and
//! the platform's own; what it binds a text to is the row that holds it.

use protocol::{BASE64, Engine as _};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// Bytes of a nonce; random, which is safe for far more seals than an account has refreshes.
pub const NONCE_BYTES: usize = 12;

/// The keys of a deployment.
pub struct Keys(Vec<(u32, [u8; KEY_BYTES])>);

impl Keys {
    /// Reads `SEALING_KEYS`: `1:BASE64`, or several, separated by commas.
    ///
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let mut keys = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (version, key) = entry.split_once(':').ok_or(FORM)?;
            let version: u32 =
                version.trim().parse().ok().filter(|version| *version > 0).ok_or(FORM)?;
            let key = BASE64.decode(key.trim()).ok().and_then(|key| key.try_into().ok());
            if keys.iter().any(|(known, _)| *known == version) {
                return Err("SEALING_KEYS has a version twice");
            }
            keys.push((version, key.ok_or(FORM)?));
        }
        if keys.is_empty() { Err(FORM) } else { Ok(Self(keys)) }
    }

    /// The version and the key that seal: the newest.
    pub fn newest(&self) -> Option<(u32, &[u8; KEY_BYTES])> {
        let newest = self.0.iter().max_by_key(|(version, _)| *version);
        newest.map(|(version, key)| (*version, key))
    }

    /// The key of a version.
    pub fn of(&self, version: u32) -> Option<&[u8; KEY_BYTES]> {
        self.0.iter().find(|(known, _)| *known == version).map(|(_, key)| key)
    }
}

const FORM: &str = "SEALING_KEYS must be VERSION:KEY, a number and 32 bytes in base64, or several of \
                    these separated by commas";

/// What a text of a row is bound to, so that it opens in no other place.
pub fn purpose(connection_id: &str, which: &str) -> String {
    format!("{connection_id}.{which}")
}

/// Writes a nonce and what was sealed with it as text.
pub fn join(nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> String {
    BASE64.encode([nonce, sealed].concat())
}

/// The nonce and what was sealed with it.
pub fn split(text: &str) -> Option<([u8; NONCE_BYTES], Vec<u8>)> {
    let bytes = BASE64.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk()?;
    Some((*nonce, sealed.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_key_seals_and_all_open() {
        let key = |byte: u8| BASE64.encode([byte; KEY_BYTES]);
        let keys = Keys::read(&format!("2:{}, 10:{},1:{}", key(2), key(10), key(1))).unwrap();
        assert_eq!(keys.newest(), Some((10, &[10; KEY_BYTES])));
        assert_eq!(keys.of(1), Some(&[1; KEY_BYTES]));
        assert_eq!(keys.of(3), None);
        let short = BASE64.encode([1; 31]);
        for bad in [
            String::new(),
            key(1),
            format!("0:{}", key(1)),
            format!("x:{}", key(1)),
            format!("1:{short}"),
            "1:é".into(),
            format!("1:{},1:{}", key(1), key(2)),
        ] {
            assert!(Keys::read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sealed_texts_come_apart_again() {
        let text = join(&[7; NONCE_BYTES], b"sealed");
        assert_eq!(split(&text), Some(([7; NONCE_BYTES], b"sealed".to_vec())));
        for bad in ["", "é", "AAAA"] {
            assert_eq!(split(bad), None);
        }
    }
}
