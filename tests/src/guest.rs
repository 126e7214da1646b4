//! A kernel of its own with systemd and cgroup v2, for tests that this machine cannot run itself.
//!
//! It is Linux as a process (Debian's user-mode-linux) on this machine's files, read-only. Beneath a
//! user manager that lingers, as on a server, it runs a test of the very executable that starts it.

use crate::process::Running;
use crate::tempdir::TempDir;
use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The kernel and what its systemd needs for a user manager.
const NEEDED: [&str; 4] = [
    "/usr/bin/linux.uml",
    "/lib/systemd/systemd",
    "/usr/bin/dbus-daemon",
    "/lib/systemd/systemd-logind",
];

/// Boot, test and shutdown; every system call of the guest costs several of the host.
const PATIENCE: Duration = Duration::from_secs(240);

/// Memory of the guest.
const MEMORY: &str = "mem=1024M";

/// The guest's first process: makes what must be writable, then becomes systemd. `SHARE` is the
/// folder of the host that holds the executables and takes the answer, `TEST` what is run.
const INIT: &str = r#"#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /run/etc /run/var/lib/systemd/linger /run/var/lib/dbus /run/var/tmp /run/share /run/home
cp -a /etc/. /run/etc/ 2>/dev/null
mount --bind /run/etc /etc
mount --bind /run/var /var
mount -t hostfs -o SHARE share /run/share
echo 'guest:x:47000:47000::/run/home:/bin/bash' >>/etc/passwd
echo 'guest:x:47000:' >>/etc/group
echo 'guest:*:19000:0:99999:7:::' >>/etc/shadow
chown 47000:47000 /run/home
: >/var/lib/systemd/linger/guest
: >/etc/fstab
rm -rf /etc/systemd/system/*.wants
for unit in systemd-udevd.service systemd-udev-trigger.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done
mkdir /etc/systemd/system/user@47000.service.d
# What libpam-systemd does, which not every machine has.
printf '[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/47000\n' \
    >/etc/systemd/system/user@47000.service.d/guest.conf
cat >/etc/systemd/system/guest.service <<'UNIT'
[Unit]
Wants=dbus.service systemd-logind.service user@47000.service
After=dbus.service systemd-logind.service user@47000.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
User=guest
Environment=CHATCODE_GATEWAY_BIN=/run/share/gateway RUST_BACKTRACE=0
ExecStart=/run/share/tests --ignored --exact --nocapture TEST
StandardOutput=append:/run/share/answer
StandardError=append:/run/share/answer
TimeoutStartSec=180
UNIT
printf '[Unit]\nRequires=guest.service\n' >/etc/systemd/system/guest.target
exec /lib/systemd/systemd --unit=guest.target --show-status=no
"#;

/// Runs the ignored test `name` of this executable in a guest.
///
/// # Errors
/// What is missing here, when there can be no guest.
pub fn run(name: &str) -> Result<(), String> {
    if let Some(missing) = NEEDED.iter().find(|path| !Path::new(path).exists()) {
        return Err(format!("{missing} is missing"));
    }
    let share = TempDir::new();
    std::fs::copy(std::env::current_exe().expect("this"), share.join("tests")).expect("copied");
    std::fs::copy(crate::gateway::binary(), share.join("gateway")).expect("copied");
    let init = INIT.replace("SHARE", &share.path().to_string_lossy()).replace("TEST", name);
    std::fs::write(share.join("init"), init).expect("written");

    let console = std::fs::File::create(share.join("console")).expect("a file");
    let mut command = Command::new(NEEDED[0]);
    command
        .args([MEMORY, "rootfstype=hostfs", "root=/dev/root", "ro", "quiet", "init=/bin/sh"])
        .args(["con=null", "con0=null,fd:2", "--"])
        .arg(share.join("init"))
        .env("TMPDIR", "/dev/shm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(console)
        .process_group(0);
    let mut kernel = Kernel(Running::start(&mut command));
    let ended = crate::wait_for(PATIENCE, || (!kernel.0.is_running()).then_some(()));
    drop(kernel);
    let read = |name| std::fs::read(share.join(name)).unwrap_or_default();
    let answer = String::from_utf8_lossy(&read("answer")).into_owned();
    let passed = ended.is_some() && answer.contains("test result: ok. 1 passed");
    let console = String::from_utf8_lossy(&read("console")).into_owned();
    assert!(passed, "in the guest:\n{answer}\n--- its console\n{console}");
    Ok(())
}

/// Each process of the guest is one of the host's; they go together.
struct Kernel(Running);

impl Drop for Kernel {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
