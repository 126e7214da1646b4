//! A machine of a test's own: a clean root that systemd-nspawn boots, with the host's network.
//!
//! What it writes goes to memory and ends with it: the root beneath is shared and never changed.

use crate::process::{Running, children};
use crate::root::Recipe;
use crate::tempdir::TempDir;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Time of a boot, beside seven other suites on two cores.
const BOOT: Duration = Duration::from_secs(90);

/// Seconds that a command in the machine may take; apt-get with a slow mirror is the longest.
const COMMAND_SECONDS: &str = "180";

/// The root with everything that was written over it, as whoever starts the machine sees them.
const PLACE: &str = "/run/machine";

/// What a root's own processes find as their search path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Joins the group `$1`, then goes on with the script `$2` in namespaces that end with it.
const JOIN: &str = "set -e\necho $$ >\"$1/cgroup.procs\"\nshift\n\
    exec unshare --mount --cgroup --pid --fork --kill-child --mount-proc sh -c \"$@\"\n";

/// Puts memory over the root `$1` and runs it under the name `$2` as `$3` says; a reboot (133) boots
/// it again.
/// Control groups are those of version 2 alone, as on any machine of today.
const START: &str = r#"set -e
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /run/systemd
mkdir -p /run/machine
mount -t tmpfs -o mode=755 none /run/machine
cd /run/machine
mkdir upper work root
mount -t overlay -o "lowerdir=$1,upperdir=$PWD/upper,workdir=$PWD/work" none root
what=--boot
[ "$3" = systemd ] || what='--as-pid2 sleep infinity'
while :; do
    ended=0
    # shellcheck disable=SC2086 # These are words.
    systemd-nspawn --quiet --directory=root --machine="$2" --register=no --keep-unit \
        --console=pipe --link-journal=no --timezone=off --resolv-conf=replace-host \
        $what || ended=$?
    [ "$ended" = 133 ] || exit "$ended"
done
"#;

/// How the first process of a machine calls itself, and what succeeds there once all is started.
type Init = (&'static str, &'static str);
const SYSTEMD: Init = ("systemd", "systemctl is-system-running --wait");
const STUB: Init = ("(sd-stubinit)", "true");

/// Goes on in the control group `$1` of the machine: who runs outside of it is nobody to its logind.
const ENTER: &str = r#"mkdir -p "$1" && echo $$ >"$1/cgroup.procs" && shift && exec "$@""#;

/// A machine that runs. Dropping it pulls the plug.
pub struct Machine {
    root: PathBuf,
    group: PathBuf,
    process: Running,
    init: Init,
    /// Its console and what a test wants to keep for a look.
    folder: TempDir,
}

/// What a command has come to.
#[derive(Debug)]
pub struct Said {
    /// Whether it succeeded.
    pub done: bool,
    /// All that it printed.
    pub text: String,
}

