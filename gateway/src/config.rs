//! Configuration: flags over environment over file over defaults, all under the same names.

use crate::command_line::{Flag, Takes};
use crate::identity::{self, Identity};
use crate::limits::{CONFIG_BYTES, DEFAULT_SESSIONS, HEALTH_SECONDS, MAX_SESSION_MIB};
use crate::limits::{UPDATE_CONFIRM_SECONDS, UPDATE_DOWNLOAD_SECONDS, UPDATE_LINK_SECONDS};
use crate::log::{self, FORMATS, Format, LEVELS, Level};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const fn setting(
    flag: Option<&'static str>,
    variable: &'static str,
    takes: Takes,
    help: &'static str,
) -> Flag {
    Flag { flag, variable: Some(variable), takes, help }
}

/// Every setting, in the order of `--help`.
pub static SETTINGS: [Flag; 14] = [
    setting(
        Some("gateway-id"),
        "GATEWAY_ID",
        Takes::Word("ID"),
        "who this gateway is, 1-64 of A-Z a-z 0-9 _ - (required)",
    ),
    setting(
        Some("cp-url"),
        "GATEWAY_CP_URL",
        Takes::Word("URL"),
        "where the control plane is, wss://host/path (required)",
    ),
    setting(
        None,
        "GATEWAY_AUTH_TOKEN",
        Takes::Word("TOKEN"),
        "bearer token; no flag: those are public",
    ),
    setting(
        None,
        "GATEWAY_AUTH_TOKEN_FILE",
        Takes::File("FILE"),
        "file that holds the bearer token",
    ),
    setting(
        None,
        "GATEWAY_BOOTSTRAP_TOKEN",
        Takes::Word("TOKEN"),
        "one-time token for enrolment, instead of the bearer token",
    ),
    setting(
        Some("workspace"),
        "GATEWAY_WORKSPACE",
        Takes::Folder("FOLDER"),
        "where the sessions' folders are (~/workspace)",
    ),
    setting(
        Some("state-dir"),
        "GATEWAY_STATE_DIR",
        Takes::Folder("FOLDER"),
        "the gateway's own files (chatcode in $XDG_STATE_HOME or ~/.local/state)",
    ),
    setting(
        Some("max-sessions"),
        "GATEWAY_MAX_SESSIONS",
        Takes::Word("COUNT"),
        "sessions at once, 1-50 (5)",
    ),
    setting(
        Some("health-interval"),
        "GATEWAY_HEALTH_INTERVAL",
        Takes::Word("SECONDS"),
        "between two reports of health while watched (30)",
    ),
    setting(
        Some("session-memory"),
        "GATEWAY_SESSION_MEMORY",
        Takes::Word("MIB"),
        "what a session may hold where systemd can limit it, 0 any (all but a tenth)",
    ),
    setting(
        Some("log-level"),
        "GATEWAY_LOG_LEVEL",
        Takes::OneOf("LEVEL", &LEVELS),
        "how much is logged (info)",
    ),
    setting(
        Some("log-format"),
        "GATEWAY_LOG_FORMAT",
        Takes::OneOf("FORMAT", &FORMATS),
        "form of the log (journal beneath systemd, else text)",
    ),
    setting(
        Some("tmux-socket"),
        "GATEWAY_TMUX_SOCKET",
        Takes::Word("NAME"),
        "name of the private tmux server (chatcode)",
    ),
    setting(
        Some("config"),
        "GATEWAY_CONFIG",
        Takes::File("FILE"),
        "lines of NAME=value (/etc/chatcode/gateway.env, else ~/.config/chatcode/gateway.env)",
    ),
];

/// Those that lead to the sessions: the last two.
pub static ABOUT_TMUX: &[Flag] = SETTINGS.split_at(12).1;

/// Where the control plane is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpUrl {
    /// Whether TLS is used.
    pub secure: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, with the scheme's default filled in.
    pub port: u16,
    /// The whole URL of this gateway's socket.
    pub full: String,
}

/// A checked configuration.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Config {
    pub gateway_id: String,
    pub cp_url: CpUrl,
    pub auth_token: Option<String>,
    pub bootstrap_token: Option<String>,
    pub workspace: PathBuf,
    pub state_dir: PathBuf,
    pub tmux_socket: String,
    pub max_sessions: usize,
    pub health_seconds: u64,
    pub session_memory: Option<u64>,
    pub log_level: Level,
    pub log_format: Format,
    pub update: UpdateTimes,
    /// The build; no setting changes it.
    pub identity: &'static Identity,
}

