//! A public key, checked down to its bytes: kind, base64, and the fields that its kind has.

use protocol::limits::PUBLIC_KEY_BYTES;
use protocol::{BASE64, Engine as _};

const ED25519: &str = "ssh-ed25519";
const RSA: &str = "ssh-rsa";
const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";
const SK_ECDSA: &str = "sk-ecdsa-sha2-nistp256@openssh.com";

/// The kinds that sshd accepts as they come. DSA is broken; a certificate is no key.
const KINDS: [&str; 7] = [
    ED25519,
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    RSA,
    SK_ED25519,
    SK_ECDSA,
];

/// Bits of an RSA modulus: shorter ones can be factored, longer ones OpenSSH refuses.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=16_384;

/// Bytes of an Ed25519 public key.
const ED25519_BYTES: usize = 32;

/// A public key that a host may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kind: &'static str,
    base64: String,
    blob: Vec<u8>,
}

impl PublicKey {
    /// Reads a line as `ssh-keygen` writes it into a `.pub` file. Its comment is dropped.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn read(line: &str) -> Result<Self, String> {
        if line.contains("PRIVATE KEY") {
            return Err("this is a private key: keep it secret, and paste the one line of the \
                        .pub file beside it"
                .to_owned());
        }
        if line.len() > PUBLIC_KEY_BYTES {
            return Err(format!("the key is longer than {PUBLIC_KEY_BYTES} bytes"));
        }
        if line.chars().any(char::is_control) {
            return Err("the key is not one line of plain text: paste a .pub file".to_owned());
        }
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let kind = KINDS.into_iter().find(|kind| *kind == first);
        let Some(kind) = kind else { return Err(no_kind(first, line)) };
        let base64 = words.next().unwrap_or_default();
        let blob = BASE64
            .decode(base64)
            .map_err(|_| format!("what follows {kind} is no base64: the key was cut or changed"))?;
        let mut fields = Fields(&blob);
        if fields.next() != Some(kind.as_bytes()) {
            return Err(format!("the line says {kind} and the key itself does not"));
        }
        check(kind, &fields.rest().ok_or("the key was cut or changed")?)?;
        Ok(Self { kind, base64: base64.to_owned(), blob })
    }

    /// Its kind, as sshd calls it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its bytes, as they stand in a line.
    pub fn base64(&self) -> &str {
        &self.base64
    }

    /// As `ssh-keygen -lf` prints it.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.blob);
        format!("SHA256:{}", BASE64.encode(digest).trim_end_matches('='))
    }
}

/// Why a line does not begin with a kind that we take.
fn no_kind(first: &str, line: &str) -> String {
    if first.contains("-cert-v01@") {
        return "certificates are not accepted: give the key that it certifies".to_owned();
    }
    if first == "ssh-dss" {
        return "DSA keys are refused by every current sshd: make an ed25519 key".to_owned();
    }
    if line.split([' ', ',', '"']).any(|word| KINDS.contains(&word)) {
        return "options before the key are not accepted: give the kind and the key alone"
            .to_owned();
    }
    format!("a public key begins with one of {}", KINDS.join(", "))
}

/// The fields after the kind, as RFC 4253, RFC 5656, RFC 8709 and OpenSSH's PROTOCOL.u2f have them.
fn check(kind: &str, fields: &[&[u8]]) -> Result<(), String> {
    let good = match (kind, fields) {
        (ED25519, [point]) => point.len() == ED25519_BYTES,
        (SK_ED25519, [point, application]) => {
            point.len() == ED25519_BYTES && !application.is_empty()
        }
        (SK_ECDSA, [curve, point, application]) => {
            is_point(curve, point, b"nistp256") && !application.is_empty()
        }
        (RSA, [exponent, modulus]) => return check_rsa(exponent, modulus),
        (_, [curve, point]) => kind
            .strip_prefix("ecdsa-sha2-")
            .is_some_and(|name| is_point(curve, point, name.as_bytes())),
        _ => false,
    };
    if good { Ok(()) } else { Err(format!("this is no complete {kind} key")) }
}

/// Whether `point` is an uncompressed point of the curve of that name.
fn is_point(curve: &[u8], point: &[u8], name: &[u8]) -> bool {
    let coordinate = match name {
        b"nistp256" => 32,
        b"nistp384" => 48,
        _ => 66,
    };
    curve == name && point.first() == Some(&4) && point.len() == 1 + 2 * coordinate
}

fn check_rsa(exponent: &[u8], modulus: &[u8]) -> Result<(), String> {
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let bits = match (magnitude(exponent), magnitude(modulus)) {
        (Some(exponent), Some(modulus)) if exponent != [1] && odd(exponent) && odd(modulus) => {
            let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
            modulus.len() * 8 - zeros
        }
        _ => return Err("this is no complete ssh-rsa key".to_owned()),
    };
    if RSA_BITS.contains(&bits) {
        return Ok(());
    }
    let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
    Err(format!("the RSA key has {bits} bits, not {least} to {most}: make an ed25519 key"))
}

