//! The history as a picture: a small chart a target, readable on light and on dark.

use super::history::{Entry, History};
use super::table::grouped;
use crate::dist::targets::Target;
use std::fmt::Write as _;

/// Charts beside each other.
const COLUMNS: usize = 2;

/// Width and height of one chart with its title, in pixels of the picture.
const CELL: (f64, f64) = (344.0, 166.0);

/// Room around the charts.
const MARGIN: f64 = 14.0;

/// Where in a cell the lines are drawn: left, top, width and height.
const PLOT: (f64, f64, f64, f64) = (12.0, 38.0, 320.0, 92.0);

/// Share of the budget that the axis begins with: from nothing on, no growth would be seen.
const LOWEST: f64 = 0.7;

/// What of the axis lies beyond its lowest and highest value, so that dots are inside.
const BEYOND: f64 = 0.05;

/// Colours of the reader's theme; a picture in a page cannot take them from there.
const STYLE: &str = "\
<style>
svg { --ground: #ffffff; --ink: #1f2328; --faint: #656d76; --grid: #d8dee4; --line: #0969da;
  --limit: #bc4c00; font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --ground: #0d1117; --ink: #e6edf3; --faint: #8d96a0;
  --grid: #30363d; --line: #58a6ff; --limit: #f0883e; } }
.ground { fill: var(--ground); }
.axis { stroke: var(--grid); fill: none; }
.limit { stroke: var(--limit); stroke-dasharray: 4 3; }
.line { stroke: var(--line); stroke-width: 2; fill: none; stroke-linejoin: round; }
.dot { fill: var(--line); }
text { fill: var(--ink); paint-order: stroke; stroke: var(--ground); stroke-width: 4px; }
.faint { fill: var(--faint); font-size: 11px; }
.budget { fill: var(--limit); font-size: 11px; }
.title { font-weight: 600; }
</style>
";

/// The picture, as SVG.
pub fn draw(history: &History, targets: &[Target]) -> String {
    let rows = targets.len().div_ceil(COLUMNS);
    let width = MARGIN * 2.0 + CELL.0 * COLUMNS as f64;
    let height = MARGIN * 2.0 + CELL.1 * rows as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>Bytes of the gateway by release, for each target, below its budget</title>\n{STYLE}\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n"
    );
    for (index, target) in targets.iter().enumerate() {
        let (column, row) = (index % COLUMNS, index / COLUMNS);
        let (x, y) = (MARGIN + CELL.0 * column as f64, MARGIN + CELL.1 * row as f64);
        let entries: Vec<&Entry> =
            history.0.iter().filter(|it| it.target == target.triple).collect();
        let _ = writeln!(out, "<g transform=\"translate({x} {y})\">");
        one(&mut out, target, &entries);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// The bytes that the axis of a target begins and ends with.
fn axis(target: &Target, entries: &[&Entry]) -> (f64, f64) {
    let bytes = || entries.iter().map(|entry| entry.weight.bytes as f64);
    let budget = target.budget as f64;
    let low = bytes().fold(budget * LOWEST, f64::min);
    let high = bytes().fold(budget, f64::max);
    let beyond = (high - low) * BEYOND;
    (low - beyond, high + beyond)
}

/// The chart of one target.
fn one(out: &mut String, target: &Target, entries: &[&Entry]) {
    let (left, top, width, height) = PLOT;
    let (right, bottom) = (left + width, top + height);
    let (low, high) = axis(target, entries);
    let y_of = |bytes: u64| bottom - height * (bytes as f64 - low) / (high - low);
    let step = width / entries.len().max(2).saturating_sub(1) as f64;
    let x_of = |index: usize| left + step * index as f64;

    let limit = y_of(target.budget);
    let _ = write!(
        out,
        "<text class=\"title\" x=\"{left}\" y=\"16\">{}</text>\n\
         <path class=\"axis\" d=\"M{left} {bottom}H{right}\"/>\n\
         <path class=\"limit\" d=\"M{left} {limit:.1}H{right}\"/>\n\
         <text class=\"budget\" x=\"{left}\" y=\"{:.1}\">budget {}</text>\n",
        target.triple,
        limit - 5.0,
        grouped(target.budget)
    );
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        let middle = top + height / 2.0;
        let _ = writeln!(
            out,
            "<text class=\"faint\" x=\"{left}\" y=\"{middle}\">no release yet</text>"
        );
        return;
    };
    let points: Vec<(f64, f64)> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (x_of(index), y_of(entry.weight.bytes)))
        .collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let end = points.last().copied().unwrap_or((left, bottom));
    let _ = writeln!(out, "<path class=\"line\" d=\"M{}\"/>", path.join("L"));
    for (x, y) in &points {
        let _ = writeln!(out, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>");
    }
    let anchor = if points.len() > 1 { "end" } else { "start" };
    // Below its dot, where the budget is not, unless that is below the axis.
    let beside = if end.1 + 18.0 < bottom { 18.0 } else { -9.0 };
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
        end.0,
        end.1 + beside,
        grouped(last.weight.bytes)
    );
    let last = if entries.len() > 1 { last.version.as_str() } else { "" };
    let from = format!("the axis begins at {}", grouped(low as u64));
    for (x, anchor, words) in [
        (left, "start", first.version.as_str()),
        (left + width / 2.0, "middle", from.as_str()),
        (right, "end", last),
    ] {
        let y = bottom + 15.0;
        let _ = writeln!(
            out,
            "<text class=\"faint\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{words}</text>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::tests::entry;
    use super::*;
    use crate::dist::targets::TARGETS;

    #[test]
    fn every_release_is_a_dot_and_every_target_has_its_budget() {
        let mut history = History::default();
        for (version, bytes) in [("0.1.0", 1_000_000), ("0.2.0", 1_100_000), ("0.3.0", 1_400_000)] {
            history.record(entry(version, TARGETS[0].triple, &[("a", bytes)]));
        }
        history.record(entry("0.1.0", TARGETS[1].triple, &[("a", 900_000)]));
        let picture = draw(&history, &TARGETS);
        assert_eq!(picture.matches("<circle").count(), 4);
        assert_eq!(picture.matches("class=\"line\"").count(), 2);
        assert_eq!(picture.matches("class=\"limit\"").count(), TARGETS.len());
        assert_eq!(picture.matches("no release yet").count(), TARGETS.len() - 2);
        assert!(picture.contains("1,400,000") && picture.contains("0.3.0"));
        assert_eq!(picture, draw(&history, &TARGETS), "the same history is the same picture");
    }

    #[test]
    fn what_is_over_its_budget_is_drawn_above_the_line_and_inside_the_chart() {
        let mut history = History::default();
        history.record(entry("0.1.0", TARGETS[0].triple, &[("a", TARGETS[0].budget * 2)]));
        let picture = draw(&history, &TARGETS[..1]);
        let number = |after: &str| -> f64 {
            let (_, rest) = picture.split_once(after).expect("drawn");
            rest.split(['"', 'H']).next().and_then(|it| it.parse().ok()).expect("a number")
        };
        let (dot, limit) = (number("cy=\""), number("class=\"limit\" d=\"M12 "));
        assert!(PLOT.1 <= dot && dot < limit, "{dot} {limit}");
    }
}
