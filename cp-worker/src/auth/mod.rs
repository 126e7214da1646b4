//! Who may come in: signed cookies and mailed links for people, hashed tokens for gateways.

pub mod cookie;
pub mod link;
pub mod mode;
pub mod oauth;
pub mod rates;
pub mod sign_in;
pub mod token;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write as _;

/// HMAC-SHA256 under `secret`, ready for input. `purpose` keeps the uses of one secret apart.
fn mac(secret: &[u8], purpose: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    Some(mac)
}

/// What is kept of a secret `text`: its HMAC in hex, by which it is found and not known.
fn hash(secret: &[u8], purpose: &str, text: &str) -> Option<String> {
    let mut mac = mac(secret, purpose)?;
    mac.update(text.as_bytes());
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    Some(hex)
}
