//! The figures: a table for people, JSON for machines, and the last run to compare with.

use crate::budgets;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Changes below this many per cent are noise on any machine and not shown.
const NOISE: f64 = 0.05;

struct Row {
    key: String,
    what: String,
    value: f64,
    unit: &'static str,
    /// The same in the same run without a gateway, or with the least that is possible.
    floor: Option<f64>,
}

/// All figures so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    skipped: Vec<(&'static str, String)>,
}

impl Report {
    /// Adds a figure. `key` names it for machines and finds its budget.
    pub fn add(&mut self, key: impl Into<String>, what: &str, value: f64, unit: &'static str) {
        let (key, what) = (key.into(), what.to_owned());
        self.rows.push(Row { key, what, value, unit, floor: None });
    }

    /// Adds a figure and its floor.
    pub fn beside(
        &mut self,
        key: impl Into<String>,
        what: &str,
        (value, floor): (f64, f64),
        unit: &'static str,
    ) {
        let (key, what) = (key.into(), what.to_owned());
        self.rows.push(Row { key, what, value, unit, floor: Some(floor) });
    }

    /// Adds the middle and the late end of times in milliseconds, beside those of a floor.
    pub fn times(&mut self, key: &str, what: &str, samples: &mut [f64], floor: &mut [f64]) {
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let pair = (percentile(samples, share), percentile(floor, share));
            self.beside(format!("{key}.{name}"), &format!("{what}, {name}"), pair, "ms");
        }
    }

    /// Says why a measure could not be taken.
    pub fn skip(&mut self, measure: &'static str, why: impl Into<String>) {
        let why = why.into();
        eprintln!("      skipped: {why}");
        self.skipped.push((measure, why));
    }

    /// Prints the table and writes the JSON. Returns how many budgets were missed.
    pub fn finish(self, save: bool) -> usize {
        let last = read_last();
        self.print(&last);
        let json = self.to_json();
        let build = target().join("bench.json");
        write(&build, &Value::Object(json.clone()));
        eprintln!("written: {}", build.display());
        if save {
            // Of what was not measured now, the old figures stay.
            let mut merged = last;
            merged.extend(json);
            write(&last_path(), &Value::Object(merged));
            eprintln!("kept: {}", last_path().display());
        }
        self.rows.iter().filter(|row| row.met() == Some(false)).count()
    }

    fn print(&self, last: &Map<String, Value>) {
        println!(
            "\n{:<50} {:>10} {:<6} {:>9} {:>6}  {:<9} {:<6} {:>8}",
            "what", "figure", "", "floor", "ratio", "budget", "", "change"
        );
        let mut missed = 0;
        for row in &self.rows {
            let floor = row.floor.map(short).unwrap_or_default();
            let ratio = row.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let budget = budgets::of(&row.key).map(|budget| budget.words()).unwrap_or_default();
            let verdict = row.met().map_or("", |met| if met { "ok" } else { "MISSED" });
            missed += usize::from(verdict == "MISSED");
            let before = last.get(&row.key).and_then(|one| one["value"].as_f64());
            let change = before.and_then(|before| change(before, row.value)).unwrap_or_default();
            let (what, value, unit) = (&row.what, short(row.value), row.unit);
            println!(
                "{what:<50} {value:>10} {unit:<6} {floor:>9} {ratio:>6}  {budget:<9} {verdict:<6} {change:>8}"
            );
        }
        for (measure, why) in &self.skipped {
            println!("{measure}: skipped: {why}");
        }
        let measured = |key: &&str| self.rows.iter().any(|row| row.key == *key);
        let without = budgets::keys().filter(|key| !measured(key)).count();
        println!("\n{missed} budgets missed, {without} not looked at in this run");
    }

    fn to_json(&self) -> Map<String, Value> {
        let row = |row: &Row| {
            let budget = budgets::of(&row.key).map(|budget| budget.words());
            let value = json!({
                "what": row.what, "value": rounded(row.value), "unit": row.unit,
                "floor": row.floor.map(rounded), "budget": budget, "met": row.met(),
            });
            (row.key.clone(), value)
        };
        self.rows.iter().map(row).collect()
    }
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.floor.filter(|&floor| floor > 0.0).map(|floor| self.value / floor)
    }

    fn met(&self) -> Option<bool> {
        budgets::of(&self.key)?.is_met(self.value, self.ratio())
    }
}

fn last_path() -> PathBuf {
    integration::repository().join("size-report/bench-last.json")
}

fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR");
    folder.map_or_else(|| integration::repository().join("target"), PathBuf::from)
}

fn read_last() -> Map<String, Value> {
    let text = std::fs::read_to_string(last_path()).unwrap_or_default();
    match serde_json::from_str(&text) {
        Ok(Value::Object(figures)) => figures,
        _ => Map::new(),
    }
}

fn write(path: &std::path::Path, value: &Value) {
    let text = serde_json::to_string_pretty(value).expect("JSON") + "\n";
    let folder = path.parent().expect("a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// From one run to the next, in per cent.
fn change(before: f64, now: f64) -> Option<String> {
    let percent = (now - before) / before * 100.0;
    (percent.is_finite() && percent.abs() >= NOISE).then(|| format!("{percent:+.1} %"))
}

/// Six significant digits: more are noise, and would make every saved file differ.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn short(value: f64) -> String {
    if value >= 1000.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// The value below which `share` of the samples lie.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len() - 1;
    samples[(last as f64 * share).round() as usize]
}
