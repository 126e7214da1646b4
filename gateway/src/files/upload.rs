//! The counts of one upload: which chunk is next, how long it must be, how many are not stored yet.

use crate::limits::Ms;
use protocol::envelope::codes;
use protocol::limits::{FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS};

/// An upload whose child has the file open.
#[derive(Debug)]
pub struct Upload {
    size: u64,
    received: u64,
    /// The chunk that comes next.
    next: u32,
    /// Chunks that the child has stored.
    stored: u32,
    /// Who asked that it be closed, and until when the answer has to be there.
    pub ending: Option<(String, Ms)>,
}

impl Upload {
    /// Of a file of so many bytes.
    pub fn new(size: u64) -> Self {
        Self { size, received: 0, next: 0, stored: 0, ending: None }
    }

    /// Another chunk came; why it cannot be taken.
    pub fn take(&mut self, seq: u32, bytes: usize) -> Result<(), String> {
        if self.ending.is_some() {
            return Err("a chunk came after file.upload.end".to_owned());
        }
        if seq != self.next {
            return Err(format!("chunk {seq} came, {} is next", self.next));
        }
        if self.next.saturating_sub(self.stored) >= FILE_WINDOW_CHUNKS {
            return Err(format!("more than {FILE_WINDOW_CHUNKS} chunks are not acknowledged"));
        }
        let left = self.size.saturating_sub(self.received);
        let expected = left.min(FILE_CHUNK_BYTES as u64);
        if bytes as u64 != expected || bytes == 0 {
            return Err(format!("chunk {seq} has {bytes} bytes, {expected} were to come"));
        }
        self.received = self.received.saturating_add(expected);
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// The child stored a chunk: the chunk that is expected next, to be acknowledged.
    pub fn stored(&mut self) -> u32 {
        self.stored = self.stored.saturating_add(1).min(self.next);
        self.stored
    }

    /// The other side says that this was all; why that cannot be.
    pub fn end(&mut self, request_id: &str, until: Ms) -> Result<(), (&'static str, String)> {
        if self.ending.is_some() {
            return Err((codes::BUSY, "the upload is being closed already".to_owned()));
        }
        if self.received < self.size {
            let message = format!("{} of {} bytes came", self.received, self.size);
            return Err((codes::BAD_CHUNK, message));
        }
        self.ending = Some((request_id.to_owned(), until));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_in_order_whole_and_within_the_window() {
        let mut upload = Upload::new(FILE_CHUNK_BYTES as u64 * 5 + 1);
        assert!(upload.take(1, FILE_CHUNK_BYTES).is_err(), "out of order");
        assert!(upload.take(0, FILE_CHUNK_BYTES - 1).is_err(), "short");
        assert!(upload.take(0, FILE_CHUNK_BYTES + 1).is_err(), "long");
        for seq in 0..FILE_WINDOW_CHUNKS {
            upload.take(seq, FILE_CHUNK_BYTES).expect("in the window");
        }
        assert!(upload.take(4, FILE_CHUNK_BYTES).is_err(), "too many");
        assert_eq!((upload.stored(), upload.stored()), (1, 2));
        upload.take(4, FILE_CHUNK_BYTES).expect("in the window");
        assert_eq!(upload.end("r", 0).expect_err("not all came").0, codes::BAD_CHUNK);
        assert!(upload.take(5, FILE_CHUNK_BYTES).is_err(), "more than announced");
        upload.take(5, 1).expect("the last one");
        assert!(upload.take(6, 0).is_err(), "none after the last");
        upload.end("r", 0).expect("all came");
        assert_eq!(upload.end("r", 0).expect_err("twice").0, codes::BUSY);
    }

    #[test]
    fn an_empty_file_has_no_chunks() {
        let mut upload = Upload::new(0);
        assert!(upload.take(0, 0).is_err());
        upload.end("r", 0).expect("nothing was to come");
    }
}
