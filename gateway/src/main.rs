//! Arguments become a command; each command is a function that reads as prose.
#![forbid(unsafe_code)]

use chatcode_gateway::command_line::{self, Asked, PROGRAM, Parsed, Verb, exit};
use chatcode_gateway::config::{Config, Values};
use chatcode_gateway::identity::{self, Identity};
use chatcode_gateway::{child, doctor, event_loop, local, log, os, service};
use std::process::ExitCode;

/// This build's command line.
pub fn main() -> ExitCode {
    start(&identity::OWN)
}

/// The command line of a build. Tests have builds of their own; a release has one.
pub fn start(own: &'static Identity) -> ExitCode {
    #[cfg(target_os = "linux")]
    os::relro::protect();
    log::init(log::Level::Info, log::Format::detect());
    os::fatal::arm(own);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(match command_line::parse(&arguments) {
        Ok(Asked::Command(parsed)) => carry_out(own, &parsed),
        Ok(Asked::Help(None)) => print(&command_line::overall()),
        Ok(Asked::Help(Some(command))) => print(&command_line::of_command(command)),
        Ok(Asked::Hidden) => hidden(&arguments),
        Err(wrong) => usage(&wrong.to_string()),
    })
}

fn carry_out(own: &'static Identity, asked: &Parsed) -> u8 {
    match asked.command.verb {
        Verb::Run => run(own, asked),
        Verb::List => local::list(asked),
        Verb::Attach => local::attach(asked),
        Verb::Notify => done(chatcode_gateway::notify::send(&asked.text()), "notify"),
        Verb::Service => service::command::run(asked),
        Verb::Doctor => doctor::run(asked.has("json"), &asked.settings()),
        Verb::Completions => print(command_line::completions(asked.word().unwrap_or_default())),
        Verb::Man => print(&command_line::man()),
        Verb::SelfTest => self_test(own, asked),
        Verb::Version => version(own),
        Verb::Help => match asked.word().and_then(command_line::command) {
            Some(command) => print(&command_line::of_command(command)),
            None => print(&command_line::overall()),
        },
    }
}

fn configuration(own: &'static Identity, flags: Values) -> Result<Config, String> {
    let config = Config::load(flags, |name| std::env::var(name).ok());
    config.map(|config| Config { identity: own, ..config }).map_err(|error| error.to_string())
}

/// What an update asks of a new version before it takes the place of the old one.
fn self_test(own: &'static Identity, asked: &Parsed) -> u8 {
    let config = configuration(own, asked.settings());
    match config.and_then(|config| child::self_test(&config)) {
        Ok(()) => version(own),
        Err(message) => {
            eprintln!("{message}");
            exit::FAILED
        }
    }
}

fn run(own: &'static Identity, asked: &Parsed) -> u8 {
    let flags = asked.settings();
    let config = match configuration(own, flags.clone()) {
        Ok(config) => config,
        Err(message) => return usage(&format!("{message}\nTry: {PROGRAM} run --help")),
    };
    log::init(config.log_level, config.log_format);
    match event_loop::run(config, flags) {
        Ok(()) => exit::DONE,
        Err(error) => {
            chatcode_gateway::log!(Error, "the gateway cannot go on", why = error);
            exit::FAILED
        }
    }
}

/// A child of the gateway, which is this binary again, or a shell that wants to complete words.
fn hidden(arguments: &[String]) -> u8 {
    let Some((name, rest)) = arguments.split_first() else { return exit::USAGE };
    if name == command_line::COMPLETE {
        return print(&command_line::complete(rest, local::for_completion));
    }
    match child::run(name, rest) {
        Some(0) => exit::DONE,
        Some(_) => exit::FAILED,
        None => usage("there is no such internal command"),
    }
}

fn version(own: &Identity) -> u8 {
    print(&format!("{PROGRAM} {}\n", own.version))
}

/// Prints; whoever stopped reading, as `head` does, has what it wanted.
fn print(text: &str) -> u8 {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    exit::DONE
}

fn done(outcome: Result<(), String>, name: &str) -> u8 {
    let Err(message) = outcome else { return exit::DONE };
    eprintln!("{PROGRAM} {name}: {message}");
    exit::FAILED
}

fn usage(message: &str) -> u8 {
    eprintln!("{PROGRAM}: {message}");
    exit::USAGE
}
