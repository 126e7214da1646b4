//! The colours of the viewers' terminal, which programs ask for to choose a light or dark theme.
//!
//! tmux answers such queries (`OSC 10`, `OSC 11`); it is told what to answer. A tmux that cannot be
//! told does not answer at all, and then we do.

use crate::tmux::version::{Capabilities, ColourReports};

/// Foreground and background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colours {
    foreground: Colour,
    background: Colour,
}

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour(u8, u8, u8);

impl Colours {
    /// Reads `#rrggbb` of both.
    pub fn read(foreground: &str, background: &str) -> Option<Self> {
        Some(Self { foreground: Colour::read(foreground)?, background: Colour::read(background)? })
    }

    /// The command line that makes tmux answer with these colours for a pane and its window.
    pub fn command(&self, can: &Capabilities, window: u32, pane: u32) -> Option<String> {
        let (fg, bg) = (self.foreground, self.background);
        match can.colour_reports {
            ColourReports::Told => Some(format!(
                "refresh-client -r \"%{pane}:\\033]10;{}\\033\\\\\" ; \
                 refresh-client -r \"%{pane}:\\033]11;{}\\033\\\\\"\n",
                fg.report(),
                bg.report()
            )),
            ColourReports::OfStyle => Some(format!(
                "set-option -w -t @{window} window-style 'fg={},bg={}'\n",
                fg.hash(),
                bg.hash()
            )),
            ColourReports::None => None,
        }
    }

    /// What a terminal would answer to the query in this operating system command, for a tmux that
    /// does not answer.
    pub fn answer(&self, can: &Capabilities, body: &[u8]) -> Option<Vec<u8>> {
        let (code, colour) = match body {
            b"10;?" => (10, self.foreground),
            b"11;?" => (11, self.background),
            _ => return None,
        };
        let ours = can.colour_reports == ColourReports::None;
        ours.then(|| format!("\x1b]{code};{}\x1b\\", colour.report()).into_bytes())
    }

    /// The report of a new colour scheme (mode 2031) when it went from dark to light or back.
    pub fn scheme_report(&self, before: Option<&Self>) -> Option<&'static [u8]> {
        let changed = before.is_some_and(|before| before.is_dark() != self.is_dark());
        let report: &[u8] = if self.is_dark() { b"\x1b[?997;1n" } else { b"\x1b[?997;2n" };
        changed.then_some(report)
    }

    fn is_dark(&self) -> bool {
        // Brightness as ITU-R BT.601 weighs it.
        let Colour(r, g, b) = self.background;
        299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) < 128_000
    }
}

/// The form in which tmux remembers them.
impl std::fmt::Display for Colours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.foreground.hash(), self.background.hash())
    }
}

impl Colour {
    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        let [_, r, g, b] = number.to_be_bytes();
        Some(Self(r, g, b))
    }

    fn hash(self) -> String {
        let Self(r, g, b) = self;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// `rgb:rrrr/gggg/bbbb`, as XParseColor reads it.
    fn report(self) -> String {
        let Self(r, g, b) = self;
        format!("rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tmux::version::Version;

    fn can(version: &str) -> Capabilities {
        Version::read(&format!("tmux {version}")).expect("a version").capabilities()
    }

    #[test]
    fn each_tmux_is_told_in_its_own_way() {
        let colours = Colours::read("#c0c1c2", "#0b0d10").expect("colours");
        let command = |version| colours.command(&can(version), 2, 5);
        assert_eq!(
            command("3.3a").as_deref(),
            Some("set-option -w -t @2 window-style 'fg=#c0c1c2,bg=#0b0d10'\n")
        );
        let told = command("3.5a").expect("told");
        assert!(
            told.starts_with("refresh-client -r \"%5:\\033]10;rgb:c0c0/c1c1/c2c2\\033\\\\\" ; ")
        );
        assert_eq!((command("3.1c"), colours.answer(&can("3.3a"), b"11;?")), (None, None));
        let answer = colours.answer(&can("3.1c"), b"11;?");
        assert_eq!(answer.as_deref(), Some(b"\x1b]11;rgb:0b0b/0d0d/1010\x1b\\".as_slice()));
        assert_eq!(colours.answer(&can("3.1c"), b"10;#fff"), None);
    }

    #[test]
    fn nonsense_is_no_colour() {
        for bad in ["", "#", "#12345", "#1234567", "red", "#+12345", "#12345g", "#é1234"] {
            assert_eq!(Colours::read(bad, "#000000"), None, "{bad}");
        }
    }

    #[test]
    fn a_scheme_is_reported_when_it_changes() {
        let dark = Colours::read("#ffffff", "#101010").expect("colours");
        let light = Colours::read("#000000", "#fafafa").expect("colours");
        assert_eq!(light.scheme_report(Some(&dark)), Some(b"\x1b[?997;2n".as_slice()));
        assert_eq!(light.scheme_report(Some(&light)), None);
        assert_eq!(light.scheme_report(None), None);
    }
}
