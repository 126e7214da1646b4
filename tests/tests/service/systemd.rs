//! A real `systemd --user` installs, starts, reloads, watches, restarts and removes the gateway.

use super::Settings;
use integration::gateway::{Gateway, binary};
use integration::link::Link;
use integration::mock_cp::MockCp;
use integration::process::{Running, children};
use integration::{PATIENCE, eventually, wait_for};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Starts the manager where it can reach nobody else: it takes over every process that it sees in
/// its control group. So it sees only its own ones, by a group and namespaces for groups, mounts
/// and processes. It refuses to run where systemd is not the first process, which it tells by
/// a folder in /run.
const MANAGER: &str = "set -e\n[ $$ = 1 ]\nmount -t tmpfs none /sys/fs/cgroup\n\
    for it in $1; do mkdir -p /sys/fs/cgroup/$it; done\n\
    case $1 in *systemd*) mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd;; esac\n\
    case $1 in *unified*) mount -t cgroup2 none /sys/fs/cgroup/unified;; esac\n\
    case $1 in .) mount -t cgroup2 none /sys/fs/cgroup;; esac\n\
    mount -t tmpfs none /run/systemd\nmkdir /run/systemd/system\n\
    /lib/systemd/systemd --user --unit=basic.target --log-target=console &\nwait\n";

/// Joins the groups, and goes on in namespaces that end with it.
const JOIN: &str = "set -e\nfor group in $1; do echo $$ > $group/cgroup.procs; done\nshift\n\
    exec unshare --mount --cgroup --pid --fork --kill-child --mount-proc sh -c \"$@\"\n";

/// What the drop-in sets, so that a gateway that hangs is noticed while a test waits.
const WATCHDOG: Duration = Duration::from_secs(3);

/// A manager with a person's home. Process ids are those of its namespace.
struct Manager<'a> {
    gateway: &'a Gateway,
    groups: Vec<PathBuf>,
    process: Running,
}

impl<'a> Manager<'a> {
    /// `None` where groups or namespaces may not be made: that takes root.
    fn start(gateway: &'a Gateway) -> Option<Self> {
        let home = gateway.home.path();
        let runtime = home.join("run");
        std::fs::create_dir_all(&runtime).expect("a folder");
        let root = Path::new("/sys/fs/cgroup");
        let mut hierarchies = vec!["systemd", "unified"];
        hierarchies.retain(|name| root.join(name).exists());
        if hierarchies.is_empty() {
            hierarchies.push(".");
        }
        let name = format!("chatcode-test-{}", std::process::id());
        let groups: Vec<PathBuf> =
            hierarchies.iter().map(|hierarchy| root.join(hierarchy).join(&name)).collect();
        groups.iter().try_for_each(std::fs::create_dir).ok()?;
        let shown: Vec<String> = groups.iter().map(|path| path.display().to_string()).collect();
        let start = |script: &str| {
            let mut command = Command::new("sh");
            let words = [JOIN, "sh", &shown.join(" "), script, "sh", &hierarchies.join(" ")];
            let log = std::fs::File::create(home.join("manager.log")).expect("a log file");
            command.arg("-c").args(words);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            Running::start(person(&mut command, home))
        };
        let allowed = start("[ $$ = 1 ]").child().wait().is_ok_and(|status| status.success());
        if !allowed {
            groups.iter().for_each(|group| remove_group(group));
            return None;
        }
        let manager = Self { gateway, groups, process: start(MANAGER) };
        eventually("the manager is ready", PATIENCE, || {
            manager.systemctl(&["is-active", "basic.target"]).status.success().then_some(())
        });
        Some(manager)
    }

    /// A program in the manager's namespaces: it answers nobody whose process it cannot see.
    fn inside(&self, program: &Path) -> Command {
        let first = children(self.process.id()).first().map_or(String::new(), u32::to_string);
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--pid", "--target", &first]).arg(program);
        person(&mut command, self.gateway.home.path());
        command
    }

    fn systemctl(&self, words: &[&str]) -> Output {
        self.inside(Path::new("systemctl")).arg("--user").args(words).output().expect("it runs")
    }

    fn service(&self, action: &str) -> (i32, String) {
        let output = self.inside(&binary()).args(["service", action, "--user"]).output();
        let Output { status, stdout, stderr } = output.expect("it runs");
        let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        (status.code().expect("an exit code"), text)
    }

