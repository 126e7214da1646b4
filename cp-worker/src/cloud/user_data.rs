//! What a new droplet does by itself: the text for cloud-init, with this server's values filled in.

/// What the droplet runs.
pub const IMAGE: &str = "ubuntu-24-04-x64";

/// The text with its places: `@ORIGIN@`, `@GATEWAY_ID@`, `@TOKEN@` and `@HOSTNAME@`.
const TEMPLATE: &str = include_str!("../../../deploy/cloud-init.yaml");

/// The text for one droplet; `None` when a value could mean something to YAML or to a shell. What
/// ours are made of cannot.
pub fn user_data(origin: &str, gateway_id: &str, token: &str, hostname: &str) -> Option<String> {
    let plain = |text: &str, also: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
    };
    let scheme = origin.starts_with("https://") || origin.starts_with("http://");
    let fits = scheme
        && plain(origin, b":/.-[]")
        && plain(gateway_id, b"_-")
        && plain(token, b"_-")
        && plain(hostname, b"-");
    fits.then(|| {
        TEMPLATE
            .replace("@ORIGIN@", origin)
            .replace("@GATEWAY_ID@", gateway_id)
            .replace("@TOKEN@", token)
            .replace("@HOSTNAME@", hostname)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_are_filled_in_and_nothing_else_is_left() {
        let text = user_data("https://cp.example:8443", "gw_0f", "tok-en_1", "box").unwrap();
        assert!(text.starts_with("#cloud-config\n") && !text.contains('@'), "{text}");
        for value in ["https://cp.example:8443/install.sh", "gw_0f", "tok-en_1", "hostname: box"] {
            assert!(text.contains(value), "{value}");
        }
        // DigitalOcean takes 64 KiB.
        assert!(text.len() < 16 * 1024);
    }

    #[test]
    fn what_means_something_to_a_shell_is_refused() {
        let fill = |origin, token| user_data(origin, "gw_0f", token, "box");
        assert!(fill("http://127.0.0.1:8787", "t").is_some());
        for origin in
            ["", "cp.example", "https://x'y", "https://x y", "https://x\nruncmd:", "https://$x"]
        {
            assert!(fill(origin, "t").is_none(), "{origin}");
        }
        for token in ["", "a b", "a'b", "a;b", "a$b", "a\nb", "a`b"] {
            assert!(fill("https://x", token).is_none(), "{token}");
        }
    }
}
