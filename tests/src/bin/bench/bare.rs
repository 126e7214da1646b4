//! The floor: a bare `tmux -C` client on a session of its own, with nothing behind it.

use integration::tempdir::TempDir;
use integration::tmux::Tmux;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Bytes of earlier output that are kept to find a mark across blocks.
const TAIL: usize = 4096;

/// A bare control client.
pub struct Bare {
    tmux: Tmux,
    client: Child,
    commands: ChildStdin,
    output: Receiver<(Instant, Vec<u8>)>,
    tail: Vec<u8>,
    /// Folder of the session.
    pub home: TempDir,
}

impl Bare {
    /// A shell in a session of `cols` × `rows`, as large a history as the gateway's.
    pub fn start(cols: u32, rows: u32) -> Self {
        let home = TempDir::new();
        let tmux = Tmux::new("bare", home.path());
        let (x, y) = (cols.to_string(), rows.to_string());
        let folder = home.path().to_string_lossy().into_owned();
        let shell = "HOME=/nonexistent exec bash --norc";
        tmux.run(&[
            "-f",
            "/dev/null",
            "start-server",
            ";",
            "set",
            "-g",
            "history-limit",
            "10000",
            ";",
            "new-session",
            "-d",
            "-s",
            "cc-1",
            "-x",
            &x,
            "-y",
            &y,
            "-c",
            &folder,
            shell,
        ]);
        let mut client = tmux
            .command()
            .args(["-C", "attach", "-t", "=cc-1"])
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
        let mut bare = Self { tmux, client, commands, output, tail: Vec::new(), home };
        bare.command(&format!("set -w window-size manual ; resize-window -x {cols} -y {rows}"));
        bare
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
            let patience = Duration::from_secs(300);
            let (at, bytes) =
                self.output.recv_timeout(patience).expect("output of the bare client");
            self.tail.extend_from_slice(&bytes);
            if let Some(found) = integration::stream::find(&self.tail, mark.as_bytes()) {
                self.tail.drain(..found + mark.len());
                return at;
            }
            let surplus = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..surplus);
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
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
