//! tmux's control mode: cuts change nothing, nothing grows, only what was announced ends a reply.

use crate::pieces;
use chatcode_gateway::tmux::parser::{Message, Parser, unescape};

pub(crate) fn check(bytes: &[u8]) {
    let sizes = bytes.get(..4).unwrap_or_default();
    let whole = transcript(std::iter::once(bytes));
    assert_eq!(transcript(pieces(sizes, bytes)), whole, "cuts anywhere change nothing");
    let mut plain = Vec::new();
    unescape(bytes, &mut plain);
    assert!(plain.len() <= bytes.len(), "undoing escapes never grows");
    if !bytes.contains(&b'\\') {
        assert_eq!(plain, bytes);
    }
}

fn transcript<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut parser = Parser::default();
    let mut said = Vec::new();
    let (mut fed, mut handed, mut begun) = (0, 0, 0_usize);
    for part in parts {
        fed += part.len();
        parser.feed(part, |message| {
            match &message {
                Message::Output(_, data) => handed += data.len(),
                Message::ReplyBegins => begun += 1,
                Message::Reply { body, .. } => {
                    handed += body.len();
                    begun = begun.checked_sub(1).expect("a reply begins before it ends");
                }
                _ => {}
            }
            said.push(format!("{message:?}"));
        });
        assert!(handed <= fed, "no byte is handed out twice");
        assert!(begun <= 1, "one reply at a time");
    }
    said
}
