//! `https` addresses and where a redirect leads.

/// Longest address in bytes: signed addresses of object stores have about two thousand.
const URL_BYTES: usize = 4 * 1024;

/// An `https` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, 443 filled in.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
}

impl Url {
    /// Reads `https://host[:port][/path][?query]`; a fragment is dropped.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{text:.200}: {why}"));
        if text.len() > URL_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("an address is at most 4096 characters of plain ASCII");
        }
        let Some(rest) = text.strip_prefix("https://") else {
            return wrong("only https:// is accepted");
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => match port.parse() {
                Ok(port) => (host, port),
                Err(_) => return wrong("the port is a number up to 65535"),
            },
            _ => (authority, 443),
        };
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || host.contains(['@', '[', ']']) {
            return wrong("it needs a host, and neither user nor password");
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { host: host.to_owned(), port, path })
    }

    /// What the `Host` header says.
    pub fn authority(&self) -> String {
        let host = &self.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }

    /// Where `location` leads from here.
    ///
    /// # Errors
    /// When that is no `https` address.
    pub fn follow(&self, location: &str) -> Result<Self, String> {
        let scheme = location.split(['/', '?', '#']).next().unwrap_or_default();
        if scheme.contains(':') {
            return Self::read(location);
        }
        if location.starts_with("//") {
            return Self::read(&format!("https:{location}"));
        }
        let folder = self.path.split('?').next().unwrap_or_default();
        let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match location.starts_with('/') {
            true => location.to_owned(),
            false => format!("{folder}/{location}"),
        };
        Self::read(&format!("https://{}{path}", self.authority()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: Result<Url, String>) -> String {
        url.map_or_else(|why| why, |url| format!("{} {} {}", url.host, url.port, url.path))
    }

    #[test]
    fn addresses_are_read() {
        for (text, wanted) in [
            ("https://h", "h 443 /"),
            ("https://h:8443/a/b?c=d#e", "h 8443 /a/b?c=d"),
            ("https://h?q", "h 443 /?q"),
            ("https://[::1]:1/x", "::1 1 /x"),
        ] {
            assert_eq!(shown(Url::read(text)), wanted);
        }
        for text in [
            "http://h/",
            "HTTPS://h/",
            "h/x",
            "https://",
            "https:///x",
            "https://u:p@h/",
            "https://h:x/",
            "https://h:99999/",
            "https://h/a b",
            "https://h/\u{e4}",
            "https://h/\r\nX: y",
            &format!("https://h/{}", "x".repeat(URL_BYTES)),
        ] {
            assert!(Url::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn redirects_stay_with_https() {
        let from = Url::read("https://h:1/a/b?c=/d").expect("an address");
        for (location, wanted) in [
            ("https://other/x", "other 443 /x"),
            ("//other:2/x", "other 2 /x"),
            ("/x?y", "h 1 /x?y"),
            ("x/y", "h 1 /a/x/y"),
            ("x?to=http://z", "h 1 /a/x?to=http://z"),
        ] {
            assert_eq!(shown(from.follow(location)), wanted);
        }
        for location in ["http://h:1/a", "ftp://h/", "javascript:x", "file:/etc/passwd"] {
            assert!(from.follow(location).is_err(), "{location}");
        }
    }
}
