//! How a downloaded file is named in its answer (RFC 6266).

/// What stands between the quotes of a plain `filename` without being escaped.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%')
}

/// What a byte of `filename*` may be without an escape (`attr-char` of RFC 8187).
fn is_attr(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte)
}

/// The value of `Content-Disposition` for the file at `path`: its own name, in ASCII for those who
/// know nothing else and as it is for all others.
pub fn disposition(path: &str) -> String {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        match byte {
            byte if is_attr(byte) => exact.push(char::from(byte)),
            byte => exact.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_without_breaking_the_header() {
        assert_eq!(
            disposition("a/b c.txt"),
            "attachment; filename=\"b c.txt\"; filename*=UTF-8''b%20c.txt"
        );
        assert_eq!(
            disposition("naïve \"x\"\r\nSet-Cookie: 1%41\\.png"),
            "attachment; filename=\"na_ve _x___Set-Cookie: 1_41_.png\"; \
             filename*=UTF-8''na%C3%AFve%20%22x%22%0D%0ASet-Cookie%3A%201%2541%5C.png"
        );
        assert_eq!(disposition("x/"), "attachment; filename=\"x\"; filename*=UTF-8''x");
    }
}
