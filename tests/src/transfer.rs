//! A control plane's side of file transfers, step by step, so that a test can do something meanwhile.

use crate::link::Link;
use crate::patterns::sha256;
use protocol::commands::{FileAckCommand, FileDownload, FileUploadBegin, FileUploadEnd};
use protocol::events::{AckError, Event, FileContentBegin, FileError};
use protocol::frame::{Frame, Kind};
use protocol::limits::{FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS};
use std::time::Duration;

/// How long a whole transfer may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a transfer failed: a code and a message.
#[derive(Debug)]
pub struct Failed {
    /// One of [`protocol::envelope::codes`].
    pub code: String,
    /// In words.
    pub message: String,
}

impl From<AckError> for Failed {
    fn from(error: AckError) -> Self {
        Self { code: error.code, message: error.message }
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        Self { code: error.code, message: error.message }
    }
}

/// Where a path begins: the workspace, or a session's folder.
pub type Base = Option<u32>;

/// A chunk of an upload as a frame.
pub fn chunk(id: u32, seq: u32, payload: &[u8]) -> Vec<u8> {
    Frame { kind: Kind::FileChunk, id, seq, payload }.encode()
}

/// An upload that was accepted.
pub struct Upload {
    /// Its id.
    pub id: u32,
    chunks: Vec<Vec<u8>>,
    sha256: String,
    sent: u32,
    acked: u32,
}

impl Upload {
    /// Begins an upload.
    ///
    /// # Errors
    /// As the gateway refuses it.
    pub fn begin(
        link: &mut Link,
        id: u32,
        (session_id, path): (Base, &str),
        content: &[u8],
    ) -> Result<Self, Failed> {
        let (dest_path, size) = (path.to_owned(), content.len() as u64);
        link.request(FileUploadBegin { transfer_id: id, session_id, dest_path, size })?;
        let chunks = content.chunks(FILE_CHUNK_BYTES).zip(0..);
        let chunks = chunks.map(|(payload, seq)| chunk(id, seq, payload)).collect();
        Ok(Self { id, chunks, sha256: sha256(content), sent: 0, acked: 0 })
    }

    /// Sends what the window has room for; whether everything is stored.
    ///
    /// # Errors
    /// As the gateway ends it.
    pub fn advance(&mut self, link: &mut Link) -> Result<bool, Failed> {
        let id = self.id;
        let acked = take(link, |event| match event {
            Event::FileAck(ack) if ack.transfer_id == id => Some(ack.seq),
            _ => None,
        });
        for seq in acked {
            assert!(seq > self.acked && seq <= self.sent, "an ack of {seq} of {}", self.sent);
            self.acked = seq;
        }
        if let Some(error) = take_error(link, id) {
            return Err(error.into());
        }
        while self.sent < self.acked + FILE_WINDOW_CHUNKS
            && let Some(frame) = self.chunks.get(self.sent as usize)
        {
            link.send_binary(frame.clone());
            self.sent += 1;
        }
        Ok(self.acked as usize == self.chunks.len())
    }

    /// Closes it; the request whose ack tells that the file is in its place.
    pub fn ask_end(&self, link: &mut Link) -> String {
        link.ask(FileUploadEnd { transfer_id: self.id, sha256: self.sha256.clone() })
    }

    /// Goes on to the end.
    ///
    /// # Errors
    /// As the gateway ends it.
    pub fn complete(mut self, link: &mut Link) -> Result<(), Failed> {
        link.until_within(PATIENCE, "the chunks are stored", |link| match self.advance(link) {
            Ok(false) => None,
            Ok(true) => Some(Ok(())),
            Err(failed) => Some(Err(failed)),
        })?;
        let request = self.ask_end(link);
        let caused = link.answer(&request);
        if let Err(error) = &caused {
            let told = take_error(link, self.id).expect("the failure is an event too");
            assert_eq!(told.code, error.code);
        }
        Ok(caused.map(drop)?)
    }
}

