//! A program in a pseudo terminal, as a person at a terminal meets it.

use crate::process::Running;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time between two keys of a fast typist.
const KEYSTROKE: Duration = Duration::from_millis(20);

/// A terminal with a program in it. The program ends with it.
pub struct Pty {
    keyboard: File,
    shown: Arc<Mutex<Vec<u8>>>,
    process: Running,
}

impl Pty {
    /// Runs `command` in a terminal of this size.
    pub fn run(command: &Command, (cols, rows): (u16, u16)) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a usable terminal");
        let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a size");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let open = || {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            Stdio::from(rustix::fs::open(&name, flags, Mode::empty()).expect("the terminal"))
        };
        // setsid makes it the controlling terminal, so that Ctrl-C and sizes reach the program.
        let mut wrapped = Command::new("setsid");
        wrapped.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        wrapped.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                wrapped.env(name, value);
            }
        }
        wrapped.stdin(open()).stdout(open()).stderr(open());
        let process = Running::start(&mut wrapped);
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().expect("a second handle");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is the end: the last program has closed the terminal.
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                sink.lock().expect("a lock").extend_from_slice(&bytes[..length]);
            }
        });
        Self { keyboard, shown, process }
    }

    /// Types, a key at a time: tmux takes what comes faster for a paste, in which no key is a command.
    pub fn type_in(&mut self, keys: &str) {
        for key in keys.as_bytes() {
            std::thread::sleep(KEYSTROKE);
            self.keyboard.write_all(&[*key]).expect("the terminal takes keys");
        }
    }

    /// Types all keys at once, for programs that do not mind.
    pub fn type_at_once(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// All that was printed so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("a lock")).into_owned()
    }

    /// Waits until `text` was printed.
    pub fn expect(&self, text: &str) {
        let deadline = Instant::now() + crate::PATIENCE;
        while !self.shown().contains(text) {
            let late = Instant::now() > deadline;
            assert!(!late, "the terminal does not show {text:?}: {:?}", self.shown());
            std::thread::sleep(crate::LOOK_AGAIN);
        }
    }

    /// Waits until the program has ended; how it did.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + crate::PATIENCE;
        loop {
            if let Some(status) = self.process.child().try_wait().expect("a child") {
                return status;
            }
            let late = Instant::now() > deadline;
            assert!(!late, "the program does not end; it shows {:?}", self.shown());
            std::thread::sleep(crate::LOOK_AGAIN);
        }
    }
}
