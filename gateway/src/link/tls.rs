//! TLS settings: rustls on ring, roots from the system's bundle.

use protocol::{BASE64, Engine as _};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::ring::{ALL_KX_GROUPS, cipher_suite as suite};
use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{CertificateError, ClientConfig, OtherError, RootCertStore, SupportedCipherSuite};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where systems keep their bundle, in order of how common they are.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
];

/// Settings for every TLS connection of this process.
///
/// # Errors
/// Words that say which bundle was tried and what to do.
pub fn client_config() -> Result<Arc<ClientConfig>, String> {
    let path = bundle()
        .ok_or("no certificate bundle found: install ca-certificates or set SSL_CERT_FILE")?;
    let text = std::fs::read(&path)
        .map_err(|error| format!("cannot read certificates from {}: {error}", path.display()))?;
    let mut roots = RootCertStore::empty();
    // Bundles hold a few certificates that no parser takes; the others are what counts.
    roots.add_parsable_certificates(certificates(&String::from_utf8_lossy(&text)));
    if roots.is_empty() {
        return Err(format!("{} holds no certificates: set SSL_CERT_FILE", path.display()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What an error of a TLS connection means. rustls keeps some of what is wrong with a certificate
/// inside, where its own words do not reach.
pub fn in_words(error: &io::Error) -> String {
    let refused = error.get_ref().and_then(|inner| inner.downcast_ref());
    match refused {
        Some(rustls::Error::InvalidCertificate(why)) => {
            format!("invalid peer certificate: {}", certificate_in_words(why))
        }
        _ => error.to_string(),
    }
}

/// What is wrong with a certificate.
pub fn certificate_in_words(why: &CertificateError) -> String {
    match why {
        CertificateError::Other(OtherError(inner)) => inner.to_string(),
        why => why.to_string(),
    }
}

/// What rustls's own provider for ring has, but for what a gateway cannot use. Each list is named
/// here rather than taken from there, because what is named there is linked.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: ALL_KX_GROUPS.to_vec(),
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Randomness,
        key_provider: &NoKeys,
    }
}

/// In order of preference. Every server that speaks TLS 1.3 has AES, and every one of TLS 1.2 that
/// has ChaCha20 has it too; so where processors have it, as all of x86_64 since 2010, the 50 KB of
/// ChaCha20 are left out.
const SUITES: &[SupportedCipherSuite] = &[
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_AES_128_GCM_SHA256,
    #[cfg(not(target_arch = "x86_64"))]
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    #[cfg(not(target_arch = "x86_64"))]
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    #[cfg(not(target_arch = "x86_64"))]
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// All that ring can verify. In TLS 1.2 a scheme does not say the curve, so that each of ECDSA has
/// two.
const SIGNATURES: WebPkiSupportedAlgorithms = {
    use rustls::SignatureScheme as Scheme;
    use webpki::ring::*;
    WebPkiSupportedAlgorithms {
        all: &[
            ECDSA_P256_SHA256,
            ECDSA_P256_SHA384,
            ECDSA_P384_SHA256,
            ECDSA_P384_SHA384,
            ED25519,
            RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
            RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
            RSA_PKCS1_2048_8192_SHA256,
            RSA_PKCS1_2048_8192_SHA384,
            RSA_PKCS1_2048_8192_SHA512,
            RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
            RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
            RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
        ],
        mapping: &[
            (Scheme::ECDSA_NISTP384_SHA384, &[ECDSA_P384_SHA384, ECDSA_P256_SHA384]),
            (Scheme::ECDSA_NISTP256_SHA256, &[ECDSA_P256_SHA256, ECDSA_P384_SHA256]),
            (Scheme::ED25519, &[ED25519]),
            (Scheme::RSA_PSS_SHA512, &[RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
            (Scheme::RSA_PSS_SHA384, &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
            (Scheme::RSA_PSS_SHA256, &[RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
            (Scheme::RSA_PKCS1_SHA512, &[RSA_PKCS1_2048_8192_SHA512]),
            (Scheme::RSA_PKCS1_SHA384, &[RSA_PKCS1_2048_8192_SHA384]),
            (Scheme::RSA_PKCS1_SHA256, &[RSA_PKCS1_2048_8192_SHA256]),
        ],
    }
};

/// The system's random numbers.
#[derive(Debug)]
struct Randomness;

impl SecureRandom for Randomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        use ring::rand::{SecureRandom as _, SystemRandom};
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// A gateway has no certificate of its own. Leaving out what would sign with one saves 20 KB.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("a gateway has no key of its own".to_owned()))
    }
}

/// What a bundle in PEM (RFC 7468) holds. Between certificates it may say anything.
fn certificates(bundle: &str) -> impl Iterator<Item = CertificateDer<'static>> {
    bundle.split("-----BEGIN CERTIFICATE-----").skip(1).filter_map(|text| {
        let (base64, _) = text.split_once("-----END CERTIFICATE-----")?;
        let base64: Vec<u8> = base64.bytes().filter(|it| !it.is_ascii_whitespace()).collect();
        BASE64.decode(base64).ok().map(CertificateDer::from)
    })
}

fn bundle() -> Option<PathBuf> {
    let chosen = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
    chosen
        .map(PathBuf::from)
        .or_else(|| BUNDLES.iter().map(Path::new).find(|path| path.exists()).map(Path::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::default_provider;

    #[test]
    fn the_provider_offers_what_rustls_offers_in_its_order() {
        let (ours, theirs) = (provider(), default_provider());
        let left_out = |suite: &SupportedCipherSuite| {
            cfg!(target_arch = "x86_64") && format!("{:?}", suite.suite()).contains("CHACHA20")
        };
        let theirs_kept = theirs.cipher_suites.iter().filter(|suite| !left_out(suite));
        assert!(ours.cipher_suites.iter().eq(theirs_kept), "{:?}", ours.cipher_suites);
        let groups = |provider: &CryptoProvider| {
            provider.kx_groups.iter().map(|group| group.name()).collect::<Vec<_>>()
        };
        assert_eq!(groups(&ours), groups(&theirs));
        let signatures = |provider: &CryptoProvider| {
            let WebPkiSupportedAlgorithms { all, mapping } =
                provider.signature_verification_algorithms;
            (format!("{all:?}"), format!("{mapping:?}"))
        };
        assert_eq!(signatures(&ours), signatures(&theirs));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_though_rustls_hides_it() {
        let inner = Arc::new(webpki::Error::CaUsedAsEndEntity);
        let hidden = CertificateError::Other(OtherError(inner));
        let error = io::Error::other(rustls::Error::InvalidCertificate(hidden));
        assert_eq!(in_words(&error), "invalid peer certificate: CaUsedAsEndEntity");
        let plain = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let words = in_words(&io::Error::other(plain));
        assert_eq!(words, "invalid peer certificate: UnknownIssuer");
        assert_eq!(in_words(&io::Error::other("anything else")), "anything else");
    }

    #[test]
    fn a_bundle_is_read_whatever_stands_between_its_certificates() {
        let bundle = "# An authority\n-----BEGIN CERTIFICATE-----\r\nAQID\r\nBAU=\r\n\
                      -----END CERTIFICATE-----\r\n\u{fffd}\n\
                      -----BEGIN TRUSTED CERTIFICATE-----\nAQID\n-----END TRUSTED CERTIFICATE-----\n\
                      -----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n\
                      -----BEGIN CERTIFICATE-----\nBgcI\n-----END CERTIFICATE-----\n\
                      -----BEGIN CERTIFICATE-----\nCQoL\n";
        let read: Vec<Vec<u8>> = certificates(bundle).map(|it| it.to_vec()).collect();
        assert_eq!(read, [vec![1, 2, 3, 4, 5], vec![6, 7, 8]]);
        assert_eq!(certificates("").count(), 0);
    }
}
