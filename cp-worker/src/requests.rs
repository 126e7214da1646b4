//! The checks of what requests carry.

use crate::limits::{EMAIL_BYTES, WORKDIR_BYTES};
use miniserde::Deserialize;
use protocol::commands::Agent;
use protocol::limits::{
    ENV_BYTES, KEY_LABEL_CHARS, MANIFEST_BYTES, NAME_CHARS, PATH_BYTES, PUBLIC_KEY_BYTES,
    is_terminal_size,
};
use std::collections::BTreeMap;

/// Base64 digits of a SHA-256 digest without padding.
const FINGERPRINT_DIGITS: usize = 43;

/// The largest number of seconds that a double holds exactly, as the contract bounds it.
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// What would make more than one address of it, or need quotes.
const EMAIL_SPECIALS: &str = "<>()[],;:\\\"";

/// Body of `POST /api/auth/email` and others that name an address.
#[derive(Debug, Deserialize)]
pub struct SignIn {
    /// Who it is about.
    pub email: String,
}

impl SignIn {
    /// The address in lower case.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<String, &'static str> {
        // Not those of all scripts: other letters must not become somebody else's address.
        let email = self.email.trim().to_ascii_lowercase();
        let special = |c: char| c.is_whitespace() || c.is_control() || EMAIL_SPECIALS.contains(c);
        let plausible = email.len() <= EMAIL_BYTES
            && !email.chars().any(special)
            && email
                .split_once('@')
                .is_some_and(|(local, host)| !local.is_empty() && is_host(host));
        if plausible { Ok(email) } else { Err("email must be an address like ada@example.com") }
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.contains('@')
}

/// Body of `POST /api/auth/email/confirm`.
#[derive(Debug, Deserialize)]
pub struct Confirmation {
    /// What the mailed link held.
    pub token: String,
}

/// Body of requests that name something.
#[derive(Debug, Deserialize)]
pub struct Name {
    /// What people call it.
    pub name: String,
}

impl Name {
    /// The name, trimmed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<String, &'static str> {
        check_name(&self.name)
    }
}

fn check_name(name: &str) -> Result<String, &'static str> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err("name must have 1 to 64 characters and no control characters")
    }
}

/// Body of `POST /api/servers/:gateway_id/sessions`.
#[derive(Debug, Deserialize)]
pub struct NewSession {
    /// What people call it.
    pub name: String,
    /// Folder, relative to the workspace or absolute beneath it.
    pub workdir: String,
    /// Wire name of an agent.
    pub agent: String,
    /// Columns of cells.
    pub cols: u32,
    /// Rows of cells.
    pub rows: u32,
    /// Variables for the session's processes.
    pub env: Option<BTreeMap<String, String>>,
    /// Additions to the instruction files.
    pub agent_config: Option<Instructions>,
}

/// What a person wants added to the agents' instruction files.
#[derive(Debug, Deserialize)]
pub struct Instructions {
    /// Text for `CLAUDE.md`.
    pub claude_md: Option<String>,
    /// Text for `AGENTS.md`.
    pub agents_md: Option<String>,
}

impl NewSession {
    /// The request with its name trimmed. The gateway checks the folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(mut self) -> Result<Self, &'static str> {
        self.name = check_name(&self.name)?;
        if self.workdir.len() > WORKDIR_BYTES || self.workdir.chars().any(char::is_control) {
            return Err("workdir must have at most 4096 bytes and no control characters");
        }
        if Agent::from_name(&self.agent).is_none() {
            return Err("agent must be claude-code, codex, gemini, opencode or none");
        }
        if !is_terminal_size(self.cols, self.rows) {
            return Err("cols and rows must be 1 to 1000");
        }
        self.env.as_ref().map_or(Ok(()), check_env)?;
        Ok(self)
    }
}

