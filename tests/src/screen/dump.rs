//! What a terminal shows, cell by cell, and in what two terminals differ.

use serde_json::Value;
use std::collections::BTreeMap;

/// Background of the cells on which tmux drew nothing, before its capture is drawn. `capture-pane` of tmux 3.3a
/// and older leaves out what lies behind a row's last used cell, even where it has a colour.
pub(super) const UNDRAWN: &str = "#010203";

/// A cell of a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text, foreground, background, flags.
    Text(String, String, String, String),
    /// The second half of a wide character.
    Half,
}

/// A whole screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// Rows of cells.
    pub lines: Vec<Vec<Cell>>,
    /// Column and row of the cursor, from 0.
    pub cursor: (u32, u32),
    /// History as text, wrapped lines joined.
    pub history: Vec<String>,
    /// What is not cells: modes, pen, margins and the like, by name.
    pub state: BTreeMap<String, String>,
}

impl Dump {
    /// The rows as text.
    pub fn text(&self) -> Vec<String> {
        let row = |line: &Vec<Cell>| {
            let text: String = line
                .iter()
                .map(|cell| match cell {
                    Cell::Text(text, ..) => text.as_str(),
                    Cell::Half => "",
                })
                .collect();
            text.trim_end().to_owned()
        };
        self.lines.iter().map(row).collect()
    }
}

/// Each place in which a stream's screen is not tmux's.
pub fn differences(shown: &Dump, drawn: &Dump) -> Vec<String> {
    let mut wrong = Vec::new();
    if shown.cursor != drawn.cursor {
        wrong.push(format!("cursor {:?}, tmux has {:?}", shown.cursor, drawn.cursor));
    }
    for (name, value) in &drawn.state {
        let ours = shown.state.get(name).map_or("", String::as_str);
        if value.strip_prefix('!').map_or(ours != value, |not| ours == not) {
            wrong.push(format!("{name} is {ours}, by tmux {value}"));
        }
    }
    if shown.lines.len() != drawn.lines.len() {
        wrong.push(format!("{} rows, tmux has {}", shown.lines.len(), drawn.lines.len()));
    }
    for (y, (ours, theirs)) in shown.lines.iter().zip(&drawn.lines).enumerate() {
        if ours.len() != theirs.len() {
            wrong.push(format!("{} columns, tmux has {}", ours.len(), theirs.len()));
        }
        for (x, (our, their)) in ours.iter().zip(theirs).enumerate() {
            if !is_same(our, their) {
                wrong.push(format!("row {y} column {x}: {our:?}, tmux has {their:?}"));
            }
        }
    }
    wrong
}

/// What is set otherwise after a snapshot than in a terminal that saw every byte.
pub fn state_differences(shown: &Dump, whole: &Dump) -> Vec<String> {
    let pairs = whole.state.iter().map(|(name, value)| (name, value, shown.state.get(name)));
    pairs
        .filter(|(_, value, ours)| Some(*value) != *ours)
        .map(|(name, value, ours)| format!("{name} is {ours:?}, must be {value:?}"))
        .collect()
}

fn is_same(ours: &Cell, theirs: &Cell) -> bool {
    match (ours, theirs) {
        (Cell::Text(text, _, _, flags), Cell::Text(_, _, background, _))
            if background == UNDRAWN =>
        {
            text == " " && flags.is_empty()
        }
        // The colour of ink does not show where there is none.
        (Cell::Text(a, fg_a, bg_a, flags_a), Cell::Text(b, fg_b, bg_b, flags_b))
            if a == " " && b == " " =>
        {
            let inked = flags_a.contains(['r', 'u', 's', 'o']);
            let plain = |flags: &str| flags.replace(['b', 'd', 'i', 'k', 'h'], "");
            bg_a == bg_b && plain(flags_a) == plain(flags_b) && (!inked || fg_a == fg_b)
        }
        _ => ours == theirs,
    }
}

/// Reads what `tests/node/dump.mjs` made.
pub fn read_dump(value: &Value) -> Dump {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let cell = |value: &Value| match value.as_array() {
        None => Cell::Half,
        Some(parts) => {
            let [a, b, c, d] = parts.as_slice() else { panic!("four parts") };
            Cell::Text(text(a), text(b), text(c), text(d))
        }
    };
    let array = |value: &Value| value.as_array().cloned().expect("an array");
    let number = |value: &Value| u32::try_from(value.as_u64().expect("a number")).expect("small");
    Dump {
        lines: array(&value["lines"])
            .iter()
            .map(|line| array(line).iter().map(cell).collect())
            .collect(),
        cursor: (number(&value["cursor"][0]), number(&value["cursor"][1])),
        history: array(&value["history"]).iter().map(text).collect(),
        state: value["state"]
            .as_object()
            .expect("an object")
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    }
}
