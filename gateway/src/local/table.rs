//! The sessions as a table for people.

use super::sessions::Local;
use std::time::{SystemTime, UNIX_EPOCH};

const HEAD: [&str; 8] =
    ["SESSION", "NAME", "AGENT", "FOLDER", "SIZE", "CREATED", "ACTIVE", "TERMINALS"];

/// Most columns that a name or a folder takes.
const TEXT_COLUMNS: usize = 40;

/// The table with a line feed at the end of each row.
pub(super) fn draw(sessions: &[Local]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(sessions.iter().map(|session| row(session, now)));
    let widths: [usize; HEAD.len()] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let line = |row: &[String; HEAD.len()]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(session: &Local, now: u64) -> [String; HEAD.len()] {
    let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), short);
    [
        session.session_id.to_string(),
        or_dash(&session.name),
        or_dash(&session.agent),
        short(&session.folder),
        format!("{}x{}", session.cols, session.rows),
        ago(session.created, now),
        ago(session.last_activity, now),
        session.attached.to_string(),
    ]
}

/// The end of a long text tells more than its beginning: folders differ there.
fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= TEXT_COLUMNS {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(count - TEXT_COLUMNS + 1)).collect()
}

fn ago(then: u64, now: u64) -> String {
    let seconds = now.saturating_sub(then);
    let (count, unit) = match seconds {
        0..60 => return "now".to_owned(),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_beneath_their_names() {
        let session = |session_id, name: &str| Local {
            session_id,
            name: Some(name.to_owned()),
            folder: format!("/home/{}", "z".repeat(50)),
            ..Local::default()
        };
        let table = draw(&[session(7, "é日"), session(123_456, "a long name")]);
        let lines: Vec<Vec<char>> = table.lines().map(|line| line.chars().collect()).collect();
        let at = |row: usize, text: char| lines[row].iter().position(|&c| c == text);
        assert_eq!((lines.len(), at(1, '…')), (3, at(2, '…')));
        assert_eq!(lines[1].iter().filter(|&&c| c == 'z').count(), TEXT_COLUMNS - 1);
    }

    #[test]
    fn times_are_told_roughly() {
        let told: Vec<String> = [0, 59, 60, 7_199, 86_400, 172_800, 1_000_000]
            .iter()
            .map(|&seconds| ago(2_000_000 - seconds, 2_000_000))
            .collect();
        assert_eq!(
            told,
            ["now", "now", "1 min ago", "1 h ago", "24 h ago", "2 days ago", "11 days ago"]
        );
        assert_eq!(ago(10, 5), "now", "a clock that was set back");
    }
}
