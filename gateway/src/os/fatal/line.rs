//! A line of the log that is made without allocating, in the form that `log` was told.

use crate::log::Format;

/// Bytes of the longest line; what does not fit is left out. Pipes take as many at once.
const LINE_BYTES: usize = 4096;

/// Bytes that are kept free for the line's end.
const END_BYTES: usize = 4;

pub(super) struct Line {
    format: Format,
    length: usize,
    bytes: [u8; LINE_BYTES],
}

impl Line {
    pub(super) fn new(format: Format) -> Self {
        Self { format, length: 0, bytes: [0; LINE_BYTES] }
    }

    /// The level, and what happened.
    pub(super) fn begin(&mut self, message: &str) {
        self.text(match self.format {
            Format::Json => "{\"level\":\"error\",\"message\":\"",
            Format::Journal => "<3>",
            Format::Text => "error ",
        });
        self.text(message);
    }

    /// Begins the next field; its value is what follows, which needs no quoting.
    pub(super) fn field(&mut self, name: &str) {
        let [before, after] =
            if self.format == Format::Json { ["\",\"", "\":\""] } else { [" ", "="] };
        self.text(before);
        self.text(name);
        self.text(after);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.put(text.as_bytes(), LINE_BYTES - END_BYTES);
    }

    fn put(&mut self, bytes: &[u8], limit: usize) {
        for byte in bytes {
            if self.length < limit
                && let Some(place) = self.bytes.get_mut(self.length)
            {
                *place = *byte;
                self.length += 1;
            }
        }
    }

    /// Two hexadecimal digits.
    pub(super) fn byte(&mut self, byte: u8) {
        self.digits(usize::from(byte), 16, 2);
    }

    /// As few hexadecimal digits as it needs.
    pub(super) fn hex(&mut self, value: usize) {
        self.digits(value, 16, 1);
    }

    /// In decimal.
    pub(super) fn number(&mut self, value: u32) {
        self.digits(value as usize, 10, 1);
    }

    fn digits(&mut self, mut value: usize, base: usize, least: usize) {
        let mut text = [b'0'; 20];
        let mut from = text.len();
        for (index, place) in text.iter_mut().enumerate().rev() {
            if value == 0 && index + least < 20 {
                break;
            }
            *place = b"0123456789abcdef".get(value % base).copied().unwrap_or(b'?');
            (value, from) = (value / base, index);
        }
        self.put(text.get(from..).unwrap_or_default(), LINE_BYTES - END_BYTES);
    }

    /// Writes it in one piece to standard error.
    pub(super) fn end(mut self) {
        let end: &[u8] = if self.format == Format::Json { b"\"}\n" } else { b"\n" };
        self.put(end, LINE_BYTES);
        // SAFETY: the bytes are there, and `write` may be called in a signal handler.
        unsafe { libc::write(libc::STDERR_FILENO, self.bytes.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(format: Format) -> String {
        let mut line = Line::new(format);
        line.begin("broken");
        line.field("build");
        [0x0f, 0xa0].iter().for_each(|byte| line.byte(*byte));
        line.field("pc");
        line.hex(usize::MAX);
        line.field("none");
        line.hex(0);
        line.field("sender");
        line.number(4_294_967_295);
        String::from_utf8(line.bytes.get(..line.length).expect("a length").to_vec()).expect("ASCII")
    }

    #[test]
    fn it_has_the_form_of_the_log() {
        let text = " build=0fa0 pc=ffffffffffffffff none=0 sender=4294967295";
        assert_eq!(made(Format::Text), format!("error broken{text}"));
        assert_eq!(made(Format::Journal), format!("<3>broken{text}"));
        let json = made(Format::Json) + "\"}";
        let value: miniserde::json::Object = miniserde::json::from_str(&json).expect("JSON");
        let build = miniserde::json::to_string(value.get("build").expect("a build"));
        assert_eq!(build, "\"0fa0\"");
    }

    #[test]
    fn a_line_too_long_still_ends() {
        let mut line = Line::new(Format::Json);
        line.begin(&"x".repeat(2 * LINE_BYTES));
        line.field("more");
        assert_eq!(line.length, LINE_BYTES - END_BYTES);
        line.put(b"\"}\n", LINE_BYTES);
        assert!(line.bytes.get(..line.length).expect("a length").ends_with(b"x\"}\n"));
    }
}
