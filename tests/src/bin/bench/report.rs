//! The table of measurements and budgets, and its JSON form.

use serde_json::{Value, json};

/// What a measurement may be.
#[derive(Clone, Copy)]
pub enum Budget {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Only told.
    None,
}

/// All measurements so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Value>,
    missed: usize,
}

impl Report {
    /// Adds a measurement and prints it at once.
    pub fn add(&mut self, what: &str, value: f64, unit: &str, budget: Budget) {
        if self.rows.is_empty() {
            println!("{:<44} {:>14} {:>8}  {:<14} verdict", "what", "measured", "unit", "budget");
        }
        let (limit, met) = match budget {
            Budget::AtMost(limit) => (format!("≤ {limit}"), Some(value <= limit)),
            Budget::AtLeast(limit) => (format!("≥ {limit}"), Some(value >= limit)),
            Budget::None => (String::new(), None),
        };
        let verdict = met.map_or("", |met| if met { "met" } else { "MISSED" });
        println!("{what:<44} {:>14} {unit:>8}  {limit:<14} {verdict}", short(value));
        self.missed += usize::from(met == Some(false));
        self.rows.push(json!({
            "what": what, "value": value, "unit": unit, "budget": limit, "met": met,
        }));
    }

    /// Writes the JSON form beside the build. Returns how many budgets were missed.
    pub fn finish(self) -> usize {
        let path = integration::repository().join("target/bench.json");
        let text = serde_json::to_string_pretty(&self.rows).expect("JSON");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.missed
    }
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

/// The value below which `share` of the samples lie, in milliseconds.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len() - 1;
    samples[(last as f64 * share).round() as usize]
}
