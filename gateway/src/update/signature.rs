//! Minisign signatures, both kinds, with their trusted comment.
//!
//! There is a crate for this. It brings an Ed25519 of its own, 26 KB of a binary that has ring's
//! already and is to be about 1 MB: what is left to do is to take two base64 lines apart.

use super::blake2b;
use protocol::{BASE64, Engine as _};
use ring::signature::{ED25519, UnparsedPublicKey};

/// Bytes before the key or the signature itself: two say the algorithm, eight name the key.
const HEAD_BYTES: usize = 10;

/// Bytes of an Ed25519 public key.
const KEY_BYTES: usize = 32;

/// Bytes of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// The algorithm of keys, and of signatures over the bytes themselves.
const PLAIN: [u8; 2] = *b"Ed";

/// The algorithm of signatures over the BLAKE2b digest of the bytes.
const PREHASHED: [u8; 2] = *b"ED";

/// What stands before a trusted comment, and is not signed.
const TRUSTED: &str = "trusted comment: ";

/// Checks that `signature`, the text of a `.minisig` file, is `key`'s over exactly `bytes`.
///
/// Legacy signatures, over the bytes themselves, are as strong as those over their BLAKE2b digest:
/// minisign only wanted to sign large files without holding them.
///
/// # Errors
/// What is wrong, in words.
pub fn verify(key: &str, bytes: &[u8], signature: &str) -> Result<(), String> {
    let (algorithm, key_name, key) =
        take_apart::<KEY_BYTES>(key).ok_or("the compiled-in key: it is none of minisign's")?;
    if algorithm != PLAIN {
        return Err("the compiled-in key: its algorithm is unknown".to_owned());
    }
    let signature = Signature::read(signature).ok_or("the signature: it is none of minisign's")?;
    if signature.key_name != key_name {
        return Err("the signature: another key made it".to_owned());
    }
    let digest;
    let signed = match signature.algorithm {
        PLAIN => bytes,
        PREHASHED => {
            digest = blake2b::digest(bytes);
            &digest
        }
        _ => return Err("the signature: its algorithm is unknown".to_owned()),
    };
    let key = UnparsedPublicKey::new(&ED25519, key);
    let comment = [&signature.of_bytes, signature.comment.as_bytes()].concat();
    key.verify(signed, &signature.of_bytes)
        .map_err(|_| "the signature: it is not of these bytes".to_owned())?;
    key.verify(&comment, &signature.of_comment)
        .map_err(|_| "the signature: its trusted comment was changed".to_owned())
}

/// What a `.minisig` file says.
struct Signature<'a> {
    algorithm: [u8; 2],
    key_name: [u8; 8],
    of_bytes: [u8; SIGNATURE_BYTES],
    comment: &'a str,
    /// Over the signature of the bytes and the comment.
    of_comment: [u8; SIGNATURE_BYTES],
}

impl<'a> Signature<'a> {
    /// Four lines: an untrusted comment, the signature, the trusted comment, its signature.
    fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let (algorithm, key_name, of_bytes) = take_apart(lines.next()?)?;
        let comment = lines.next()?.strip_prefix(TRUSTED)?;
        let of_comment = BASE64.decode(lines.next()?).ok()?.try_into().ok()?;
        Some(Self { algorithm, key_name, of_bytes, comment, of_comment })
    }
}

/// The algorithm, the name of the key, and the key or signature itself.
fn take_apart<const BYTES: usize>(base64: &str) -> Option<([u8; 2], [u8; 8], [u8; BYTES])> {
    let bytes = BASE64.decode(base64).ok()?;
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let (algorithm, name) = head.split_first_chunk()?;
    Some((*algorithm, name.try_into().ok()?, rest.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    const NAME: &[u8; 8] = b"the name";

    /// The seed says which key; the same one signs each time.
    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key pair")
    }

    fn public(algorithm: &[u8; 2], pair: &Ed25519KeyPair) -> String {
        BASE64.encode([algorithm.as_slice(), NAME, pair.public_key().as_ref()].concat())
    }

    fn sign(algorithm: &[u8; 2], pair: &Ed25519KeyPair, signed: &[u8], comment: &str) -> String {
        let of_bytes = pair.sign(signed);
        let of_comment = pair.sign(&[of_bytes.as_ref(), comment.as_bytes()].concat());
        let line = BASE64.encode([algorithm.as_slice(), NAME, of_bytes.as_ref()].concat());
        let last = BASE64.encode(of_comment.as_ref());
        format!("untrusted comment: x\n{line}\n{TRUSTED}{comment}\n{last}\n")
    }

    #[test]
    fn both_kinds_are_taken_and_no_other() {
        let (pair, bytes) = (pair(1), b"some bytes".as_slice());
        let key = public(&PLAIN, &pair);
        let digest = blake2b::digest(bytes);
        let plain = sign(&PLAIN, &pair, bytes, "file:x");
        assert_eq!(verify(&key, bytes, &plain), Ok(()));
        assert_eq!(verify(&key, bytes, &plain.replace('\n', "\r\n")), Ok(()));
        assert_eq!(verify(&key, bytes, &sign(&PREHASHED, &pair, &digest, "")), Ok(()));
        for (algorithm, signed) in [(b"EE", bytes), (&PREHASHED, bytes), (&PLAIN, &digest)] {
            let wrong = sign(algorithm, &pair, signed, "file:x");
            assert!(verify(&key, bytes, &wrong).is_err(), "{wrong}");
        }
        assert!(verify(&public(b"EE", &pair), bytes, &plain).is_err());
    }

    #[test]
    fn each_part_of_a_signature_counts() {
        let (ours, other, bytes) = (pair(1), pair(2), b"some bytes".as_slice());
        let key = public(&PLAIN, &ours);
        let good = sign(&PLAIN, &ours, bytes, "file:x");
        let said = |bytes: &[u8], text: &str| verify(&key, bytes, text).expect_err("refused");
        assert!(said(b"some byteS", &good).contains("these bytes"));
        assert!(said(bytes, &sign(&PLAIN, &other, bytes, "file:x")).contains("these bytes"));
        assert!(said(bytes, &good.replace("file:x", "file:y")).contains("comment"));
        let (_, last) = good.trim_end().rsplit_once('\n').expect("lines");
        let theirs = sign(&PLAIN, &other, bytes, "file:x");
        let (_, foreign) = theirs.trim_end().rsplit_once('\n').expect("lines");
        assert!(said(bytes, &good.replace(last, foreign)).contains("comment"));
        let named = BASE64.encode([PLAIN.as_slice(), b"the Name"].concat());
        let line = good.lines().nth(1).expect("a line");
        let renamed = format!("{}{}", &named[..12], &line[12..]);
        assert!(said(bytes, &good.replace(line, &renamed)).contains("another key"));
    }

    #[test]
    fn anything_else_is_no_signature() {
        let (pair, bytes) = (pair(1), b"some bytes".as_slice());
        let key = public(&PLAIN, &pair);
        let good = sign(&PLAIN, &pair, bytes, "file:x");
        for lines in 0..4 {
            let begun: String = good.split_inclusive('\n').take(lines).collect();
            assert!(verify(&key, bytes, &begun).is_err(), "{begun}");
        }
        for wrong in [good.replace("\ntrusted", "\ntrust"), good.replace("==\n", "=\n")] {
            assert!(verify(&key, bytes, &wrong).is_err(), "{wrong}");
        }
        for key in ["", "RWQ", &key[1..], &key[..8], &BASE64.encode([0; 43])] {
            assert!(verify(key, bytes, &good).is_err(), "{key}");
        }
    }
}