/// How long an update takes, in seconds. Settings that `--help` does not name: they are for tests
/// and for lines that are slower than anybody thought of.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct UpdateTimes {
    pub confirm: u64,
    pub link: u64,
    pub download: u64,
}

/// A configuration that cannot be used: what was tried, with what, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Settings by the name of their variable.
pub type Values = BTreeMap<String, String>;

impl Config {
    /// Reads and checks everything. `flags` maps variables to what the command line gave.
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting that cannot be used.
    pub fn load(
        flags: Values,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let home = home(&environment);
        let sources = Sources::new(&flags, &environment, &home)?;
        let get = |name: &str| sources.get(name);
        Self::check(&get, &environment, &home).map_err(|error| sources.placed(error))
    }

    fn check(
        get: &dyn Fn(&str) -> Option<String>,
        environment: &dyn Fn(&str) -> Option<String>,
        home: &Path,
    ) -> Result<Self, ConfigError> {
        let state_home = environment("XDG_STATE_HOME").filter(|path| path.starts_with('/'));
        let state_home = state_home.map_or_else(|| home.join(".local/state"), PathBuf::from);
        let state_dir =
            get("GATEWAY_STATE_DIR").map_or_else(|| state_home.join("chatcode"), PathBuf::from);
        let gateway_id = get("GATEWAY_ID").ok_or_else(|| missing("GATEWAY_ID", "--gateway-id"))?;
        if !protocol::limits::is_gateway_id(&gateway_id) {
            return Err(bad("GATEWAY_ID", &gateway_id, "use 1-64 of A-Z a-z 0-9 _ -"));
        }
        let url = get("GATEWAY_CP_URL").ok_or_else(|| missing("GATEWAY_CP_URL", "--cp-url"))?;
        let mut auth_token = get("GATEWAY_AUTH_TOKEN");
        if let (None, Some(path)) = (&auth_token, get("GATEWAY_AUTH_TOKEN_FILE")) {
            auth_token = Some(read_token(Path::new(&path))?);
        }
        let kept = token_path(&state_dir);
        if auth_token.is_none() && kept.exists() {
            auth_token = Some(read_token(&kept)?);
        }
        let bootstrap_token = get("GATEWAY_BOOTSTRAP_TOKEN").filter(|_| auth_token.is_none());
        if auth_token.is_none() && bootstrap_token.is_none() {
            return Err(ConfigError(
                "no token: set GATEWAY_AUTH_TOKEN, GATEWAY_AUTH_TOKEN_FILE or, to enrol, GATEWAY_BOOTSTRAP_TOKEN"
                    .to_owned(),
            ));
        }
        Ok(Self {
            cp_url: CpUrl::read(&url, &gateway_id)?,
            gateway_id,
            auth_token,
            bootstrap_token,
            workspace: absolute(get("GATEWAY_WORKSPACE"), home, "workspace"),
            state_dir: absolute(Some(state_dir.to_string_lossy().into_owned()), home, ""),
            tmux_socket: read_socket(get)?,
            max_sessions: number(get, "GATEWAY_MAX_SESSIONS", DEFAULT_SESSIONS as u64, 1, 50)?
                as usize,
            health_seconds: number(get, "GATEWAY_HEALTH_INTERVAL", HEALTH_SECONDS, 1, 3600)?,
            session_memory: match get("GATEWAY_SESSION_MEMORY") {
                Some(_) => Some(number(get, "GATEWAY_SESSION_MEMORY", 0, 0, MAX_SESSION_MIB)?),
                None => None,
            },
            log_level: named(get, "GATEWAY_LOG_LEVEL", Level::from_name, &LEVELS)?
                .unwrap_or(Level::Info),
            log_format: named(get, log::FORMAT_VARIABLE, Format::from_name, &FORMATS)?
                .unwrap_or_else(Format::detect),
            update: UpdateTimes::read(get)?,
            identity: &identity::OWN,
        })
    }

