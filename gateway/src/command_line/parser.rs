//! Reads what was typed, by the table; errors name the word and what was probably meant.

use super::{COMMANDS, Command, Flag, PROGRAM, Takes, Words, command, joined};
use crate::config::Values;

/// What is asked for.
#[derive(Debug)]
pub enum Asked {
    /// A command, to be carried out.
    Command(Parsed),
    /// Help, about everything or about a command.
    Help(Option<&'static Command>),
    /// A word that is not in the table and begins with `_`: our own children are called so.
    Hidden,
}

/// A command as it was typed.
#[derive(Debug)]
pub struct Parsed {
    /// The command.
    pub command: &'static Command,
    given: Vec<(&'static Flag, String)>,
    words: Vec<String>,
}

/// Words that cannot be used: a sentence, and the command whose help says more.
#[derive(Debug)]
pub struct Wrong {
    about: Option<&'static Command>,
    message: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, gap) = self.about.map_or(("", ""), |command| (command.name, " "));
        let Self { message, .. } = self;
        write!(f, "{message}\nTry: {PROGRAM}{gap}{name} --help")
    }
}

impl Parsed {
    /// Whether a flag of this name was given.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value of a flag, if it was given; the last one counts.
    pub fn value(&self, name: &str) -> Option<&str> {
        let given = self.given.iter().rfind(|(flag, _)| flag.flag == Some(name));
        given.map(|(_, value)| value.as_str())
    }

    /// The settings that were given, by the names of their variables.
    pub fn settings(&self) -> Values {
        let mut settings = Values::new();
        for (flag, value) in &self.given {
            if let Some(variable) = flag.variable {
                settings.insert(variable.to_owned(), value.clone());
            }
        }
        settings
    }

    /// The word behind the command, if there is one.
    pub fn word(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    /// All words behind the command.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }
}

/// Reads the words behind the program's name.
///
/// # Errors
/// [`Wrong`] for a word that the table does not know.
pub fn parse(arguments: &[String]) -> Result<Asked, Wrong> {
    let Some((first, rest)) = arguments.split_first() else { return Ok(Asked::Help(None)) };
    let name = match first.as_str() {
        "--help" | "-h" => "help",
        "--version" | "-V" => "version",
        word => word,
    };
    if name.starts_with('_') {
        return Ok(Asked::Hidden);
    }
    let Some(command) = command(name) else {
        let names = COMMANDS.iter().map(|command| command.name);
        let message = unknown("there is no command ", first, nearest(name, names));
        return Err(Wrong { about: None, message });
    };
    read(command, rest).map_err(|message| Wrong { about: Some(command), message })
}

fn read(command: &'static Command, arguments: &[String]) -> Result<Asked, String> {
    let mut parsed = Parsed { command, given: Vec::new(), words: Vec::new() };
    let mut arguments = arguments.iter();
    let text = matches!(command.words, Words::Text(_));
    let mut only_words = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" if !only_words => return Ok(Asked::Help(Some(command))),
            "--" if !only_words => only_words = true,
            word if word.starts_with('-') && word.len() > 1 && !only_words && !text => {
                parsed.given.push(read_flag(command, word, &mut arguments)?);
            }
            word => parsed.words.push(word.to_owned()),
        }
        only_words |= text;
    }
    check_words(&parsed)?;
    Ok(Asked::Command(parsed))
}

/// `--name value`, `--name=value`, or `--name` when it takes nothing.
fn read_flag(
    command: &Command,
    word: &str,
    rest: &mut std::slice::Iter<'_, String>,
) -> Result<(&'static Flag, String), String> {
    let (dashed, value) = match word.split_once('=') {
        Some((dashed, value)) => (dashed, Some(value)),
        None => (word, None),
    };
    let name = dashed.strip_prefix("--").unwrap_or_default();
    let Some(flag) = command.all_flags().into_iter().find(|flag| flag.flag == Some(name)) else {
        let names = command.all_flags().into_iter().filter_map(|flag| flag.flag);
        let near = nearest(name, names).map(|name| joined(&["--", name]));
        let start = joined(&[command.name, " has no flag "]);
        return Err(unknown(&start, dashed, near.as_deref()));
    };
    let value = match (flag.takes, value) {
        (Takes::Nothing, None) => "",
        (Takes::Nothing, Some(_)) => return Err(joined(&[dashed, " takes no value"])),
        (_, Some(value)) => value,
        (_, None) => match rest.next() {
            Some(value) if !value.starts_with("--") => value,
            _ => return Err(joined(&[dashed, " needs a value: ", &flag.shown()])),
        },
    };
    check_choice(flag.takes, dashed, value)?;
    Ok((flag, value.to_owned()))
}

fn check_words(parsed: &Parsed) -> Result<(), String> {
    let name = parsed.command.name;
    let most = match parsed.command.words {
        Words::None => 0,
        Words::Maybe(_) | Words::One(_) => 1,
        Words::Text(_) => usize::MAX,
    };
    if let Some(word) = parsed.words.get(most) {
        return Err(format!("{name}: \"{}\" is one word too many", word.escape_debug()));
    }
    if matches!(parsed.command.words, Words::One(_)) && parsed.words.is_empty() {
        return Err(joined(&[name, " needs", &parsed.command.shown_words()]));
    }
    parsed.words.iter().try_for_each(|word| check_choice(parsed.command.takes(), name, word))
}

/// Whether a value is one of those that it can be.
fn check_choice(takes: Takes, what: &str, value: &str) -> Result<(), String> {
    let choices = takes.choices();
    if choices.is_empty() || choices.contains(&value) {
        return Ok(());
    }
    Err(format!("{what}: \"{}\" is none of {}", value.escape_debug(), choices.join(", ")))
}

fn unknown(start: &str, word: &str, near: Option<&str>) -> String {
    let guess = near.map(|near| joined(&["; did you mean ", near, "?"])).unwrap_or_default();
    format!("{start}\"{}\"{guess}", word.escape_debug())
}

/// The name that was probably meant.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.filter_map(|name| {
        let distance =
            if word.len() > 1 && name.starts_with(word) { 0 } else { distance(word, name) };
        // A third of the letters may be wrong, or two of a short word be swapped.
        (distance <= (name.len() / 3).max(2) && distance < name.len()).then_some((distance, name))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Letters to insert, remove or replace until `a` is `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = replaced.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        for (a, b, letters) in
            [("", "run", 3), ("rum", "run", 1), ("lits", "list", 2), ("x", "x", 0)]
        {
            assert_eq!(distance(a, b), letters, "{a} {b}");
        }
        assert_eq!(nearest("atach", ["list", "attach"].into_iter()), Some("attach"));
        assert_eq!(nearest("com", ["run", "completions"].into_iter()), Some("completions"));
        assert_eq!(nearest("zzzzz", ["run", "list"].into_iter()), None);
    }
}
