//! Arguments become a command; each command is a function that reads as prose.
#![forbid(unsafe_code)]

use chatcode_gateway::command_line::{self, Asked, PROGRAM, Parsed, Verb, exit};
use chatcode_gateway::config::Config;
use chatcode_gateway::{child, event_loop, local, log, service};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(match command_line::parse(&arguments) {
        Ok(Asked::Command(parsed)) => carry_out(&parsed),
        Ok(Asked::Help(None)) => print(&command_line::overall()),
        Ok(Asked::Help(Some(command))) => print(&command_line::of_command(command)),
        Ok(Asked::Hidden) => hidden(&arguments),
        Err(wrong) => usage(&wrong.to_string()),
    })
}

fn carry_out(asked: &Parsed) -> u8 {
    match asked.command.verb {
        Verb::Run => run(asked),
        Verb::List => local::list(asked),
        Verb::Attach => local::attach(asked),
        Verb::Notify => done(chatcode_gateway::notify::send(&asked.text()), "notify"),
        Verb::Service => service::command::run(asked),
        Verb::Completions => print(command_line::completions(asked.word().unwrap_or_default())),
        Verb::Man => print(&command_line::man()),
        Verb::Version => print(concat!("chatcode-gateway ", env!("CARGO_PKG_VERSION"), "\n")),
        Verb::Help => match asked.word().and_then(command_line::command) {
            Some(command) => print(&command_line::of_command(command)),
            None => print(&command_line::overall()),
        },
    }
}

fn run(asked: &Parsed) -> u8 {
    let flags = asked.settings();
    let config = match Config::load(flags.clone(), |name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => return usage(&format!("{error}\nTry: {PROGRAM} run --help")),
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
