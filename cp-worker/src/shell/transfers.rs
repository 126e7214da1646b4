//! Carries files between a browser's request and the gateway's socket, as the hub says.

use super::hub::Core;
use super::mailbox::{Mailbox, Post};
use super::now;
use super::respond::{Failure, Outcome, file, json};
use super::streams::{Body, Digest, FixedLengthStream, Piece};
use crate::hub::{CallError, Hub, Step, TransferId};
use protocol::commands::{FileDownload, FileUploadBegin};
use protocol::frame::HEADER_BYTES;
use serde_json::json;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{ArrayBuffer, Uint8Array};
use worker::wasm_bindgen_futures::{JsFuture, spawn_local};
use worker::web_sys::{ReadableStream, WritableStreamDefaultWriter};

impl Core {
    /// Gives a transfer its next step; `message` is the one that led to it.
    pub(super) fn post(&self, id: TransferId, step: Step, message: Option<&JsValue>) {
        let buffer = message.and_then(|message| message.dyn_ref::<ArrayBuffer>());
        let payload = match step {
            Step::Write | Step::Hold => {
                buffer.map(|buffer| Uint8Array::new_with_byte_offset(buffer, HEADER_BYTES as u32))
            }
            _ => None,
        };
        if let Some(mailbox) = self.transfers.borrow().get(&id) {
            mailbox.post(Post { step, payload });
        }
    }

    /// Starts a transfer.
    fn start(
        self: &Rc<Self>,
        begin: impl FnOnce(&mut Hub) -> Result<TransferId, CallError>,
    ) -> Result<(TransferId, Rc<Mailbox>), Failure> {
        let mut started = None;
        self.drive(None, |hub| {
            started = Some(begin(hub).map(|id| {
                // Before the first step comes.
                let mailbox = Rc::<Mailbox>::default();
                self.transfers.borrow_mut().insert(id, Rc::clone(&mailbox));
                (id, mailbox)
            }));
        });
        Ok(started.ok_or_else(CallError::interrupted)??)
    }

    fn forget(&self, id: TransferId) {
        self.transfers.borrow_mut().remove(&id);
    }

    /// Takes a file from a browser to the gateway.
    pub(super) async fn upload(
        self: &Rc<Self>,
        begin: FileUploadBegin,
        body: Option<ReadableStream>,
    ) -> Outcome {
        let (path, size) = (begin.dest_path.clone(), begin.size);
        let body = Body::new(body).map_err(worker::Error::from)?;
        let sent = match self.start(|hub| hub.upload(begin, now())) {
            Ok((id, mailbox)) => {
                let sent = self.send_file(id, &mailbox, &body).await;
                self.forget(id);
                sent.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        if sent.is_err() {
            body.drain().await;
        }
        json(201, &json!({ "path": path, "size": size, "sha256": sent? }))
    }

    /// Sends the file's chunks as the window allows; its digest.
    async fn send_file(
        self: &Rc<Self>,
        id: TransferId,
        mailbox: &Mailbox,
        body: &Body,
    ) -> Result<String, CallError> {
        let digest = Digest::new().map_err(|error| self.broken(id, &error))?;
        let mut sha256 = String::new();
        loop {
            match mailbox.next().await?.step {
                Step::Read(len) => match mailbox.during(body.piece(len)).await? {
                    Ok(piece) => {
                        self.send_chunk(id, &piece);
                        let added = digest.add(piece.payload()).await;
                        added.map_err(|error| self.broken(id, &error))?;
                    }
                    Err(_) => self.drive(None, |hub| hub.client_gone(id, now())),
                },
                Step::Digest => {
                    let finished = digest.finish().await;
                    sha256 = finished.map_err(|error| self.broken(id, &error))?;
                    self.drive(None, |hub| hub.digested(id, &sha256, now()));
                }
                Step::Finish => return Ok(sha256),
                _ => {}
            }
        }
    }

    fn send_chunk(self: &Rc<Self>, id: TransferId, piece: &Piece) {
        let mut header = None;
        self.drive(None, |hub| header = hub.chunk_read(id, piece.len(), now()));
        if let (Some(header), Some(gateway)) = (header, &self.sockets.borrow().gateway) {
            gateway.pass(&piece.frame(&header));
        }
    }

    /// Takes a file from the gateway to a browser. The answer begins when the gateway does.
    pub(super) async fn download(self: &Rc<Self>, download: FileDownload) -> Outcome {
        let path = download.path.clone();
        let (id, mailbox) = self.start(|hub| hub.download(download, now()))?;
        let opened = self.open(&mailbox, &path).await;
        let (response, writer) = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                self.drive(None, |hub| hub.client_gone(id, now()));
                self.forget(id);
                return Err(failure);
            }
        };
        let core = Rc::clone(self);
        spawn_local(async move {
            let written = core.write_file(id, &mailbox, &writer).await;
            core.forget(id);
            match written {
                Ok(()) => core.drive(None, |hub| hub.delivered(id)),
                Err(error) => {
                    let aborted = writer.abort_with_reason(&error.message.as_str().into());
                    // Whoever is gone cannot be told.
                    let _ = JsFuture::from(aborted).await;
                }
            }
        });
        Ok(response)
    }

    /// Waits until the download begins; its response and where its bytes go.
    async fn open(
        &self,
        mailbox: &Mailbox,
        path: &str,
    ) -> Result<(worker::Response, WritableStreamDefaultWriter), Failure> {
        loop {
            if let Step::Begin { size, mtime } = mailbox.next().await?.step {
                let stream = FixedLengthStream::new(size as f64).map_err(worker::Error::from)?;
                let writer = stream.writable().get_writer().map_err(worker::Error::from)?;
                return Ok((file(stream.readable(), path, mtime)?, writer));
            }
        }
    }

    /// Writes the file's chunks as the browser takes them, the last only when the digest is right.
    async fn write_file(
        self: &Rc<Self>,
        id: TransferId,
        mailbox: &Mailbox,
        writer: &WritableStreamDefaultWriter,
    ) -> Result<(), CallError> {
        let digest = Digest::new().map_err(|error| self.broken(id, &error))?;
        let mut held = None;
        loop {
            let Post { step, payload } = mailbox.next().await?;
            if let Some(bytes) = &payload {
                digest.add(bytes).await.map_err(|error| self.broken(id, &error))?;
            }
            match (step, payload) {
                (Step::Write, Some(bytes)) => {
                    let written = JsFuture::from(writer.write_with_chunk(&bytes));
                    match mailbox.during(written).await? {
                        Ok(_) => self.drive(None, |hub| hub.chunk_written(id, now())),
                        Err(_) => self.drive(None, |hub| hub.client_gone(id, now())),
                    }
                }
                (Step::Hold, bytes) => held = bytes,
                (Step::Digest, _) => {
                    let finished = digest.finish().await;
                    let sha256 = finished.map_err(|error| self.broken(id, &error))?;
                    self.drive(None, |hub| hub.digested(id, &sha256, now()));
                }
                (Step::Finish, _) => {
                    if let Some(bytes) = held.take() {
                        let written = JsFuture::from(writer.write_with_chunk(&bytes));
                        let _ = mailbox.during(written).await?;
                    }
                    // A browser that is gone needs no more than that the hub forgets.
                    let _ = mailbox.during(JsFuture::from(writer.close())).await?;
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    /// The platform failed us: the transfer ends.
    fn broken(self: &Rc<Self>, id: TransferId, error: &JsValue) -> CallError {
        self.log_error("transfer.failed", &worker::Error::from(error.clone()));
        self.drive(None, |hub| hub.client_gone(id, now()));
        CallError::interrupted()
    }
}
