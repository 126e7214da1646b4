//! Becoming another version of this program: `execve` keeps the pid, sessions are in tmux.

use super::EventLoop;
use crate::config::Config;
use crate::daemon::Now;
use crate::limits::{Ms, RESTART_MS};
use crate::update::attempt::{self, Record, Start};
use crate::update::install::Files;
use protocol::envelope::codes;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the loop keeps of it.
pub(super) struct Updating {
    /// As they were at the start: later the name may belong to another binary.
    files: Option<Files>,
    /// The program to become, and when at the latest.
    next: Option<(PathBuf, Ms)>,
}

/// The first thing that a gateway does, before anything of this version can fail.
///
/// # Errors
/// When the version before this one has its name back and cannot be run; a service manager does.
pub(super) fn start(config: &Config) -> io::Result<(Updating, Start)> {
    let mut files = Files::own(&config.state_dir);
    let start = match &mut files {
        Ok(files) => attempt::start(files, config.identity.version),
        Err(why) => {
            crate::log!(Warn, "updates will not work", why = why);
            Start::Ordinary
        }
    };
    let updating = Updating { files: files.ok(), next: None };
    if start != Start::Yield {
        return Ok((updating, start));
    }
    let Some(files) = updating.files else { return Ok((updating, Start::Ordinary)) };
    crate::log!(Warn, "this version is given up", version = config.identity.version);
    Err(execute(&files.binary))
}

/// Runs `path` with the arguments of this process instead of it; returns only if that fails.
fn execute(path: &Path) -> io::Error {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(path);
    if let Some(own) = arguments.next() {
        command.arg0(own);
    }
    let error = command.args(arguments).exec();
    // The attempt made a broken pipe deadly again; a handler that does nothing takes that back.
    let nothing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGPIPE, nothing);
    crate::log!(Error, "cannot run", path = path.display(), why = error);
    error
}

impl Updating {
    /// The new version has its name: it is run when children at work have ended, or soon.
    pub(super) fn become_soon(&mut self, path: PathBuf, now: Now) {
        self.next = Some((path, now.mono + RESTART_MS));
    }

    /// When [`EventLoop::become_now`] has something to do.
    pub(super) fn deadline(&self) -> Option<Ms> {
        self.next.as_ref().map(|(_, at)| *at)
    }
}

impl EventLoop {
    /// Becomes the new version if it is time.
    pub(super) fn become_now(&mut self, now: Now) {
        let idle = self.jobs.is_idle();
        let Some((path, _)) = self.updating.next.take_if(|(_, at)| idle || now.mono >= *at) else {
            return;
        };
        crate::log!(Info, "becoming the new version; sessions go on");
        let error = self.leave_for(&path);
        if let Some(files) = &mut self.updating.files {
            attempt::undo(files);
        }
        let message = format!("cannot run {}: {error}", path.display());
        self.daemon.not_become(codes::IO, message);
    }

    /// Becomes the version before this one.
    pub(super) fn go_back(&mut self, record: Record, why: &str) {
        let Some(files) = &mut self.updating.files else { return };
        crate::log!(Warn, "going back to the version before", why = why);
        match attempt::go_back(files, record, why) {
            Start::Trial(record) => {
                crate::log!(Error, "there is no way back; going on", why = record.why);
                attempt::Disk::forget(files);
            }
            _ => {
                let binary = files.binary.clone();
                self.leave_for(&binary);
            }
        }
    }

    /// Ends what this process began, then runs `path`. What ends is begun anew if that fails.
    fn leave_for(&mut self, path: &Path) -> io::Error {
        self.link.close();
        // Nobody would wait for them later: the new version does not know them.
        self.clients.end();
        self.jobs.end();
        execute(path)
    }
}
