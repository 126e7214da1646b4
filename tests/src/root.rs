//! Clean roots of distributions, made once by debootstrap and never changed afterwards.

use rustix::fs::{FlockOperation, flock};
use std::fs::{File, create_dir_all, read_to_string, remove_dir_all, rename, write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a fresh server of a cloud has, as far as installing anything depends on it. No tmux.
const PACKAGES: &str = "ca-certificates,curl,dbus,libpam-systemd,sudo,systemd-sysv";

/// Fetched, but not installed: so that a run needs no network for what `apt-get install` gives.
const FETCHED: &str = "tmux";

/// A distribution's release, as debootstrap knows it.
#[derive(Debug)]
pub struct Recipe {
    /// Of its folder in `target/roots`.
    pub name: &'static str,
    suite: &'static str,
    /// The debootstrap script, where Debian's debootstrap is older than the suite.
    script: Option<&'static str>,
    keys: Keys,
}

/// Who vouches for the packages.
#[derive(Debug)]
enum Keys {
    /// A file of this machine's `debian-archive-keyring`.
    Here(&'static str),
    /// A file of a package of another root, whose archive vouches for it.
    From(&'static Recipe, &'static str, &'static str),
}

const DEBIAN_KEYS: Keys = Keys::Here("/usr/share/keyrings/debian-archive-keyring.gpg");

/// Debian 12: systemd 252, tmux 3.3a.
pub static BOOKWORM: Recipe =
    Recipe { name: "bookworm", suite: "bookworm", script: None, keys: DEBIAN_KEYS };

/// Debian 13: systemd 257, tmux 3.5a.
pub static TRIXIE: Recipe =
    Recipe { name: "trixie", suite: "trixie", script: None, keys: DEBIAN_KEYS };

/// Ubuntu 24.04: systemd 255, tmux 3.4. Debian's own archive has its keys since 13.
pub static NOBLE: Recipe = Recipe {
    name: "noble",
    suite: "noble",
    script: Some("/usr/share/debootstrap/scripts/gutsy"),
    keys: Keys::From(&TRIXIE, "ubuntu-keyring", "usr/share/keyrings/ubuntu-archive-keyring.gpg"),
};

impl Recipe {
    /// The root, made where there is none or where the recipe has changed since: that takes a
    /// minute or two and the network. Nobody may write to it.
    pub fn root(&self) -> PathBuf {
        let folder = crate::repository().join("target/roots");
        create_dir_all(&folder).expect("a folder for roots");
        // Of all processes that want it one makes it.
        let lock = File::create(folder.join(format!("{}.lock", self.name))).expect("a lock");
        flock(&lock, FlockOperation::LockExclusive).expect("locked");
        let (root, made) = (folder.join(self.name), folder.join(format!("{}.made", self.name)));
        let recipe = format!("{self:?} {PACKAGES} {FETCHED}\n");
        if read_to_string(&made).is_ok_and(|text| text == recipe) && root.is_dir() {
            return root;
        }
        let staged = folder.join(format!("{}.new", self.name));
        for old in [&staged, &root] {
            if old.exists() {
                remove_dir_all(old).expect("the old root goes");
            }
        }
        self.make(&staged);
        rename(&staged, &root).expect("the root gets its name");
        write(made, recipe).expect("the recipe is kept");
        root
    }

    fn make(&self, root: &Path) {
        let keys = match self.keys {
            Keys::Here(file) => PathBuf::from(file),
            Keys::From(other, package, file) => taken_from(&other.root(), package, file, root),
        };
        let mut command = Command::new("debootstrap");
        command.args(["--variant=minbase", "--force-check-gpg"]);
        command.arg(format!("--include={PACKAGES}")).arg("--keyring").arg(keys);
        // Without a mirror it takes the distribution's own; a script comes after one.
        command.arg(self.suite).arg(root).args(self.script.map(|_| "")).args(self.script);
        run(&mut command);
        let fetch = format!(
            "apt-get -q update && apt-get -q -y install --download-only {FETCHED} && \
             rm -f /etc/machine-id /var/lib/dbus/machine-id && : >/etc/machine-id"
        );
        run(Command::new("chroot").arg(root).args(["sh", "-c", &fetch]));
    }
}

/// A file of a package, which the apt of another root fetches and checks.
fn taken_from(root: &Path, package: &str, file: &str, beside: &Path) -> PathBuf {
    let folder = beside.with_extension("keys");
    create_dir_all(&folder).expect("a folder for keys");
    // The root itself stays as it is: what is fetched and what apt notes goes elsewhere.
    let script = "set -e\nmount -t tmpfs none \"$1/tmp\"\ncd \"$2\"\n\
        chroot \"$1\" sh -c 'cd /tmp && apt-get -q -o APT::Sandbox::User=root download '\"$3\"\n\
        dpkg-deb -x \"$1\"/tmp/*.deb .\n";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).args([root, &folder]).arg(package);
    run(&mut command);
    folder.join(file)
}

/// Runs what makes a root; its words are kept for the case that it fails.
fn run(command: &mut Command) {
    let command = command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    let name = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}; cargo xtask test installs what is missing", name.display())
    });
    let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let last = words.len().saturating_sub(2_000);
    let last = words.get(last..).unwrap_or(&words);
    assert!(output.status.success(), "{command:?} (root is needed, and the network):\n{last}");
}
