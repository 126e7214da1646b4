//! A certificate authority for one test, and the server configuration that it signed.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// An authority that signed a certificate for `localhost` and `127.0.0.1`.
pub struct TestAuthority {
    /// What `SSL_CERT_FILE` must hold for the certificate to be trusted.
    pub pem: String,
    /// Serves the certificate.
    pub server: Arc<ServerConfig>,
}

impl TestAuthority {
    /// Makes both.
    pub fn new() -> Self {
        Self::signing(|_| {})
    }

    /// Makes both; the certificate is what `change` makes of it.
    pub fn signing(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(rcgen::DnType::CommonName, "chatcode test authority");
        let ca_certificate = ca.self_signed(&ca_key).expect("a root");
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut leaf = CertificateParams::new(names).expect("parameters");
        change(&mut leaf);
        let certificate = leaf.signed_by(&key, &issuer).expect("a certificate");

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a server configuration");
        Self { pem: ca_certificate.pem(), server: Arc::new(server) }
    }
}

impl Default for TestAuthority {
    fn default() -> Self {
        Self::new()
    }
}
