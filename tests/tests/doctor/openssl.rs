//! Every kind of certificate, version of TLS and key exchange of ordinary servers, by OpenSSL.

use crate::patient::Patient;
use integration::process::Running;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Keys that certificates of ordinary servers are for.
const KEYS: [(&str, &[&str]); 3] = [
    ("p256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("rsa", &["rsa:2048"]),
];

/// Key exchanges, as OpenSSL names them.
const GROUPS: [&str; 3] = ["X25519", "P-256", "P-384"];

/// How long OpenSSL may take to listen.
const LISTENS: Duration = Duration::from_secs(10);

#[test]
fn ordinary_servers_of_every_kind_are_understood() {
    let mut patient = Patient::new();
    for (name, key) in KEYS {
        certify(patient.home.path(), name, key);
        let roots = patient.home.path().join(format!("ca-{name}.pem"));
        patient.set("SSL_CERT_FILE", &roots.to_string_lossy());
        // A key exchange does not know the certificate: all of them with one kind are enough.
        let groups = if name == KEYS[0].0 { &GROUPS[..] } else { &GROUPS[..1] };
        for version in ["-tls1_2", "-tls1_3"] {
            for group in groups {
                let (_server, port) =
                    serve(patient.home.path(), name, &[version, "-groups", group]);
                patient.set("GATEWAY_CP_URL", &format!("wss://localhost:{port}/gateway"));
                let report = patient.report();
                let found = report.text("tls", "found");
                assert!(
                    found.starts_with("the certificate is trusted"),
                    "{name} {version} {group}: {found}"
                );
            }
        }
    }
}

/// rustls keeps this error in another one, whose words do not name it.
#[test]
fn an_authority_that_serves_itself_is_told_by_its_name() {
    let mut patient = Patient::new();
    let (name, key) = KEYS[0];
    certify(patient.home.path(), name, key);
    let roots = patient.home.path().join(format!("ca-{name}.pem"));
    patient.set("SSL_CERT_FILE", &roots.to_string_lossy());
    let (_server, port) = serve(patient.home.path(), &format!("ca-{name}"), &[]);
    patient.set("GATEWAY_CP_URL", &format!("wss://localhost:{port}/gateway"));
    let report = patient.says("tls", "tls_failed", 1);
    assert_eq!(report.text("tls", "found"), "bad certificate: CaUsedAsEndEntity");
}

/// Makes an authority and, by it, a certificate for `localhost`: `ca-NAME.pem` and `NAME.pem`.
fn certify(folder: &Path, name: &str, key: &[&str]) {
    let (authority, request) = (format!("ca-{name}"), format!("{name}.csr"));
    let (ca_key, ca_pem) = (format!("{authority}.key"), format!("{authority}.pem"));
    let (own_key, own_pem) = (format!("{name}.key"), format!("{name}.pem"));
    let new = [&["req", "-nodes", "-newkey"], key].concat();
    let root =
        ["-x509", "-days", "30", "-subj", "/CN=authority", "-out", &ca_pem, "-keyout", &ca_key];
    openssl(folder, &[&new, &root[..]].concat());
    let leaf = ["-subj", "/CN=localhost", "-out", &request, "-keyout", &own_key];
    openssl(folder, &[&new, &leaf[..]].concat());
    std::fs::write(folder.join("leaf.ext"), "subjectAltName=DNS:localhost\n").expect("written");
    let sign = ["x509", "-req", "-days", "20", "-in", &request, "-extfile", "leaf.ext"];
    let by = ["-CA", &ca_pem, "-CAkey", &ca_key, "-CAcreateserial", "-out", &own_pem];
    openssl(folder, &[&sign[..], &by[..]].concat());
}

fn openssl(folder: &Path, words: &[&str]) {
    let output = Command::new("openssl").current_dir(folder).args(words).output().expect("openssl");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Serves the certificate NAME.pem on a port of its own.
fn serve(folder: &Path, name: &str, words: &[&str]) -> (Running, u16) {
    let free =
        TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port");
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(["s_server", "-quiet", "-www", "-accept", &free.to_string()]);
    command.args(["-cert", &format!("{name}.pem"), "-key", &format!("{name}.key")]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Running::start(&mut command);
    integration::eventually("openssl listens", LISTENS, || TcpStream::connect(free).ok());
    (server, free.port())
}
