//! What was found, for people and for machines.

use crate::command_line::exit;
use miniserde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing to do.
    Ok,
    /// It works, and may not for long or not for everything.
    Warning,
    /// It does not work.
    Failure,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// How bad it is.
    pub state: State,
    /// A stable word for what is wrong, `ok` when nothing is.
    pub code: &'static str,
    /// What was found, in words, without control characters.
    pub found: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, State::Ok, "ok", found.into(), None)
    }

    /// It works, and yet.
    pub fn warning(
        check: &'static str,
        code: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(check, State::Warning, code, found.into(), Some(advice.into()))
    }

    /// It does not work.
    pub fn failure(
        check: &'static str,
        code: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(check, State::Failure, code, found.into(), Some(advice.into()))
    }

    fn new(
        check: &'static str,
        state: State,
        code: &'static str,
        found: String,
        advice: Option<String>,
    ) -> Self {
        let (found, advice) = (clean(&found), advice.map(|advice| clean(&advice)));
        Self { check, state, code, found, advice }
    }
}

/// Programs and servers have said parts of it: nothing of that may steer the terminal.
fn clean(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// All findings.
pub struct Report {
    /// In the order of the checks.
    pub findings: Vec<Finding>,
    /// Checks that had nothing to look at, because of what others found.
    pub not_checked: Vec<&'static str>,
}

#[derive(Serialize)]
struct JsonReport {
    version: String,
    state: &'static str,
    checks: Vec<JsonFinding>,
    not_checked: Vec<String>,
}

#[derive(Serialize)]
struct JsonFinding {
    check: &'static str,
    state: &'static str,
    code: &'static str,
    found: String,
    advice: Option<String>,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }

    /// Green, yellow, red.
    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Failure => "\x1b[31m",
        }
    }
}

impl Report {
    fn state(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok)
    }

    /// 0 all is well, 1 something does not work, 2 warnings alone.
    pub fn exit_code(&self) -> u8 {
        match self.state() {
            State::Ok => exit::DONE,
            State::Failure => exit::FAILED,
            State::Warning => exit::WARNED,
        }
    }

    /// One object, and a newline.
    pub fn to_json(&self) -> String {
        let checks = self.findings.iter().map(|finding| JsonFinding {
            check: finding.check,
            state: finding.state.name(),
            code: finding.code,
            found: finding.found.clone(),
            advice: finding.advice.clone(),
        });
        let report = JsonReport {
            version: crate::identity::OWN.version.to_owned(),
            state: self.state().name(),
            checks: checks.collect(),
            not_checked: self.not_checked.iter().map(|check| (*check).to_owned()).collect(),
        };
        miniserde::json::to_string(&report) + "\n"
    }

    /// A line each, and one more where something is to be done.
    pub fn to_text(&self, colour: bool) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let (name, check) = (finding.state.name(), finding.check);
            let (on, off) = if colour { (finding.state.colour(), "\x1b[0m") } else { ("", "") };
            text.push_str(&format!("{on}{name:<8}{off} {check:<11} {}\n", finding.found));
            if let Some(advice) = &finding.advice {
                text.push_str(&format!("{:<20} -> {advice} [{}]\n", "", finding.code));
            }
        }
        if !self.not_checked.is_empty() {
            text.push_str(&format!("not checked: {}\n", self.not_checked.join(", ")));
        }
        let count = |state| self.findings.iter().filter(|it| it.state == state).count();
        let (failures, warnings) = (count(State::Failure), count(State::Warning));
        text.push_str(&match (failures, warnings) {
            (0, 0) => "All is well.\n".to_owned(),
            _ => format!("{}, {}.\n", counted(failures, "failure"), counted(warnings, "warning")),
        });
        text
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>) -> Report {
        Report { findings, not_checked: Vec::new() }
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst() {
        let (ok, warning) = (Finding::ok("a", "x"), Finding::warning("b", "c", "x", "y"));
        let failure = Finding::failure("b", "c", "x", "y");
        assert_eq!(report(vec![ok.clone()]).exit_code(), 0);
        assert_eq!(report(vec![ok.clone(), warning.clone()]).exit_code(), 2);
        assert_eq!(report(vec![failure, warning, ok]).exit_code(), 1);
    }

    #[test]
    fn columns_stand_under_each_other_and_nothing_steers_the_terminal() {
        let bad = Finding::failure("tmux", "tmux_old", "says \x1b]0;x\x07\n\u{9b}2J", "update it");
        let text = report(vec![Finding::ok("config", "found"), bad.clone()]).to_text(false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ok       config      found");
        assert!(lines[1].starts_with("failure  tmux        says  ]0;x"));
        assert_eq!(lines[2], "                     -> update it [tmux_old]");
        assert_eq!(lines[3], "1 failure, no warnings.");
        assert!(!text.replace('\n', "").chars().any(char::is_control));
        assert!(report(vec![bad]).to_text(true).starts_with("\x1b[31mfailure \x1b[0m tmux"));
        assert_eq!(report(Vec::new()).to_text(true), "All is well.\n");
    }
}
