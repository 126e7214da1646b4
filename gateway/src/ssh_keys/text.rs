//! The text of `authorized_keys`: our lines come and go, every other byte stays.

use super::expiry::Expiry;
use super::key::PublicKey;
use super::line::{self, Managed};
use crate::child::Failure;
use protocol::envelope::codes;
use protocol::events::SshKey;
use protocol::limits::MAX_SSH_KEYS;
use std::borrow::Cow;

/// The file's lines, each with its end.
pub struct Text<'a> {
    lines: Vec<(Cow<'a, [u8]>, Option<Managed>)>,
}

impl<'a> Text<'a> {
    /// Reads the file's bytes. Lines of ours whose time has come are left out.
    pub fn read(bytes: &'a [u8], now: u64) -> Self {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        let lines = lines.map(|line| (Cow::Borrowed(line), line::read(line)));
        let is_over = |managed: &Managed| managed.expires_at.is_some_and(|at| at <= now);
        let lines = lines.filter(|(_, managed)| !managed.as_ref().is_some_and(is_over));
        Self { lines: lines.collect() }
    }

    /// Adds a key, or gives one that we added another label and expiry, at its place.
    ///
    /// # Errors
    /// When a person has added it, or there are as many as there may be.
    pub fn authorize(
        &mut self,
        key: &PublicKey,
        label: &str,
        expiry: Option<&Expiry>,
    ) -> Result<(), Failure> {
        if let Some(number) = self.foreign_line(key) {
            let message = format!(
                "line {number} of authorized_keys, which the gateway did not write, has this key: \
                 it may log in already; remove that line to manage the key here"
            );
            return Err(Failure::new(codes::BAD_KEY, message));
        }
        let is_it = |managed: &Option<Managed>| managed.as_ref().is_some_and(|it| it.key == *key);
        let at = self.lines.iter().position(|(_, managed)| is_it(managed));
        // A copy that a person made of our line goes: it would keep the old label and expiry.
        self.lines.retain(|(_, managed)| !is_it(managed));
        let ours = self.lines.iter().filter(|(_, managed)| managed.is_some()).count();
        if ours >= MAX_SSH_KEYS {
            let message = format!("the gateway keeps {MAX_SSH_KEYS} keys: revoke one first");
            return Err(Failure::new(codes::KEY_LIMIT, message));
        }
        // Behind ours that stand on top; one that an editor took the newline from is no place.
        let is_ours = |(bytes, managed): &&(Cow<'_, [u8]>, Option<Managed>)| {
            managed.is_some() && bytes.ends_with(b"\n")
        };
        let top = self.lines.iter().take_while(is_ours).count();
        let managed = Managed {
            key: key.clone(),
            label: label.to_owned(),
            expires_at: expiry.map(|expiry| expiry.at),
        };
        let bytes = Cow::Owned(line::write(key, label, expiry).into_bytes());
        self.lines.insert(at.unwrap_or(top), (bytes, Some(managed)));
        Ok(())
    }

    /// Removes a key that we added. Gives the line of a person that still lets it in, if any.
    ///
    /// # Errors
    /// When there is none of ours.
    pub fn revoke(&mut self, fingerprint: &str) -> Result<Option<usize>, Failure> {
        let is_it = |managed: &Managed| managed.key.fingerprint() == fingerprint;
        let found =
            self.lines.iter().find_map(|(_, managed)| managed.as_ref().filter(|it| is_it(it)));
        let Some(key) = found.map(|managed| managed.key.clone()) else {
            let message = "the gateway added no key with this fingerprint, or it has expired; one \
                           that a person added is removed by hand";
            return Err(Failure::new(codes::UNKNOWN_KEY, message));
        };
        self.lines.retain(|(_, managed)| !managed.as_ref().is_some_and(is_it));
        Ok(self.foreign_line(&key))
    }

    /// The keys that we added, in the order of the file; a copied line counts once.
    pub fn keys(&self) -> Vec<SshKey> {
        let mut keys: Vec<SshKey> = Vec::new();
        for managed in self.lines.iter().filter_map(|(_, managed)| managed.as_ref()) {
            let fingerprint = managed.key.fingerprint();
            if !keys.iter().any(|key| key.fingerprint == fingerprint) {
                let (label, expires_at) = (managed.label.clone(), managed.expires_at);
                keys.push(SshKey { fingerprint, label, expires_at });
            }
        }
        keys
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect()
    }

