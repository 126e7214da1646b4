//! A gateway of version 0.1.0 that can be updated, its control plane, and a server of releases.

use super::release::{self, Key, Kind, Manifest};
use super::server::Server;
use integration::fixture::Stage;
use integration::gateway::Gateway;
use integration::mock_cp::MockCp;
use integration::{PATIENCE, eventually};
use protocol::commands::{GatewayUpdate, GatewayWatch};
use protocol::events::{AckError, Event};
use std::path::PathBuf;

/// The version that runs first.
pub(crate) const OLD: &str = "0.1.0";

/// The version that it is updated to.
pub(crate) const NEW: &str = "0.2.0";

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Updated(String),
    /// Code and message.
    Failed(String, String),
}

pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) key: Key,
    pub(crate) server: Server,
}

impl Scene {
    /// A new version is confirmed after a second, and given up when it has no link after eight.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(environment: &[(&str, &str)]) -> Self {
        Self::at("bin/chatcode-gateway", environment)
    }

    /// The binary is at `path` in the home.
    pub(crate) fn at(path: &str, environment: &[(&str, &str)]) -> Self {
        let (cp, key, server) = (MockCp::new(), Key::new(), Server::new());
        let mut gateway = Gateway::new(&cp.url());
        let binary = gateway.home.join(path);
        release::build(&binary, OLD, &key, "none");
        gateway.set_binary(binary);
        gateway.trust(&server.roots);
        let times = [("GATEWAY_UPDATE_CONFIRM_SECONDS", "1"), ("GATEWAY_UPDATE_LINK_SECONDS", "8")];
        for (name, value) in times.iter().chain(environment) {
            gateway.set(name, value);
        }
        gateway.run();
        let link = cp.accept();
        let scene = Self { stage: Stage { link, gateway, cp }, key, server };
        assert_eq!(scene.version(), OLD);
        scene
    }

    /// The version that the present connection's hello named.
    pub(crate) fn version(&self) -> String {
        self.stage.hello.as_ref().expect("hello").version.clone()
    }

    /// Serves a binary of `version`; its manifest.
    pub(crate) fn offer(&self, version: &str, fault: &str) -> Manifest {
        let bytes = release::built(version, &self.key, fault);
        let path = format!("/{version}-{fault}");
        self.server.put_file(&path, &bytes);
        Manifest::new(version, &self.server.url(&path), &bytes)
    }

    /// Asks for an update, properly signed.
    pub(crate) fn ask(&mut self, manifest: &Manifest) -> Result<(), AckError> {
        let signature = self.key.sign(manifest.json(), Kind::Prehashed);
        self.ask_raw(manifest.json(), signature)
    }

    /// Updates to [`NEW`], which is well.
    pub(crate) fn take_over(&mut self) {
        let manifest = self.offer(NEW, "none");
        self.ask(&manifest).expect("accepted");
        self.stage.reconnect();
        assert_eq!(self.version(), NEW);
    }

    pub(crate) fn ask_raw(&mut self, manifest: String, signature: String) -> Result<(), AckError> {
        self.stage.request(GatewayUpdate { manifest, signature }).map(|_| ())
    }

    /// What the gateway tells of the update, on the present connection. Saying something lets it
    /// know that it is heard.
    pub(crate) fn outcome(&mut self) -> Outcome {
        self.stage.request(GatewayWatch { on: true }).expect("acked");
        self.stage.event("the outcome of the update", |event| match event {
            Event::GatewayUpdated(updated) => Some(Outcome::Updated(updated.version.clone())),
            Event::GatewayUpdateFailed(failed) => {
                Some(Outcome::Failed(failed.code.clone(), failed.message.clone()))
            }
            _ => None,
        })
    }

    /// The code and words of a failure.
    pub(crate) fn failure(&mut self) -> (String, String) {
        match self.outcome() {
            Outcome::Failed(code, message) => (code, message),
            other => panic!("{other:?}"),
        }
    }

    /// The pid that the shell of session 1 says it has.
    pub(crate) fn shell_pid(&mut self) -> Vec<u8> {
        self.stage.type_in(1, "echo pid:$$:\r");
        self.stage.expect(1, "\rpid:");
        self.stage.expect(1, ":")
    }

    pub(crate) fn binary(&self) -> PathBuf {
        self.stage.gateway.home.join("bin/chatcode-gateway")
    }

    /// What lies where the binary does, and the record.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.stage.gateway.home.join("bin")).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().expect("UTF-8")).collect();
        let records = ["update", "update.new"].into_iter();
        names.extend(
            records
                .filter(|name| self.stage.gateway.home.join("state").join(name).exists())
                .map(str::to_owned),
        );
        names.sort();
        names
    }

    /// Waits until nothing but `wanted` lies there.
    pub(crate) fn expect_left(&mut self, wanted: &[&str]) {
        // The record goes when the control plane has spoken after the outcome.
        self.stage.request(GatewayWatch { on: false }).expect("acked");
        eventually(&format!("only {wanted:?}"), PATIENCE, || (self.left() == wanted).then_some(()));
    }
}