impl Said {
    /// What it printed, without the space at its ends; it must have succeeded.
    pub fn expect(self, what: &str) -> String {
        assert!(self.done, "{what}: {}", self.text);
        self.text.trim().to_owned()
    }
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Machine {
    /// Boots a clean root of `recipe`, until its systemd has started everything.
    pub fn boot(recipe: &Recipe) -> Self {
        Self::start(recipe, SYSTEMD)
    }

    /// A container as many are: a clean root of `recipe` in which no service manager runs.
    pub fn container(recipe: &Recipe) -> Self {
        Self::start(recipe, STUB)
    }

    fn start(recipe: &Recipe, init: Init) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        assert!(is_root, "a machine of its own takes root: run cargo xtask test as root");
        let name = format!("cc-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (root, folder) = (recipe.root(), TempDir::new());
        let group = groups().join(&name);
        std::fs::create_dir(&group).expect("a control group, which takes root");
        let console = std::fs::File::create(folder.join("console")).expect("a file");
        let mut command = Command::new("sh");
        command.args(["-c", JOIN, "sh"]).arg(&group).args([START, "sh"]).arg(&root);
        command.args([&name, init.0]).env_clear().env("PATH", PATH);
        command.stdin(Stdio::null()).stderr(console.try_clone().expect("a file")).stdout(console);
        let process = Running::start(&mut command);
        let mut machine = Self { root, group, process, folder, init };
        machine.wait_until_up();
        machine
    }

    /// Restarts it as `systemctl reboot` does: everything in it ends, what is on its disk stays.
    pub fn reboot(&mut self) {
        let before = self.first().expect("it runs");
        assert!(self.run("systemctl --no-block reboot").done, "{}", self.console());
        crate::eventually("the machine is down", BOOT, || {
            (self.first() != Some(before)).then_some(())
        });
        self.wait_until_up();
    }

    fn wait_until_up(&mut self) {
        let up = crate::wait_for(BOOT, || {
            assert!(self.process.is_running(), "no machine:\n{}", self.console());
            self.first().filter(|_| self.run(self.init.1).done)
        });
        assert!(up.is_some(), "not within {BOOT:?}:\n{}", self.console());
    }

    /// The first process of it, as this machine counts processes.
    fn first(&self) -> Option<u32> {
        let mut found = vec![self.process.id()];
        while let Some(pid) = found.pop() {
            let status = read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let ids = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
            let name = read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            // nspawn's own namespace lies between.
            let depth = ids.split_whitespace().skip(1).count();
            if ids.ends_with("\t1") && depth >= 3 && name.trim_end() == self.init.0 {
                return Some(pid);
            }
            found.extend(children(pid));
        }
        None
    }

    /// Runs lines of shell in it as root.
    pub fn run(&self, script: &str) -> Said {
        self.enter(&["sh", "-c", &format!("cd /root\n{script}")])
    }

    /// Runs lines of shell in it as somebody who has logged in.
    pub fn run_as(&self, user: &str, script: &str) -> Said {
        self.enter(&["su", "--login", user, "--shell", "/bin/sh", "--command", script])
    }

    fn enter(&self, words: &[&str]) -> Said {
        let Some(first) = self.first() else {
            return Said { done: false, text: "the machine is down".to_owned() };
        };
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", COMMAND_SECONDS, "sh", "-c", ENTER, "sh"])
            .arg(self.group.join("payload/entered"))
            .args(["nsenter", "--target", &first.to_string()])
            .args(["--mount", "--uts", "--ipc", "--pid", "--cgroup", "--"])
            .args(words)
            .env_clear()
            .envs([("PATH", PATH), ("HOME", "/root"), ("LANG", "C.UTF-8"), ("TERM", "dumb")])
            .stdin(Stdio::null());
        let Output { status, stdout, stderr } = command.output().expect("timeout runs");
        let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        Said { done: status.success(), text }
    }

    /// Where this machine sees a file of it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.outside().join("root").join(path.trim_start_matches('/'))
    }

    /// The clean root that it was made from.
    pub fn lower(&self) -> &Path {
        &self.root
    }

    /// What was written over the root since.
    pub fn upper(&self) -> PathBuf {
        self.outside().join("upper")
    }

    /// The place of its disk, seen through the process that holds it.
    fn outside(&self) -> PathBuf {
        let holder = children(self.process.id()).first().copied().expect("it runs");
        PathBuf::from(format!("/proc/{holder}/root{PLACE}"))
    }

    /// What it has printed to its console so far.
    pub fn console(&self) -> String {
        read_to_string(self.folder.join("console")).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let journal = self.run(
                "journalctl --no-pager --lines=60 --output=short-monotonic \
                                    _COMM=chatcode-gatewa + PRIORITY=0 + PRIORITY=1 + PRIORITY=2 \
                                    + PRIORITY=3 + PRIORITY=4",
            );
            eprintln!("--- the machine's journal\n{}---", journal.text);
        }
        // All in its namespaces end with it.
        self.process.kill();
        remove_group(&self.group);
    }
}

/// Where control groups of version 2 are: beside the others on machines that have both.
fn groups() -> &'static Path {
    let beside = Path::new("/sys/fs/cgroup/unified");
    if beside.is_dir() { beside } else { Path::new("/sys/fs/cgroup") }
}

/// Groups are removed from the innermost on, once their last process was waited for.
pub fn remove_group(group: &Path) {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    let removed = crate::wait_for(crate::PATIENCE, || std::fs::remove_dir(group).ok());
    if removed.is_none() {
        eprintln!("left for a look: {}", group.display());
    }
}
