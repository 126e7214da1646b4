//! The files that pass through the hub: which transfers there are, and what becomes of them.

use super::pending::Waiter;
use super::transfers::{Next, Step, Transfer, TransferId};
use super::{CallError, Effect, Hub};
use protocol::commands::{
    FileAckCommand, FileCancel, FileDownload, FileUploadBegin, FileUploadEnd,
};
use protocol::envelope::codes;
use protocol::events::Event;
use protocol::frame::{HEADER_BYTES, Kind, header};
use protocol::limits::FILE_TRANSFERS;
use protocol::small_map::SmallMap;

/// The transfers under way.
#[derive(Debug)]
pub(super) struct Transfers {
    /// The id that was given last. The gateway's attachment keeps it, so that none comes twice.
    last: TransferId,
    open: SmallMap<TransferId, Transfer>,
    /// Those that an instance before this one has left behind.
    orphans: Vec<TransferId>,
}

impl Transfers {
    pub(super) fn new(last: TransferId) -> Self {
        Self { last, open: SmallMap::default(), orphans: Vec::new() }
    }

    /// What is to be kept: the last id and those under way.
    pub(super) fn kept(&self) -> (TransferId, Vec<TransferId>) {
        (self.last, self.open.keys().copied().collect())
    }

    /// Takes back what was kept: what was under way then is nobody's now.
    pub(super) fn restore(&mut self, (last, orphans): (TransferId, Vec<TransferId>)) {
        (self.last, self.orphans) = (last, orphans);
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.open.values().map(Transfer::deadline).min()
    }
}

impl Hub {
    /// Starts an upload; `begin` as the gateway gets it, but for its `transfer_id`.
    ///
    /// # Errors
    /// Why it cannot start now.
    pub fn upload(
        &mut self,
        mut begin: FileUploadBegin,
        now: u64,
    ) -> Result<TransferId, CallError> {
        let id = self.open_transfer(Transfer::upload(begin.size, now))?;
        begin.transfer_id = id;
        self.command(Waiter::Transfer(id), &begin.into(), now);
        Ok(id)
    }

    /// Starts a download; `download` as the gateway gets it, but for its `transfer_id`.
    ///
    /// # Errors
    /// Why it cannot start now.
    pub fn download(
        &mut self,
        mut download: FileDownload,
        now: u64,
    ) -> Result<TransferId, CallError> {
        let id = self.open_transfer(Transfer::download(now))?;
        download.transfer_id = id;
        self.command(Waiter::Transfer(id), &download.into(), now);
        Ok(id)
    }

    fn open_transfer(&mut self, transfer: Transfer) -> Result<TransferId, CallError> {
        if !self.is_online() {
            return Err(CallError::offline());
        }
        if self.transfers.open.len() >= FILE_TRANSFERS {
            let message = "8 files are under way at this server; try again when one is done";
            return Err(CallError::new(codes::TRANSFER_LIMIT, message));
        }
        if self.pending.is_full() {
            return Err(CallError::too_many());
        }
        self.transfers.last = self.transfers.last.wrapping_add(1);
        self.transfers.open.insert(self.transfers.last, transfer);
        self.save_gateway();
        Ok(self.transfers.last)
    }

    /// An upload's body gave `len` bytes. What stands before them in their frame, if they are to
    /// be sent.
    pub fn chunk_read(
        &mut self,
        id: TransferId,
        len: usize,
        now: u64,
    ) -> Option<[u8; HEADER_BYTES]> {
        let (number, next) = self.transfers.open.get_mut(&id)?.read(len, now);
        self.carry_out(id, next, now);
        number.map(|number| header(Kind::FileChunk, id, number))
    }

    /// The browser has taken the next chunk of a download.
    pub fn chunk_written(&mut self, id: TransferId, now: u64) {
        self.step(id, now, |transfer| transfer.written(now));
    }

    /// The digest of all bytes that passed, in lower-case hex.
    pub fn digested(&mut self, id: TransferId, sha256: &str, now: u64) {
        self.step(id, now, |transfer| transfer.digested(sha256, now));
    }

    /// The browser has all of a download.
    pub fn delivered(&mut self, id: TransferId) {
        self.close_transfer(id);
    }

    /// The browser is gone.
    pub fn client_gone(&mut self, id: TransferId, now: u64) {
        let error = CallError::new(codes::CANCELLED, "the browser left");
        self.step(id, now, |_| vec![Next::Fail(error, true)]);
    }

