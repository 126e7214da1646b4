//! The counts of one download: what may be read, what is ready to be sent, what is acknowledged.

use protocol::frame::HEADER_BYTES;
use protocol::limits::FILE_WINDOW_CHUNKS;
use std::collections::VecDeque;

/// A download whose child has the file open.
#[derive(Debug, Default)]
pub struct Download {
    sent: u32,
    acked: u32,
    ready: VecDeque<Vec<u8>>,
    /// The event that ends it, once the child has read everything.
    pub end: Option<String>,
}

impl Download {
    /// Whether more is to be read: no more than could be sent at once.
    pub fn wants_more(&self) -> bool {
        let ready = u32::try_from(self.ready.len()).unwrap_or(u32::MAX);
        self.end.is_none() && self.unacked().saturating_add(ready) < FILE_WINDOW_CHUNKS
    }

    /// The child read a chunk.
    pub fn push(&mut self, frame: Vec<u8>) {
        self.ready.push_back(frame);
    }

    /// Bytes of the chunk that may be sent next, the pace allowing.
    pub fn next_bytes(&self) -> Option<u64> {
        let next = self.ready.front().filter(|_| self.unacked() < FILE_WINDOW_CHUNKS)?;
        Some(next.len().saturating_sub(HEADER_BYTES) as u64)
    }

    /// The chunk to be sent: its number, its bytes, its frame.
    pub fn next(&mut self) -> Option<(u32, u64, Vec<u8>)> {
        let bytes = self.next_bytes()?;
        let seq = self.sent;
        self.sent = self.sent.saturating_add(1);
        self.ready.pop_front().map(|frame| (seq, bytes, frame))
    }

    /// Whether all that is left is to say that it ends.
    pub fn is_over(&self) -> bool {
        self.ready.is_empty() && self.end.is_some()
    }

    /// The event that ends it, when every chunk has been sent.
    pub fn take_end(&mut self) -> Option<String> {
        if self.ready.is_empty() { self.end.take() } else { None }
    }

    /// The other side has every chunk before `next`; whether it could.
    pub fn acked(&mut self, next: u32) -> bool {
        let possible = (self.acked..=self.sent).contains(&next);
        if possible {
            self.acked = next;
        }
        possible
    }

    fn unacked(&self) -> u32 {
        self.sent.saturating_sub(self.acked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_chunks_are_read_and_sent_and_no_more_until_an_ack() {
        let mut download = Download::default();
        while download.wants_more() {
            download.push(vec![0; HEADER_BYTES + 5]);
        }
        for seq in 0..FILE_WINDOW_CHUNKS {
            assert_eq!(download.next_bytes(), Some(5));
            assert_eq!(download.next().expect("ready").0, seq);
        }
        assert!(!download.wants_more());
        download.push(vec![0; HEADER_BYTES + 1]);
        assert_eq!(download.next_bytes(), None, "the window is closed");
        assert!(!download.acked(5), "never sent");
        assert!(download.acked(2) && !download.acked(1), "never backwards");
        assert!(download.wants_more());
        download.end = Some("end".to_owned());
        assert_eq!(download.take_end(), None, "a chunk goes first");
        assert_eq!(download.next_bytes(), Some(1));
        download.next();
        assert_eq!(download.take_end().as_deref(), Some("end"));
    }
}
