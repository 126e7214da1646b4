//! Arguments become a command; each command is a function that reads as prose.
#![forbid(unsafe_code)]

use chatcode_gateway::config::{Config, SETTINGS};
use chatcode_gateway::identity::{self, Identity};
use chatcode_gateway::{child, event_loop, local, log};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Exit code for arguments or settings that cannot be used, as sysexits.h numbers it.
const USAGE: u8 = 64;

/// This build's command line.
pub fn main() -> ExitCode {
    start(&identity::OWN)
}

/// The command line of a build. Tests have builds of their own; a release has one.
pub fn start(own: &'static Identity) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("--help", [].as_slice()),
    };
    match command {
        "run" if rest.iter().any(|word| word == "--help" || word == "-h") => help(own),
        "run" => run(own, rest),
        "self-test" => self_test(own, rest),
        "list" | "attach" if rest.iter().any(|word| word == "--help" || word == "-h") => help(own),
        "list" => ExitCode::from(local::list(rest)),
        "attach" => ExitCode::from(local::attach(rest)),
        "notify" => notify(rest),
        "version" | "--version" | "-V" => version(own),
        "help" | "--help" | "-h" => help(own),
        hidden => match child::run(hidden, rest) {
            Some(0) => ExitCode::SUCCESS,
            Some(_) => ExitCode::FAILURE,
            None => usage(&format!("there is no command \"{hidden}\"")),
        },
    }
}

fn configuration(own: &'static Identity, arguments: &[String]) -> Result<Config, String> {
    let config = Config::load(read_flags(arguments)?, |name| std::env::var(name).ok());
    config.map(|config| Config { identity: own, ..config }).map_err(|error| error.to_string())
}

/// What an update asks of a new version before it takes the place of the old one.
fn self_test(own: &'static Identity, arguments: &[String]) -> ExitCode {
    let config = configuration(own, arguments);
    match config.and_then(|config| child::self_test(&config)) {
        Ok(()) => version(own),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(own: &'static Identity, arguments: &[String]) -> ExitCode {
    let config = match configuration(own, arguments) {
        Ok(config) => config,
        Err(message) => return usage(&message),
    };
    log::init(config.log_level, config.log_format);
    match event_loop::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            chatcode_gateway::log!(Error, "the gateway cannot go on", why = error);
            ExitCode::FAILURE
        }
    }
}

/// `--name value` or `--name=value`, for the settings that have a flag.
fn read_flags(arguments: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut flags = BTreeMap::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").ok_or_else(|| format!("\"{word}\" is no flag"))?;
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let setting = SETTINGS.iter().find(|setting| setting.flag == Some(name));
        let setting = setting.ok_or_else(|| format!("there is no flag --{name}"))?;
        let value = value.or_else(|| words.next().cloned());
        let value = value.ok_or_else(|| format!("--{name} needs a value"))?;
        flags.insert(setting.variable.to_owned(), value);
    }
    Ok(flags)
}

fn notify(words: &[String]) -> ExitCode {
    match chatcode_gateway::notify::send(&words.join(" ")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("chatcode-gateway notify: {message}");
            ExitCode::FAILURE
        }
    }
}

fn version(own: &Identity) -> ExitCode {
    print(&format!("chatcode-gateway {}\n", own.version))
}

/// Prints; whoever stopped reading, as `head` does, has what it wanted.
fn print(text: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    ExitCode::SUCCESS
}

fn help(own: &Identity) -> ExitCode {
    let mut text = format!(
        "chatcode-gateway {} - keeps tmux sessions and relays them to the browser\n\n\
         Usage: chatcode-gateway COMMAND\n\n\
         Commands:\n  run [FLAGS]       run the gateway in the foreground\n  \
         list              the sessions on this machine\n  \
         attach [SESSION]  show a session in this terminal\n  \
         notify TITLE      from within a session: tell its person, for agents' hooks\n  \
         version           print the version\n  help              print this\n\n\
         {}\n\n\
         Settings of run, by flag, environment or file (first one wins):\n",
        own.version,
        local::HELP
    );
    for setting in &SETTINGS {
        let flag = setting.flag.map(|flag| format!("--{flag}")).unwrap_or_default();
        text.push_str(&format!("  {flag:<18} {:<25} {}\n", setting.variable, setting.help));
    }
    print(&text)
}

fn usage(message: &str) -> ExitCode {
    eprintln!("chatcode-gateway: {message}\nTry: chatcode-gateway --help");
    ExitCode::from(USAGE)
}
