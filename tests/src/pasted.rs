//! A home of its own on this machine, in which the line of a server's page is pasted.

use crate::tempdir::TempDir;
use crate::tmux::Tmux;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Command, Output, Stdio};

/// Somebody's home. What the line has started in it ends with it.
pub struct Home {
    /// Their private tmux server.
    pub tmux: Tmux,
    folder: TempDir,
}

/// What a line has come to.
#[derive(Debug)]
pub struct Pasted {
    /// Whether it succeeded.
    pub done: bool,
    /// All that it printed.
    pub said: String,
}

impl Home {
    /// An empty home.
    pub fn new() -> Self {
        let folder = TempDir::new();
        Self { tmux: Tmux::new("chatcode", folder.path()), folder }
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What stands in a file; empty when there is none.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// Runs a line in a shell, with the gateway that was built here in the place of a download.
    pub fn paste(&self, line: &str) -> Pasted {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path())
            .env("TMUX_TMPDIR", self.path())
            .env("CHATCODE_BINARY", crate::gateway::binary())
            .current_dir(self.path())
            .stdin(Stdio::null());
        let Output { status, stdout, stderr } = command.output().expect("sh runs");
        let said = [stdout, stderr].concat();
        Pasted { done: status.success(), said: String::from_utf8_lossy(&said).into_owned() }
    }

    /// The process that the line has left in the background.
    pub fn pid(&self) -> Option<i32> {
        self.read(".local/state/chatcode/gateway.pid").trim().parse().ok()
    }

    /// Ends the gateway, as a restart of the machine does.
    pub fn kill(&self) {
        if let Some(pid) = self.pid().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.kill();
        self.tmux.kill_server();
    }
}
