//! File transfers without I/O: counts, windows, deadlines; commands and children's words in, messages
//! and effects out.
//!
//! A child touches the disk (`child::upload`, `child::download`); the shell (`event_loop::transfers`)
//! carries bytes between its pipes and here. Every transfer has a slot: a number that is never used
//! twice, because a transfer's id may be taken again while the child of the last one still leaves.

mod download;
mod pace;
mod reader;
#[cfg(test)]
mod tests;
mod upload;

use crate::child::read_answer;
use crate::daemon::Message;
use crate::limits::{CHILD_MS, CLOSING_MS, Ms};
use crate::session::{ack, nack};
use download::Download;
use pace::Pace;
use protocol::envelope::codes;
use protocol::events::{Event, FileAck, FileContentBegin, FileContentEnd, FileError};
use protocol::limits::{FILE_DEADLINE_MS, FILE_TRANSFERS};
use reader::{Reader, Said};
use upload::Upload;

/// Names a transfer's child; never used twice.
pub type Slot = u64;

/// Children of transfers at once, those that leave included: one that the disk holds up must not
/// make room for another.
const CHILDREN: usize = 2 * FILE_TRANSFERS;

/// Characters of a SHA-256 digest in hex.
const DIGEST_CHARS: usize = 64;

/// What the shell is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the child of a slot with these arguments.
    Start(Slot, Vec<String>),
    /// Write to its standard input.
    Write(Slot, Vec<u8>),
    /// Close its standard input, with what was not written yet: it tidies up and leaves.
    Close(Slot),
    /// Kill it.
    Kill(Slot),
}

/// What is to be carried, as a command asks for it.
#[derive(Debug)]
pub enum Task {
    /// A file of so many bytes comes.
    Upload(u64),
    /// A file goes.
    Download,
}

#[derive(Debug)]
enum Stage {
    /// The child looks whether it can be done.
    Opening(Task),
    Upload(Upload),
    Download(Download),
    /// Over: its child leaves, is killed if it has not at a time, and then a request is answered.
    Closing {
        request_id: Option<String>,
        kill_at: Option<Ms>,
    },
}

#[derive(Debug)]
struct Transfer {
    slot: Slot,
    id: u32,
    request_id: String,
    /// When it, or what it does now, has taken too long.
    deadline: Ms,
    reader: Reader,
    stage: Stage,
    /// Whether the child is still there.
    child: bool,
}

/// All transfers. See the module's sentence.
#[derive(Debug)]
pub struct Transfers {
    all: Vec<Transfer>,
    last_slot: Slot,
    /// Who sent last; the one after it is asked first.
    turn: Slot,
    pace: Pace,
    effects: Vec<Effect>,
    told: Vec<String>,
}

