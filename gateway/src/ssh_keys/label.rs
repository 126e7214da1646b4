//! What people call a key: any words, encoded so that nothing in them can matter to sshd.

use protocol::limits::KEY_LABEL_CHARS;

/// Checks a label. It is kept and listed exactly as it is.
///
/// # Errors
/// What is wrong with it.
pub fn check(label: &str) -> Result<(), String> {
    // Line and paragraph separators are line ends to some programs that show the file.
    if label.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err("the label has a line break or another control character".to_owned());
    }
    if label.trim().is_empty() {
        return Err("the label is empty: say whose key it is".to_owned());
    }
    if label.chars().count() > KEY_LABEL_CHARS {
        return Err(format!("the label is longer than {KEY_LABEL_CHARS} characters"));
    }
    Ok(())
}

/// Percent-encodes all but letters, digits and a few marks that mean nothing anywhere.
pub fn encode(label: &str) -> String {
    let mut text = String::new();
    for &byte in label.as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The reverse of [`encode`]. `None` when it is no encoded label.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        rest = more;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, more) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_as_they_were_and_are_one_harmless_word() {
        for label in ["laptop", "Ana's \"big\" Mac: 100 %", " é 漢字 🔑 ", "#,\\$(id)`;*", "%41"]
        {
            check(label).expect(label);
            let encoded = encode(label);
            assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@%".contains(&b)));
            assert_eq!(decode(&encoded).as_deref(), Some(label));
        }
        for text in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn line_breaks_controls_and_emptiness_are_refused() {
        for label in [
            "a\nb",
            "a\rb",
            "a\0b",
            "a\u{7f}",
            "a\u{85}",
            "a\u{9b}",
            "\u{2028}",
            "a\u{2029}",
            "",
            " ",
            "\u{a0}",
            "\t",
        ] {
            check(label).expect_err(label);
        }
        check(&"é".repeat(KEY_LABEL_CHARS)).expect("as long as allowed");
        check(&"é".repeat(KEY_LABEL_CHARS + 1)).expect_err("longer");
    }
}
