//! Binary frames: one kind byte, two big-endian words, payload.

use crate::limits::{FILE_CHUNK_BYTES, OUTPUT_FRAME_BYTES};

/// Bytes before the payload: kind, id, seq.
pub const HEADER_BYTES: usize = 9;

const KIND_OUTPUT: u8 = 0x01;
const KIND_FILE_CHUNK: u8 = 0x02;

/// What a binary frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Terminal output; the id is a session, seq the offset of the first payload byte.
    Output,
    /// A part of a file; the id is a transfer, seq the chunk's number.
    FileChunk,
}

/// Why bytes are not a frame of this contract. Such frames are counted and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Shorter than [`HEADER_BYTES`].
    Short,
    /// The first byte names no known kind.
    UnknownKind(u8),
    /// The payload is larger than its kind allows.
    TooLarge(usize),
}

/// A decoded frame, borrowing its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub kind: Kind,
    /// Session or transfer id.
    pub id: u32,
    /// Offset modulo 2³² or chunk number.
    pub seq: u32,
    /// The bytes themselves.
    pub payload: &'a [u8],
}

/// The nine bytes that stand before a payload.
pub fn header(kind: Kind, id: u32, seq: u32) -> [u8; HEADER_BYTES] {
    let kind = match kind {
        Kind::Output => KIND_OUTPUT,
        Kind::FileChunk => KIND_FILE_CHUNK,
    };
    let ([a, b, c, d], [e, f, g, h]) = (id.to_be_bytes(), seq.to_be_bytes());
    [kind, a, b, c, d, e, f, g, h]
}

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] when the bytes are short, of an unknown kind or larger than the limit.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (head, payload) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::Short)?;
        let [kind, a, b, c, d, e, f, g, h] = *head;
        let (kind, limit) = match kind {
            KIND_OUTPUT => (Kind::Output, OUTPUT_FRAME_BYTES),
            KIND_FILE_CHUNK => (Kind::FileChunk, FILE_CHUNK_BYTES),
            other => return Err(FrameError::UnknownKind(other)),
        };
        if payload.len() > limit {
            return Err(FrameError::TooLarge(payload.len()));
        }
        let (id, seq) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        Ok(Frame { kind, id, seq, payload })
    }

    /// Writes the frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES + self.payload.len());
        out.extend_from_slice(&header(self.kind, self.id, self.seq));
        out.extend_from_slice(self.payload);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_round_trip() {
        let frame = Frame { kind: Kind::Output, id: 7, seq: 0xFFFF_FFFE, payload: b"\x1b[0m" };
        assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    }

    #[test]
    fn foreign_bytes_are_refused_by_name() {
        assert_eq!(Frame::decode(&[]), Err(FrameError::Short));
        assert_eq!(Frame::decode(&[1; 8]), Err(FrameError::Short));
        assert_eq!(Frame::decode(&[9; 9]), Err(FrameError::UnknownKind(9)));
        let large = [[1u8; 9].as_slice(), &[0; OUTPUT_FRAME_BYTES + 1]].concat();
        assert_eq!(Frame::decode(&large), Err(FrameError::TooLarge(OUTPUT_FRAME_BYTES + 1)));
    }
}
