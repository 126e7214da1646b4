//! Releases of the gateway: binaries of any version, and manifests that minisign signed.

use chatcode_gateway::identity::OWN;
pub(crate) use integration::minisign::{Key, Kind};
use integration::patterns::sha256;
use integration::tempdir::TempDir;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn run(command: &mut Command) {
    let outcome = command.stdin(Stdio::null()).output().expect("it starts");
    let words = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "{}: {words}", command.get_program().display());
}

/// Writes a gateway of `version` that trusts `key`, to a place where it can be run.
pub(crate) fn build(path: &Path, version: &str, key: &Key, fault: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    // Debug information would make it larger than any release.
    run(Command::new("strip").arg("-o").arg(path).arg(env!("CARGO_BIN_EXE_test-gateway")));
    let mut file = std::fs::File::options().append(true).open(path).expect("the binary");
    let line = format!("\nchatcode-test-gateway {version} {} {fault}\n", key.public);
    file.write_all(line.as_bytes()).expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("executable");
}

/// The same, as the bytes that a server has.
pub(crate) fn built(version: &str, key: &Key, fault: &str) -> Vec<u8> {
    let folder = TempDir::new();
    let path: PathBuf = folder.join("gateway");
    build(&path, version, key, fault);
    std::fs::read(path).expect("the binary")
}

/// What a manifest says.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) version: String,
    pub(crate) target: String,
    pub(crate) url: String,
    pub(crate) size: usize,
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn new(version: &str, url: &str, bytes: &[u8]) -> Self {
        Self {
            version: version.to_owned(),
            target: OWN.target.to_owned(),
            url: url.to_owned(),
            size: bytes.len(),
            sha256: sha256(bytes),
        }
    }

    pub(crate) fn json(&self) -> String {
        let Self { version, target, url, size, sha256 } = self;
        serde_json::json!({
            "version": version, "target": target, "url": url, "size": size, "sha256": sha256
        })
        .to_string()
    }
}