    /// These settings in the place of those of a gateway that runs, as far as that can be, and
    /// those that wait for a restart.
    pub fn replacing(mut self, running: &Self) -> (Self, Vec<&'static str>) {
        let mut waiting = Vec::new();
        if self.gateway_id != running.gateway_id {
            let base = self.cp_url.full.strip_suffix(&self.gateway_id).unwrap_or_default();
            self.cp_url.full = [base, &running.gateway_id].concat();
            self.gateway_id.clone_from(&running.gateway_id);
            waiting.push("GATEWAY_ID");
        }
        if self.workspace != running.workspace {
            self.workspace.clone_from(&running.workspace);
            waiting.push("GATEWAY_WORKSPACE");
        }
        if self.state_dir != running.state_dir {
            self.state_dir.clone_from(&running.state_dir);
            waiting.push("GATEWAY_STATE_DIR");
        }
        if self.tmux_socket != running.tmux_socket {
            self.tmux_socket.clone_from(&running.tmux_socket);
            waiting.push("GATEWAY_TMUX_SOCKET");
        }
        (self, waiting)
    }

    /// The bearer of the next connection.
    pub fn bearer(&self) -> &str {
        self.auth_token.as_deref().or(self.bootstrap_token.as_deref()).unwrap_or_default()
    }
}

impl UpdateTimes {
    fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let seconds = |name, default| number(get, name, default, 1, 86_400);
        Ok(Self {
            confirm: seconds("GATEWAY_UPDATE_CONFIRM_SECONDS", UPDATE_CONFIRM_SECONDS)?,
            link: seconds("GATEWAY_UPDATE_LINK_SECONDS", UPDATE_LINK_SECONDS)?,
            download: seconds("GATEWAY_UPDATE_DOWNLOAD_SECONDS", UPDATE_DOWNLOAD_SECONDS)?,
        })
    }
}

impl CpUrl {
    /// Reads `wss://host[:port][/path]`; plain `ws` is for loopback addresses alone.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong with the URL.
    pub fn read(url: &str, gateway_id: &str) -> Result<Self, ConfigError> {
        let wrong = |why| bad("GATEWAY_CP_URL", url, why);
        let (secure, rest) = match (url.strip_prefix("wss://"), url.strip_prefix("ws://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(wrong("it begins with wss://")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if rest.contains(['?', '#'])
            || !rest.bytes().all(|b| b.is_ascii_graphic())
            || authority.contains('@')
        {
            return Err(wrong("it has a host and a path in plain ASCII, nothing else"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("the port is a number up to 65535"))?)
            }
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(wrong("the host is missing"));
        }
        let loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if !secure && !loopback {
            return Err(wrong("plain ws:// is for loopback addresses alone; use wss://"));
        }
        let full = format!("{}/{gateway_id}", url.trim_end_matches('/'));
        Ok(Self { secure, host: host.to_owned(), port, full })
    }
}

/// The name of the private tmux server alone, for what needs neither id nor token.
///
/// # Errors
/// [`ConfigError`] when the file cannot be read or the name cannot be used.
pub fn tmux_socket(
    flags: &Values,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<String, ConfigError> {
    let sources = Sources::new(flags, &environment, &home(&environment))?;
    read_socket(&|name| sources.get(name)).map_err(|error| sources.placed(error))
}

fn read_socket(get: &dyn Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    let socket = get("GATEWAY_TMUX_SOCKET").unwrap_or_else(|| "chatcode".to_owned());
    if !protocol::limits::is_gateway_id(&socket) {
        return Err(bad("GATEWAY_TMUX_SOCKET", &socket, "use 1-64 of A-Z a-z 0-9 _ -"));
    }
    Ok(socket)
}

fn home(environment: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    PathBuf::from(environment("HOME").unwrap_or_else(|| "/".to_owned()))
}

/// Where settings come from: flags, environment and file, in this order. An empty one is not set.
struct Sources<'a> {
    flags: &'a Values,
    environment: &'a dyn Fn(&str) -> Option<String>,
    file: File,
}

/// A file of settings.
#[derive(Default)]
struct File {
    path: String,
    text: String,
    values: Values,
}

impl<'a> Sources<'a> {
    fn new(
        flags: &'a Values,
        environment: &'a dyn Fn(&str) -> Option<String>,
        home: &Path,
    ) -> Result<Self, ConfigError> {
        let chosen = flags.get("GATEWAY_CONFIG").cloned().or_else(|| environment("GATEWAY_CONFIG"));
        Ok(Self { flags, environment, file: File::read(chosen.as_deref(), home)? })
    }

    fn get(&self, name: &str) -> Option<String> {
        let value = self.flags.get(name).cloned().or_else(|| (self.environment)(name));
        value.or_else(|| self.file.values.get(name).cloned()).filter(|value| !value.is_empty())
    }

