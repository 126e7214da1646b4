//! Minisign signatures, both kinds, with their trusted comment.

use minisign_verify::{PublicKey, Signature};

/// Checks that `signature`, the text of a `.minisig` file, is `key`'s over exactly `bytes`.
///
/// Legacy signatures, over the bytes themselves, are as strong as those over their BLAKE2b digest:
/// minisign only wanted to sign large files without holding them.
///
/// # Errors
/// What is wrong, in words.
pub fn verify(key: &str, bytes: &[u8], signature: &str) -> Result<(), String> {
    let wrong = |what: &str, error: minisign_verify::Error| format!("{what}: {error}");
    let key = PublicKey::from_base64(key).map_err(|error| wrong("the compiled-in key", error))?;
    let signature = Signature::decode(signature).map_err(|error| wrong("the signature", error))?;
    key.verify(bytes, &signature, true).map_err(|error| wrong("the signature", error))
}
