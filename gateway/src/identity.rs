//! What a build is: fixed when it is compiled, and nothing at run time changes it.

/// Version, target and trust of a build.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// What `version`, hello and the self-test say.
    pub version: &'static str,
    /// The triple that it was compiled for.
    pub target: &'static str,
    /// Minisign public key that signs its updates, as the second line of a `.pub` file.
    pub update_key: &'static str,
}

/// Nobody can sign for this key: its 32 bytes are the SHA-256 of
/// `chatcode: development builds take no updates`. So only a build that was given a key takes any.
const NOBODYS_KEY: &str = "RWQAAAAAAAAAALxqCHsKoVxJ309v1uHIVWrVPwys8Eo18Ksv7IBFNEzr";

/// This build. A release is compiled with `CHATCODE_UPDATE_KEY`, and with `CHATCODE_VERSION` where
/// its version is not the package's.
pub const OWN: Identity = Identity {
    version: match option_env!("CHATCODE_VERSION") {
        Some(version) => version,
        None => env!("CARGO_PKG_VERSION"),
    },
    target: env!("CHATCODE_TARGET"),
    update_key: match option_env!("CHATCODE_UPDATE_KEY") {
        Some(key) => key,
        None => NOBODYS_KEY,
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{BASE64, Engine as _};

    #[test]
    fn the_key_of_development_builds_is_a_digest() {
        let sentence = b"chatcode: development builds take no updates";
        let digest = ring::digest::digest(&ring::digest::SHA256, sentence);
        let key = BASE64.decode(NOBODYS_KEY).expect("base64");
        assert_eq!(key, [b"Ed".as_slice(), &[0; 8], digest.as_ref()].concat());
    }

    #[test]
    fn a_build_knows_its_triple() {
        assert!(OWN.target.starts_with(std::env::consts::ARCH.get(..3).expect("a name")));
        assert!(OWN.target.split('-').count() >= 3, "{}", OWN.target);
    }
}