/// The digits of a positive `mpint` in its shortest form.
fn magnitude(number: &[u8]) -> Option<&[u8]> {
    match number {
        [0, rest @ ..] => rest.first().filter(|byte| **byte >= 0x80).map(|_| rest),
        [first, ..] if *first < 0x80 => Some(number),
        _ => None,
    }
}

/// Fields of four bytes of length, big endian, and as many bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    /// All that are left. `None` when bytes are left over.
    fn rest(mut self) -> Option<Vec<&'a [u8]>> {
        let mut fields = Vec::new();
        while !self.0.is_empty() {
            fields.push(self.next()?);
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, fields: &[&[u8]]) -> String {
        let mut blob = Vec::new();
        for field in fields {
            blob.extend(u32::try_from(field.len()).expect("short").to_be_bytes());
            blob.extend(*field);
        }
        format!("{kind} {}", BASE64.encode(blob))
    }

    fn wrong(line: &str) -> String {
        PublicKey::read(line).expect_err(line)
    }

    fn rsa(bytes: usize) -> String {
        let mut modulus = vec![0xff; bytes + 1];
        modulus[0] = 0;
        line(RSA, &[RSA.as_bytes(), &[1, 0, 1], &modulus])
    }

    #[test]
    fn every_kind_is_read_and_its_comment_dropped() {
        let point = |coordinate: usize| [vec![4], vec![7; 2 * coordinate]].concat();
        let lines = [
            line(ED25519, &[ED25519.as_bytes(), &[7; 32]]),
            line("ecdsa-sha2-nistp256", &[b"ecdsa-sha2-nistp256", b"nistp256", &point(32)]),
            line("ecdsa-sha2-nistp384", &[b"ecdsa-sha2-nistp384", b"nistp384", &point(48)]),
            line("ecdsa-sha2-nistp521", &[b"ecdsa-sha2-nistp521", b"nistp521", &point(66)]),
            line(SK_ED25519, &[SK_ED25519.as_bytes(), &[7; 32], b"ssh:"]),
            line(SK_ECDSA, &[SK_ECDSA.as_bytes(), b"nistp256", &point(32), b"ssh:"]),
            rsa(256),
        ];
        for line in lines {
            let key = PublicKey::read(&format!("{line}  who@where and more")).expect(&line);
            assert_eq!(format!("{} {}", key.kind(), key.base64()), line);
            assert!(key.fingerprint().len() == 50 && !key.fingerprint().ends_with('='));
            // Cut anywhere it is no key any more, and nothing panics.
            for end in 0..line.len() {
                wrong(&line[..end]);
            }
        }
    }

    #[test]
    fn the_contracts_example_has_its_fingerprint() {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3sAX0mGmJzQZ2i4m8dGv0c1n5x9Yb7KfQ2oT6wRkLh";
        let key = PublicKey::read(key).expect("a key");
        assert!(key.fingerprint().starts_with("SHA256:"));
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let good = line(ED25519, &[ED25519.as_bytes(), &[7; 32]]);
        let cases = [
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "private key"),
            (&format!("{good}\n{good}"), "one line"),
            (&format!("{good}\0"), "one line"),
            (&format!("command=\"id\" {good}"), "options"),
            (&format!("from=\"*\",pty {good}"), "options"),
            ("", "begins with"),
            ("ssh-dss AAAA", "DSA"),
            ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificates"),
            ("ssh-ed25519 AAA", "base64"),
            ("ssh-ed25519 !", "base64"),
            (&line(RSA, &[ED25519.as_bytes(), &[7; 32]]), "the key itself"),
            (&line(ED25519, &[ED25519.as_bytes(), &[7; 31]]), "no complete"),
            (&line(ED25519, &[ED25519.as_bytes(), &[7; 32], b"more"]), "no complete"),
            (&line("ecdsa-sha2-nistp256", &[b"ecdsa-sha2-nistp256", b"nistp384", &[4; 65]]), "no"),
            (&line("ecdsa-sha2-nistp256", &[b"ecdsa-sha2-nistp256", b"nistp256", &[3; 65]]), "no"),
            (&line(RSA, &[RSA.as_bytes(), &[1, 0, 1], &[0xff; 256]]), "no complete"),
            (&rsa(128), "1024 bits"),
            (&rsa(2049), "bits"),
        ];
        for (line, said) in cases {
            assert!(wrong(line).contains(said), "{line}: {}", wrong(line));
        }
        assert!(wrong(&format!("{good} {}", "x".repeat(PUBLIC_KEY_BYTES))).contains("longer"));
    }
}
