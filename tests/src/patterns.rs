//! Reproducible bytes for bulk tests, and their digests.

use ring::digest::{SHA256, digest};

/// A small generator (xorshift64*): the same seed gives the same bytes everywhere.
pub struct Random(u64);

impl Random {
    /// From any seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.number() >> 33) % bound as u64).expect("below a usize")
    }
}

/// Random bytes of every value.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random.number().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Random printable text with colours, cursor movements, titles and line ends strewn in.
pub fn printable_and_escapes(seed: u64, length: usize) -> Vec<u8> {
    const ESCAPES: &[&str] = &[
        "\x1b[1;31m",
        "\x1b[0m",
        "\x1b[38;2;1;200;30m",
        "\x1b[48;5;27m",
        "\x1b[2J",
        "\x1b[H",
        "\x1b[5;9H",
        "\x1b[K",
        "\x1b[3A",
        "\x1b]0;title\x07",
        "\x1b[?25l",
        "\x1b[?25h",
        "\x1b7",
        "\x1b8",
        "\x1b(0",
        "\x1b(B",
        "\x1b[2L",
        "\x1b[1M",
        "\t",
        "\x08",
        "\x1bM",
        "\x1b",
        "\x1b[",
    ];
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + 32);
    while bytes.len() < length {
        match random.below(40) {
            0 => bytes.extend_from_slice(ESCAPES[random.below(ESCAPES.len())].as_bytes()),
            1 => bytes.extend_from_slice(b"\r\n"),
            2 => bytes.extend_from_slice("é日本🙂".as_bytes()),
            _ => {
                for _ in 0..8 {
                    bytes.push(b' ' + u8::try_from(random.below(95)).expect("printable"));
                }
            }
        }
    }
    bytes.truncate(length);
    bytes
}

/// The SHA-256 digest in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_others() {
        assert_eq!(noise(1, 1000), noise(1, 1000));
        assert_ne!(noise(1, 1000), noise(2, 1000));
        assert_eq!(printable_and_escapes(3, 5000).len(), 5000);
    }

    #[test]
    fn the_digest_is_sha256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
    }
}
