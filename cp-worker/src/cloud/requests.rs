//! The checks of what requests about droplets carry.

use crate::requests::Name;
use serde::Deserialize;

/// Longest region or size in bytes.
const SLUG_BYTES: usize = 64;

/// Bytes of a server's own name that its droplet's name begins with.
const HOST_BYTES: usize = 30;

/// Between what people read of a droplet's name and what makes it unique.
const SEPARATOR: &str = "-chatcode-";

/// Body of `POST /api/cloud/servers`.
#[derive(Debug, Deserialize)]
pub struct NewDroplet {
    /// What people call the server.
    pub name: String,
    /// Slug of a region.
    pub region: String,
    /// Slug of a size.
    pub size: String,
}

impl NewDroplet {
    /// The request with its name trimmed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(mut self) -> Result<Self, &'static str> {
        self.name = Name { name: self.name }.check()?;
        if is_slug(&self.region) && is_slug(&self.size) {
            Ok(self)
        } else {
            Err("region and size must be ones that /api/cloud/options lists")
        }
    }
}

/// Body of `POST /api/cloud/servers/:gateway_id/power`.
#[derive(Debug, Deserialize)]
pub struct Power {
    /// Whether it is to be on.
    pub on: bool,
}

/// Whether `text` can stand in an address of DigitalOcean's as it is.
pub fn is_slug(text: &str) -> bool {
    (1..=SLUG_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The name of a server's droplets, to which the attempt is added. It is a host name, it reads like
/// the server's own, and no other server has it.
pub fn droplet_name(name: &str, gateway_id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let mut host = String::new();
    for c in name.chars().map(plain) {
        if host.len() < HOST_BYTES && !(c == '-' && (host.is_empty() || host.ends_with('-'))) {
            host.push(c);
        }
    }
    let host = host.trim_end_matches('-');
    let host = if host.is_empty() { "server" } else { host };
    let id: String = gateway_id.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{host}{SEPARATOR}{}", id.strip_prefix("gw").unwrap_or(&id))
}

/// What the machine calls itself: the part of its droplet's name that reads like the server's.
pub fn host_of(droplet_name: &str) -> &str {
    droplet_name.rsplit_once(SEPARATOR).map_or(droplet_name, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn droplets_are_named_like_hosts() {
        for (name, droplet) in [
            ("Büro / 2nd Box!", "b-ro-2nd-box-chatcode-0f"),
            ("--", "server-chatcode-0f"),
            ("日本", "server-chatcode-0f"),
            ("a", "a-chatcode-0f"),
        ] {
            assert_eq!(droplet_name(name, "gw_0f"), droplet);
            assert_eq!(format!("{}-chatcode-0f", host_of(droplet)), droplet);
        }
        let long = droplet_name(&"x".repeat(64), "gw_0123456789abcdef0123");
        // With the attempt it is still one label of a host name.
        assert_eq!(long.len(), HOST_BYTES + 10 + 20);
        assert!(long.len() < 63 - 2);
    }

    #[test]
    fn slugs_are_nothing_else() {
        for good in ["ams3", "s-1vcpu-1gb", "0"] {
            assert!(is_slug(good));
        }
        for bad in ["", "AMS3", "a/b", "a b", "a.b", "é", &"x".repeat(65)] {
            assert!(!is_slug(bad), "{bad}");
        }
        let new = |name: &str, size: &str| {
            NewDroplet { name: name.into(), region: "ams3".into(), size: size.into() }.check()
        };
        assert_eq!(new(" box ", "s-1").unwrap().name, "box");
        assert!(new("", "s-1").is_err() && new("box", "../../x").is_err());
    }
}
