//! The gateway as a service of this machine: installed, removed and asked about.
//!
//! A manager says what is to be written and run, and reads what its own command answers; nothing
//! in it touches the machine. [`command`] carries that out, or prints it.

pub mod command;
pub mod launchd;
pub mod notify;
pub mod systemd;

use std::path::PathBuf;

/// What the service is called.
pub const NAME: &str = "chatcode-gateway";

/// Whose service it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Of one person, beneath their own service manager.
    User,
    /// Of the machine; the gateway runs as this user.
    System(String),
}

/// All that a manager needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whose it is.
    pub scope: Scope,
    /// The gateway's binary.
    pub binary: PathBuf,
    /// The file with its settings.
    pub config: PathBuf,
    /// The home of who installs it.
    pub home: PathBuf,
    /// The user id of who installs it.
    pub uid: u32,
}

/// A thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a file that everybody may read.
    Write(PathBuf, String),
    /// Remove a file.
    Remove(PathBuf),
    /// Run a command that has to succeed.
    Run(Vec<String>),
    /// Run a command that fails when there is nothing to do.
    Try(Vec<String>),
    /// Wait until this command fails: what it asks for is gone.
    Gone(Vec<String>),
    /// Tell the person.
    Say(String),
}

/// How the service is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The manager knows it.
    pub installed: bool,
    /// It starts by itself.
    pub enabled: bool,
    /// It runs.
    pub running: bool,
    /// Its process id, or how it is otherwise.
    pub process: String,
    /// What the gateway says of itself, its version first.
    pub says: String,
}

/// A service manager.
pub trait ServiceManager {
    /// The file that describes the service.
    fn file(&self, service: &Service) -> PathBuf;

    /// What stands in it.
    ///
    /// # Errors
    /// When a path has characters that the file cannot hold.
    fn text(&self, service: &Service) -> Result<String, String>;

    /// What installs or renews the service, and starts it.
    ///
    /// # Errors
    /// As [`ServiceManager::text`].
    fn install(&self, service: &Service) -> Result<Vec<Step>, String>;

    /// What stops and removes the service. Sessions and the person's files stay.
    fn uninstall(&self, service: &Service) -> Vec<Step>;

    /// The command that tells how the service is.
    fn question(&self, service: &Service) -> Vec<String>;

    /// Reads its answer, which is `None` when it failed; `exists` tells whether
    /// [`ServiceManager::file`] does. `None` when there is no manager to ask.
    fn read(&self, answer: Option<&str>, exists: bool) -> Option<Status>;
}

/// The manager of this machine.
pub fn manager() -> &'static dyn ServiceManager {
    if cfg!(target_os = "macos") { &launchd::Launchd } else { &systemd::Systemd }
}

/// A path as text that fits on one line.
fn line_of<'a>(path: &'a std::path::Path, what: &str) -> Result<&'a str, String> {
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    text.ok_or_else(|| format!("the path of the {what} has characters that a service cannot hold"))
}
