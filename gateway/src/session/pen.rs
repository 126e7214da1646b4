//! The SGR pen: what a terminal would paint the next character with.

/// One of the colours that SGR can set, kept as its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Colour {
    #[default]
    Default,
    /// 0–255; 0–15 came as 30–37, 90–97 or as an index, which all look the same.
    Index(u8),
    Rgb(u8, u8, u8),
}

/// Attributes that are on or off: their SGR number and the number that ends them.
const FLAGS: [(u16, u16); 8] =
    [(1, 22), (2, 22), (3, 23), (5, 25), (7, 27), (8, 28), (9, 29), (53, 55)];

/// Most parameters of one SGR sequence that are looked at.
const MAX_PARAMETERS: usize = 64;

/// The pen. Its default paints plain text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pen {
    flags: u8,
    /// 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    underline: u8,
    foreground: Colour,
    background: Colour,
    underline_colour: Colour,
}

impl Pen {
    /// Applies the parameters between `CSI` and `m`.
    pub fn apply(&mut self, parameters: &[u8]) {
        let mut groups = parameters.split(|&b| b == b';').take(MAX_PARAMETERS);
        while let Some(group) = groups.next() {
            let mut parts = group.split(|&b| b == b':').map(number);
            let code = parts.next().flatten().unwrap_or(0);
            match code {
                38 | 48 | 58 => {
                    let colour = if group.contains(&b':') {
                        colon_colour(parts)
                    } else {
                        semicolon_colour(groups.by_ref())
                    };
                    if let Some(colour) = colour {
                        *self.slot(code) = colour;
                    }
                }
                4 => self.underline = parts.next().flatten().unwrap_or(1).min(5) as u8,
                // tmux 3.3a captures overline as `5:3`, which terminals show as blink.
                5 if parts.next().flatten() == Some(3) => self.set_flag(53),
                _ => self.apply_simple(code),
            }
        }
    }

    fn apply_simple(&mut self, code: u16) {
        match code {
            0 => *self = Self::default(),
            6 => self.set_flag(5),
            21 => self.underline = 2,
            24 => self.underline = 0,
            30..=37 => self.foreground = Colour::Index((code - 30) as u8),
            90..=97 => self.foreground = Colour::Index((code - 82) as u8),
            40..=47 => self.background = Colour::Index((code - 40) as u8),
            100..=107 => self.background = Colour::Index((code - 92) as u8),
            39 => self.foreground = Colour::Default,
            49 => self.background = Colour::Default,
            59 => self.underline_colour = Colour::Default,
            _ => {
                self.set_flag(code);
                for (bit, (_, off)) in FLAGS.iter().enumerate() {
                    if *off == code {
                        self.flags &= !(1 << bit);
                    }
                }
            }
        }
    }

    fn set_flag(&mut self, code: u16) {
        if let Some(bit) = FLAGS.iter().position(|(on, _)| *on == code) {
            self.flags |= 1 << bit;
        }
    }

    fn slot(&mut self, code: u16) -> &mut Colour {
        match code {
            38 => &mut self.foreground,
            48 => &mut self.background,
            _ => &mut self.underline_colour,
        }
    }

    /// Writes the sequence that brings any pen to this one.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[0");
        for (bit, (on, _)) in FLAGS.iter().enumerate() {
            if self.flags & (1 << bit) != 0 {
                out.extend_from_slice(format!(";{on}").as_bytes());
            }
        }
        match self.underline {
            0 => {}
            1 => out.extend_from_slice(b";4"),
            style => out.extend_from_slice(format!(";4:{style}").as_bytes()),
        }
        let colours = [(38, self.foreground), (48, self.background), (58, self.underline_colour)];
        for (code, colour) in colours {
            let text = match colour {
                Colour::Default => continue,
                // xterm.js brightens bold text only for colours of the short form.
                Colour::Index(n @ 0..=7) if code != 58 => format!(";{}", code - 8 + u16::from(n)),
                Colour::Index(n @ 8..=15) if code != 58 => {
                    format!(";{}", code + 44 + u16::from(n))
                }
                Colour::Index(n) => format!(";{code};5;{n}"),
                Colour::Rgb(r, g, b) => format!(";{code};2;{r};{g};{b}"),
            };
            out.extend_from_slice(text.as_bytes());
        }
        out.push(b'm');
    }
}

/// A decimal number; `None` when empty or out of range.
fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `38:5:n`, `38:2:r:g:b` or `38:2:space:r:g:b`, after the 38.
fn colon_colour(mut parts: impl Iterator<Item = Option<u16>>) -> Option<Colour> {
    match parts.next()?? {
        5 => Some(Colour::Index(byte(parts.next()?)?)),
        2 => {
            let rest: Vec<_> = parts.take(4).collect();
            let rgb = if rest.len() == 4 { rest.get(1..)? } else { rest.get(..3)? };
            let [r, g, b] = rgb else { return None };
            Some(Colour::Rgb(byte(*r)?, byte(*g)?, byte(*b)?))
        }
        _ => None,
    }
}

/// `38;5;n` or `38;2;r;g;b`, after the 38.
fn semicolon_colour<'a>(mut groups: impl Iterator<Item = &'a [u8]>) -> Option<Colour> {
    let mut next = || groups.next().map(number);
    match next()?? {
        5 => Some(Colour::Index(byte(next()?)?)),
        2 => Some(Colour::Rgb(byte(next()?)?, byte(next()?)?, byte(next()?)?)),
        _ => None,
    }
}

fn byte(value: Option<u16>) -> Option<u8> {
    u8::try_from(value.unwrap_or(0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sequences: &[&str]) -> String {
        let mut pen = Pen::default();
        for parameters in sequences {
            pen.apply(parameters.as_bytes());
        }
        let mut out = Vec::new();
        pen.write(&mut out);
        String::from_utf8(out).expect("ascii")
    }

    #[test]
    fn the_pen_is_written_as_it_was_set() {
        assert_eq!(after(&[]), "\x1b[0m");
        assert_eq!(after(&["1;31", "48;5;200"]), "\x1b[0;1;31;48;5;200m");
        assert_eq!(after(&["38;2;1;2;3;4:3", "58:2::9:8:7"]), "\x1b[0;4:3;38;2;1;2;3;58;2;9;8;7m");
        assert_eq!(after(&["1;3;7", "22;27"]), "\x1b[0;3m");
        assert_eq!(after(&["97;104", ""]), "\x1b[0m");
        assert_eq!(after(&["97;104"]), "\x1b[0;97;104m");
        assert_eq!(after(&["5:3"]), "\x1b[0;53m");
    }

    #[test]
    fn malformed_parameters_change_nothing_else() {
        assert_eq!(after(&["38;5", "38;2;999;0;0", "99999999", ";;;", "38:2"]), "\x1b[0m");
    }
}
