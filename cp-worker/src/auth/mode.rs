//! How people sign in, and the refusal to run the developers' way anywhere but at home.

/// How people sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a link that is mailed to them.
    Email,
    /// By naming any address; for development on one machine only.
    Dev,
}

impl Mode {
    /// The name in bindings and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Dev => "dev",
        }
    }

    /// Reads `AUTH_MODE` for a Worker that is reached as `origin`.
    ///
    /// # Errors
    /// An unknown mode, or the development mode on an origin that is not this machine's own.
    pub fn read(binding: Option<&str>, origin: &str) -> Result<Self, String> {
        match binding.unwrap_or("email") {
            "email" => Ok(Self::Email),
            "dev" if is_loopback(origin) => Ok(Self::Dev),
            "dev" => Err(format!(
                "AUTH_MODE=dev lets anybody in; it works on a loopback origin only, not {origin}"
            )),
            other => Err(format!("AUTH_MODE is dev or email, not {other}")),
        }
    }
}

/// Whether secrets may be sent to an origin: over https, or without leaving this machine.
pub fn is_trusted(origin: &str) -> bool {
    origin.starts_with("https://") || is_loopback(origin)
}

/// Whether a text is an origin as browsers send it, so that the two can be compared.
pub fn is_origin(text: &str) -> bool {
    let fits =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']');
    ["https://", "http://"].iter().any(|scheme| {
        text.strip_prefix(scheme).is_some_and(|host| !host.is_empty() && host.bytes().all(fits))
    })
}

/// Whether an origin names this machine.
pub fn is_loopback(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    match host {
        "localhost" | "[::1]" => true,
        _ => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_mode_stays_at_home() {
        for origin in ["http://127.0.0.1:8787", "http://localhost", "http://[::1]:80"] {
            assert_eq!(Mode::read(Some("dev"), origin), Ok(Mode::Dev), "{origin}");
        }
        for origin in [
            "https://chatcode.example",
            "http://127.0.0.1.example.org",
            "http://localhost.example",
            "http://10.0.0.1",
            "127.0.0.1",
        ] {
            assert!(Mode::read(Some("dev"), origin).is_err(), "{origin}");
            assert_eq!(Mode::read(None, origin), Ok(Mode::Email));
        }
        assert!(Mode::read(Some("none"), "http://localhost").is_err());
    }

    #[test]
    fn secrets_go_over_https_or_nowhere() {
        assert!(is_trusted("https://api.example.com") && is_trusted("http://127.0.0.1:9"));
        for origin in ["http://api.example.com", "http://127.0.0.1@evil.example", "ftp://localhos"]
        {
            assert!(!is_trusted(origin), "{origin}");
        }
        for origin in ["http://127.0.0.1:80@evil.example", "httpss://evil.example", ""] {
            assert!(!is_trusted(origin), "{origin}");
        }
    }

    #[test]
    fn an_origin_is_what_browsers_send() {
        for origin in ["https://chatcode.example", "http://127.0.0.1:8787", "http://[::1]:80"] {
            assert!(is_origin(origin), "{origin}");
        }
        for text in [
            "",
            "chatcode.example",
            "https://",
            "https://chatcode.example/",
            "https://Chatcode.example",
            "https://a b",
            "https://chatcode.example?x",
            "https://ada@chatcode.example",
            "ftp://chatcode.example",
        ] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
