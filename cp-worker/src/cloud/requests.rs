//! The checks of what requests about droplets carry.

use crate::requests::Name;
use serde_json::Value;

/// Longest region or size in bytes.
const SLUG_BYTES: usize = 64;

/// Bytes of a server's own name that its droplet's name begins with.
const HOST_BYTES: usize = 30;

/// Between what people read of a droplet's name and what makes it unique.
const SEPARATOR: &str = "-chatcode-";

/// Body of `POST /api/cloud/servers`.
#[derive(Debug)]
pub struct NewDroplet {
    /// What people call the server.
    pub name: String,
    /// Slug of a region.
    pub region: String,
    /// Slug of a size.
    pub size: String,
}

impl NewDroplet {
    /// Reads the body; the name is trimmed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(body: &Value) -> Result<Self, &'static str> {
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = Name { name: text("name") }.check()?;
        let (region, size) = (text("region"), text("size"));
        if is_slug(&region) && is_slug(&size) {
            Ok(Self { name, region, size })
        } else {
            Err("region and size must be ones that /api/cloud/options lists")
        }
    }
}

/// Reads the body of `POST /api/cloud/servers/:gateway_id/power`: whether it is to be on.
///
/// # Errors
/// What is wrong with it.
pub fn power(body: &Value) -> Result<bool, &'static str> {
    body.get("on").and_then(Value::as_bool).ok_or("on must be true or false")
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
    use serde_json::json;

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
            NewDroplet::read(&json!({ "name": name, "region": "ams3", "size": size }))
        };
        assert_eq!(new(" box ", "s-1").unwrap().name, "box");
        assert!(new("", "s-1").is_err() && new("box", "../../x").is_err());
        for bad in [json!({}), json!([]), json!("x"), json!({ "name": 1, "region": 2, "size": 3 })]
        {
            assert!(NewDroplet::read(&bad).is_err() && power(&bad).is_err(), "{bad}");
        }
        assert_eq!(power(&json!({ "on": false })), Ok(false));
        assert!(power(&json!({ "on": "false" })).is_err());
    }
}
