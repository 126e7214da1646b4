//! The report in words: tables for the terminal, Markdown for a pull request, and the verdict.

use super::history::Entry;
use super::weigh::{Bytes, Weight, grown};
use crate::dist::targets::Target;
use std::fmt::Write as _;

/// Parts below this share of the file are one line together, unless they grew.
const SMALL_PER_MILLE: u64 = 3;

/// How many of those that grew the verdict names.
const NAMED: usize = 8;

/// One target's weight beside what it is held against.
pub struct Report<'a> {
    /// Which.
    pub target: &'a Target,
    /// What it weighs.
    pub weight: &'a Weight,
    /// The last release of it, where there is one.
    pub before: Option<&'a Entry>,
}

/// A line of a table: name, bytes, and change since the last release.
type Row = (String, u64, Option<i64>);

impl Report<'_> {
    /// Tables for a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("\n{}: {}\n", self.target.triple, self.sentence());
        for (title, rows) in [("part", self.parts()), ("section", self.sections())] {
            let width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0).max(8);
            let _ = write!(out, "\n  {title:<width$} {:>11} {:>7}", "bytes", "share");
            out.push_str(
                &self.before.map_or(String::new(), |it| format!("  since {}", it.version)),
            );
            out.push('\n');
            for (name, bytes, change) in rows {
                let share = percent(bytes, self.weight.bytes);
                let _ = write!(out, "  {name:<width$} {:>11} {share:>7}", grouped(bytes));
                out.push_str(&change.map_or(String::new(), |it| format!("  {:>9}", signed(it))));
                out.push('\n');
            }
        }
        out
    }

    /// Tables that fold away.
    pub fn markdown(&self) -> String {
        let mut out =
            format!("\n<details><summary>What {} is made of</summary>\n", self.target.triple);
        for (title, rows) in [("part", self.parts()), ("section", self.sections())] {
            let since = self.before.map_or(String::new(), |it| format!(" since {} |", it.version));
            let line = if self.before.is_some() { "---:|" } else { "" };
            let _ = write!(out, "\n| {title} | bytes | share |{since}\n|---|---:|---:|{line}\n");
            for (name, bytes, change) in rows {
                let share = percent(bytes, self.weight.bytes);
                let _ = write!(out, "| {} | {} | {share} |", code(&name), grouped(bytes));
                out.push_str(&change.map_or(String::new(), |it| format!(" {} |", signed(it))));
                out.push('\n');
            }
        }
        out.push_str("\n</details>\n");
        out
    }

    /// What it weighs, in a sentence.
    pub fn sentence(&self) -> String {
        let (bytes, budget) = (self.weight.bytes, self.target.budget);
        let held = match budget.checked_sub(bytes) {
            Some(left) => format!("{} left of {}", grouped(left), grouped(budget)),
            None => format!("{} over {}", grouped(bytes - budget), grouped(budget)),
        };
        let since = self.before.map_or(String::new(), |before| {
            format!(", {} since {}", signed(self.change(before)), before.version)
        });
        format!("{} bytes, {held}{since}", grouped(bytes))
    }

    /// Why it fails, when it does: what grew, or what is heavy where nothing is known of before.
    pub fn verdict(&self) -> Option<String> {
        if self.weight.bytes <= self.target.budget {
            return None;
        }
        let list = |rows: Vec<(String, u64)>, sign: &str| {
            let rows = rows.into_iter().take(NAMED);
            let rows = rows.map(|(name, bytes)| format!("{name} {sign}{}", grouped(bytes)));
            rows.collect::<Vec<_>>().join(", ")
        };
        let why = match self.before {
            Some(before) => {
                let rows = grown(&before.weight.parts, &self.weight.parts);
                format!("since {} grew {}", before.version, list(rows, "+"))
            }
            None => {
                let rows = grown(&Bytes::new(), &self.weight.parts);
                format!("no release is recorded yet; the heaviest are {}", list(rows, ""))
            }
        };
        Some(format!("{} is over its budget: {}; {why}", self.target.triple, self.sentence()))
    }

    fn change(&self, before: &Entry) -> i64 {
        self.weight.bytes as i64 - before.weight.bytes as i64
    }

    fn parts(&self) -> Vec<Row> {
        let before = self.before.map(|entry| &entry.weight.parts);
        self.folded(rows(&self.weight.parts, before))
    }

    fn sections(&self) -> Vec<Row> {
        let before = self.before.map(|entry| &entry.weight.sections);
        self.folded(rows(&self.weight.sections, before))
    }

    /// Puts what is small and did not change into one line.
    fn folded(&self, rows: Vec<Row>) -> Vec<Row> {
        let least = self.weight.bytes * SMALL_PER_MILLE / 1000;
        let small = |row: &Row| row.1 < least && row.2.unwrap_or(0) == 0;
        let (small, mut rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(small);
        if !small.is_empty() {
            let bytes = small.iter().map(|row| row.1).sum();
            let change = self.before.map(|_| 0);
            rows.push((format!("{} smaller ones", small.len()), bytes, change));
        }
        rows.push(("all".to_owned(), self.weight.bytes, self.before.map(|it| self.change(it))));
        rows
    }
}

