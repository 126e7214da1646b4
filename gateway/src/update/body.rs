//! Where the body of an HTTP response ends: by length, by chunks (RFC 9112 §7.1), or by the close.

use httparse::Header;

/// How a body is framed, and how far it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// In chunks.
    Chunked(Chunks),
    /// Until the connection closes.
    Close,
}

/// Where in the chunks the next byte is.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunks {
    /// In the size of a chunk, with the digits so far.
    Size {
        /// Their value.
        value: u64,
        /// How many they are.
        digits: u8,
    },
    /// Behind the size: extensions up to the end of the line.
    Extension(u64),
    /// In a chunk that has so many bytes left.
    Data(u64),
    /// In the line end behind a chunk.
    DataEnd,
    /// Behind the last chunk; whether the present line is empty so far.
    Trailer(bool),
    /// Behind everything.
    Over,
}

/// Digits of the longest chunk size that is read.
const SIZE_DIGITS: u8 = 12;

impl Framing {
    /// What the headers of a response say.
    ///
    /// # Errors
    /// When they say it in no way that HTTP/1.1 knows.
    pub fn of(headers: &[Header<'_>]) -> Result<Self, String> {
        let named = |name: &'static str| {
            let found = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
        };
        let codings: Vec<String> = named("transfer-encoding").collect();
        match codings.as_slice() {
            [] => {}
            [one] if one == "chunked" => {
                return Ok(Self::Chunked(Chunks::Size { value: 0, digits: 0 }));
            }
            _ => return Err(format!("transfer-encoding {}", codings.join(", "))),
        }
        let mut lengths: Vec<String> = named("content-length").collect();
        lengths.dedup();
        match lengths.as_slice() {
            [] => Ok(Self::Close),
            [one] if one.bytes().all(|byte| byte.is_ascii_digit()) => {
                one.parse().map(Self::Length).map_err(|_| format!("content-length {one}"))
            }
            _ => Err(format!("content-length {}", lengths.join(", "))),
        }
    }

    /// Whether the body is complete; a close ends only [`Framing::Close`] well.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks::Over))
    }

    /// Takes bytes from the front of `input` and gives those of them that belong to the body.
    ///
    /// # Errors
    /// When the chunks are none.
    pub fn take<'a>(&mut self, input: &mut &'a [u8]) -> Result<&'a [u8], String> {
        match self {
            Self::Close => Ok(front(input, u64::MAX)),
            Self::Length(left) => {
                let body = front(input, *left);
                *left -= body.len() as u64;
                Ok(body)
            }
            Self::Chunked(chunks) => chunks.take(input),
        }
    }
}

impl Chunks {
    fn take<'a>(&mut self, input: &mut &'a [u8]) -> Result<&'a [u8], String> {
        while let Some((&byte, rest)) = input.split_first() {
            if let Self::Data(left) = self {
                let body = front(input, *left);
                *left -= body.len() as u64;
                if *left == 0 {
                    *self = Self::DataEnd;
                }
                return Ok(body);
            }
            if *self == Self::Over {
                break;
            }
            self.step(byte)?;
            *input = rest;
        }
        Ok(&[])
    }

    /// One byte that is not data.
    fn step(&mut self, byte: u8) -> Result<(), String> {
        *self = match (&*self, byte) {
            (&Self::Size { value, digits }, byte) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                if digits >= SIZE_DIGITS {
                    return Err("a chunk without end".to_owned());
                }
                Self::Size { value: value * 16 + u64::from(digit), digits: digits + 1 }
            }
            (Self::Size { digits: 0, .. }, _) => return Err("a chunk without size".to_owned()),
            (&Self::Size { value, .. }, b'\n') => Self::begin(value),
            (&Self::Size { value, .. }, _) => Self::Extension(value),
            (&Self::Extension(value), b'\n') => Self::begin(value),
            (&Self::Extension(value), _) => Self::Extension(value),
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size { value: 0, digits: 0 },
            (Self::DataEnd, _) => return Err("a chunk longer than its size".to_owned()),
            (Self::Trailer(true), b'\n') => Self::Over,
            (Self::Trailer(_), b'\n') => Self::Trailer(true),
            (&Self::Trailer(empty), byte) => Self::Trailer(empty && byte == b'\r'),
            (Self::Data(_) | Self::Over, _) => return Ok(()),
        };
        Ok(())
    }

    fn begin(size: u64) -> Self {
        if size == 0 { Self::Trailer(true) } else { Self::Data(size) }
    }
}

fn front<'a>(input: &mut &'a [u8], most: u64) -> &'a [u8] {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    let (body, rest) = input.split_at(count);
    *input = rest;
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'a>(name: &'a str, value: &'a str) -> Header<'a> {
        Header { name, value: value.as_bytes() }
    }

    /// The body, and whether it was complete, when `text` arrives `step` bytes at a time.
    fn read(mut framing: Framing, text: &str, step: usize) -> Result<(String, bool), String> {
        let mut body = Vec::new();
        for mut piece in text.as_bytes().chunks(step) {
            while !piece.is_empty() && !framing.is_over() {
                body.extend_from_slice(framing.take(&mut piece)?);
            }
        }
        Ok((String::from_utf8_lossy(&body).into_owned(), framing.is_over()))
    }

    #[test]
    fn headers_say_where_a_body_ends() {
        let length = |value| Framing::of(&[header("CONTENT-length", value)]);
        assert_eq!(Framing::of(&[]), Ok(Framing::Close));
        assert_eq!(length("12"), Ok(Framing::Length(12)));
        for wrong in ["-1", "+1", "0x1", "1, 2", "99999999999999999999999"] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
        let twice = [header("content-length", "1"), header("content-length", "2")];
        assert!(Framing::of(&twice).is_err());
        let both = [header("content-length", "1"), header("transfer-encoding", "Chunked")];
        assert!(matches!(Framing::of(&both), Ok(Framing::Chunked(_))));
        assert!(Framing::of(&[header("transfer-encoding", "gzip, chunked")]).is_err());
    }

    #[test]
    fn bodies_are_the_same_however_they_are_cut() {
        let chunked = || Framing::Chunked(Chunks::Size { value: 0, digits: 0 });
        let text = "4\r\nwiki\r\n00a;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nmore";
        for step in 1..=text.len() {
            let whole = ("wiki0123456789".to_owned(), true);
            assert_eq!(read(chunked(), text, step), Ok(whole), "{step}");
            assert_eq!(read(Framing::Length(4), text, step), Ok(("4\r\nw".to_owned(), true)));
            assert_eq!(read(Framing::Close, text, step), Ok((text.to_owned(), false)));
            assert_eq!(read(chunked(), "4\r\nwi", step), Ok(("wi".to_owned(), false)));
        }
        for wrong in ["\r\n", "x\r\n", "4\r\nwikix", "-4\r\nwiki\r\n", "1000000000000\r\n"] {
            assert!(read(chunked(), wrong, 1).is_err(), "{wrong}");
        }
    }
}
