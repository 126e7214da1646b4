//! What must be on this machine: installed where possible, named exactly where not.

use crate::run::{output, run};
use crate::{Result, at_root};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Oldest Node that the JavaScript side runs on.
const NODE: (u32, u32) = (20, 19);

/// A program and the Debian package that has it.
pub type Program = (&'static str, &'static str);

/// What running chatcode here needs.
pub const TO_RUN: &[Program] = &[("tmux", "tmux")];

/// What the tests run in sessions, and the browser that looks at them.
pub const TO_TEST: &[Program] = &[
    ("tmux", "tmux"),
    ("chromium", "chromium"),
    ("vim", "vim"),
    ("htop", "htop"),
    ("less", "less"),
    ("nano", "nano"),
    ("mc", "mc"),
    ("dialog", "dialog"),
    ("top", "procps"),
    ("watch", "procps"),
    ("tput", "ncurses-bin"),
    ("whiptail", "whiptail"),
    ("setsid", "util-linux"),
    ("emacs", "emacs-nox"),
    ("git", "git"),
    ("man", "man-db"),
    ("tig", "tig"),
    ("w3m", "w3m"),
    ("ncdu", "ncdu"),
    ("python3", "python3"),
    ("sqlite3", "sqlite3"),
    ("gdb", "gdb"),
    ("fzf", "fzf"),
    ("screen", "screen"),
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("strace", "strace"),
    ("systemd-analyze", "systemd"),
    ("unshare", "util-linux"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("shellcheck", "shellcheck"),
    ("dpkg-deb", "dpkg"),
    ("lintian", "lintian"),
    ("ruby", "ruby"),
    ("minisign", "minisign"),
    ("openssl", "openssl"),
    ("curl", "curl"),
    ("dash", "dash"),
    ("busybox", "busybox-static"),
    ("strip", "binutils"),
    // A kernel with systemd for what a container has not.
    ("linux.uml", "user-mode-linux"),
    ("systemd-run", "systemd"),
    ("dbus-daemon", "dbus-daemon"),
    // Clean machines.
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("nsenter", "util-linux"),
];

/// What a release on trial is verified with, and the clean machine that it is installed on.
pub const TO_TRY_A_RELEASE: &[Program] = &[
    ("tmux", "tmux"),
    ("minisign", "minisign"),
    ("dpkg-deb", "dpkg"),
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("nsenter", "util-linux"),
];

/// Makes sure of Node and its packages.
///
/// # Errors
/// What is missing, and how to get it.
pub fn node(root: &Path) -> Result<()> {
    let found = output(Command::new("node").arg("--version"));
    let wanted = format!("Node {}.{} or newer", NODE.0, NODE.1);
    let Some(version) = found else {
        return Err(format!("node is missing: install {wanted}").into());
    };
    if parse_version(&version).is_none_or(|version| version < NODE) {
        return Err(format!("node {version} is too old: install {wanted}").into());
    }
    if output(Command::new("npm").arg("--version")).is_none() {
        return Err("npm is missing: it comes with Node, on Debian as package npm".into());
    }
    if packages_are_current(root) {
        return Ok(());
    }
    println!("  installing the npm packages");
    run(at_root("npm")?.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Whether npm's own record of what it installed is as new as the lock file.
fn packages_are_current(root: &Path) -> bool {
    let wanted = modified(&root.join("package-lock.json"));
    let installed = modified(&root.join("node_modules/.package-lock.json"));
    matches!((wanted, installed), (Some(wanted), Some(installed)) if installed >= wanted)
}

/// When a file was last written.
pub fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}

/// Makes sure of `programs`, by apt-get where we may.
///
/// # Errors
/// What is missing, and how to get it.
pub fn programs(programs: &[Program]) -> Result<()> {
    let missing: Vec<_> = programs.iter().filter(|(name, _)| !is_on_path(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    packages(&missing.iter().map(|(_, package)| *package).collect::<Vec<_>>())
}

/// Installs packages of Debian.
///
/// # Errors
/// As [`programs`].
pub fn packages(packages: &[&str]) -> Result<()> {
    let by_hand = format!("missing: {}; install them and try again", packages.join(", "));
    let Some(mut install) = apt_get() else { return Err(by_hand.into()) };
    println!("  installing {}", packages.join(", "));
    // The lists of a fresh machine are empty or old; without a network the install may still work.
    if let Some(mut update) = apt_get() {
        let _ = update.args(["-q", "update"]).status();
    }
    install.args(["-q", "-y", "--no-install-recommends", "install"]).args(packages);
    run(&mut install).map_err(|error| format!("{error}; {by_hand}").into())
}

/// Whether a program can be found where commands are looked for.
pub fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// apt-get, where it exists and asks for no password.
fn apt_get() -> Option<Command> {
    if !is_on_path("apt-get") {
        return None;
    }
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        output(Command::new("sudo").args(["-n", "true"]))?;
        let mut command = Command::new("sudo");
        command.args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        command
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("v20.19.4"), Some((20, 19)));
        assert!(parse_version("v9.99.0").is_some_and(|version| version < NODE));
        assert_eq!(parse_version("none"), None);
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program-here"));
    }
}