/// A code and a message.
type Refusal = (&'static str, String);

impl Default for Transfers {
    fn default() -> Self {
        let (effects, told) = (Vec::new(), Vec::new());
        Self { all: Vec::new(), last_slot: 0, turn: 0, pace: Pace::new(), effects, told }
    }
}

/// What commands ask for. What they are refused with is the ack's error.
impl Transfers {
    /// Begins a transfer; `arguments` are those of its child. The ack follows when the child has the
    /// file open.
    ///
    /// # Errors
    /// Why it is refused without a look at the file.
    pub fn begin(
        &mut self,
        request_id: &str,
        id: u32,
        task: Task,
        arguments: Vec<String>,
        now: Ms,
    ) -> Result<(), Refusal> {
        let under_way = self.all.iter().filter(|transfer| transfer.is_going());
        if under_way.clone().any(|transfer| transfer.id == id) {
            let message = format!("transfer {id} is under way; choose another id");
            return Err((codes::TRANSFER_EXISTS, message));
        }
        if under_way.count() >= FILE_TRANSFERS || self.all.len() >= CHILDREN {
            let message = format!("{FILE_TRANSFERS} transfers are under way; try again soon");
            return Err((codes::TRANSFER_LIMIT, message));
        }
        self.last_slot += 1;
        self.effects.push(Effect::Start(self.last_slot, arguments));
        self.all.push(Transfer {
            slot: self.last_slot,
            id,
            request_id: request_id.to_owned(),
            deadline: now + CHILD_MS,
            reader: Reader::new(id, matches!(task, Task::Download)),
            stage: Stage::Opening(task),
            child: true,
        });
        Ok(())
    }

    /// Closes an upload. The ack follows when the file is in its place.
    ///
    /// # Errors
    /// Why there is nothing to close.
    pub fn end(&mut self, request_id: &str, id: u32, sha256: &str, now: Ms) -> Result<(), Refusal> {
        let transfer = self.all.iter_mut().find(|transfer| transfer.is_going_as(id));
        let upload = transfer.and_then(|transfer| match &mut transfer.stage {
            Stage::Upload(upload) => Some((transfer.slot, upload)),
            _ => None,
        });
        let Some((slot, upload)) = upload else { return Err(unknown(id)) };
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if sha256.len() != DIGEST_CHARS || !sha256.bytes().all(is_hex) {
            let message = "sha256 must be 64 lower-case hex digits".to_owned();
            return Err((codes::INVALID_PAYLOAD, message));
        }
        match upload.end(request_id, now + CHILD_MS) {
            Ok(()) => self.effects.push(Effect::Write(slot, sha256.as_bytes().to_vec())),
            Err(refusal @ (codes::BUSY, _)) => return Err(refusal),
            Err((code, why)) => {
                self.tell_error(id, code, &why, Some(request_id));
                self.told.push(nack(request_id, code, &why));
                self.close(slot, None, now);
            }
        }
        Ok(())
    }

    /// Ends a transfer early. The ack follows when nothing is left of it.
    ///
    /// # Errors
    /// Why there is nothing to cancel.
    pub fn cancel(&mut self, request_id: &str, id: u32, now: Ms) -> Result<(), Refusal> {
        let transfer = self.all.iter().find(|transfer| transfer.is_going_as(id));
        let Some(transfer) = transfer else { return Err(unknown(id)) };
        match &transfer.stage {
            Stage::Upload(Upload { ending: Some(_), .. }) => {
                let message = "the file is being put in its place; it is too late".to_owned();
                return Err((codes::BUSY, message));
            }
            Stage::Opening(_) => {
                self.told.push(nack(&transfer.request_id, codes::CANCELLED, "it was cancelled"));
            }
            _ => {}
        }
        self.close(transfer.slot, Some(request_id.to_owned()), now);
        Ok(())
    }

    /// A chunk of an upload; gives back whether there is one that it could belong to.
    pub fn chunk(&mut self, id: u32, seq: u32, payload: &[u8], now: Ms) -> bool {
        let transfer = self.all.iter_mut().find(|transfer| transfer.is_going_as(id));
        let Some(transfer) = transfer else { return false };
        let slot = transfer.slot;
        let taken = match &mut transfer.stage {
            Stage::Upload(upload) => upload.take(seq, payload.len()),
            Stage::Opening(Task::Upload(_)) => {
                Err("a chunk came before the upload was accepted".to_owned())
            }
            _ => return false,
        };
        match taken {
            Ok(()) => self.effects.push(Effect::Write(slot, payload.to_vec())),
            Err(why) => self.fail(slot, codes::BAD_CHUNK, &why, now),
        }
        true
    }

    /// The other side has the chunks of a download before `seq`. Acks also come after its end.
    pub fn ack(&mut self, id: u32, seq: u32, now: Ms) {
        let transfer = self.all.iter_mut().find(|transfer| transfer.is_going_as(id));
        let possible = match transfer.map(|transfer| &mut transfer.stage) {
            Some(Stage::Download(download)) => download.acked(seq),
            _ => true,
        };
        if possible {
            self.pace.acked(id, seq, now);
        }
    }

    /// The connection is gone, and every transfer with it.
    pub fn link_lost(&mut self, now: Ms) {
        let slots: Vec<Slot> = self.all.iter().map(|transfer| transfer.slot).collect();
        for slot in slots {
            self.close(slot, None, now);
        }
        self.told.clear();
        self.pace = Pace::new();
    }
}

/// What children say, and what time brings.
impl Transfers {
    /// Whether what the child says is to be read now.
    pub fn wants(&self, slot: Slot) -> bool {
        self.all.iter().find(|transfer| transfer.slot == slot).is_none_or(
            |transfer| match &transfer.stage {
                Stage::Download(download) => download.wants_more(),
                _ => true,
            },
        )
    }

    /// The child of a slot printed something.
    pub fn on_output(&mut self, slot: Slot, mut bytes: &[u8], now: Ms) {
        while let Some(transfer) = find(&mut self.all, slot)
            && let Some(said) = transfer.reader.read(&mut bytes)
        {
            self.on_said(slot, said, now);
        }
    }

    fn on_said(&mut self, slot: Slot, said: Said, now: Ms) {
        let Some(transfer) = find(&mut self.all, slot) else { return };
        let id = transfer.id;
        match (&mut transfer.stage, said) {
            (Stage::Closing { .. }, _) => {}
            (Stage::Opening(task), Said::Open(figures)) => {
                self.told.push(ack(&transfer.request_id));
                let (stage, event) = opened(id, task, &figures);
                self.told.extend(event.map(|event| event.to_json(Some(&transfer.request_id))));
                transfer.deadline = now + FILE_DEADLINE_MS;
                transfer.stage = stage;
            }
            (Stage::Upload(upload), Said::Stored) => {
                let event = FileAck { transfer_id: id, seq: upload.stored() };
                self.told.push(Event::from(event).to_json(None));
            }
            (Stage::Download(download), Said::Chunk(frame)) => download.push(frame),
            (stage, Said::Answer(answer)) => match (stage, read_answer(&answer)) {
                (_, Err((code, message))) => self.fail(slot, &code, &message, now),
                (Stage::Upload(Upload { ending: Some((request_id, _)), .. }), Ok(_)) => {
                    self.told.push(ack(request_id));
                    transfer.stage = Stage::leaving(now);
                }
                (Stage::Download(download), Ok(sha256)) => {
                    let event = FileContentEnd { transfer_id: id, sha256: sha256.to_owned() };
                    download.end = Some(Event::from(event).to_json(Some(&transfer.request_id)));
                }
                _ => self.fail(slot, codes::IO, "the transfer's process ended early", now),
            },
            _ => self.fail(slot, codes::IO, "the transfer's process talks nonsense", now),
        }
    }

    /// The child of a slot is gone.
    pub fn on_closed(&mut self, slot: Slot, now: Ms) {
        let Some(transfer) = find(&mut self.all, slot) else { return };
        transfer.child = false;
        if matches!(&transfer.stage, Stage::Download(Download { end: Some(_), .. })) {
            return;
        }
        self.fail(slot, codes::IO, "the transfer's process was killed", now);
        if let Some(transfer) = find(&mut self.all, slot)
            && let Stage::Closing { request_id: Some(request_id), .. } = &transfer.stage
        {
            self.told.push(ack(request_id));
        }
        self.all.retain(|transfer| transfer.slot != slot);
    }

    /// The next chunk, or the event that ends a download; the downloads take turns.
    pub fn next_message(&mut self, now: Ms) -> Option<Message> {
        let slot = self.next_slot(now)?;
        let transfer = find(&mut self.all, slot)?;
        let Stage::Download(download) = &mut transfer.stage else { return None };
        self.turn = slot;
        if let Some(end) = download.take_end() {
            transfer.stage = Stage::leaving(now);
            self.all.retain(|transfer| transfer.is_going() || transfer.child);
            return Some(Message::Text(end));
        }
        let (seq, bytes, frame) = download.next()?;
        self.pace.sent(transfer.id, seq, bytes, now);
        Some(Message::Binary(frame))
    }

    fn next_slot(&self, now: Ms) -> Option<Slot> {
        let is_ready = |transfer: &&Transfer| match &transfer.stage {
            Stage::Download(download) => match download.next_bytes() {
                Some(bytes) => self.pace.next_at(bytes) <= now,
                None => download.is_over(),
            },
            _ => false,
        };
        let mut ready = self.all.iter().filter(is_ready).map(|transfer| transfer.slot);
        ready.clone().find(|slot| *slot > self.turn).or_else(|| ready.next())
    }

    /// When [`Self::tick`] has something to do or, if the link takes it, a chunk may be sent.
    pub fn deadline(&self, link_takes: bool) -> Option<Ms> {
        let chunk = |transfer: &Transfer| match &transfer.stage {
            Stage::Download(download) if link_takes => {
                download.next_bytes().map(|bytes| self.pace.next_at(bytes))
            }
            _ => None,
        };
        let each = self.all.iter().flat_map(|transfer| [transfer.deadline(), chunk(transfer)]);
        each.flatten().min()
    }

    /// Ends what took too long.
    pub fn tick(&mut self, now: Ms) {
        let due = |transfer: &&Transfer| transfer.deadline().is_some_and(|at| now >= at);
        let due: Vec<Slot> = self.all.iter().filter(due).map(|transfer| transfer.slot).collect();
        for slot in due {
            let Some(transfer) = find(&mut self.all, slot) else { continue };
            if let Stage::Closing { request_id, kill_at } = &mut transfer.stage {
                let late = request_id.take_if(|_| now >= transfer.deadline);
                if kill_at.take_if(|at| now >= *at).is_some() {
                    self.effects.push(Effect::Kill(slot));
                }
                if let Some(request_id) = late {
                    let message = "the disk holds the transfer up; it ends when that answers";
                    self.told.push(nack(&request_id, codes::TIMED_OUT, message));
                }
                continue;
            }
            self.fail(slot, codes::TIMED_OUT, "the transfer took too long; try again", now);
        }
    }

    /// Whether there is no transfer, and no child of one that still leaves.
    pub fn is_idle(&self) -> bool {
        self.all.is_empty()
    }

    /// What is to be sent before everything else.
    pub fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// What the shell is to do, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// A transfer failed: told once, as the answer to its command or as an event.
    fn fail(&mut self, slot: Slot, code: &str, message: &str, now: Ms) {
        let Some(transfer) = find(&mut self.all, slot) else { return };
        let (id, request_id) = (transfer.id, transfer.request_id.clone());
        match &transfer.stage {
            Stage::Closing { .. } => return,
            Stage::Opening(_) => self.told.push(nack(&request_id, code, message)),
            Stage::Download(_) => self.tell_error(id, code, message, Some(&request_id)),
            Stage::Upload(Upload { ending: None, .. }) => self.tell_error(id, code, message, None),
            Stage::Upload(Upload { ending: Some((request_id, _)), .. }) => {
                let request_id = request_id.clone();
                self.tell_error(id, code, message, Some(&request_id));
                self.told.push(nack(&request_id, code, message));
            }
        }
        self.close(slot, None, now);
    }

    fn tell_error(&mut self, transfer_id: u32, code: &str, message: &str, cause: Option<&str>) {
        let (code, message) = (code.to_owned(), message.to_owned());
        let event = Event::from(FileError { transfer_id, code, message });
        self.told.push(event.to_json(cause));
    }

    /// Sends the child of a transfer away; then the request is answered. An upload's child tidies up
    /// by itself, unless it is about to put the file in its place.
    fn close(&mut self, slot: Slot, request_id: Option<String>, now: Ms) {
        let Some(transfer) = find(&mut self.all, slot) else { return };
        let tidies_up = match &mut transfer.stage {
            Stage::Closing { request_id, .. } => {
                *request_id = None;
                return;
            }
            Stage::Opening(Task::Upload(_)) => true,
            Stage::Upload(upload) => upload.ending.is_none(),
            _ => false,
        };
        if !transfer.child {
            self.told.extend(request_id.as_deref().map(ack));
            return self.all.retain(|transfer| transfer.slot != slot);
        }
        let kill_at = tidies_up.then_some(now + CLOSING_MS);
        transfer.deadline = now + CHILD_MS;
        transfer.stage = Stage::Closing { request_id, kill_at };
        self.effects.push(if tidies_up { Effect::Close(slot) } else { Effect::Kill(slot) });
    }
}

impl Stage {
    /// The child has done its work and leaves by itself.
    fn leaving(now: Ms) -> Self {
        Self::Closing { request_id: None, kill_at: Some(now + CLOSING_MS) }
    }
}

impl Transfer {
    fn is_going(&self) -> bool {
        !matches!(self.stage, Stage::Closing { .. })
    }

    fn is_going_as(&self, id: u32) -> bool {
        self.id == id && self.is_going()
    }

    fn deadline(&self) -> Option<Ms> {
        match &self.stage {
            Stage::Closing { request_id, kill_at } => {
                let answer = request_id.as_ref().map(|_| self.deadline);
                [answer, *kill_at].into_iter().flatten().min()
            }
            Stage::Upload(Upload { ending: Some((_, until)), .. }) => {
                Some(self.deadline.min(*until))
            }
            _ => Some(self.deadline),
        }
    }
}

/// How a transfer goes on whose child has the file open, and what is told of it.
fn opened(transfer_id: u32, task: &Task, figures: &[u64]) -> (Stage, Option<Event>) {
    if let Task::Upload(size) = task {
        return (Stage::Upload(Upload::new(*size)), None);
    }
    let figure = |at: usize| figures.get(at).copied().unwrap_or(0);
    let (size, mode, mtime) = (figure(0), u32::try_from(figure(1)).unwrap_or(0), figure(2));
    let begin = FileContentBegin { transfer_id, size, mode, mtime };
    (Stage::Download(Download::default()), Some(begin.into()))
}

fn find(all: &mut [Transfer], slot: Slot) -> Option<&mut Transfer> {
    all.iter_mut().find(|transfer| transfer.slot == slot)
}

fn unknown(id: u32) -> Refusal {
    (codes::UNKNOWN_TRANSFER, format!("there is no such transfer {id}"))
}