    /// Adds file and line of the setting that an error is about: its message begins with the name.
    fn placed(&self, error: ConfigError) -> ConfigError {
        let name = error.0.split(' ').next().unwrap_or_default();
        let elsewhere = self.flags.contains_key(name) || (self.environment)(name).is_some();
        let lines = self.file.text.lines().enumerate();
        let set = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
        match lines.filter(|(_, line)| set(line)).last() {
            Some((index, _)) if !elsewhere => {
                ConfigError(format!("{}, line {}: {error}", self.file.path, index + 1))
            }
            _ => error,
        }
    }
}

/// Where a token received by enrolment is kept.
pub fn token_path(state_dir: &Path) -> PathBuf {
    state_dir.join("auth-token")
}

fn missing(variable: &str, flag: &str) -> ConfigError {
    ConfigError(format!("{variable} is not set: set it, or give {flag}"))
}

fn bad(name: &str, value: &str, why: &str) -> ConfigError {
    ConfigError(format!("{name} is \"{}\": {why}", value.escape_debug()))
}

fn number(
    get: &dyn Fn(&str) -> Option<String>,
    name: &str,
    default: u64,
    least: u64,
    most: u64,
) -> Result<u64, ConfigError> {
    let Some(text) = get(name) else { return Ok(default) };
    let value = text.parse().ok().filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| bad(name, &text, &format!("use a number from {least} to {most}")))
}

fn named<T>(
    get: &dyn Fn(&str) -> Option<String>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
    choices: &[&str],
) -> Result<Option<T>, ConfigError> {
    let Some(text) = get(name) else { return Ok(None) };
    let why = || format!("use one of {}", choices.join(", "));
    read(&text).map(Some).ok_or_else(|| bad(name, &text, &why()))
}

fn absolute(path: Option<String>, home: &Path, default: &str) -> PathBuf {
    let path = path.map_or_else(|| home.join(default), PathBuf::from);
    let path = match path.strip_prefix("~") {
        Ok(rest) => home.join(rest),
        Err(_) => path,
    };
    std::path::absolute(&path).unwrap_or(path)
}

fn read_token(path: &Path) -> Result<String, ConfigError> {
    let text = read_limited(path).map_err(|error| {
        ConfigError(format!("cannot read the token in {}: {error}", path.display()))
    })?;
    let token = text.trim().to_owned();
    if token.is_empty() {
        return Err(ConfigError(format!("the token file {} is empty", path.display())));
    }
    Ok(token)
}

