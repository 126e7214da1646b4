//! Releases as people get them: three versions of the release build, signed, on an HTTPS server.

use super::server::Server;
use integration::minisign::{Key, Kind};
use integration::patterns::sha256;
use integration::root::{NOBLE, Recipe, TRIXIE};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};
use std::fs::{File, create_dir_all, read, read_dir, read_to_string, write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is installed first, what takes its place, and what cannot.
pub(crate) const OLD: &str = "0.1.0";
pub(crate) const NEW: &str = "0.2.0";
pub(crate) const NEXT: &str = "0.3.0";

/// The target of this machine's architecture, linked statically: it runs in any root.
const TARGET: &str = match std::env::consts::ARCH.as_bytes() {
    b"aarch64" => "aarch64-unknown-linux-musl",
    _ => "x86_64-unknown-linux-musl",
};

/// All that a binary depends on; while nothing of it changes, nothing is built.
const SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain.toml",
    "gateway",
    "protocol/Cargo.toml",
    "protocol/src",
    "xtask/src/dist",
];

/// Set, it takes the binaries that are there whatever has changed since: for who works on the
/// installer alone, and would wait for three builds.
const AS_THEY_ARE: &str = "CHATCODE_LIFECYCLE_AS_IT_IS";

/// A server of releases, and the key that signs them.
pub(crate) struct Releases {
    pub(crate) server: Server,
    /// As it is compiled in.
    pub(crate) key: Key,
    folder: PathBuf,
}

impl Releases {
    /// All versions are there, and [`OLD`] is the newest.
    pub(crate) fn new() -> Self {
        let folder = integration::repository().join("target/lifecycle");
        create_dir_all(&folder).expect("a folder");
        let lock = File::create(folder.join("lock")).expect("a lock");
        // Tests run beside each other; the first of them builds.
        flock(&lock, FlockOperation::LockExclusive).expect("locked");
        // Made once, because it is compiled into what is built once.
        let key = Key::kept(&folder);
        let sources = digest_of_sources();
        std::thread::scope(|scope| {
            // A build keeps one processor busy; the other makes what the tests will want next.
            scope.spawn(|| [&TRIXIE, &NOBLE].map(Recipe::root));
            for version in [OLD, NEW, NEXT] {
                build(&folder.join(version), version, &key.public, &sources);
            }
        });
        let releases = Self { server: Server::new(), key, folder };
        for version in [OLD, NEW, NEXT] {
            releases.server.put_file(&place(version), &read(releases.binary(version)).expect("it"));
        }
        releases.offer(OLD);
        releases
    }

    /// A version's binary.
    pub(crate) fn binary(&self, version: &str) -> PathBuf {
        self.folder.join(version).join(format!("chatcode-gateway-{TARGET}"))
    }

    /// A version's package for Debian.
    pub(crate) fn package(&self, version: &str) -> PathBuf {
        let dist = self.folder.join(version);
        let mut command = xtask(&["package", "--target", TARGET, "--version", version, "--dist"]);
        command.arg(&dist).env("DEBFULLNAME", "Tests").env("DEBEMAIL", "ada@example.com");
        let words = outcome(&mut command).unwrap_or_else(|words| panic!("no package: {words}"));
        let packages = read_dir(&dist).expect("a folder").map(|it| it.expect("an entry").path());
        let is_deb = |path: &PathBuf| path.extension().is_some_and(|name| name == "deb");
        packages.filter(is_deb).last().unwrap_or_else(|| panic!("no package: {words}"))
    }

    /// Makes a version the newest one, as a release does.
    pub(crate) fn offer(&self, version: &str) {
        let manifest = self.manifest(version);
        let file = format!("/{TARGET}/manifest.json");
        self.server.put_file(
            &format!("{file}.minisig"),
            self.key.sign(&manifest, Kind::Prehashed).as_bytes(),
        );
        self.server.put_file(&file, manifest.as_bytes());
    }

    /// What a page sends to have a gateway updated.
    pub(crate) fn update(&self, version: &str) -> Value {
        let manifest = self.manifest(version);
        json!({ "signature": self.key.sign(&manifest, Kind::Prehashed), "manifest": manifest })
    }

    /// How often a version's binary was fetched.
    pub(crate) fn fetched(&self, version: &str) -> usize {
        self.server.asked(&place(version))
    }

    /// One line, as `cargo xtask release` writes it.
    fn manifest(&self, version: &str) -> String {
        let bytes = read(self.binary(version)).expect("the binary");
        let manifest = json!({
            "version": version, "minimum_version": OLD, "target": TARGET,
            "url": self.server.url(&place(version)), "size": bytes.len(), "sha256": sha256(&bytes),
        });
        format!("{manifest}\n")
    }
}

fn place(version: &str) -> String {
    format!("/v{version}/chatcode-gateway-{TARGET}")
}

/// Builds a version as a release is built, unless it is there. What it weighs is `dist`'s own matter.
fn build(out: &Path, version: &str, key: &str, sources: &str) {
    let (made, wanted) = (out.join("made"), format!("{version} {key} {sources}\n"));
    let is_made = read_to_string(&made).is_ok_and(|text| text == wanted);
    if is_made || std::env::var_os(AS_THEY_ARE).is_some() {
        return;
    }
    let words = ["dist", "--target", TARGET, "--version", version, "--update-key", key, "--out"];
    if let Err(words) = outcome(xtask(&words).arg(out)) {
        assert!(words.contains("error: over budget"), "{version} cannot be built: {words}");
    }
    write(made, wanted).expect("written");
}

/// `cargo xtask` with these words.
fn xtask(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(integration::repository());
    command.args(["run", "--quiet", "--package", "xtask", "--"]).args(words);
    command
}

fn digest_of_sources() -> String {
    let mut files = Vec::new();
    let root = integration::repository();
    SOURCES.iter().for_each(|source| collect(&root.join(source), &mut files));
    files.sort();
    let digests = files.iter().map(|file| sha256(&read(file).expect("a source")));
    sha256(digests.collect::<String>().as_bytes())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.for_each(|entry| collect(&entry.expect("an entry").path(), files));
}

/// What a command printed, also when it failed.
fn outcome(command: &mut Command) -> Result<String, String> {
    let outcome = command.stdin(Stdio::null()).output().expect("it starts");
    let words = String::from_utf8_lossy(&[outcome.stdout, outcome.stderr].concat()).into_owned();
    if outcome.status.success() { Ok(words) } else { Err(words) }
}
