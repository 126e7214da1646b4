//! The floor below the floor: a program on a raw pseudo-terminal, without tmux.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long output may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program and the other end of its terminal.
pub struct Pty {
    program: Child,
    keys: File,
    output: Receiver<(Instant, Vec<u8>)>,
}

impl Pty {
    /// Runs a shell's command line on a terminal of its own.
    pub fn start(command: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("the terminal is ours");
        unlockpt(&master).expect("the terminal is unlocked");
        let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let terminal = || OpenOptions::new().read(true).write(true).open(path).expect("opened");
        let program = Command::new("sh")
            .args(["-c", command])
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .expect("a shell");
        let keys = File::from(master);
        let mut reader = keys.try_clone().expect("a second handle");
        let (found, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if found.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
        });
        Self { program, keys, output }
    }

    /// Types.
    pub fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits for a mark that comes in one piece; when it came.
    pub fn expect(&mut self, mark: &str) -> Instant {
        loop {
            let (at, bytes) = self.output.recv_timeout(PATIENCE).expect("output of a terminal");
            if integration::stream::find(&bytes, mark.as_bytes()).is_some() {
                return at;
            }
        }
    }

    /// Throws away what has come.
    pub fn discard(&mut self) {
        while self.output.try_recv().is_ok() {}
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
