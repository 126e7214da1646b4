//! Who may come in: signed cookies for people, hashed tokens for gateways, the mode of sign-in.

pub mod cookie;
pub mod mode;
pub mod token;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// HMAC-SHA256 under `secret`, ready for input. `purpose` keeps the uses of one secret apart.
fn mac(secret: &[u8], purpose: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    Some(mac)
}
