//! The floor: bare `tmux -C` clients on a server of their own, with nothing behind them.

use integration::stream::find;
use integration::tempdir::TempDir;
use integration::tmux::Tmux;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Bytes of earlier output that are kept to find a mark across blocks.
const TAIL: usize = 4096;

/// How long output may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A server with sessions, each with its control client.
pub struct Bare {
    tmux: Tmux,
    sessions: Vec<Session>,
    /// Folder of the sessions.
    pub home: TempDir,
}

/// A session and its control client.
pub struct Session {
    client: Child,
    commands: ChildStdin,
    output: Receiver<(Instant, Vec<u8>)>,
    tail: Vec<u8>,
}

impl Bare {
    /// A server with so many shells of `cols` × `rows`, as large a history as the gateway's.
    pub fn start(sessions: u32, cols: u32, rows: u32) -> Self {
        let home = TempDir::new();
        let tmux = Tmux::new("bare", home.path());
        let mut bare = Self { tmux, sessions: Vec::new(), home };
        for number in 1..=sessions {
            bare.open(number, cols, rows);
        }
        bare
    }

    fn open(&mut self, number: u32, cols: u32, rows: u32) {
        let (name, x, y) = (format!("cc-{number}"), cols.to_string(), rows.to_string());
        let folder = self.home.path().to_string_lossy().into_owned();
        let shell = "HOME=/nonexistent exec bash --norc";
        let server = ["-f", "/dev/null", "start-server", ";"];
        let history = ["set", "-g", "history-limit", "10000", ";", "new-session", "-d", "-s"];
        let session = [&name, "-x", &x, "-y", &y, "-c", &folder, shell];
        self.tmux.run(&[server.as_slice(), &history, &session].concat());
        let mut session = Session::attach(&self.tmux, &name);
        session.command(&format!("set -w window-size manual ; resize-window -x {cols} -y {rows}"));
        self.sessions.push(session);
    }

    /// The session with this number, from 1.
    pub fn session(&mut self, number: usize) -> &mut Session {
        &mut self.sessions[number - 1]
    }
}

impl Session {
    fn attach(tmux: &Tmux, name: &str) -> Self {
        let mut client = tmux
            .command()
            .args(["-C", "attach", "-t", &format!("={name}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tmux runs");
        let commands = client.stdin.take().expect("a pipe");
        let lines = BufReader::with_capacity(64 * 1024, client.stdout.take().expect("a pipe"));
        let (found, output) = channel();
        std::thread::spawn(move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                if let Some(bytes) = unescape(&line) {
                    let _ = found.send((Instant::now(), bytes));
                }
            }
        });
        Self { client, commands, output, tail: Vec::new() }
    }

    fn command(&mut self, line: &str) {
        writeln!(self.commands, "{line}").expect("the client lives");
    }

    /// Types.
    pub fn type_in(&mut self, keys: &str) {
        for piece in keys.as_bytes().chunks(64) {
            let hex: String = piece.iter().map(|byte| format!(" {byte:02x}")).collect();
            self.command(&format!("send-keys -H{hex}"));
        }
    }

    /// Waits for a mark; when it came.
    pub fn expect(&mut self, mark: &str) -> Instant {
        loop {
            let (at, bytes) = self.output.recv_timeout(PATIENCE).expect("output of a bare client");
            self.tail.extend_from_slice(&bytes);
            if let Some(found) = find(&self.tail, mark.as_bytes()) {
                self.tail.drain(..found + mark.len());
                return at;
            }
            let surplus = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..surplus);
        }
    }

    /// Throws away what has come.
    pub fn discard(&mut self) {
        while self.output.try_recv().is_ok() {}
        self.tail.clear();
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        for session in &mut self.sessions {
            let _ = session.client.kill();
            let _ = session.client.wait();
        }
        self.tmux.kill_server();
    }
}

/// The bytes of a `%output` line.
fn unescape(line: &[u8]) -> Option<Vec<u8>> {
    let rest = line.strip_prefix(b"%output %")?;
    let start = rest.iter().position(|&byte| byte == b' ')? + 1;
    let mut out = Vec::with_capacity(rest.len());
    let mut at = start;
    while let Some(&byte) = rest.get(at) {
        match (byte, rest.get(at + 1..at + 4)) {
            (b'\\', Some(&[a, b, c])) => {
                out.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                at += 4;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Some(out)
}