fn check_env(env: &BTreeMap<String, String>) -> Result<(), &'static str> {
    if env.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > ENV_BYTES {
        return Err("env is limited to 32 KiB, names and values together");
    }
    if !env.keys().all(|key| is_variable(key)) {
        return Err("names in env are letters, digits and _, and do not begin with GATEWAY_");
    }
    if env.values().any(|value| value.contains('\0')) {
        return Err("values in env must not contain NUL");
    }
    Ok(())
}

/// Whether a session may be given a variable of this name; ours are the gateway's secrets.
fn is_variable(key: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    key.as_bytes().first().is_some_and(first)
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !key.starts_with("GATEWAY_")
}

/// Body of `POST /api/servers/:gateway_id/keys`.
#[derive(Debug, Deserialize)]
pub struct NewKey {
    /// One line in the form of a `.pub` file.
    pub public_key: String,
    /// What people call it.
    pub label: String,
    /// Unix time in seconds.
    pub expires_at: Option<u64>,
}

impl NewKey {
    /// The key with its label trimmed. The gateway looks into the key itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(mut self) -> Result<Self, &'static str> {
        self.public_key = self.public_key.trim().to_owned();
        let len = self.public_key.len();
        if !(1..=PUBLIC_KEY_BYTES).contains(&len) || self.public_key.chars().any(char::is_control) {
            return Err("public_key must be one line of at most 4 KiB");
        }
        self.label = self.label.trim().to_owned();
        if self.label.chars().count() > KEY_LABEL_CHARS || self.label.chars().any(char::is_control)
        {
            return Err("label must have at most 64 characters and no control characters");
        }
        if self.expires_at.is_some_and(|at| at > MAX_SECONDS) {
            return Err("expires_at is in seconds since 1970");
        }
        Ok(self)
    }
}

/// Body of `POST /api/servers/:gateway_id/update`.
#[derive(Debug, Deserialize)]
pub struct Update {
    /// The exact bytes of the JSON manifest.
    pub manifest: String,
    /// Minisign signature over them.
    pub signature: String,
}

impl Update {
    /// The update as it came; the gateway alone judges the signature.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self) -> Result<Self, &'static str> {
        let fits = |text: &str| (1..=MANIFEST_BYTES).contains(&text.len());
        if fits(&self.manifest) && fits(&self.signature) {
            Ok(self)
        } else {
            Err("manifest and signature must have 1 to 4096 bytes each")
        }
    }
}

/// The fingerprint that a query names. A `+` that was not encoded is taken for what it must be.
///
/// # Errors
/// What is wrong with it.
pub fn fingerprint(query: &str) -> Result<String, &'static str> {
    let text = parameter(query, "fingerprint").unwrap_or_default().replace(' ', "+");
    let digest = text.strip_prefix("SHA256:").unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if digest.len() == FINGERPRINT_DIGITS && digest.bytes().all(is_digit) {
        Ok(text)
    } else {
        Err("fingerprint must be one as ssh-keygen -lf prints it: SHA256:…")
    }
}

/// The path of a file that a query names. The gateway finds out where it leads.
///
/// # Errors
/// What is wrong with it.
pub fn file_path(query: &str) -> Result<String, &'static str> {
    let path = parameter(query, "path").unwrap_or_default();
    if (1..=PATH_BYTES).contains(&path.len()) && !path.contains('\0') {
        Ok(path)
    } else {
        Err("path must have 1 to 4096 bytes of UTF-8 and no NUL")
    }
}

