//! What a machine's disk has that it had not before.

use integration::machine::Machine;
use integration::patterns::sha256;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{Metadata, read, read_dir, read_link, symlink_metadata};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// What changes on a machine on which nothing is installed: its own diaries, clocks and caches.
const OF_ANY_MACHINE: &[&str] = &[
    "/etc/machine-id",
    "/etc/.updated",
    "/etc/resolv.conf",
    // How the tables of users were before their last change.
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
    // Journal, logins, and what apt and dpkg write down of themselves.
    "/var/log/journal/",
    "/var/log/wtmp",
    "/var/log/btmp",
    "/var/log/lastlog",
    "/var/log/apt/",
    "/var/log/dpkg.log",
    "/var/log/alternatives.log",
    "/var/cache/",
    "/var/lib/apt/",
    "/var/lib/dpkg/",
    "/var/lib/systemd/timers/",
    "/var/lib/systemd/catalog/",
    "/var/lib/systemd/coredump",
    "/var/lib/systemd/random-seed",
    "/var/lib/systemd/linger",
    "/var/lib/systemd/deb-systemd-helper-enabled/",
    "/var/lib/systemd/deb-systemd-user-helper-enabled/",
    "/var/lib/dbus/machine-id",
    "/var/lib/private",
    "/var/.updated",
    "/run/",
    "/dev/",
];

/// Lists what lies in a machine's memory in the form of files, but for what is systemd's and tmux's
/// own: a restart of the machine takes it.
const MEMORY: &str = "find /tmp /dev/shm /run -mindepth 1 -xdev -not -path '*/systemd/*' \
    -not -path '*systemd-private-*' -not -path '/tmp/.*' -not -path '/tmp/tmux-*' \
    -not -path '/run/user/*' \\( -path '/tmp/*' -o -path '/dev/shm/*' -o -name '*chatcode*' \\)";

/// Each path that was written over the clean root, with all that a person could see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces(BTreeMap<String, String>);

impl Traces {
    /// Of now. What is as in the clean root does not count, however often it was written.
    pub(crate) fn of(machine: &Machine) -> Self {
        let mut found = BTreeMap::new();
        walk(&machine.upper(), "", &mut |path, upper| {
            let seen = look(upper);
            if look(&machine.lower().join(path.trim_start_matches('/'))) != seen {
                found.insert(path.to_owned(), seen);
            }
        });
        let inside = machine.run(MEMORY).expect("what lies in memory");
        found.extend(inside.lines().map(|path| (path.to_owned(), "in memory".to_owned())));
        found.retain(|path, _| !path.starts_with("/var/tmp/systemd-private-"));
        // A session's shell writes it, if it ends in time.
        found.retain(|path, _| !path.ends_with("/.bash_history"));
        found.retain(|path, _| !OF_ANY_MACHINE.iter().any(|own| is_beneath(path, own)));
        Self(found)
    }

    /// A line for each path that is not as it was in `before`.
    pub(crate) fn since(&self, before: &Self) -> Vec<String> {
        let mut paths: Vec<&String> = self.0.keys().chain(before.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let changed = paths.into_iter().filter(|path| self.0.get(*path) != before.0.get(*path));
        changed.cloned().collect()
    }

    /// How a path is, for a failure's words.
    pub(crate) fn tell(&self, paths: &[String]) -> String {
        paths.iter().fold(String::new(), |mut text, path| {
            let _ = writeln!(text, "  {path}: {}", self.0.get(path).map_or("gone", |it| it));
            text
        })
    }
}

/// Whether `path` is `own`, or beneath it where that ends with a slash.
fn is_beneath(path: &str, own: &str) -> bool {
    match own.strip_suffix('/') {
        Some(folder) => path == folder || path.starts_with(own),
        None => path == own,
    }
}

/// Every path beneath a folder, named as the machine names it.
fn walk(folder: &Path, name: &str, see: &mut impl FnMut(&str, &Path)) {
    for entry in read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        see(&name, &entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), &name, see);
        }
    }
}

fn look(path: &Path) -> String {
    let Ok(data) = symlink_metadata(path) else { return "gone".to_owned() };
    // How overlayfs says that a file of the root beneath is deleted.
    if data.file_type().is_char_device() && data.rdev() == 0 {
        return "gone".to_owned();
    }
    let owned = format!("{:o} {}:{}", data.mode() & 0o7777, data.uid(), data.gid());
    format!("{owned} {}", content(path, &data))
}

fn content(path: &Path, data: &Metadata) -> String {
    match data.file_type() {
        kind if kind.is_dir() => "folder".to_owned(),
        kind if kind.is_symlink() => {
            format!("to {}", read_link(path).expect("a link").display())
        }
        kind if kind.is_file() => {
            let bytes = read(path).unwrap_or_default();
            format!("{} bytes {:.12}", bytes.len(), sha256(&bytes))
        }
        _ => "no file".to_owned(),
    }
}
