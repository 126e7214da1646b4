//! Reads what the child of a transfer says: lines, and between them the chunks of a download.

use protocol::frame::{HEADER_BYTES, Kind, header};
use protocol::limits::FILE_CHUNK_BYTES;

/// Longest line in bytes: a message with a path in it whose every byte is escaped.
const LINE_BYTES: usize = 8 * protocol::limits::PATH_BYTES;

/// What a child said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// It has the file open, with these figures.
    Open(Vec<u64>),
    /// Another chunk is stored.
    Stored,
    /// A chunk, as the frame that carries it.
    Chunk(Vec<u8>),
    /// The last line: the answer.
    Answer(String),
}

#[derive(Debug)]
enum State {
    Line(Vec<u8>),
    /// Bytes of a chunk's length.
    Length(Vec<u8>),
    /// A frame and how many bytes it lacks.
    Chunk(Vec<u8>, usize),
}

/// Reads the output of one child.
#[derive(Debug)]
pub struct Reader {
    transfer_id: u32,
    /// Whether chunks follow the line that says that the file is open.
    has_chunks: bool,
    next: u32,
    state: State,
}

impl Reader {
    /// Of the child of this transfer.
    pub fn new(transfer_id: u32, has_chunks: bool) -> Self {
        Self { transfer_id, has_chunks, next: 0, state: State::Line(Vec::new()) }
    }

    /// Takes as much of `bytes` as makes one statement.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Option<Said> {
        while !bytes.is_empty() {
            let said = match &mut self.state {
                State::Line(line) => {
                    let end = bytes.iter().position(|&byte| byte == b'\n');
                    let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                    *bytes = rest;
                    let room = LINE_BYTES.saturating_sub(line.len());
                    line.extend_from_slice(part.get(..room).unwrap_or(part));
                    end.map(|_| std::mem::take(line)).and_then(|line| self.line(&line))
                }
                State::Length(length) => {
                    let part = take(bytes, size_of::<u32>() - length.len());
                    length.extend_from_slice(part);
                    if let Ok(length) = <[u8; 4]>::try_from(length.as_slice()) {
                        self.length(u32::from_be_bytes(length));
                    }
                    None
                }
                State::Chunk(frame, lacks) => {
                    let part = take(bytes, *lacks);
                    frame.extend_from_slice(part);
                    *lacks -= part.len();
                    let whole = (*lacks == 0).then(|| std::mem::take(frame));
                    if whole.is_some() {
                        self.next = self.next.wrapping_add(1);
                        self.state = State::Length(Vec::new());
                    }
                    whole.map(Said::Chunk)
                }
            };
            if said.is_some() {
                return said;
            }
        }
        None
    }

    fn line(&mut self, line: &[u8]) -> Option<Said> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\n');
        if line == "stored" {
            return Some(Said::Stored);
        }
        let Some(figures) = line.strip_prefix("open") else {
            return Some(Said::Answer(line.to_owned()));
        };
        if self.has_chunks {
            self.state = State::Length(Vec::new());
        }
        Some(Said::Open(figures.split_whitespace().filter_map(|text| text.parse().ok()).collect()))
    }

    /// A chunk of so many bytes follows, or the answer.
    fn length(&mut self, length: u32) {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(FILE_CHUNK_BYTES);
        if length == 0 {
            self.state = State::Line(Vec::new());
            return;
        }
        let mut frame = Vec::with_capacity(HEADER_BYTES + length);
        frame.extend_from_slice(&header(Kind::FileChunk, self.transfer_id, self.next));
        self.state = State::Chunk(frame, length);
    }
}

/// At most `count` bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (part, rest) = bytes.split_at(count.min(bytes.len()));
    *bytes = rest;
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut Reader, mut bytes: &[u8]) -> Vec<Said> {
        std::iter::from_fn(|| reader.read(&mut bytes)).collect()
    }

    #[test]
    fn a_download_is_read_whatever_the_pieces() {
        let output = b"open 5 420 99\n\0\0\0\x03a\nb\0\0\0\x02cd\0\0\0\0ok digest\n";
        let whole = read(&mut Reader::new(7, true), output);
        let chunk =
            |seq, data: &[u8]| Said::Chunk([&header(Kind::FileChunk, 7, seq), data].concat());
        let expected = [
            Said::Open(vec![5, 420, 99]),
            chunk(0, b"a\nb"),
            chunk(1, b"cd"),
            Said::Answer("ok digest".to_owned()),
        ];
        assert_eq!(whole, expected);
        let mut reader = Reader::new(7, true);
        let pieces = output.iter().flat_map(|byte| read(&mut reader, &[*byte]));
        assert_eq!(pieces.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_upload_is_lines_alone() {
        let said = read(&mut Reader::new(7, false), b"open\nstored\nstored\nerr io no\nrest");
        let answer = Said::Answer("err io no".to_owned());
        assert_eq!(said, [Said::Open(Vec::new()), Said::Stored, Said::Stored, answer]);
        let refused = read(&mut Reader::new(7, true), b"err not_found none\n");
        assert_eq!(refused, [Said::Answer("err not_found none".to_owned())]);
    }
}