    /// The number of the first line that is not ours and lets `key` in, from 1.
    fn foreign_line(&self, key: &PublicKey) -> Option<usize> {
        let holds = |(bytes, managed): &(Cow<'_, [u8]>, Option<Managed>)| {
            managed.is_none() && line::holds(bytes, key)
        };
        self.lines.iter().position(holds).map(|index| index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::key;
    use super::*;

    /// What persons and their programs leave in such files.
    const FOREIGN: [&[u8]; 7] = [
        b"",
        b"# no newline at the end",
        b"\xef\xbb\xbf# CRLF\r\nssh-rsa AAAAB3 someone\r\n\r\n",
        b"\0\xff binary \x01\n\n\n",
        b"ssh-ed25519 AAAA twice\nssh-ed25519 AAAA twice\n",
        b"ssh-ed25519 AAAA chatcode:laptop\nssh-ed25519 AAAA chatcode:laptop:never:AAAAAAAAAAAAAAAA",
        b"\n",
    ];

    fn expiry(at: u64) -> Expiry {
        Expiry { at, time: "20300101000000Z".to_owned() }
    }

    #[test]
    fn other_bytes_stay_and_come_back_when_our_lines_are_gone() {
        for foreign in FOREIGN {
            let mut file = foreign.to_vec();
            for number in [1, 2, 3, 2] {
                let mut text = Text::read(&file, 0);
                text.authorize(&key(number), "a label", None).expect("authorised");
                file = text.bytes();
                assert!(file.ends_with(foreign));
            }
            assert_eq!(Text::read(&file, 0).keys().len(), 3);
            for number in [2, 3, 1] {
                let mut text = Text::read(&file, 0);
                assert_eq!(text.revoke(&key(number).fingerprint()).expect("revoked"), None);
                file = text.bytes();
            }
            assert_eq!(file, foreign);
        }
        let huge = [vec![b'#'; 900_000], b"\nx".to_vec()].concat();
        assert_eq!(Text::read(&huge, 0).bytes(), huge);
    }

    #[test]
    fn a_line_of_ours_without_its_newline_is_not_joined() {
        let mut text = Text::read(b"", 0);
        text.authorize(&key(1), "one", None).expect("authorised");
        let file = text.bytes();
        let mut text = Text::read(file.strip_suffix(b"\n").expect("a newline"), 0);
        text.authorize(&key(2), "two", None).expect("authorised");
        assert_eq!(Text::read(&text.bytes(), 0).keys().len(), 2);
        text.authorize(&key(1), "uno", None).expect("authorised");
        assert_eq!(Text::read(&text.bytes(), 0).keys().len(), 2);
    }

    #[test]
    fn the_same_key_again_gets_its_new_label_and_expiry_at_its_place() {
        let mut text = Text::read(b"", 0);
        text.authorize(&key(1), "one", None).expect("authorised");
        text.authorize(&key(2), "two", None).expect("authorised");
        text.authorize(&key(1), "uno", Some(&expiry(50))).expect("authorised");
        let labels: Vec<_> = text.keys().into_iter().map(|k| (k.label, k.expires_at)).collect();
        assert_eq!(labels, [("uno".to_owned(), Some(50)), ("two".to_owned(), None)]);
    }

    #[test]
    fn expired_lines_go_and_copies_of_a_line_count_once() {
        let mut text = Text::read(b"", 0);
        text.authorize(&key(1), "short", Some(&expiry(50))).expect("authorised");
        text.authorize(&key(2), "long", None).expect("authorised");
        let file = [text.bytes(), text.bytes()].concat();
        assert_eq!(Text::read(&file, 49).keys().len(), 2);
        assert_eq!(Text::read(&file, 49).bytes(), file);
        assert_eq!(Text::read(&file, 50).keys().len(), 1);
        let mut text = Text::read(&file, 50);
        text.revoke(&key(2).fingerprint()).expect("revoked");
        assert_eq!(text.bytes(), b"");
        let again = text.revoke(&key(2).fingerprint()).expect_err("gone");
        assert_eq!(again.code, codes::UNKNOWN_KEY);
    }

    #[test]
    fn a_key_of_a_person_is_left_alone_and_named() {
        let theirs = format!("# mine\nno-pty {} {} me\n", key(1).kind(), key(1).base64());
        let mut text = Text::read(theirs.as_bytes(), 0);
        let refused = text.authorize(&key(1), "x", None).expect_err("theirs");
        assert_eq!(refused.code, codes::BAD_KEY);
        assert!(refused.message.contains("line 2"), "{}", refused.message);
        assert_eq!(
            text.revoke(&key(1).fingerprint()).expect_err("theirs").code,
            codes::UNKNOWN_KEY
        );
        assert_eq!(text.bytes(), theirs.as_bytes());
        // Added by hand after us: what is ours goes, and it is said that the key still works.
        let both = [line::write(&key(1), "x", None).into_bytes(), theirs.into_bytes()].concat();
        let mut text = Text::read(&both, 0);
        assert_eq!(text.revoke(&key(1).fingerprint()).expect("ours goes"), Some(2));
    }

    #[test]
    fn there_are_only_so_many() {
        let mut text = Text::read(b"", 0);
        for number in 0..MAX_SSH_KEYS {
            let number = u8::try_from(number).expect("small");
            text.authorize(&key(number), "x", None).expect("authorised");
        }
        let refused = text.authorize(&key(200), "x", None).expect_err("too many");
        assert_eq!(refused.code, codes::KEY_LIMIT);
        text.authorize(&key(0), "y", None).expect("no new one");
    }
}