    /// Takes an event about a transfer; those about unknown ones are dropped.
    pub(super) fn file_event(&mut self, event: Event, now: u64) {
        match event {
            Event::FileAck(ack) => {
                self.step(ack.transfer_id, now, |one| one.gateway_acked(ack.seq, now));
            }
            Event::FileContentBegin(begin) => {
                self.step(begin.transfer_id, now, |one| one.begun(begin.size, begin.mtime, now));
            }
            Event::FileContentEnd(end) => {
                self.step(end.transfer_id, now, |one| one.ended(end.sha256, now));
            }
            Event::FileError(failure) => {
                let error = CallError::new(&failure.code, &failure.message);
                self.step(failure.transfer_id, now, |_| vec![Next::Fail(error, false)]);
            }
            _ => {}
        }
    }

    /// Takes a chunk of `len` bytes.
    pub(super) fn file_chunk(&mut self, id: TransferId, seq: u32, len: usize, now: u64) {
        self.step(id, now, |transfer| transfer.received(seq, len, now));
    }

    /// The gateway has accepted a transfer.
    pub(super) fn transfer_accepted(&mut self, id: TransferId, now: u64) {
        self.step(id, now, |transfer| transfer.accepted(now));
    }

    /// The gateway has an upload in place.
    pub(super) fn upload_done(&mut self, id: TransferId) {
        if self.close_transfer(id) {
            self.effects.push(Effect::Transfer(id, Step::Finish));
        }
    }

    /// A command of a transfer failed.
    pub(super) fn transfer_refused(&mut self, id: TransferId, error: CallError) {
        // Unless the gateway said so itself it may have begun all the same.
        let unclear = [codes::TIMED_OUT, CallError::TOO_MANY].contains(&error.code.as_str());
        self.fail_transfer(id, error, unclear);
    }

    /// Ends transfers that stall or have taken their time.
    pub(super) fn expire_transfers(&mut self, now: u64) {
        let overdue = |(id, one): (&TransferId, &Transfer)| Some((*id, one.overdue(now)?));
        let overdue: Vec<_> = self.transfers.open.iter().filter_map(overdue).collect();
        for (id, error) in overdue {
            self.carry_out(id, vec![Next::Fail(error, true)], now);
        }
    }

    /// The gateway's connection is gone, and with it every transfer that it had a part in.
    pub(super) fn drop_transfers(&mut self) {
        self.transfers.orphans.clear();
        let shared: Vec<TransferId> = self
            .transfers
            .open
            .iter()
            .filter_map(|(id, transfer)| transfer.is_shared().then_some(*id))
            .collect();
        for id in shared {
            self.transfers.open.remove(&id);
            self.effects.push(Effect::Transfer(id, Step::Fail(CallError::offline())));
        }
    }

    /// Cancels what an instance before this one has left at the gateway.
    pub(super) fn cancel_orphans(&mut self) {
        let orphans = std::mem::take(&mut self.transfers.orphans);
        if orphans.is_empty() {
            return;
        }
        for id in orphans {
            self.cancel(id);
        }
        self.save_gateway();
    }

    fn step(&mut self, id: TransferId, now: u64, event: impl FnOnce(&mut Transfer) -> Vec<Next>) {
        let Some(transfer) = self.transfers.open.get_mut(&id) else { return };
        let next = event(transfer);
        self.carry_out(id, next, now);
    }

    fn carry_out(&mut self, id: TransferId, next: Vec<Next>, now: u64) {
        for next in next {
            match next {
                Next::Step(step) => self.effects.push(Effect::Transfer(id, step)),
                Next::Ack(seq) => {
                    self.tell_gateway(&FileAckCommand { transfer_id: id, seq }.into())
                }
                Next::Close(sha256) => {
                    let end = FileUploadEnd { transfer_id: id, sha256 };
                    self.command(Waiter::Upload(id), &end.into(), now);
                }
                Next::Fail(error, tell) => self.fail_transfer(id, error, tell),
            }
        }
    }

    fn fail_transfer(&mut self, id: TransferId, error: CallError, tell: bool) {
        let shared = self.transfers.open.get(&id).is_some_and(Transfer::is_shared);
        if self.close_transfer(id) {
            self.effects.push(Effect::Transfer(id, Step::Fail(error)));
        }
        if tell && shared {
            self.cancel(id);
        }
    }

    /// Nobody waits for the ack.
    fn cancel(&mut self, id: TransferId) {
        if self.is_online() {
            let request_id = self.next_request_id();
            self.send(&FileCancel { transfer_id: id }.into(), Some(&request_id));
        }
    }

    fn close_transfer(&mut self, id: TransferId) -> bool {
        let known = self.transfers.open.remove(&id).is_some();
        if known {
            self.save_gateway();
        }
        known
    }
}
