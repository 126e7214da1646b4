//! The budgets of the design, in one table, and which figure each of them is about.

/// What a figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// No less than this share of the floor.
    RatioAtLeast(f64),
}

/// Budgets by the key of their figure. Figures without one are only told.
const BUDGETS: &[(&str, Budget)] = &[
    // That of x86_64.
    ("size.binary", Budget::AtMost(1_300_000.0)),
    ("start.hello", Budget::AtMost(20.0)),
    ("echo.idle.p50", Budget::AtMost(1.0)),
    ("echo.idle.p99", Budget::AtMost(5.0)),
    ("echo.flood.p50", Budget::AtMost(5.0)),
    ("bulk.seq", Budget::RatioAtLeast(0.9)),
    ("bulk.text", Budget::RatioAtLeast(0.9)),
    ("bulk.escapes", Budget::RatioAtLeast(0.9)),
    ("bulk.cjk", Budget::RatioAtLeast(0.9)),
    ("file.up", Budget::AtLeast(60.0)),
    ("file.down", Budget::AtLeast(200.0)),
    ("file.up.echo.p50", Budget::AtMost(5.0)),
    ("file.down.echo.p50", Budget::AtMost(5.0)),
    ("idle.0.cpu", Budget::AtMost(0.02)),
    ("idle.5.cpu", Budget::AtMost(0.02)),
    ("idle.0.spawned", Budget::AtMost(0.0)),
    ("idle.5.spawned", Budget::AtMost(0.0)),
    ("idle.50.spawned", Budget::AtMost(0.0)),
    ("idle.0.messages", Budget::AtMost(0.0)),
    ("idle.5.messages", Budget::AtMost(0.0)),
    ("idle.50.messages", Budget::AtMost(0.0)),
    ("idle.5.rss", Budget::AtMost(2.5)),
    ("idle.5.anonymous", Budget::AtMost(0.8)),
    ("rest.rss", Budget::AtMost(4.0)),
];

/// The figures that have a budget.
pub fn keys() -> impl Iterator<Item = &'static str> {
    BUDGETS.iter().map(|(key, _)| *key)
}

/// The budget of a figure.
pub fn of(key: &str) -> Option<Budget> {
    BUDGETS.iter().find(|(known, _)| *known == key).map(|(_, budget)| *budget)
}

impl Budget {
    /// Whether a figure with this ratio to its floor is within it; `None` without a floor that it
    /// needs.
    pub fn is_met(self, value: f64, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::AtMost(limit) => Some(value <= limit),
            Self::AtLeast(limit) => Some(value >= limit),
            Self::RatioAtLeast(limit) => ratio.map(|ratio| ratio >= limit),
        }
    }

    /// For the table.
    pub fn words(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {limit}"),
            Self::AtLeast(limit) => format!("≥ {limit}"),
            Self::RatioAtLeast(limit) => format!("≥ {limit} ×"),
        }
    }
}
