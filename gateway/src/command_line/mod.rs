//! The command line, defined once: parser, help, man page and completions read one table.
//!
//! There is no argument library: the usual one would add a third to the binary. A new command is
//! an entry in `table.rs`, a [`Verb`], and the arm for it in `main.rs`.

mod completions;
mod help;
mod man;
mod parser;
mod table;

pub use completions::{COMPLETE, SHELLS, complete, completions};
pub use help::{of_command, overall};
pub use man::man;
pub use parser::{Asked, Parsed, Wrong, parse};
pub use table::{COMMANDS, EXITS, FILES};

/// The program's name, as it is typed.
pub const PROGRAM: &str = "chatcode-gateway";

/// Exit codes. The first two are everybody's, 3 and 4 those of an init script's `status`, the
/// others are sysexits.h's.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// It was tried and failed.
    pub const FAILED: u8 = 1;
    /// There are only warnings.
    pub const WARNED: u8 = 2;
    /// The service is installed and does not run.
    pub const STOPPED: u8 = 3;
    /// The service is not installed.
    pub const ABSENT: u8 = 4;
    /// Words or settings that cannot be used.
    pub const USAGE: u8 = 64;
    /// What is named does not exist.
    pub const NO_INPUT: u8 = 66;
    /// Something else that is needed is not here or does not answer.
    pub const UNAVAILABLE: u8 = 69;
}

/// What a command does; `main.rs` has an arm for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    Run,
    List,
    Attach,
    Notify,
    Service,
    Doctor,
    SelfTest,
    Completions,
    Man,
    Version,
    Help,
}

/// What stands behind a flag, or by itself behind a command; the text names it in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// Any word.
    Word(&'static str),
    /// The path of a file.
    File(&'static str),
    /// The path of a folder.
    Folder(&'static str),
    /// One of these.
    OneOf(&'static str, &'static [&'static str]),
    /// The name of a command.
    Command,
    /// The number or name of a session.
    Session,
}

impl Takes {
    /// What it is called in usage lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Word(name) | Self::File(name) | Self::Folder(name) | Self::OneOf(name, _) => name,
            Self::Command => "COMMAND",
            Self::Session => "SESSION",
        }
    }

    /// The words that it can be, where these are known.
    pub fn choices(self) -> Vec<&'static str> {
        match self {
            Self::OneOf(_, choices) => choices.to_vec(),
            Self::Command => COMMANDS.iter().map(|command| command.name).collect(),
            _ => Vec::new(),
        }
    }
}

/// Words behind a command that are no flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// None.
    None,
    /// One, or none.
    Maybe(Takes),
    /// One.
    One(Takes),
    /// All that follow are one text, whatever they look like.
    Text(&'static str),
}

/// A flag, or a setting: those are found in environment and file too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes. Secrets have no flag: arguments are public.
    pub flag: Option<&'static str>,
    /// In environment and file, when it is a setting.
    pub variable: Option<&'static str>,
    /// What stands behind it.
    pub takes: Takes,
    /// A line for `--help`.
    pub help: &'static str,
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// What it does.
    pub verb: Verb,
    /// How it is typed.
    pub name: &'static str,
    /// What stands behind it.
    pub words: Words,
    /// Its own flags.
    pub flags: &'static [Flag],
    /// The settings that it uses.
    pub settings: &'static [Flag],
    /// One line that says what it does.
    pub help: &'static str,
    /// More about it: paragraphs, separated by line feeds.
    pub text: &'static str,
}

impl Command {
    /// All that can be given with dashes.
    pub fn all_flags(&self) -> Vec<&'static Flag> {
        self.flags.iter().chain(self.settings).collect()
    }

    /// What stands behind it, as a usage line shows that.
    pub fn shown_words(&self) -> String {
        match self.words {
            Words::None => String::new(),
            Words::Maybe(takes) => joined(&[" [", takes.name(), "]"]),
            Words::One(takes) => joined(&[" ", takes.name()]),
            Words::Text(name) => joined(&[" ", name, "..."]),
        }
    }

    /// What the word behind it can be, if there is one.
    pub fn takes(&self) -> Takes {
        match self.words {
            Words::Maybe(takes) | Words::One(takes) => takes,
            Words::None | Words::Text(_) => Takes::Nothing,
        }
    }
}

impl Flag {
    /// The flag with its value, as `--help` shows it.
    pub fn shown(&self) -> String {
        let Some(flag) = self.flag else { return String::new() };
        let gap = if self.takes == Takes::Nothing { "" } else { " " };
        joined(&["--", flag, gap, self.takes.name()])
    }
}

/// Adds each part. One function for all: each length of an array would be code of its own.
fn add(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

fn joined(parts: &[&str]) -> String {
    let mut out = String::new();
    add(&mut out, parts);
    out
}

/// The command of this name.
pub fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

#[cfg(test)]
mod tests;
