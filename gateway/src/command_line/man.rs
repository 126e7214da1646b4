//! The man page, in the macros that every `man` knows.

use super::help::{behind_flag, capital, with_choices};
use super::{COMMANDS, Command, EXITS, FILES, Flag, PROGRAM, add, joined};

/// The page, as `man -l -` reads it.
pub fn man() -> String {
    let title = ".TH CHATCODE\\-GATEWAY 1 \"\" \"chatcode ";
    let mut page = Page([title, crate::identity::OWN.version, "\" \"\"\n"].concat());
    page.section("NAME");
    page.text("chatcode-gateway - keeps tmux sessions and relays them to the browser");
    page.section("SYNOPSIS");
    page.bold(PROGRAM, " COMMAND [FLAGS]");
    page.section("DESCRIPTION");
    page.text(
        "Runs on the machine whose sessions are to be reached. It keeps them in a tmux server of \
         its own and holds one connection to the control plane; nothing listens here.",
    );
    page.section("COMMANDS");
    for command in COMMANDS {
        page.command(command);
    }
    page.section("FILES");
    for (file, meaning) in FILES {
        page.item(file, "", meaning);
    }
    page.section("EXIT STATUS");
    for (code, meaning) in EXITS {
        page.item(&code.to_string(), "", meaning);
    }
    page.section("SEE ALSO");
    page.bold("tmux", "(1)");
    page.0
}

struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        self.line(&[".SH ", name]);
    }

    fn command(&mut self, command: &Command) {
        self.line(&[".SS ", command.name]);
        let some_flags = !command.all_flags().is_empty();
        let flags = if some_flags { " [FLAGS]" } else { "" };
        let behind = joined(&[flags, &command.shown_words()]);
        self.bold(&joined(&[PROGRAM, " ", command.name]), &behind);
        self.paragraph(&capital(command.help));
        command.text.lines().for_each(|paragraph| self.paragraph(paragraph));
        command.flags.iter().for_each(|flag| self.flag(flag));
        if command.settings.is_empty() {
            return;
        }
        self.paragraph("Settings, by flag, environment or file; the first of these wins:");
        command.settings.iter().for_each(|flag| self.flag(flag));
    }

    fn flag(&mut self, flag: &Flag) {
        self.item(&flag.shown(), &behind_flag(flag), &with_choices(flag));
    }

    /// A paragraph beneath a tag.
    fn item(&mut self, bold: &str, plain: &str, text: &str) {
        self.line(&[".TP"]);
        self.bold(bold, plain);
        self.text(text);
    }

    /// A line whose first part is bold.
    fn bold(&mut self, bold: &str, plain: &str) {
        self.0.push_str("\\fB");
        self.escaped(bold);
        self.0.push_str("\\fR");
        self.escaped(plain);
        self.0.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        self.line(&[".PP"]);
        self.text(text);
    }

    fn text(&mut self, text: &str) {
        self.escaped(text);
        self.0.push('\n');
    }

    fn line(&mut self, parts: &[&str]) {
        add(&mut self.0, parts);
        self.0.push('\n');
    }

    /// Dashes stay dashes, so that a flag can be copied; a dot first in a line is no request.
    fn escaped(&mut self, text: &str) {
        if text.starts_with(['.', '\'']) {
            self.0.push_str("\\&");
        }
        for letter in text.chars() {
            match letter {
                '\\' => self.0.push_str("\\e"),
                '-' => self.0.push_str("\\-"),
                '~' => self.0.push_str("\\(ti"),
                '^' => self.0.push_str("\\(ha"),
                letter => self.0.push(letter),
            }
        }
    }
}
