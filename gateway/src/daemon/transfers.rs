//! File transfers as the daemon sees them: commands to [`Transfers`], its messages to the outbox.

use super::{Daemon, Effect, Now};
use crate::files::{Slot, Task};
use protocol::commands::Command;
use protocol::envelope::codes;
use protocol::frame::{Frame, Kind};
use protocol::limits::{FILE_BYTES, PATH_BYTES};

/// Why a command is refused: a code and a message.
type Refusal = (&'static str, String);

impl Daemon {
    /// Carries out a command about files; gives back whether it is one.
    pub(super) fn transfer(&mut self, request_id: &str, command: &Command, now: Now) -> bool {
        let outcome = match command {
            Command::FileUploadBegin(begin) => {
                let size = begin.size;
                let arguments = self.arguments("_upload", begin.session_id, &begin.dest_path);
                arguments.and_then(|mut arguments| {
                    arguments.push(fitting(size)?.to_string());
                    let (id, task) = (begin.transfer_id, Task::Upload(size));
                    self.transfers.begin(request_id, id, task, arguments, now.mono)
                })
            }
            Command::FileDownload(download) => {
                let arguments = self.arguments("_download", download.session_id, &download.path);
                arguments.and_then(|arguments| {
                    let (id, task) = (download.transfer_id, Task::Download);
                    self.transfers.begin(request_id, id, task, arguments, now.mono)
                })
            }
            Command::FileUploadEnd(end) => {
                self.transfers.end(request_id, end.transfer_id, &end.sha256, now.mono)
            }
            Command::FileCancel(cancel) => {
                self.transfers.cancel(request_id, cancel.transfer_id, now.mono)
            }
            Command::FileAckCommand(ack) => {
                self.transfers.ack(ack.transfer_id, ack.seq, now.mono);
                Ok(())
            }
            _ => return false,
        };
        self.collect_transfers();
        if let Err((code, message)) = outcome {
            self.fail(request_id, code, &message);
        }
        true
    }

    /// A binary frame from the control plane.
    pub fn on_binary(&mut self, frame: &[u8], now: Now) {
        match Frame::decode(frame) {
            Ok(Frame { kind: Kind::FileChunk, id, seq, payload }) => {
                if !self.transfers.chunk(id, seq, payload, now.mono) {
                    self.drop_frame("a chunk of no known upload");
                }
                self.collect_transfers();
            }
            Ok(_) => self.drop_frame("terminal output, which goes the other way"),
            Err(_) => self.drop_frame("a binary frame that is none"),
        }
    }

    /// Whether the output of a transfer's child is to be read now.
    pub fn wants_output(&self, slot: Slot) -> bool {
        self.transfers.wants(slot)
    }

    /// A transfer's child printed something.
    pub fn on_transfer_output(&mut self, slot: Slot, bytes: &[u8], now: Now) {
        self.transfers.on_output(slot, bytes, now.mono);
        self.collect_transfers();
    }

    /// A transfer's child is gone.
    pub fn on_transfer_closed(&mut self, slot: Slot, now: Now) {
        self.transfers.on_closed(slot, now.mono);
        self.collect_transfers();
    }

    /// Takes over what the transfers want done.
    pub(super) fn collect_transfers(&mut self) {
        let effects = self.transfers.take_effects();
        self.effects.extend(effects.into_iter().map(Effect::Transfer));
        for text in self.transfers.take_told() {
            self.send(text);
        }
    }

    /// The child's arguments: its name, the workspace, where a relative path begins, the path.
    fn arguments(
        &self,
        child: &str,
        session_id: Option<u32>,
        path: &str,
    ) -> Result<Vec<String>, Refusal> {
        if path.is_empty() || path.len() > PATH_BYTES || path.contains('\0') {
            let message = format!("a path has 1 to {PATH_BYTES} bytes and no NUL");
            return Err((codes::BAD_PATH, message));
        }
        let base = session_id.map_or(Ok(String::new()), |id| self.workdir(id))?;
        let workspace = self.config.workspace.to_string_lossy().into_owned();
        Ok(vec![child.to_owned(), workspace, base, path.to_owned()])
    }

    fn workdir(&self, session_id: u32) -> Result<String, Refusal> {
        let session = self.sessions.get(&session_id).filter(|session| !session.is_ended());
        let session = session.ok_or_else(|| {
            (codes::UNKNOWN_SESSION, format!("there is no session {session_id} here"))
        })?;
        let workdir = session.workdir().map(|path| path.to_string_lossy().into_owned());
        workdir.ok_or_else(|| {
            (codes::BAD_PATH, format!("the folder of session {session_id} is not known"))
        })
    }
}

fn fitting(size: u64) -> Result<u64, Refusal> {
    if size > FILE_BYTES {
        let message = format!("the file has {size} bytes; {FILE_BYTES} are the most");
        return Err((codes::TOO_LARGE, message));
    }
    Ok(size)
}
