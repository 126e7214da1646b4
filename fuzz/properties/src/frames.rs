//! Binary frames and base64: what is read is written again as it was.

use protocol::frame::{Frame, HEADER_BYTES, Kind, header};
use protocol::limits::{FILE_CHUNK_BYTES, OUTPUT_FRAME_BYTES};
use protocol::{BASE64, Engine as _, seq};

pub(crate) fn check(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(frame.encode(), bytes);
        let limit = match frame.kind {
            Kind::Output => OUTPUT_FRAME_BYTES,
            Kind::FileChunk => FILE_CHUNK_BYTES,
        };
        assert!(frame.payload.len() <= limit);
        assert_eq!(header(frame.kind, frame.id, frame.seq), bytes[..HEADER_BYTES]);
        positions(frame.id, frame.seq);
    }
    assert_eq!(BASE64.decode(BASE64.encode(bytes)).as_deref(), Ok(bytes));
    let text = String::from_utf8_lossy(bytes);
    let decoded = BASE64.decode(text.as_bytes()).ok();
    assert_eq!(decoded.as_ref().map(Vec::len), cp_worker::hub::messages::decoded_len(&text));
    let guess = cp_worker::hub::messages::encoded_len(&text);
    if let Some(decoded) = decoded {
        assert_eq!(BASE64.encode(&decoded), text, "one text for the same bytes");
        assert_eq!(guess, decoded.len(), "its length is known without decoding");
    }
}

/// Serial-number arithmetic is antisymmetric, and a wire position is found near any offset.
fn positions(a: u32, b: u32) {
    let (there, back) = (seq::distance(a, b), seq::distance(b, a));
    assert_eq!(there.wrapping_neg(), back);
    assert!(!(seq::is_before(a, b) && seq::is_before(b, a)));
    let near = u64::from(a) << 8;
    if let Some(wide) = seq::widen(near, b) {
        assert_eq!(seq::narrow(wide), b);
        assert!(wide.abs_diff(near) <= 1 << 31, "{near} {wide}");
    }
}
