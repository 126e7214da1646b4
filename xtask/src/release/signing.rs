//! The key of releases: read from a minisign key file, or thrown away after a trial.

use crate::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Variables that may hold the key file's password; the first one that is set counts. Without one
/// the key must have none: nobody is there to type it when a workflow releases.
const PASSWORDS: [&str; 2] = ["CHATCODE_RELEASE_PASSWORD", "MINISIGN_PASSWORD"];

/// What stands above a signature, and nobody may rely on.
const UNTRUSTED: &str = "chatcode release";

/// Where a key file says how its key is made of a password, and how it says that it is not.
const KDF_AT: usize = 2;
const NO_KDF: [u8; 2] = [0, 0];

/// A key pair that signs releases.
#[derive(Clone)]
pub struct Key {
    secret: SecretKey,
    public: PublicKey,
}

impl Key {
    /// Reads a key file of minisign's, with its password from the environment.
    ///
    /// # Errors
    /// When there is none, or the password is missing or wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let password = PASSWORDS.iter().find_map(|name| std::env::var(name).ok());
        Self::read_with(path, password)
    }

    fn read_with(path: &Path, password: Option<String>) -> Result<Self> {
        let wrong = |why: String| format!("--key {}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let secret = match (plain(&text), password) {
            (Some(secret), _) => secret,
            (None, Some(password)) => SecretKeyBox::from_string(&text)?
                .into_secret_key(Some(password))
                .map_err(|error| wrong(error.to_string()))?,
            (None, None) => {
                let [first, second] = PASSWORDS;
                let why = format!("it needs its password in {first} or {second}, or is no key");
                return Err(wrong(why).into());
            }
        };
        let public = PublicKey::from_secret_key(&secret)?;
        let key = Self { secret, public };
        // A damaged key would be noticed at the first signature, after minutes of building.
        key.sign(b"", "", "").map_err(|error| wrong(error.to_string()))?;
        Ok(key)
    }

    /// The key in `path`, made there without a password when there is none: for trials alone.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn throw_away(path: &Path) -> Result<Self> {
        if !path.exists() {
            let KeyPair { sk, .. } = KeyPair::generate_unencrypted_keypair()?;
            let text = sk.to_box(Some("chatcode: of trials, signs no release"))?.into_string();
            let mut options = fs::File::options();
            let file = options.write(true).create_new(true).mode(0o600).open(path);
            file.and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Self::read_with(path, None)
    }

    /// The public half as it is compiled in: the second line of a `.pub` file.
    pub fn public(&self) -> String {
        self.public.to_base64()
    }

    /// The text of the `.minisig` file over `bytes`: prehashed, and its trusted comment says which
    /// file of which version they are, so that no signature passes for another one's.
    ///
    /// # Errors
    /// When it cannot be made, or does not hold.
    pub fn sign(&self, bytes: &[u8], version: &str, file: &str) -> Result<String> {
        let comment = format!("chatcode {version} file:{file}");
        let made = minisign::sign(
            Some(&self.public),
            &self.secret,
            bytes,
            Some(&comment),
            Some(UNTRUSTED),
        )?;
        minisign::verify(&self.public, &made, Cursor::new(bytes), true, false, false)?;
        Ok(made.into_string())
    }
}

/// A secret key without a password. The crate wants a checksum in it, minisign itself writes none.
fn plain(text: &str) -> Option<SecretKey> {
    let bytes = STANDARD.decode(text.lines().nth(1)?).ok()?;
    let is_plain = bytes.get(KDF_AT..KDF_AT + 2) == Some(NO_KDF.as_slice());
    SecretKey::from_bytes(&bytes).ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Output};

    fn minisign(arguments: &[&str], folder: &Path) -> Output {
        let mut command = Command::new("minisign");
        command.args(arguments).current_dir(folder).output().expect("minisign is installed")
    }

    #[test]
    fn minisign_itself_accepts_what_is_signed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::throw_away(&folder.path().join("key")).expect("a key");
        let file = folder.path().join("SHA256SUMS");
        fs::write(&file, "sums\n").expect("written");
        let signature = key.sign(b"sums\n", "1.2.3", "SHA256SUMS").expect("signed");
        fs::write(folder.path().join("SHA256SUMS.minisig"), signature).expect("written");
        let public = key.public();
        let check = ["-V", "-P", public.as_str(), "-m", "SHA256SUMS"];
        let said = minisign(&check, folder.path());
        assert!(said.status.success(), "{said:?}");
        let words = String::from_utf8_lossy(&said.stdout);
        assert!(words.contains("chatcode 1.2.3 file:SHA256SUMS"), "{words}");
        fs::write(&file, "other\n").expect("written");
        assert!(!minisign(&check, folder.path()).status.success());
    }

    #[test]
    fn a_key_of_minisigns_is_read_and_a_trials_key_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let made = minisign(&["-G", "-W", "-p", "key.pub", "-s", "key"], folder.path());
        assert!(made.status.success(), "{made:?}");
        let public = fs::read_to_string(folder.path().join("key.pub")).expect("a public key");
        let public = public.lines().nth(1).expect("its second line");
        assert_eq!(Key::read_with(&path, None).expect("read").public(), public);
        assert_eq!(Key::throw_away(&path).expect("kept").public(), public);
    }

    /// A key pair that minisign 0.11 made; its password is `pw`.
    const WITH_PASSWORD: &str = "untrusted comment: minisign encrypted secret key\n\
        RWRTY0IyCgX+WW2wbZGynAqlr3XPeosWo72qPncd7qEApQ8lmLMAAAACAAAAAAAAAEAAAAAAHq+hCYp7bH1TkVC/tQb5BBkK6VuMfl4Sck36yVURuxMYYhUP/wvjeKin1uhvmGJ1g5yrOBul/MYwqV+9t/qScv8VDgDLHy0o8775cSNm41djgCCjfckAn/e5LEDW+WqN0jI00bztm8I=";
    const ITS_PUBLIC: &str = "RWS0ynbjzD2TJcSsCEaLh0yMhZ+JigtoC93Wp5QPlGcrQmnN1rO75I9E";

    #[test]
    fn a_password_is_needed_where_there_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, WITH_PASSWORD).expect("written");
        let read = |password: Option<&str>| {
            let read = Key::read_with(&path, password.map(str::to_owned));
            read.map(|key| key.public()).map_err(|error| error.to_string())
        };
        assert!(read(None).is_err_and(|said| said.contains("CHATCODE_RELEASE_PASSWORD")));
        assert!(read(Some("open")).is_err_and(|said| said.contains("password")));
        assert_eq!(read(Some("pw")), Ok(ITS_PUBLIC.to_owned()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let damaged =
            |bytes: [u8; 158]| format!("untrusted comment: x\n{}\n", STANDARD.encode(bytes));
        let [zeros, mut ones] = [[0; 158], [1; 158]];
        ones[KDF_AT..KDF_AT + 2].fill(0);
        let (zeros, ones) = (damaged(zeros), damaged(ones));
        for text in ["", "one line", "two\nlines", "untrusted comment: x\nRWQ=\n", &zeros, &ones] {
            let path = folder.path().join("key");
            fs::write(&path, text).expect("written");
            assert!(Key::read_with(&path, None).is_err(), "{text}");
            assert!(Key::read_with(&path, Some(String::new())).is_err(), "{text}");
        }
        assert!(Key::read_with(&folder.path().join("none"), None).is_err());
    }
}
