//! TLS settings: rustls on ring, roots from the system's bundle.

use protocol::{BASE64, Engine as _};
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};
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
    let ring = rustls::crypto::ring::default_provider();
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
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
