//! Updates: what is accepted is inside the contract, and a body is the same however it was cut.
//!
//! The input is a text (a manifest, a signature, a record, where a redirect leads), then an answer
//! of a server and the sizes of the pieces that it comes in.

use chatcode_gateway::identity::OWN;
use chatcode_gateway::update::attempt::Record;
use chatcode_gateway::update::fetch::{Head, read_head};
use chatcode_gateway::update::url::Url;
use chatcode_gateway::update::{manifest, signature};
use protocol::limits::UPDATE_BYTES;

pub(crate) fn check(bytes: &[u8]) {
    let mut parts = bytes.split(|&byte| byte == crate::PART);
    let mut part = || parts.next().unwrap_or_default();
    let text = String::from_utf8_lossy(part());
    if let Ok((_, manifest)) = manifest::read(&text) {
        let numbers = manifest.version.split('.').map(|number| number.parse::<u32>().is_ok());
        assert_eq!(numbers.collect::<Vec<bool>>(), [true; 3], "{}", manifest.version);
        assert!((1..=UPDATE_BYTES).contains(&manifest.size));
        plain(&manifest.url);
    }
    assert!(signature::verify(OWN.update_key, b"x", &text).is_err(), "nobody can sign");
    assert!(manifest::accept(&OWN, &text, &text).is_err(), "nothing is accepted unsigned");
    if let Some(record) = Record::decode(&text) {
        let again = Record::decode(&record.encode()).expect("a record");
        assert_eq!((&again.version, &again.request_id), (&record.version, &record.request_id));
    }
    let from = Url::read("https://h:1/a/b?c").expect("an address");
    for url in [Url::read(&text), from.follow(&text)].into_iter().flatten() {
        plain(&url);
        let again = Url::read(&format!("https://{}{}", url.authority(), url.path));
        assert_eq!(again.as_ref(), Ok(&url));
    }
    let (answer, sizes) = (part(), part());
    if let Ok(Some((head, length))) = read_head(answer, &from) {
        let body = answer.get(length..).expect("the head is at the front");
        match head {
            Head::Interim => {}
            Head::Elsewhere(url) => plain(&url),
            Head::Body(_) => {
                let framing = || match read_head(answer, &from) {
                    Ok(Some((Head::Body(framing), _))) => framing,
                    other => panic!("another answer: {other:?}"),
                };
                let whole = read(framing(), std::iter::once(body));
                let pieces = read(framing(), crate::pieces(sizes, body));
                assert_eq!(whole, pieces);
            }
        }
    }
}

/// The body and whether it was complete; what came before an error does not count.
fn read<'a>(
    mut framing: chatcode_gateway::update::body::Framing,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, bool), String> {
    let mut body = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() && !framing.is_over() {
            body.extend_from_slice(framing.take(&mut piece)?);
        }
    }
    Ok((body, framing.is_over()))
}

/// What is written into a request holds no blank and no line end.
fn plain(url: &Url) {
    let text = format!("{}{}", url.authority(), url.path);
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    assert!(url.path.starts_with('/') && !url.host.is_empty(), "{url:?}");
}
