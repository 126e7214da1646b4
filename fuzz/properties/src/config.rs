//! Configuration files: whatever they say, what is accepted is inside the documented limits.

use chatcode_gateway::config::{Config, Values, read_values, tmux_socket};
use protocol::limits::is_gateway_id;

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(mut values) = read_values(&text, "gateway.env") else { return };
    // Nothing is read from this machine's own files.
    for file in ["GATEWAY_AUTH_TOKEN_FILE", "GATEWAY_CONFIG"] {
        values.remove(file);
    }
    let elsewhere = |values: &mut Values, name: &str, value: &str| {
        values.insert(name.to_owned(), value.to_owned());
    };
    elsewhere(&mut values, "GATEWAY_STATE_DIR", "/nowhere");
    let environment = |name: &str| (name == "HOME").then(|| "/nowhere".to_owned());
    if let Ok(socket) = tmux_socket(&values, environment) {
        assert!(is_gateway_id(&socket), "a socket's name is no path: {socket:?}");
    }
    match Config::load(values, environment) {
        Err(error) => assert!(!error.0.chars().any(char::is_control), "{error:?}"),
        Ok(config) => accepted(&config),
    }
}

fn accepted(config: &Config) {
    assert!(is_gateway_id(&config.gateway_id));
    assert!(is_gateway_id(&config.tmux_socket));
    assert!((1..=50).contains(&config.max_sessions) && config.health_seconds >= 1);
    assert!(config.workspace.is_absolute() && config.state_dir.is_absolute());
    assert!(!config.bearer().is_empty() && !config.bearer().contains('\n'));
    let url = &config.cp_url;
    let loopback = url.host == "localhost"
        || url.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    assert!(url.secure || loopback, "a plain connection to {}", url.host);
    assert!(url.full.ends_with(&format!("/{}", config.gateway_id)), "{}", url.full);
    let plain = url.full.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(plain, "what is sent as a request line holds no blank or control: {:?}", url.full);
}
