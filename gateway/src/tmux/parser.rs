//! The control-mode protocol of tmux, as bytes: lines in, output, replies and notifications out.
//!
//! Lines are bytes, not text: escape sequences and UTF-8 are cut anywhere across `%output` lines.
//! Format: the CONTROL MODE section of tmux(1).

use crate::limits::{CONTROL_LINE_BYTES, CONTROL_REPLY_BYTES};

/// A pane's number: the 5 of `%5`.
pub type PaneId = u32;

/// One thing that tmux said.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A pane printed bytes; they are unescaped already.
    Output(PaneId, &'a [u8]),
    /// The reply to one of our commands begins; everything said before it came before it.
    ReplyBegins,
    /// The reply to one of our commands.
    Reply {
        /// Whether the command succeeded.
        ok: bool,
        /// Its lines, each ended by `\n`. Cut at [`CONTROL_REPLY_BYTES`].
        body: &'a [u8],
    },
    /// The client has attached. tmux 3.3a may run lines from its standard input before that, and
    /// what is printed in between never becomes output: nothing may be asked before this.
    Attached,
    /// `%layout-change`: the window, and what is to be seen of it.
    Layout(u32, &'a [u8]),
    /// `%window-pane-changed`: window, the pane that is active now.
    ActivePane(u32, PaneId),
    /// `%session-window-changed`: session, window.
    ActiveWindow(u32, u32),
    /// A window of some session came or went.
    Windows,
    /// `%pause`: tmux stopped sending this pane's output and discards it.
    Paused(PaneId),
    /// `%pane-mode-changed`: the pane entered or left copy mode.
    PaneMode(PaneId),
    /// `%exit`: the client is about to end.
    Exit {
        /// The server died without saying goodbye.
        crashed: bool,
    },
}

/// The parser. It keeps at most one line and one reply.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The line was longer than the limit; its rest is skipped.
    overlong: bool,
    scratch: Vec<u8>,
    reply: Option<Reply>,
}

#[derive(Debug)]
struct Reply {
    /// Whether the command was ours; tmux makes a reply for the attach itself too.
    ours: bool,
    /// What follows `%begin`: only the same words end the reply.
    tag: Vec<u8>,
    body: Vec<u8>,
}

