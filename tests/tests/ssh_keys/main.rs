//! SSH keys from the control plane to a real sshd: who gets in, who no longer does, and what stays
//! of the file that they stand in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod file;
mod kill;
mod logins;
mod sshd;

use integration::fixture::Stage;
use integration::mock_cp::MockCp;
use protocol::commands::{SshAuthorize, SshList, SshRevoke};
use protocol::events::{AckError, Event, SshKey};
use sshd::{Host, Pair};

/// A host, and a gateway in its home.
struct World {
    stage: Stage,
    host: Host,
}

impl World {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(environment: &[(&str, &str)]) -> Self {
        let host = Host::start();
        let home = host.home.path().to_string_lossy().into_owned();
        let environment = [&[("HOME", home.as_str())], environment].concat();
        Self { stage: Stage::with(MockCp::new(), &environment), host }
    }

    fn authorize(
        &mut self,
        public_key: &str,
        label: &str,
        expires_at: Option<u64>,
    ) -> Result<(), AckError> {
        let (public_key, label) = (public_key.to_owned(), label.to_owned());
        self.stage.request(SshAuthorize { public_key, label, expires_at }).map(|_| ())
    }

    fn revoke(&mut self, pair: &Pair) -> Result<(), AckError> {
        let fingerprint = pair.fingerprint.clone();
        self.stage.request(SshRevoke { fingerprint }).map(|_| ())
    }

    fn list(&mut self) -> Vec<SshKey> {
        let caused = self.stage.request(SshList {}).expect("listed");
        let [Event::SshKeys(list)] = caused.as_slice() else { panic!("{caused:?}") };
        list.keys.clone()
    }
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
}
