//! `--help`: 80 columns at most, each flag with what it is beneath it.

use super::{COMMANDS, Command, EXITS, Flag, PROGRAM, add, joined};

/// Columns of the narrowest terminal that help is made for.
const COLUMNS: usize = 80;

/// Column in which explanations begin.
const EXPLAINED: usize = 16;

/// What `--help` prints.
pub fn overall() -> String {
    let mut out = [
        "chatcode-gateway ",
        crate::identity::OWN.version,
        ": keeps tmux sessions and relays them to the browser\n\n\
         Usage: chatcode-gateway COMMAND [FLAGS]\n\nCommands:\n",
    ]
    .concat();
    for command in COMMANDS {
        explained(&mut out, command.name, command.help);
    }
    exits(&mut out);
    out.push_str("\nMore about a command: chatcode-gateway COMMAND --help\n");
    out
}

/// What `COMMAND --help` prints.
pub fn of_command(command: &Command) -> String {
    let mut out = joined(&["Usage: ", PROGRAM, " ", command.name]);
    if !command.all_flags().is_empty() {
        out.push_str(" [FLAGS]");
    }
    out.push_str(&command.shown_words());
    out.push('\n');
    let first = capital(command.help);
    for paragraph in std::iter::once(first.as_str()).chain(command.text.lines()) {
        out.push('\n');
        wrap(&mut out, paragraph, 0);
    }
    flags(&mut out, "\nFlags:\n", command.flags);
    let settings = "\nSettings, by flag, environment or file; the first of these wins:\n";
    flags(&mut out, settings, command.settings);
    out
}

fn flags(out: &mut String, title: &str, flags: &[Flag]) {
    if !flags.is_empty() {
        out.push_str(title);
    }
    for flag in flags {
        add(out, &["  ", &flag.shown(), &behind_flag(flag), "\n      "]);
        wrap(out, &with_choices(flag), 6);
    }
}

/// The variable of a setting, as it stands behind its flag.
pub(super) fn behind_flag(flag: &Flag) -> String {
    match (flag.flag, flag.variable) {
        (Some(_), Some(variable)) => joined(&[", ", variable]),
        (None, Some(variable)) => variable.to_owned(),
        (_, None) => String::new(),
    }
}

/// What a flag is, with the words that it takes where these are few.
pub(super) fn with_choices(flag: &Flag) -> String {
    let choices = flag.takes.choices();
    let mut text = flag.help.to_owned();
    if !choices.is_empty() {
        add(&mut text, &[": ", &choices.join(", ")]);
    }
    text
}

fn exits(out: &mut String) {
    out.push_str("\nExit codes:\n");
    for (code, meaning) in EXITS {
        explained(out, &code.to_string(), meaning);
    }
}

/// A name, and what it means in the column for that.
fn explained(out: &mut String, name: &str, meaning: &str) {
    add(out, &["  ", name]);
    pad(out, EXPLAINED.saturating_sub(2 + name.len()).max(2));
    wrap(out, meaning, EXPLAINED);
}

/// Adds words, broken before the last column; further lines begin at `indent`.
fn wrap(out: &mut String, text: &str, indent: usize) {
    let mut column = indent;
    for (index, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > COLUMNS {
            out.push('\n');
            pad(out, indent);
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}

fn pad(out: &mut String, columns: usize) {
    for _ in 0..columns {
        out.push(' ');
    }
}

/// A one-line help as a sentence of its own.
pub(super) fn capital(text: &str) -> String {
    let mut sentence = joined(&[text, "."]);
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}
