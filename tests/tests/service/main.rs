//! The gateway as a service: units, notifications, signals, and a real systemd that keeps it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod files;
mod install;
mod notify;
mod reload;
mod systemd;

use integration::gateway::{AUTH_TOKEN, GATEWAY_ID, Gateway};
use integration::mock_cp::MockCp;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Variables of a test's gateway that a file of settings is to have instead.
const SETTINGS: [&str; 8] = [
    "GATEWAY_ID",
    "GATEWAY_CP_URL",
    "GATEWAY_AUTH_TOKEN",
    "GATEWAY_WORKSPACE",
    "GATEWAY_STATE_DIR",
    "GATEWAY_TMUX_SOCKET",
    "GATEWAY_LOG_LEVEL",
    "GATEWAY_LOG_FORMAT",
];

/// A file of settings for a gateway's place.
struct Settings {
    path: PathBuf,
    values: BTreeMap<&'static str, String>,
}

impl Settings {
    /// Those of `gateway`, whose control plane is `cp`.
    fn new(gateway: &Gateway, cp: &MockCp) -> Self {
        let home = &gateway.home;
        let folder = home.join(".config/chatcode");
        std::fs::create_dir_all(&folder).expect("a folder");
        let shown = |name: &str| home.join(name).to_string_lossy().into_owned();
        let values = [
            ("GATEWAY_ID", GATEWAY_ID.to_owned()),
            ("GATEWAY_CP_URL", cp.url()),
            ("GATEWAY_AUTH_TOKEN", AUTH_TOKEN.to_owned()),
            ("GATEWAY_WORKSPACE", shown("workspace")),
            ("GATEWAY_STATE_DIR", shown("state")),
            ("GATEWAY_TMUX_SOCKET", gateway.tmux.socket().to_owned()),
        ];
        let settings = Self { path: folder.join("gateway.env"), values: BTreeMap::from(values) };
        settings.write();
        settings
    }

    /// Changes one.
    fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.insert(name, value.into());
        self.write();
    }

    fn write(&self) {
        let lines = self.values.iter().map(|(name, value)| format!("{name}={value}\n"));
        std::fs::write(&self.path, lines.collect::<String>()).expect("written");
    }
}
