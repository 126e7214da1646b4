//! The terminal type that tmux gives to programs: one that this machine's terminfo knows.

use std::path::Path;

/// Where terminal types are kept.
pub const FOLDERS: [&str; 4] =
    ["/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"];

/// tmux's own, with all that it can show.
pub const TMUX: &str = "tmux-256color";

/// What every machine with tmux knows; programs show no italics with it.
pub const SCREEN: &str = "screen-256color";

/// Whether one of the folders has this terminal type.
pub fn knows(folders: &[&Path], terminal: &str) -> bool {
    let first = terminal.bytes().next().unwrap_or_default();
    // macOS names the subfolder by the letter's hexadecimal code.
    let subfolders = [char::from(first).to_string(), format!("{first:x}")];
    let has = |folder: &Path| subfolders.iter().any(|sub| folder.join(sub).join(terminal).exists());
    folders.iter().any(|folder| has(folder))
}

/// A terminal type that programs on this machine know.
pub fn best() -> &'static str {
    if knows(&FOLDERS.map(Path::new), TMUX) { TMUX } else { SCREEN }
}