impl Parser {
    /// Reads bytes and hands every message to `say`, in order.
    pub fn feed(&mut self, mut bytes: &[u8], mut say: impl FnMut(Message<'_>)) {
        while let Some(end) = bytes.iter().position(|&b| b == b'\n') {
            let (head, tail) = bytes.split_at(end);
            bytes = tail.get(1..).unwrap_or_default();
            if self.overlong {
                self.overlong = false;
                self.line.clear();
            } else if self.line.is_empty() {
                self.read_line(head, &mut say);
            } else {
                self.line.extend_from_slice(head);
                let line = std::mem::take(&mut self.line);
                self.read_line(&line, &mut say);
                self.line = line;
                self.line.clear();
                self.line.shrink_to(4096);
            }
        }
        if self.line.len() + bytes.len() > CONTROL_LINE_BYTES {
            self.overlong = true;
            self.line = Vec::new();
        } else if !self.overlong {
            self.line.extend_from_slice(bytes);
        }
    }

    fn read_line(&mut self, line: &[u8], say: &mut impl FnMut(Message<'_>)) {
        if self.reply.is_some() {
            self.read_reply_line(line, say);
        } else if let Some(rest) = line.strip_prefix(b"%output ") {
            let (pane, data) = split_word(rest);
            self.output(pane, data, say);
        } else if let Some(rest) = line.strip_prefix(b"%extended-output ") {
            let (pane, rest) = split_word(rest);
            // "age … : data": fields before the colon are reserved for later versions.
            let start = rest.windows(3).position(|w| w == b" : ").map_or(rest.len(), |at| at + 3);
            self.output(pane, rest.get(start..).unwrap_or_default(), say);
        } else if let Some(tag) = line.strip_prefix(b"%begin ") {
            let ours = tag.rsplit(|&b| b == b' ').next() == Some(b"1");
            self.reply = Some(Reply { ours, tag: tag.to_vec(), body: Vec::new() });
            if ours {
                say(Message::ReplyBegins);
            }
        } else if let Some(message) = notification(line) {
            say(message);
        }
    }

    fn read_reply_line(&mut self, line: &[u8], say: &mut impl FnMut(Message<'_>)) {
        let Some(reply) = &mut self.reply else { return };
        let ok = match (line.strip_prefix(b"%end "), line.strip_prefix(b"%error ")) {
            (Some(tag), _) if tag == reply.tag => true,
            (_, Some(tag)) if tag == reply.tag => false,
            _ => {
                if reply.body.len() + line.len() < CONTROL_REPLY_BYTES {
                    reply.body.extend_from_slice(line);
                    reply.body.push(b'\n');
                }
                return;
            }
        };
        match self.reply.take() {
            Some(reply) if reply.ours => say(Message::Reply { ok, body: &reply.body }),
            // The only command that is not ours is the attach itself.
            Some(_) if ok => say(Message::Attached),
            _ => {}
        }
    }

    fn output(&mut self, pane: &[u8], data: &[u8], say: &mut impl FnMut(Message<'_>)) {
        let Some(pane) = id(pane, b'%') else { return };
        if !data.contains(&b'\\') {
            return say(Message::Output(pane, data));
        }
        self.scratch.clear();
        unescape(data, &mut self.scratch);
        say(Message::Output(pane, &self.scratch));
    }
}

/// Undoes `\ooo`: tmux writes bytes below 0x20 and the backslash so.
pub fn unescape(mut data: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = data.iter().position(|&b| b == b'\\') {
        let (plain, rest) = data.split_at(at);
        out.extend_from_slice(plain);
        match rest {
            [_, a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                data = tail;
            }
            [slash, tail @ ..] => {
                out.push(*slash);
                data = tail;
            }
            [] => return,
        }
    }
    out.extend_from_slice(data);
}

fn notification(line: &[u8]) -> Option<Message<'_>> {
    let (name, rest) = split_word(line);
    let (first, rest) = split_word(rest);
    Some(match name {
        b"%exit" => Message::Exit { crashed: line.ends_with(b"unexpectedly") },
        b"%pause" => Message::Paused(id(first, b'%')?),
        b"%pane-mode-changed" => Message::PaneMode(id(first, b'%')?),
        b"%window-pane-changed" => Message::ActivePane(id(first, b'@')?, id(rest, b'%')?),
        b"%session-window-changed" => Message::ActiveWindow(id(first, b'$')?, id(rest, b'@')?),
        b"%layout-change" => {
            let (whole, rest) = split_word(rest);
            let (visible, _) = split_word(rest);
            let visible = if visible.is_empty() { whole } else { visible };
            Message::Layout(id(first, b'@')?, visible)
        }
        b"%window-add" | b"%window-close" => Message::Windows,
        _ => return None,
    })
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.get(1..).unwrap_or_default())
}

/// `%5`, `@3` or `$2` → the number.
pub fn id(word: &[u8], sigil: u8) -> Option<u32> {
    let (first, digits) = word.split_first()?;
    (*first == sigil).then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(parts: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut said = Vec::new();
        for part in parts {
            parser.feed(part, |message| said.push(format!("{message:?}")));
        }
        said
    }

    const STREAM: &[u8] = b"%begin 1 2 0\n%end 1 2 0\n%output %5 a\\033[1m\\134\xc3\n\
        %extended-output %5 12 : \xa9 : x\\000\n%begin 1 3 1\n%output %5 not output\n%end 9 9 9\n\
        %end 1 3 1\n%begin 1 4 1\nno such\n%error 1 4 1\n%layout-change @3 b25f,80x24,0,0,2 b25f,80x24,0,0,2 *\n\
        %window-pane-changed @3 %7\n%session-window-changed $1 @4\n%pause %5\n%unknown thing\n%window-add @9\n%exit\n";

    #[test]
    fn every_kind_of_line_is_read() {
        let said = transcript(&[STREAM]);
        let expected = [
            "Attached".to_owned(),
            format!("{:?}", Message::Output(5, b"a\x1b[1m\\\xc3")),
            format!("{:?}", Message::Output(5, b"\xa9 : x\0")),
            "ReplyBegins".to_owned(),
            format!(
                "{:?}",
                Message::Reply { ok: true, body: b"%output %5 not output\n%end 9 9 9\n" }
            ),
            "ReplyBegins".to_owned(),
            format!("{:?}", Message::Reply { ok: false, body: b"no such\n" }),
            format!("{:?}", Message::Layout(3, b"b25f,80x24,0,0,2")),
            "ActivePane(3, 7)".to_owned(),
            "ActiveWindow(1, 4)".to_owned(),
            "Paused(5)".to_owned(),
            "Windows".to_owned(),
            "Exit { crashed: false }".to_owned(),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn cuts_anywhere_change_nothing() {
        let whole = transcript(&[STREAM]);
        for cut in 0..STREAM.len() {
            let (head, tail) = STREAM.split_at(cut);
            assert_eq!(transcript(&[head, tail]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_line_is_skipped_in_bounded_memory() {
        let mut parser = Parser::default();
        let mut said = 0;
        for _ in 0..100 {
            parser.feed(&[b'x'; 100_000], |_| said += 1);
            assert!(parser.line.capacity() <= CONTROL_LINE_BYTES * 2);
        }
        parser.feed(b"\n%exit\n", |message| {
            assert_eq!(message, Message::Exit { crashed: false });
            said += 1;
        });
        assert_eq!(said, 1);
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        let mut out = Vec::new();
        unescape(b"\\\\9\\01\\400\\", &mut out);
        assert_eq!(out, b"\\\\9\\01\\400\\");
    }
}
