//! What a release has for people to take: binaries, packages, sums and signatures.

use crate::release::{self, Key};
use integration::patterns::sha256;
use integration::process::Running;
use integration::tempdir::TempDir;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The target that the documents show, which is this machine's for these tests.
const TRIPLE: &str = "x86_64-unknown-linux-musl";

/// Makes packages of a gateway of `version`, those that `words` ask for: the folder that they are in.
pub(crate) fn packages(version: &str, words: &[&str]) -> TempDir {
    let folder = TempDir::new();
    let key = Key::new();
    for triple in
        [TRIPLE, "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"]
    {
        release::build(&folder.join(&format!("chatcode-gateway-{triple}")), version, &key, "none");
    }
    let mut xtask = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    xtask.current_dir(integration::repository());
    xtask.args(["run", "--quiet", "--package", "xtask", "--", "package", "--unchecked"]);
    xtask.args(["--maintainer", "Ada <ada@example.com>", "--dist"]).arg(folder.path());
    let output = xtask.args(words).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// The `.deb` of `version` in a folder.
pub(crate) fn deb(folder: &TempDir, version: &str) -> PathBuf {
    folder.join(&format!("chatcode-gateway_{version}_amd64.deb"))
}

/// A server of a release's folder, on a port of this machine.
pub(crate) struct Served {
    _server: Running,
    _folder: TempDir,
    pub(crate) url: String,
    /// As people are told it.
    pub(crate) key: String,
}

impl Served {
    /// Serves `binary` as that of 0.1.0, signed with a new key.
    pub(crate) fn new(binary: &Path) -> Self {
        let (folder, key) = (TempDir::new(), Key::new());
        let place = folder.join("v0.1.0");
        std::fs::create_dir(&place).expect("a folder");
        let bytes = std::fs::read(binary).expect("a binary");
        let name = format!("chatcode-gateway-{TRIPLE}");
        std::fs::write(place.join(&name), &bytes).expect("written");
        // Of all that a release has only one was fetched.
        let other = sha256(b"another target's");
        let sums = format!("{}  {name}\n{other}  chatcode-gateway-other\n", sha256(&bytes));
        let signature = key.sign(&sums, release::Kind::Prehashed);
        std::fs::write(place.join("SHA256SUMS"), sums).expect("written");
        std::fs::write(place.join("SHA256SUMS.minisig"), signature).expect("written");
        let mut server = Command::new("python3");
        server.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]);
        server.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::start(&mut server);
        // It says where, between parentheses, once it listens there.
        let said = BufReader::new(server.child().stdout.take().expect("a pipe")).lines().next();
        let said = said.expect("a line").expect("text");
        let url = said.split(['(', ')']).nth(1).expect("an address").trim_end_matches('/');
        let url = url.to_owned();
        Self { _server: server, _folder: folder, url, key: key.public.clone() }
    }
}
