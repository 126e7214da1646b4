//! Running other programs: to their end, or beside us until we end them.

use crate::Result;
use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a program may take to end after SIGTERM before it is killed.
const POLITE: Duration = Duration::from_secs(5);

/// Time between two looks at a program that is ending.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The repository's root folder.
///
/// # Errors
/// Never, unless this crate has moved.
pub fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().ok_or("xtask has no parent folder")?.to_owned())
}

/// The folder that cargo builds into.
pub fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The cargo that runs us.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    Err(format!("{name} {} failed: {status}", arguments.join(" ")).into())
}

/// What a program prints; `None` when it is missing or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A program that runs beside us in a process group of its own, ended with all its children.
pub struct Beside {
    name: &'static str,
    child: Child,
}

impl Beside {
    /// Starts it. Ctrl-C does not reach it: we end it ourselves, in our order.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command.process_group(0).spawn();
        Ok(Self { name, child: child.map_err(|error| format!("{name}: {error}"))? })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The child itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Nobody left in the group is what we want.
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + POLITE;
        while self.ended().is_none() && Instant::now() < deadline {
            std::thread::sleep(LOOK_AGAIN);
        }
        // Also what the program itself left behind.
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A flag that Ctrl-C, SIGTERM and a closed terminal raise.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn interruption() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

/// Asks `look` until it answers.
///
/// # Errors
/// After `patience`, on interruption, or what `look` failed with.
pub fn eventually<T>(
    what: &str,
    patience: Duration,
    interrupted: &AtomicBool,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if interrupted.load(Ordering::Relaxed) {
            return Err("interrupted".into());
        }
        if Instant::now() > deadline {
            return Err(format!("not within {} s: {what}", patience.as_secs()).into());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