/// Uploads a file.
///
/// # Errors
/// As the gateway refuses or ends it.
pub fn upload(link: &mut Link, id: u32, place: (Base, &str), content: &[u8]) -> Result<(), Failed> {
    Upload::begin(link, id, place, content)?.complete(link)
}

/// A download that was accepted.
pub struct Download {
    /// Its id.
    pub id: u32,
    /// What was told of the file.
    pub begin: FileContentBegin,
    /// What has come.
    pub content: Vec<u8>,
    /// Whether chunks are acknowledged as they come.
    pub acks: bool,
    /// Chunks that have come.
    pub chunks: u32,
    acked: u32,
}

impl Download {
    /// Asks for a file.
    ///
    /// # Errors
    /// As the gateway refuses it.
    pub fn begin(
        link: &mut Link,
        id: u32,
        (session_id, path): (Base, &str),
    ) -> Result<Self, Failed> {
        let path = path.to_owned();
        let request = link.ask(FileDownload { transfer_id: id, session_id, path });
        link.answer(&request)?;
        let begin = link.until("file.content.begin", |link| {
            take(link, |event| match event {
                Event::FileContentBegin(begin) if begin.transfer_id == id => Some(begin.clone()),
                _ => None,
            })
            .pop()
        });
        Ok(Self { id, begin, content: Vec::new(), acks: true, chunks: 0, acked: 0 })
    }

    /// Takes what has come; the digest once all has.
    ///
    /// # Errors
    /// As the gateway ends it.
    pub fn advance(&mut self, link: &mut Link) -> Result<Option<String>, Failed> {
        let id = self.id;
        while let Some(at) = link.chunks.iter().position(|(of, ..)| *of == id) {
            let (_, seq, payload) = link.chunks.remove(at).expect("it is there");
            assert_eq!(seq, self.chunks, "chunks come in order");
            self.content.extend_from_slice(&payload);
            self.chunks += 1;
            let unacked = self.chunks - self.acked;
            assert!(unacked <= FILE_WINDOW_CHUNKS, "{unacked} chunks are not acknowledged");
            let whole = payload.len() == FILE_CHUNK_BYTES;
            assert!(whole || self.content.len() as u64 == self.begin.size, "chunks are full");
        }
        if self.acks && self.acked < self.chunks {
            self.acked = self.chunks;
            link.tell(FileAckCommand { transfer_id: id, seq: self.acked });
        }
        if let Some(error) = take_error(link, id) {
            return Err(error.into());
        }
        let ends = take(link, |event| match event {
            Event::FileContentEnd(end) if end.transfer_id == id => Some(end.sha256.clone()),
            _ => None,
        });
        Ok(ends.into_iter().next())
    }

    /// Goes on to the end and compares the digest; the bytes.
    ///
    /// # Errors
    /// As the gateway ends it.
    pub fn complete(mut self, link: &mut Link) -> Result<Vec<u8>, Failed> {
        let digest =
            link.until_within(PATIENCE, "file.content.end", |link| match self.advance(link) {
                Ok(digest) => digest.map(Ok),
                Err(failed) => Some(Err(failed)),
            })?;
        assert_eq!(self.content.len() as u64, self.begin.size, "as long as announced");
        assert_eq!(digest, sha256(&self.content));
        Ok(self.content)
    }
}

/// Downloads a file.
///
/// # Errors
/// As the gateway refuses or ends it.
pub fn download(link: &mut Link, id: u32, place: (Base, &str)) -> Result<Vec<u8>, Failed> {
    Download::begin(link, id, place)?.complete(link)
}

/// Takes every event for which `pick` answers.
fn take<T>(link: &mut Link, mut pick: impl FnMut(&Event) -> Option<T>) -> Vec<T> {
    let mut taken = Vec::new();
    link.events.retain(|(_, event)| {
        let picked = pick(event);
        let stays = picked.is_none();
        taken.extend(picked);
        stays
    });
    taken
}

/// Takes the error that ended a transfer.
pub fn take_error(link: &mut Link, id: u32) -> Option<FileError> {
    take(link, |event| match event {
        Event::FileError(error) if error.transfer_id == id => Some(error.clone()),
        _ => None,
    })
    .pop()
}
