//! What is to be typed into a session, in order: keystrokes and pastes.

use crate::limits::KEYS_PER_COMMAND;
use protocol::limits::PENDING_INPUT_BYTES;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// A paste and the request that it answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Paste {
    /// To be acked once tmux has taken it.
    pub request_id: String,
    /// The bytes, unchanged.
    pub data: Vec<u8>,
}

#[derive(Debug)]
enum Item {
    Keys(VecDeque<u8>),
    Paste(Paste),
}

/// What to hand to tmux next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// At most [`KEYS_PER_COMMAND`] bytes.
    Keys(Vec<u8>),
    /// A whole paste.
    Paste(Paste),
}

/// The queue. Bounded by [`PENDING_INPUT_BYTES`] and one paste.
#[derive(Debug, Default)]
pub struct Input {
    items: VecDeque<Item>,
    bytes: usize,
}

/// The queue is full: the program or tmux does not keep up.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Input {
    /// Nobody waits for the answers to pastes any more; they are pasted all the same.
    pub fn forget_requests(&mut self) {
        for item in &mut self.items {
            if let Item::Paste(paste) = item {
                paste.request_id.clear();
            }
        }
    }

    /// Queues keystrokes.
    ///
    /// # Errors
    /// [`Full`] when they would exceed the limit; none of them is queued then.
    pub fn push_keys(&mut self, keys: &[u8]) -> Result<(), Full> {
        if self.bytes + keys.len() > PENDING_INPUT_BYTES {
            return Err(Full);
        }
        self.bytes += keys.len();
        if let Some(Item::Keys(queue)) = self.items.back_mut() {
            queue.extend(keys);
        } else {
            self.items.push_back(Item::Keys(keys.iter().copied().collect()));
        }
        Ok(())
    }

    /// Queues a paste.
    ///
    /// # Errors
    /// [`Full`] when more than the limit waits already.
    pub fn push_paste(&mut self, paste: Paste) -> Result<(), Full> {
        if self.bytes > PENDING_INPUT_BYTES {
            return Err(Full);
        }
        self.bytes += paste.data.len();
        self.items.push_back(Item::Paste(paste));
        Ok(())
    }

    /// Takes what comes next.
    pub fn take(&mut self) -> Option<Next> {
        match self.items.front_mut()? {
            Item::Keys(queue) => {
                let count = queue.len().min(KEYS_PER_COMMAND);
                let keys: Vec<u8> = queue.drain(..count).collect();
                if queue.is_empty() {
                    self.items.pop_front();
                }
                self.bytes -= count;
                Some(Next::Keys(keys))
            }
            Item::Paste(_) => match self.items.pop_front() {
                Some(Item::Paste(paste)) => {
                    self.bytes -= paste.data.len();
                    Some(Next::Paste(paste))
                }
                _ => None,
            },
        }
    }

    /// Forgets everything; returns the requests whose pastes are lost.
    pub fn clear(&mut self) -> Vec<String> {
        self.bytes = 0;
        let lost = std::mem::take(&mut self.items).into_iter().filter_map(|item| match item {
            Item::Keys(_) => None,
            Item::Paste(paste) => Some(paste.request_id),
        });
        lost.collect()
    }
}

/// `send-keys -H`: bytes as hexadecimal arguments, so that no byte means anything to tmux.
pub fn keys_command(pane: u32, keys: &[u8]) -> String {
    let mut line = format!("send-keys -t %{pane} -H");
    for key in keys {
        let _ = write!(line, " {key:02x}");
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_between_keys_and_pastes() {
        let mut input = Input::default();
        let paste = || Paste { request_id: "p".into(), data: vec![1; 100] };
        input.push_keys(&[b'a'; 70]).expect("room");
        input.push_paste(paste()).expect("room");
        input.push_keys(b"b").expect("room");
        assert_eq!(input.take(), Some(Next::Keys(vec![b'a'; 64])));
        assert_eq!(input.take(), Some(Next::Keys(vec![b'a'; 6])));
        assert_eq!(input.take(), Some(Next::Paste(paste())));
        assert_eq!(input.take(), Some(Next::Keys(vec![b'b'])));
        assert_eq!(input.take(), None);
        assert_eq!(input.bytes, 0);
    }

    #[test]
    fn a_full_queue_refuses_whole_inputs() {
        let mut input = Input::default();
        input.push_keys(&vec![0; PENDING_INPUT_BYTES]).expect("room");
        assert_eq!(input.push_keys(b"x"), Err(Full));
        assert_eq!(keys_command(5, &[0, 59, 255]), "send-keys -t %5 -H 00 3b ff\n");
    }
}
