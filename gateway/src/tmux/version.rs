//! What a version of tmux can do. Behaviour elsewhere depends on these capabilities alone.

/// A release: 3.3a is major 3, minor 3, letter `a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    letter: char,
}

/// Oldest release that has `send-keys -H`, without which typing is lossy.
const OLDEST: Version = Version { major: 3, minor: 0, letter: 'a' };

/// What this tmux can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// `refresh-client -A %P:pause`, client flags by `attach -f` (3.2).
    pub pause: bool,
    /// `capture-pane -N` keeps trailing spaces with their background (3.1).
    pub trailing_spaces: bool,
    /// `new-session -e` sets the session's environment (3.2).
    pub session_environment: bool,
    /// `copy-mode -q` leaves copy mode and is no error outside of it (3.2).
    pub quit_copy_mode: bool,
    /// `paste-buffer` rewrites controls unless it is given `-S` (3.7).
    pub paste_needs_raw_flag: bool,
    /// How programs learn the colours of the viewers' terminal.
    pub colour_reports: ColourReports,
    /// Reports a new colour scheme by itself to programs that set mode 2031, when it is told one
    /// (3.8; 3.6 knows the mode and does not).
    pub scheme_reports: bool,
    /// `capture-pane -e` prints the bright backgrounds of SGR 100-107. Where it does not (3.1c), a
    /// snapshot shows them without colour; live output has them.
    pub captures_bright_backgrounds: bool,
    /// A pane is read no faster than its control clients take its output. Where it is (3.1c), a
    /// flood piles up in the server and comes in bursts that can overrun the ring: a lag.
    pub paces_output: bool,
}

/// What tmux answers to `OSC 10` and `OSC 11` queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourReports {
    /// Nothing (before 3.2).
    None,
    /// The colours of the window's style (3.2).
    OfStyle,
    /// What it was told by `refresh-client -r` (3.5).
    Told,
}

impl Version {
    /// Reads what `tmux -V` prints: `tmux 3.3a`, `tmux next-3.6`, `tmux 3.5`.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix("tmux ")?;
        let text = text.strip_prefix("next-").or(text.strip_prefix("openbsd-")).unwrap_or(text);
        let (major, rest) = text.split_once('.')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (minor, rest) = rest.split_at(digits);
        let letter = rest.chars().next().filter(char::is_ascii_lowercase).unwrap_or(' ');
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()?, letter })
    }

    /// Whether chatcode can work with it at all.
    pub fn is_supported(self) -> bool {
        self >= OLDEST
    }

    /// What it can do.
    pub fn capabilities(self) -> Capabilities {
        let since = |major, minor| (self.major, self.minor) >= (major, minor);
        Capabilities {
            pause: since(3, 2),
            trailing_spaces: since(3, 1),
            session_environment: since(3, 2),
            quit_copy_mode: since(3, 2),
            paste_needs_raw_flag: since(3, 7),
            colour_reports: match (since(3, 5), since(3, 2)) {
                (true, _) => ColourReports::Told,
                (_, true) => ColourReports::OfStyle,
                _ => ColourReports::None,
            },
            scheme_reports: since(3, 8),
            captures_bright_backgrounds: since(3, 2),
            paces_output: since(3, 2),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.letter == ' ' { Ok(()) } else { write!(f, "{}", self.letter) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        let read = |text: &str| Version::read(text).expect(text);
        assert_eq!(read("tmux 3.3a\n").to_string(), "3.3a");
        assert_eq!(read("tmux next-3.6").to_string(), "3.6");
        assert!(read("tmux 3.10").capabilities().pause);
        assert!(!read("tmux 3.1c").capabilities().pause);
        assert!(read("tmux 3.0a").is_supported());
        assert!(!read("tmux 2.9a").is_supported());
        assert_eq!(Version::read("screen 4.9"), None);
    }
}
