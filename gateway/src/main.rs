//! Arguments become a command; each command is a function that reads as prose.
#![forbid(unsafe_code)]

use chatcode_gateway::config::{Config, SETTINGS};
use chatcode_gateway::{child, doctor, event_loop, local, log};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Exit code for arguments or settings that cannot be used, as sysexits.h numbers it.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("--help", [].as_slice()),
    };
    match command {
        "run" if rest.iter().any(|word| word == "--help" || word == "-h") => help(),
        "run" => run(rest),
        "list" | "attach" if rest.iter().any(|word| word == "--help" || word == "-h") => help(),
        "list" => ExitCode::from(local::list(rest)),
        "attach" => ExitCode::from(local::attach(rest)),
        "notify" => notify(rest),
        "doctor" => doctor(rest),
        "version" | "--version" | "-V" => version(),
        "help" | "--help" | "-h" => help(),
        hidden => match child::run(hidden, rest) {
            Some(0) => ExitCode::SUCCESS,
            Some(_) => ExitCode::FAILURE,
            None => usage(&format!("there is no command \"{hidden}\"")),
        },
    }
}

fn run(arguments: &[String]) -> ExitCode {
    let flags = match read_flags(arguments) {
        Ok(flags) => flags,
        Err(message) => return usage(&message),
    };
    let config = match Config::load(flags, |name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => return usage(&error.to_string()),
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

fn doctor(words: &[String]) -> ExitCode {
    if words.iter().any(|word| word == "--help" || word == "-h") {
        return help();
    }
    let (json, rest): (Vec<String>, Vec<String>) =
        words.iter().cloned().partition(|word| word == "--json");
    match read_flags(&rest) {
        Ok(flags) => ExitCode::from(doctor::run(!json.is_empty(), &flags)),
        Err(message) => usage(&message),
    }
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

fn version() -> ExitCode {
    print(&format!("chatcode-gateway {}\n", env!("CARGO_PKG_VERSION")))
}

/// Prints; whoever stopped reading, as `head` does, has what it wanted.
fn print(text: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    ExitCode::SUCCESS
}

fn help() -> ExitCode {
    let mut text = format!(
        "chatcode-gateway {} - keeps tmux sessions and relays them to the browser\n\n\
         Usage: chatcode-gateway COMMAND\n\n\
         Commands:\n  run [FLAGS]       run the gateway in the foreground\n  \
         list              the sessions on this machine\n  \
         attach [SESSION]  show a session in this terminal\n  \
         notify TITLE      from within a session: tell its person, for agents' hooks\n  \
         doctor [--json]   look at all that can be wrong, and say what to do\n  \
         version           print the version\n  help              print this\n\n\
         {}\n\n{}\n\n\
         Settings of run, by flag, environment or file (first one wins):\n",
        env!("CARGO_PKG_VERSION"),
        local::HELP,
        doctor::HELP
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
