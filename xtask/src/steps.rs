//! Saying what happens while it happens, with times, and a table at the end.

use crate::Result;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How a step went.
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed(String),
}

/// The steps so far.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Duration, Outcome)>,
}

impl Steps {
    /// Runs a step that others need: a failure ends everything.
    ///
    /// # Errors
    /// What the step failed with.
    pub fn need<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("▸ {name}");
        let started = Instant::now();
        let result = step();
        let took = started.elapsed();
        match result {
            Ok(value) => {
                println!("✓ {name} {}", seconds(took));
                Ok(value)
            }
            Err(error) => {
                println!("✗ {name} {}", seconds(took));
                Err(error)
            }
        }
    }

    /// Runs a step whose failure is counted and does not stop the next one.
    pub fn check(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        println!("\n▸ {name}");
        let started = Instant::now();
        let result = step();
        let took = started.elapsed();
        let outcome = match result {
            Ok(()) => {
                println!("✓ {name} {}", seconds(took));
                Outcome::Passed
            }
            Err(error) => {
                println!("✗ {name} {}: {error}", seconds(took));
                Outcome::Failed(error.to_string())
            }
        };
        let _ = std::io::stdout().flush();
        self.done.push((name.to_owned(), took, outcome));
    }

    /// Prints the table of the checked steps.
    ///
    /// # Errors
    /// When a step failed.
    pub fn finish(self) -> Result<()> {
        println!("\n{:<20} {:>9}  outcome", "step", "time");
        for (name, took, outcome) in &self.done {
            let outcome = match outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Failed(error) => format!("FAILED: {error:.100}"),
            };
            println!("{name:<20} {:>9}  {outcome}", seconds(*took));
        }
        let failed = self.done.iter().filter(|(_, _, o)| matches!(o, Outcome::Failed(_))).count();
        let total: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        println!("\n{} passed, {failed} failed in {}", self.done.len() - failed, seconds(total));
        if failed == 0 { Ok(()) } else { Err(format!("{failed} steps failed").into()) }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
