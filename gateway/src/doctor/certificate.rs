//! Until when a certificate is valid: the one field of X.509 that TLS itself does not tell.

use super::times::asn1;

/// ASN.1 tags that stand before the validity.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Unix seconds after which `der` is not valid any more. `None` when it cannot be read.
pub fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate, _) = element(der, Some(SEQUENCE))?;
    let (_, signed, _) = element(certificate, Some(SEQUENCE))?;
    // Version (if it is told), serial number, algorithm, issuer, validity.
    let (tag, _, after_version) = element(signed, None)?;
    let mut rest = if tag == VERSION { after_version } else { signed };
    for _ in 0..3 {
        rest = element(rest, None)?.2;
    }
    let (_, validity, _) = element(rest, Some(SEQUENCE))?;
    let (_, _, after) = element(validity, None)?;
    let (_, time, _) = element(after, None)?;
    asn1(time)
}

/// Splits off the first element: its tag, its content, and what follows it.
fn element(bytes: &[u8], wanted: Option<u8>) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The next bytes, as many as the low bits say, are the length.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    wanted.is_none_or(|wanted| wanted == tag).then_some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_behind_what_stands_before_it() {
        let of = |tag: u8, parts: &[&[u8]]| {
            let content = parts.concat();
            let length = u8::try_from(content.len()).expect("short");
            [&[tag, 0x81, length], content.as_slice()].concat()
        };
        let validity =
            of(SEQUENCE, &[&of(0x17, &[b"940101000000Z"]), &of(0x17, &[b"941106084937Z"])]);
        let before = [of(2, &[&[7; 130]]), of(SEQUENCE, &[]), of(SEQUENCE, &[])].concat();
        for version in [of(VERSION, &[&[2, 1, 2]]), Vec::new()] {
            let signed = of(SEQUENCE, &[&version, &before, &validity]);
            let der = of(SEQUENCE, &[&signed, b"signature"]);
            assert_eq!(not_after(&der), Some(784_111_777));
            for end in 0..der.len() {
                assert_eq!(not_after(&der[..end]), None);
            }
        }
    }
}