/// Heaviest first; what is gone since is there with nothing left.
fn rows(now: &Bytes, before: Option<&Bytes>) -> Vec<Row> {
    let gone = before.into_iter().flat_map(|it| it.keys()).filter(|name| !now.contains_key(*name));
    let mut rows: Vec<Row> = now
        .keys()
        .chain(gone)
        .map(|name| {
            let bytes = now.get(name).copied().unwrap_or(0);
            let change = before.map(|it| bytes as i64 - it.get(name).copied().unwrap_or(0) as i64);
            (name.clone(), bytes, change)
        })
        .collect();
    rows.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    rows
}

/// All targets in one table of Markdown.
pub fn overview(reports: &[Report<'_>]) -> String {
    let mut out = "### Size of the gateway\n\n".to_owned();
    out.push_str("| target | bytes | budget | left | since the last release |\n");
    out.push_str("|---|---:|---:|---:|---:|\n");
    for report in reports {
        let (bytes, budget) = (report.weight.bytes, report.target.budget);
        let left = signed(budget as i64 - bytes as i64);
        let left = if bytes > budget { format!("**{left}**") } else { left };
        let since = report.before.map_or("—".to_owned(), |before| {
            format!("{} ({})", signed(report.change(before)), before.version)
        });
        let (bytes, budget) = (grouped(bytes), grouped(budget));
        let _ = writeln!(
            out,
            "| {} | {bytes} | {budget} | {left} | {since} |",
            code(report.target.triple)
        );
    }
    out
}

/// A name as Markdown takes it literally; words in parentheses are ours.
fn code(name: &str) -> String {
    if name.starts_with('(') || name.contains(' ') || name == "all" {
        return name.to_owned();
    }
    format!("`{name}`")
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

/// A number that people can read: `1,024,896`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn signed(number: i64) -> String {
    let sign = match number.signum() {
        1 => "+",
        0 => "±",
        _ => "−",
    };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::super::history::tests::entry;
    use super::*;
    use crate::dist::targets::TARGETS;

    fn target(budget: u64) -> Target {
        let [first, ..] = TARGETS;
        Target { triple: "x86_64-unknown-linux-musl", budget, ..first }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 7, 999, 1000, 1_024_896].map(grouped).join(" "), "0 7 999 1,000 1,024,896");
        assert_eq!([0, 1234, -5].map(signed).join(" "), "±0 +1,234 −5");
    }

    #[test]
    fn inside_the_budget_nothing_is_said_and_one_byte_over_it_is_too_much() {
        let now = entry("", "", &[("rustls", 600), ("core", 400)]);
        let report = |budget| {
            let target = target(budget);
            Report { target: &target, weight: &now.weight, before: None }.verdict()
        };
        assert_eq!(report(1000), None);
        assert_eq!(
            report(999).as_deref(),
            Some(
                "x86_64-unknown-linux-musl is over its budget: 1,000 bytes, 1 over 999; \
                 no release is recorded yet; the heaviest are rustls 600, core 400"
            )
        );
    }

    #[test]
    fn what_is_over_its_budget_names_what_grew() {
        let before = entry("0.1.0", "", &[("rustls", 500), ("core", 450), ("gone", 20)]);
        let now = entry("", "", &[("rustls", 600), ("core", 400), ("chacha20", 1234)]);
        let target = target(2000);
        let report = Report { target: &target, weight: &now.weight, before: Some(&before) };
        assert_eq!(
            report.verdict().as_deref(),
            Some(
                "x86_64-unknown-linux-musl is over its budget: 2,234 bytes, 234 over 2,000, \
                 +1,264 since 0.1.0; since 0.1.0 grew chacha20 +1,234, rustls +100"
            )
        );
    }

    #[test]
    fn tables_add_up_and_fold_what_is_small_and_the_same() {
        let before = entry("0.1.0", "", &[("rustls", 995_000), ("a", 1), ("b", 2), ("old", 3)]);
        let now = entry("", "", &[("rustls", 995_100), ("a", 1), ("b", 2), ("new", 4)]);
        let target = target(1_000_000);
        let report = Report { target: &target, weight: &now.weight, before: Some(&before) };
        let rows = report.parts();
        let expected: &[(&str, u64, i64)] = &[
            ("rustls", 995_100, 100),
            ("new", 4, 4),
            ("old", 0, -3),
            ("2 smaller ones", 3, 0),
            ("all", 995_107, 101),
        ];
        let found: Vec<_> = rows.iter().map(|it| (&*it.0, it.1, it.2.unwrap_or(0))).collect();
        assert_eq!(found, expected);
        let text = report.text();
        assert!(
            text.contains("995,107 bytes, 4,893 left of 1,000,000, +101 since 0.1.0"),
            "{text}"
        );
        let markdown = format!("{}{}", overview(&[Report { ..report }]), report.markdown());
        assert!(markdown.contains("| `rustls` | 995,100 | 100.0 % | +100 |"), "{markdown}");
        assert!(
            markdown.contains(
                "| `x86_64-unknown-linux-musl` | 995,107 | 1,000,000 | +4,893 | +101 (0.1.0) |"
            ),
            "{markdown}"
        );
    }
}
