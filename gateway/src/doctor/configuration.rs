//! The settings: readable, complete, the token there and kept from others.

use super::report::Finding;
use crate::config::{Config, CpUrl, Values, read_values, token_path};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config";
const TOKEN: &str = "token";

/// Settings without which nothing can be checked get these values while the others are checked.
const FILLERS: [(&str, &str); 2] =
    [("GATEWAY_ID", "doctor"), ("GATEWAY_CP_URL", "wss://control-plane.invalid")];

/// Bytes of a configuration file that are looked at.
const FILE_BYTES: u64 = crate::limits::CONFIG_BYTES;

/// Where the gateway keeps its things.
pub struct Folders {
    /// The sessions' folders.
    pub workspace: PathBuf,
    /// The gateway's own files.
    pub state: PathBuf,
}

/// What the settings are good for.
pub struct Settings {
    /// What is wrong with them.
    pub findings: Vec<Finding>,
    /// Where to connect, and the token, when both are known.
    pub link: Option<(CpUrl, String)>,
    /// When the folders are known.
    pub folders: Option<Folders>,
}

/// Reads the settings as `run` does.
pub fn examine(flags: &Values, environment: &dyn Fn(&str) -> Option<String>) -> Settings {
    let load = |flags: Values| Config::load(flags, environment);
    let outcome = load(flags.clone());
    let mut findings = Vec::new();
    let mut config = outcome.as_ref().ok().cloned();
    if let Err(error) = &outcome {
        // What is missing is filled in, first the token alone, so that the rest is checked as well.
        let mut filled = flags.clone();
        filled.insert("GATEWAY_AUTH_TOKEN".to_owned(), "none".to_owned());
        config = load(filled.clone()).ok();
        let only_the_token = config.is_some();
        if !only_the_token {
            filled.extend(FILLERS.map(|(name, value)| (name.to_owned(), value.to_owned())));
            config = load(filled).ok();
            let advice = "mend the setting; chatcode-gateway --help lists them all";
            findings.push(Finding::failure(CONFIG, "config_invalid", error.to_string(), advice));
        } else {
            findings.push(Finding::ok(CONFIG, "readable and complete but for the token"));
            let advice = "take the install line from the web app, or set GATEWAY_AUTH_TOKEN_FILE";
            findings.push(Finding::failure(TOKEN, "token_missing", error.to_string(), advice));
        }
    }
    if let Ok(config) = &outcome {
        let url = &config.cp_url.full;
        findings.push(Finding::ok(CONFIG, format!("gateway {} at {url}", config.gateway_id)));
        findings.push(token(config, flags, environment));
    }
    let link = outcome.ok().map(|config| (config.cp_url.clone(), config.bearer().to_owned()));
    let folders = config.map(|it| Folders { workspace: it.workspace, state: it.state_dir });
    Settings { findings, link, folders }
}

fn token(config: &Config, flags: &Values, environment: &dyn Fn(&str) -> Option<String>) -> Finding {
    let own = rustix::process::geteuid().as_raw();
    let exposed = holders(config, flags, environment)
        .into_iter()
        .find(|path| path.metadata().is_ok_and(|found| is_exposed(found.mode(), found.uid(), own)));
    if let Some(path) = exposed {
        let found = format!("other users of this machine may read {}", path.display());
        let advice = format!("chmod go-rwx {}", path.display());
        return Finding::warning(TOKEN, "token_exposed", found, advice);
    }
    if !config.bearer().bytes().all(|byte| byte.is_ascii_graphic()) {
        let found = "it has characters that no token has";
        return Finding::failure(TOKEN, "token_invalid", found, "look at the file that it is in");
    }
    Finding::ok(
        TOKEN,
        match config.auth_token {
            Some(_) => "there, and private",
            None => "a bootstrap token: the gateway has not enrolled yet",
        },
    )
}

/// A file of root may be for the group of the service's user; our own is for us alone.
fn is_exposed(mode: u32, owner: u32, own: u32) -> bool {
    mode & (if owner == own { 0o077 } else { 0o007 }) != 0
}

/// The files that a token stands in.
fn holders(
    config: &Config,
    flags: &Values,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<PathBuf> {
    let chosen = flags.get("GATEWAY_CONFIG").cloned().or_else(|| environment("GATEWAY_CONFIG"));
    let home = PathBuf::from(environment("HOME").unwrap_or_default());
    let paths = match chosen {
        Some(path) => vec![PathBuf::from(path)],
        None => vec!["/etc/chatcode/gateway.env".into(), home.join(".config/chatcode/gateway.env")],
    };
    let file = paths.into_iter().find_map(|path| Some((read(&path)?, path)));
    let mut holders = vec![token_path(&config.state_dir)];
    holders.extend(environment("GATEWAY_AUTH_TOKEN_FILE").map(PathBuf::from));
    if let Some((values, path)) = file {
        holders.extend(values.get("GATEWAY_AUTH_TOKEN_FILE").map(PathBuf::from));
        let secrets = ["GATEWAY_AUTH_TOKEN", "GATEWAY_BOOTSTRAP_TOKEN"];
        if secrets.iter().any(|name| values.get(*name).is_some_and(|value| !value.is_empty())) {
            holders.push(path);
        }
    }
    holders
}

fn read(path: &Path) -> Option<Values> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(FILE_BYTES).read_to_string(&mut text).ok()?;
    read_values(&text, &path.to_string_lossy()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_the_gateways_user_and_roots_file_for_its_group() {
        assert!(!is_exposed(0o100_600, 1000, 1000));
        assert!(is_exposed(0o100_640, 1000, 1000));
        assert!(!is_exposed(0o100_640, 0, 1000));
        assert!(is_exposed(0o100_644, 0, 1000));
    }

    #[test]
    fn what_is_missing_does_not_hide_the_rest() {
        let with = |pairs: &[(&str, &str)]| {
            let flags = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            examine(&flags.collect(), &|name| (name == "HOME").then(|| "/nowhere".to_owned()))
        };
        let codes = |settings: &Settings| -> Vec<&str> {
            settings.findings.iter().map(|finding| finding.code).collect()
        };
        let nothing = with(&[]);
        assert_eq!(codes(&nothing), ["config_invalid"]);
        assert!(nothing.folders.is_some() && nothing.link.is_none());
        let id_and_url = [("GATEWAY_ID", "pi"), ("GATEWAY_CP_URL", "wss://example.org")];
        assert_eq!(codes(&with(&id_and_url)), ["ok", "token_missing"]);
        let all = |token| with(&[&id_and_url[..], &[("GATEWAY_AUTH_TOKEN", token)]].concat());
        assert_eq!(codes(&all("secret")), ["ok", "ok"]);
        assert!(all("secret").link.is_some());
        assert_eq!(codes(&all("sec ret")), ["ok", "token_invalid"]);
        let broken = with(&[("GATEWAY_MAX_SESSIONS", "many")]);
        assert!(broken.folders.is_none() && codes(&broken) == ["config_invalid"]);
    }
}