fn read_limited(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(CONFIG_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

impl File {
    fn read(chosen: Option<&str>, home: &Path) -> Result<Self, ConfigError> {
        let mut found = None;
        if let Some(path) = chosen {
            let text = read_limited(Path::new(path)).map_err(|error| {
                ConfigError(format!("cannot read the configuration {path}: {error}"))
            })?;
            found = Some((path.to_owned(), text));
        } else {
            let usual = home.join(".config/chatcode/gateway.env");
            for path in [Path::new("/etc/chatcode/gateway.env"), &usual] {
                if let (None, Ok(text)) = (&found, read_limited(path)) {
                    found = Some((path.to_string_lossy().into_owned(), text));
                }
            }
        }
        let Some((path, text)) = found else { return Ok(Self::default()) };
        Ok(Self { values: read_values(&text, &path)?, path, text })
    }
}

/// Lines of `NAME=value`, as systemd reads an EnvironmentFile: comments, optional quotes.
///
/// # Errors
/// [`ConfigError`] names the line of `path` that is none.
pub fn read_values(text: &str, path: &str) -> Result<Values, ConfigError> {
    let mut values = Values::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(ConfigError(format!("{path}, line {}: expected NAME=value", index + 1)));
        };
        let value = value.trim();
        let inner = ['"', '\''].iter().find_map(|&quote| {
            value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote))
        });
        values.insert(name.trim().to_owned(), inner.unwrap_or(value).to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let values: Values = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Config::load(Values::new(), |name| match name {
            "HOME" => Some("/nowhere".to_owned()),
            _ => values.get(name).cloned(),
        })
    }

    const GOOD: [(&str, &str); 3] = [
        ("GATEWAY_ID", "pi-4"),
        ("GATEWAY_CP_URL", "wss://example.org/gateway/"),
        ("GATEWAY_AUTH_TOKEN", "secret"),
    ];

    #[test]
    fn a_trailing_slash_of_the_url_is_ignored() {
        let config = load(&GOOD).expect("a good configuration");
        assert_eq!(config.cp_url.full, "wss://example.org/gateway/pi-4");
        assert_eq!((config.cp_url.host.as_str(), config.cp_url.port), ("example.org", 443));
        assert_eq!(config.workspace, Path::new("/nowhere/workspace"));
        assert_eq!(config.state_dir, Path::new("/nowhere/.local/state/chatcode"));
    }

    #[test]
    fn errors_name_the_setting_and_what_to_do() {
        let with = |name, value| {
            let mut pairs = GOOD.to_vec();
            pairs.push((name, value));
            load(&pairs).expect_err("a bad configuration").0
        };
        assert!(load(&[]).expect_err("empty").0.contains("--gateway-id"));
        assert!(
            load(GOOD.get(..2).expect("two")).expect_err("token").0.contains("GATEWAY_AUTH_TOKEN")
        );
        assert!(with("GATEWAY_ID", "a/b").contains("GATEWAY_ID"));
        assert!(with("GATEWAY_MAX_SESSIONS", "51").contains("from 1 to 50"));
        assert!(with("GATEWAY_LOG_LEVEL", "loud").contains("error, warn"));
        for url in [
            "http://x",
            "ws://example.org",
            "wss://",
            "wss://h:99999",
            "wss://u@h",
            "wss://h?x",
            "wss://h/\u{e9}",
            "wss://h/a b",
        ] {
            assert!(with("GATEWAY_CP_URL", url).contains("GATEWAY_CP_URL"), "{url}");
        }
    }

    #[test]
    fn a_wrong_line_of_the_file_is_named() {
        let path = std::env::temp_dir().join(format!("cc-config-{}", std::process::id()));
        let text = "# mine\nGATEWAY_ID=a\nGATEWAY_MAX_SESSIONS = 99\nGATEWAY_AUTH_TOKEN=x\n";
        std::fs::write(&path, text).expect("written");
        let shown = path.to_string_lossy().into_owned();
        let mut pairs = vec![("GATEWAY_CP_URL", "wss://h"), ("GATEWAY_CONFIG", shown.as_str())];
        let wrong = load(&pairs).expect_err("too many").0;
        assert!(wrong.starts_with(&format!("{shown}, line 3: GATEWAY_MAX_SESSIONS")), "{wrong}");
        pairs.push(("GATEWAY_MAX_SESSIONS", "0"));
        let wrong = load(&pairs).expect_err("too few").0;
        assert!(wrong.starts_with("GATEWAY_MAX_SESSIONS is \"0\""), "not the file's: {wrong}");
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn a_gateway_that_runs_keeps_what_its_sessions_depend_on() {
        let running = load(&GOOD).expect("a good configuration");
        let mut pairs = GOOD.to_vec();
        pairs.extend([
            ("GATEWAY_ID", "other"),
            ("GATEWAY_CP_URL", "wss://elsewhere/x"),
            ("GATEWAY_MAX_SESSIONS", "9"),
            ("GATEWAY_WORKSPACE", "/w"),
            ("GATEWAY_STATE_DIR", "/s"),
            ("GATEWAY_TMUX_SOCKET", "t"),
        ]);
        let (next, waiting) = load(&pairs).expect("good too").replacing(&running);
        let fixed = ["GATEWAY_ID", "GATEWAY_WORKSPACE", "GATEWAY_STATE_DIR", "GATEWAY_TMUX_SOCKET"];
        assert_eq!(waiting, fixed);
        assert_eq!(next.cp_url.full, "wss://elsewhere/x/pi-4");
        assert_eq!((next.max_sessions, next.tmux_socket.as_str()), (9, "chatcode"));
        assert_eq!((&next.workspace, &next.state_dir), (&running.workspace, &running.state_dir));
    }

    #[test]
    fn plain_sockets_are_for_loopback_alone() {
        for url in ["ws://127.0.0.1:8787/gateway", "ws://[::1]:1/x", "ws://localhost/"] {
            assert!(!CpUrl::read(url, "g").expect(url).secure);
        }
    }

    #[test]
    fn files_are_read_as_systemd_reads_them() {
        let text = "# comment\n\nGATEWAY_ID=\"a b\"\nX = 'y'\nZ=1=2\n";
        let values = read_values(text, "f").expect("good lines");
        assert_eq!(values.get("GATEWAY_ID").map(String::as_str), Some("a b"));
        assert_eq!(values.get("X").map(String::as_str), Some("y"));
        assert_eq!(values.get("Z").map(String::as_str), Some("1=2"));
        assert!(read_values("nonsense", "f").is_err());
    }
}