/// The first value of a parameter, decoded as `URLSearchParams` writes it; `None` when there is
/// none in UTF-8.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value = pairs.into_iter().find(|(key, _)| *key == name)?.1;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_checked() {
        let email = |email: &str| SignIn { email: email.into() }.check();
        assert_eq!(email(" Ada@Example.com "), Ok("ada@example.com".into()));
        for bad in
            ["", "ada", "@b", "a@", "a@b@c", "a b@c", "a,b@c", "<a@b>", &format!("{:0>255}@a", "")]
        {
            assert!(email(bad).is_err(), "{bad}");
        }
        assert_eq!(email("mi\u{212A}e@b.c"), Ok("mi\u{212A}e@b.c".into()));
        let name = |name: &str| Name { name: name.into() }.check();
        assert_eq!(name(" pi "), Ok("pi".into()));
        for bad in ["", " ", "a\u{7}b", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
        let session = |agent: &str, workdir: &str, cols| {
            let (name, agent, workdir) = ("n".into(), agent.into(), workdir.into());
            let (env, agent_config) = (None, None);
            NewSession { name, workdir, agent, cols, rows: 24, env, agent_config }.check().is_ok()
        };
        assert!(session("none", "app", 80));
        assert!(!session("vim", "app", 80));
        assert!(!session("none", "a\nb", 80));
        assert!(!session("none", "app", 0));
    }

    #[test]
    fn variables_are_named_and_bounded_as_the_contract_says() {
        let env = |key: &str, value: &str| check_env(&BTreeMap::from([(key.into(), value.into())]));
        for key in ["A", "_", "path_2", "GATEWAY"] {
            assert_eq!(env(key, "any\nthing"), Ok(()), "{key}");
        }
        for key in ["", "2A", "A-B", "A=B", "Ä", "GATEWAY_AUTH_TOKEN", "A\0"] {
            assert!(env(key, "").is_err(), "{key}");
        }
        assert!(env("A", "a\0b").is_err());
        assert_eq!(env("A", &"x".repeat(ENV_BYTES - 1)), Ok(()));
        assert!(env("A", &"x".repeat(ENV_BYTES)).is_err());
    }

    #[test]
    fn keys_are_one_line_with_a_label_of_one_line() {
        let check = |public_key: &str, label: &str, expires_at| {
            NewKey { public_key: public_key.into(), label: label.into(), expires_at }.check()
        };
        assert_eq!(check(" ssh-ed25519 AAAA ana\n", " laptop ", Some(1)).unwrap().label, "laptop");
        let long = "x".repeat(PUBLIC_KEY_BYTES + 1);
        for key in ["", " \n", "a\nb", "a\rb", &long] {
            assert!(check(key, "l", None).is_err(), "{key:.20}");
        }
        for label in ["a\nb", "a\u{85}b", &"x".repeat(KEY_LABEL_CHARS + 1)] {
            assert!(check("k", label, None).is_err(), "{label}");
        }
        assert!(check("k", "", Some(1 << 53)).is_err());
    }

    #[test]
    fn queries_are_decoded_as_the_web_writes_them() {
        assert_eq!(file_path("path=a%2Fb%20c+d%C3%A9&x=1"), Ok("a/b c dé".into()));
        assert_eq!(file_path("x=1&path=a=b"), Ok("a=b".into()));
        for bad in ["", "path", "path=", "paths=a", "path=%", "path=%4", "path=%zz", "path=%ff"] {
            assert!(file_path(bad).is_err(), "{bad}");
        }
        assert!(file_path("path=a%00b").is_err());
        assert!(file_path(&format!("path={}", "x".repeat(PATH_BYTES + 1))).is_err());
        let print = format!("SHA256:{}", "a+/".repeat(15).split_at(43).0);
        let encoded = print.replace('+', "%2B").replace('/', "%2F").replace(':', "%3A");
        for query in [&print, &encoded] {
            assert_eq!(fingerprint(&format!("fingerprint={query}")), Ok(print.clone()));
        }
        for bad in ["SHA256:abc", "MD5:00", &format!("{print}="), &print.replace('/', "_")] {
            assert!(fingerprint(&format!("fingerprint={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn updates_have_a_manifest_and_a_signature() {
        let check = |manifest: &str, signature: &str| {
            Update { manifest: manifest.into(), signature: signature.into() }.check().is_ok()
        };
        assert!(check("{}", "s"));
        assert!(!check("", "s") && !check("{}", ""));
        assert!(!check(&"x".repeat(MANIFEST_BYTES + 1), "s"));
    }
}
