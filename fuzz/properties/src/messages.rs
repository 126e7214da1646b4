//! JSON of commands and events: what is read can be written and is read the same again.

use protocol::commands::{self, Incoming};
use protocol::envelope::peek;
use protocol::events;
use protocol::limits::REQUEST_ID_BYTES;

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let head = peek(&text);
    if let Some(id) = head.as_ref().and_then(|head| head.request_id.as_ref()) {
        assert!((1..=REQUEST_ID_BYTES).contains(&id.len()));
    }
    match commands::decode(&text) {
        Incoming::Command { request_id, command } => {
            let head = head.as_ref().expect("a command has a head");
            assert_eq!(head.kind.as_deref(), Some(command.name()));
            let again = commands::decode(&command.to_json(request_id.as_deref()));
            assert_eq!(again, Incoming::Command { request_id, command });
        }
        Incoming::Refused { request_id, code, message } => {
            let head = head.as_ref().expect("who is refused has an id");
            assert_eq!(head.request_id.as_deref(), Some(request_id.as_str()));
            // The refusal itself is an event of the contract, whatever the command was called.
            let nack = chatcode_gateway::session::nack(&request_id, code, &message);
            assert!(events::decode(&nack).is_some(), "{nack}");
        }
        Incoming::Dropped(_) => {}
    }
    if let Some((request_id, event)) = events::decode(&text) {
        let written = event.to_json(request_id.as_deref());
        let again = events::decode(&written).expect("what is written can be read");
        // Compared as text: a number such as 1e999 is not equal to itself.
        assert_eq!(again.1.to_json(again.0.as_deref()), written);
    }
}
