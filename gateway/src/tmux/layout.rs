//! Layouts as tmux writes them: `b25f,80x24,0,0{40x24,0,0,1,39x24,41,0,2}`.

use super::parser::PaneId;

/// The size in columns and rows of a pane, if the layout has it.
pub fn pane_size(layout: &[u8], pane: PaneId) -> Option<(u32, u32)> {
    panes(layout).find(|(id, _)| *id == pane).map(|(_, size)| size)
}

/// Panes of the layout.
pub fn pane_count(layout: &[u8]) -> usize {
    panes(layout).count()
}

/// Every pane and its size. A cell is `WxH,X,Y`; one that is a pane has its number behind it, one
/// that holds others has them in brackets.
fn panes(layout: &[u8]) -> impl Iterator<Item = (PaneId, (u32, u32))> {
    let text = std::str::from_utf8(layout).unwrap_or_default();
    let runs = text.split(['{', '}', '[', ']']);
    runs.flat_map(|run| {
        let words: Vec<&str> = run.split(',').collect();
        let cells = words.windows(4).filter_map(|cell| match cell {
            [size, _, _, id] => Some((id.parse().ok()?, read_size(size)?)),
            _ => None,
        });
        cells.collect::<Vec<_>>()
    })
}

fn read_size(word: &str) -> Option<(u32, u32)> {
    let (cols, rows) = word.split_once('x')?;
    Some((cols.parse().ok()?, rows.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_are_found_at_any_depth() {
        assert_eq!(pane_size(b"b25f,80x24,0,0,2", 2), Some((80, 24)));
        let deep = b"1a2b,120x40,0,0{60x40,0,0,1,59x40,61,0[59x20,61,0,7,59x19,61,21,12]}";
        assert_eq!(pane_size(deep, 1), Some((60, 40)));
        assert_eq!(pane_size(deep, 7), Some((59, 20)));
        assert_eq!(pane_size(deep, 12), Some((59, 19)));
        assert_eq!((pane_size(deep, 61), pane_count(deep)), (None, 3));
    }

    #[test]
    fn nonsense_has_no_panes() {
        for text in [b"".as_slice(), b"x", b"80x24,0,0", b"\xff,1x1,0,0,1", b"9x,0,0,1", b"{{{,,,x"]
        {
            assert_eq!(pane_count(text), 0, "{}", text.escape_ascii());
        }
    }
}
