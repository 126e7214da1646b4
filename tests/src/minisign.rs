//! Keys and signatures, made by the real minisign.

use crate::tempdir::TempDir;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How minisign signs.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Of the BLAKE2b digest, as it does by itself.
    Prehashed,
    /// Of the bytes.
    Legacy,
}

/// A key pair.
pub struct Key {
    /// The second line of its `.pub` file, as it is compiled in.
    pub public: String,
    secret: PathBuf,
    /// Where it is, when it ends with this value.
    folder: Option<TempDir>,
}

impl Key {
    /// A new one.
    pub fn new() -> Self {
        let folder = TempDir::new();
        let mut key = Self::kept(folder.path());
        key.folder = Some(folder);
        key
    }

    /// The one that is kept in `folder`; made when there is none.
    pub fn kept(folder: &Path) -> Self {
        let (public, secret) = (folder.join("key.pub"), folder.join("key"));
        if !public.exists() || !secret.exists() {
            run(minisign().args(["-G", "-W", "-f", "-p"]).arg(&public).arg("-s").arg(&secret));
        }
        let text = std::fs::read_to_string(public).expect("a public key");
        let public = text.lines().nth(1).expect("its second line").to_owned();
        Self { public, secret, folder: None }
    }

    /// The text of a signature over `bytes`.
    pub fn sign(&self, bytes: impl AsRef<[u8]>, kind: Kind) -> String {
        let folder = TempDir::new();
        let (message, signature) = (folder.join("message"), folder.join("signature"));
        std::fs::write(&message, bytes).expect("written");
        let mut command = minisign();
        command.args(["-S", "-W", "-t", "a release of the tests"]);
        if let Kind::Legacy = kind {
            command.arg("-l");
        }
        run(command.arg("-s").arg(&self.secret).arg("-x").arg(&signature).arg("-m").arg(message));
        std::fs::read_to_string(signature).expect("a signature")
    }
}

impl Default for Key {
    fn default() -> Self {
        Self::new()
    }
}

fn minisign() -> Command {
    Command::new("minisign")
}

fn run(command: &mut Command) {
    let outcome = command.stdin(Stdio::null()).output().expect("it starts");
    let words = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "minisign: {words}");
}