    fn signal(&self, name: &str) {
        let signal = format!("--signal={name}");
        let sent = self.systemctl(&["kill", "--kill-who=main", &signal, "chatcode-gateway"]);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }

    /// How often the gateway was started again.
    fn restarts(&self) -> u32 {
        let wanted = ["show", "chatcode-gateway", "--property=NRestarts", "--value"];
        let output = self.systemctl(&wanted);
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    }
}

impl Drop for Manager<'_> {
    fn drop(&mut self) {
        let home = self.gateway.home.path();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(home.join("manager.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
        // All in its namespace end with it. The tmux server there has a process id that means
        // another process here, so it must be gone before anybody looks.
        self.process.kill();
        let gone = || self.gateway.tmux.server_pid().is_none().then_some(());
        eventually("the namespace is gone", PATIENCE, gone);
        self.groups.iter().for_each(|group| remove_group(group));
    }
}

/// Groups are removed from the innermost on, once their last process was waited for.
fn remove_group(group: &Path) {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    let removed = wait_for(PATIENCE, || std::fs::remove_dir(group).is_ok().then_some(()));
    if removed.is_none() {
        eprintln!("left for a look: {}", group.display());
    }
}

fn person<'c>(command: &'c mut Command, home: &Path) -> &'c mut Command {
    command
        .env_clear()
        .env("PATH", integration::tmux::search_path())
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("TMUX_TMPDIR", home)
        .env("LC_ALL", "C.UTF-8")
        .env("SHELL", "/bin/bash")
}

fn accept(cp: &MockCp) -> Link {
    let mut link = cp.accept_within(PATIENCE).expect("the gateway comes back");
    link.read_hello();
    link
}

#[test]
fn a_real_manager_keeps_the_gateway() {
    let cp = MockCp::new();
    let gateway = Gateway::new(&cp.url());
    let Some(manager) = Manager::start(&gateway) else {
        println!("skipped: a manager of its own takes root");
        return;
    };
    let mut settings = Settings::new(&gateway, &cp);
    settings.set("GATEWAY_MAX_SESSIONS", "1");
    let (code, text) = manager.service("status");
    assert_eq!(code, 4, "{text}");
    let (code, text) = manager.service("install");
    assert_eq!(code, 0, "{text}");
    let mut link = accept(&cp);
    link.open(1, 80, 24);
    eventually("it is told what runs", PATIENCE, || {
        let (code, text) = manager.service("status");
        (code == 0 && text.contains(", 1 session, linked")).then_some(())
    });

    settings.set("GATEWAY_MAX_SESSIONS", "2");
    let reloaded = manager.systemctl(&["reload", "chatcode-gateway"]);
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
    eventually("the reload is over", PATIENCE, || {
        link.request(Link::shell(2, 80, 24)).is_ok().then_some(())
    });
    assert!(manager.service("status").1.contains("running"));

    // It dies: it is started again, and finds its sessions.
    manager.signal("KILL");
    let link = accept(&cp);
    assert_eq!(link.hello.as_ref().map(|hello| hello.sessions.len()), Some(2));
    assert_eq!(manager.restarts(), 1);

    // It hangs: the same. While it does not hang, nothing happens.
    let drop_in = gateway.home.join(".config/systemd/user/chatcode-gateway.service.d");
    std::fs::create_dir_all(&drop_in).expect("a folder");
    let text = format!("[Service]\nWatchdogSec={}\n", WATCHDOG.as_secs());
    std::fs::write(drop_in.join("watchdog.conf"), text).expect("written");
    assert!(manager.systemctl(&["daemon-reload"]).status.success());
    assert!(manager.systemctl(&["restart", "chatcode-gateway"]).status.success());
    let mut link = accept(&cp);
    link.take_for(WATCHDOG * 2);
    assert_eq!((link.ending.clone(), manager.restarts()), (None, 0));
    manager.signal("STOP");
    let mut link = accept(&cp);
    assert_eq!(manager.restarts(), 1);
    link.attach_afresh(1, None);
    link.type_in(1, "echo still-$((1+1))\r");
    link.expect(1, "still-2");

    let (code, text) = manager.service("uninstall");
    assert_eq!(code, 0, "{text}");
    assert_eq!(manager.service("status").0, 4);
    assert!(gateway.tmux.has(1) && gateway.tmux.has(2), "sessions go on");
    assert!(settings.path.exists());
}
