//! Answers to the upgrade: in any pieces they mean the same, and an endless head is not kept.

use chatcode_gateway::config::CpUrl;
use chatcode_gateway::link::handshake::Handshake;
use chatcode_gateway::link::policy::Ending;

/// A head may be this long, and one read longer.
const HEAD_BYTES: usize = chatcode_gateway::limits::UPGRADE_HEAD_BYTES;

/// In the corpus, stands for the digest that fits this upgrade's random key.
const DIGEST: &str = "DIGEST";

pub(crate) fn check(bytes: &[u8]) {
    let (sizes, answer) = bytes.split_at(bytes.len().min(4));
    let url = CpUrl::read("wss://example.org/gateway", "pi-4").expect("a URL");
    let handshake = Handshake::new(&url, "secret").expect("a request");
    let answer = match std::str::from_utf8(answer) {
        Ok(text) => text.replace(DIGEST, handshake.expected_digest()).into_bytes(),
        Err(_) => answer.to_vec(),
    };
    let (mut whole, mut parts) = (handshake.clone(), handshake);
    let at_once = whole.receive(&answer);
    let mut left = answer.len();
    let mut in_pieces = Ok(None);
    for piece in crate::pieces(sizes, &answer) {
        left -= piece.len();
        in_pieces = parts.receive(piece);
        if !matches!(in_pieces, Ok(None)) {
            break;
        }
    }
    let after = answer.get(answer.len() - left..).expect("what was not given");
    match (at_once, in_pieces) {
        (Ok(None), Ok(None)) => assert!(answer.len() <= HEAD_BYTES, "{} bytes kept", answer.len()),
        (Ok(Some(rest)), Ok(Some(begun))) => assert_eq!(rest, [&begun, after].concat()),
        (Err(Ending::Status(one, _)), Err(Ending::Status(other, _))) => assert_eq!(one, other),
        (Err(Ending::Failed(_)), Err(Ending::Failed(_))) => {}
        // Beyond the bound it depends on the pieces whether the end was still seen.
        (one, other) => assert!(answer.len() > HEAD_BYTES, "{one:?} at once, {other:?} in pieces"),
    }
}
