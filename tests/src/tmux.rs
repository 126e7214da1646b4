//! A private tmux server, asked from outside: the truth that screens are compared with.

use chatcode_gateway::tmux::version::{Capabilities, Version};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

/// How long `kill-server` may take before the server is killed by its pid.
const KILL: Duration = Duration::from_secs(5);

/// Names the tmux that everything runs with; without it, the first one in `PATH`.
const BINARY: &str = "CHATCODE_TMUX";

static PATH: LazyLock<OsString> = LazyLock::new(|| {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let Some(binary) = std::env::var_os(BINARY) else { return inherited };
    let binary = PathBuf::from(binary);
    assert!(binary.is_absolute() && binary.is_file(), "{BINARY} is {}", binary.display());
    // Named after what it holds, so that any number of test processes may share it.
    let name = binary.to_string_lossy().replace('/', "-");
    let folder = crate::repository().join("target/tmux").join(name);
    std::fs::create_dir_all(&folder).expect("a folder for the link");
    match std::os::unix::fs::symlink(binary, folder.join("tmux")) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("a link to tmux: {error}"),
        _ => {}
    }
    std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&inherited)))
        .expect("a search path")
});

/// The search path in which `tmux` is the one that is tested, for whatever a test starts.
pub fn search_path() -> &'static OsString {
    &PATH
}

/// What the tested tmux can do.
pub fn capabilities() -> Capabilities {
    static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(|| {
        let output = Command::new("tmux").arg("-V").env("PATH", search_path()).output();
        let text = String::from_utf8_lossy(&output.expect("tmux runs").stdout).into_owned();
        Version::read(&text).unwrap_or_else(|| panic!("{text:?} is no version")).capabilities()
    });
    *CAPABILITIES
}

/// A tmux server of one test.
pub struct Tmux {
    socket: String,
    tmpdir: PathBuf,
}

/// What tmux shows of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The rows with their attributes, as `capture-pane -e -p -N` prints them.
    pub rows: Vec<u8>,
    /// Columns of cells.
    pub cols: u32,
    /// Rows of cells.
    pub height: u32,
    /// Column and row of the cursor, from 0.
    pub cursor: (u32, u32),
    /// Modes that tmux reports, as [`MODES`] names them.
    pub modes: Vec<bool>,
}

/// Modes that tmux reports: its name, ours in a dump's state, and what is said there when it is on.
pub const MODES: [(&str, &str, &str); 9] = [
    ("cursor_flag", "cursorHidden", "false"),
    ("insert_flag", "insertMode", "true"),
    ("keypad_cursor_flag", "applicationCursorKeysMode", "true"),
    ("origin_flag", "originMode", "true"),
    ("wrap_flag", "wraparoundMode", "true"),
    ("alternate_on", "screen", "alternate"),
    ("mouse_standard_flag", "mouseTrackingMode", "vt200"),
    ("mouse_button_flag", "mouseTrackingMode", "drag"),
    ("mouse_all_flag", "mouseTrackingMode", "any"),
];

impl Tmux {
    /// The server on socket `socket` beneath `tmpdir`; it is started by whoever needs it.
    pub fn new(socket: &str, tmpdir: &Path) -> Self {
        Self { socket: socket.to_owned(), tmpdir: tmpdir.to_owned() }
    }

    /// The name for `tmux -L`.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    /// A tmux command line for this server.
    pub fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command
            .args(["-u", "-L", &self.socket])
            .env("PATH", search_path())
            .env("TMUX_TMPDIR", &self.tmpdir)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .env_remove("TMUX_PANE")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command; its output without the last newline, or what tmux said.
    ///
    /// # Errors
    /// What tmux printed on stderr.
    pub fn try_run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.command().args(arguments).output().expect("tmux runs");
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Runs a command that must succeed; its output as text.
    pub fn run(&self, arguments: &[&str]) -> String {
        let bytes = self.try_run(arguments).unwrap_or_else(|e| panic!("tmux {arguments:?}: {e}"));
        String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned()
    }

    /// A format of a session's active pane.
    pub fn format(&self, session_id: u32, format: &str) -> String {
        self.run(&["display-message", "-p", "-t", &pane(session_id), format])
    }

    /// Whether the session's tmux session exists.
    pub fn has(&self, session_id: u32) -> bool {
        self.try_run(&["has-session", "-t", &format!("=cc-{session_id}")]).is_ok()
    }

    /// The screen of a session, in one command so that its parts fit together.
    pub fn capture(&self, session_id: u32) -> Capture {
        let target = pane(session_id);
        let modes = MODES.map(|(name, ..)| format!("#{{{name}}}")).join(" ");
        let format =
            format!("#{{pane_width}} #{{pane_height}} #{{cursor_x}} #{{cursor_y}} {modes}");
        let shown = self
            .try_run(&[
                "display-message",
                "-p",
                "-t",
                &target,
                &format,
                ";",
                "capture-pane",
                "-e",
                "-p",
                "-N",
                "-t",
                &target,
            ])
            .unwrap_or_else(|error| panic!("capture of session {session_id}: {error}"));
        let end = shown.iter().position(|&byte| byte == b'\n').expect("a first line");
        let numbers: Vec<u32> = String::from_utf8_lossy(&shown[..end])
            .split(' ')
            .map(|number| number.parse().expect("a number"))
            .collect();
        let &[cols, height, x, y, ref modes @ ..] = numbers.as_slice() else { panic!("numbers") };
        let modes = modes.iter().map(|&on| on != 0).collect();
        Capture { rows: shown[end + 1..].to_vec(), cols, height, cursor: (x, y), modes }
    }

    /// A session's history and screen as plain lines, without the blank ones at the end.
    pub fn lines(&self, session_id: u32) -> Vec<String> {
        let all = self.run(&["capture-pane", "-p", "-J", "-S", "-", "-t", &pane(session_id)]);
        all.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// The server's process id, if it runs.
    pub fn server_pid(&self) -> Option<u32> {
        let pid = self.try_run(&["display-message", "-p", "#{pid}"]).ok()?;
        String::from_utf8_lossy(&pid).trim().parse().ok()
    }

    /// Ends the server and everything in it.
    pub fn kill_server(&self) {
        let Some(pid) = self.server_pid() else { return };
        let Ok(mut child) = self.command().arg("kill-server").stderr(Stdio::null()).spawn() else {
            return;
        };
        let deadline = std::time::Instant::now() + KILL;
        while matches!(child.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(crate::LOOK_AGAIN);
        }
        crate::process::signal(pid, rustix::process::Signal::KILL);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The exact target of a session's active pane.
fn pane(session_id: u32) -> String {
    format!("=cc-{session_id}:")
}
