//! What can be wrong with the machine itself: tmux, folders, memory, sshd, the login shell.

use crate::patient::Patient;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_tmux_that_is_missing_old_or_stuck() {
    let mut patient = Patient::new();
    for (version, code, exit_code) in [
        ("echo tmux 2.9a", "tmux_old", 1),
        ("echo tmux 3.1c", "tmux_limited", 2),
        ("echo hello", "tmux_unknown", 1),
        ("sleep 60", "tmux_hangs", 1),
    ] {
        patient.program("tmux", version);
        patient.says("tmux", code, exit_code);
    }
    std::fs::remove_file(patient.home.join("bin/tmux")).expect("removed");
    let programs = patient.home.join("bin").to_string_lossy().into_owned();
    // The stand-ins are shell scripts and need nothing more.
    patient.set("PATH", &programs);
    patient.says("tmux", "tmux_missing", 1);
}

#[test]
fn a_service_that_is_stopped_missing_or_unknown() {
    let patient = Patient::new();
    patient.service("LoadState=loaded\nActiveState=failed");
    patient.says("service", "service_stopped", 1);
    patient.service("LoadState=not-found\nActiveState=inactive");
    let report = patient.says("service", "service_not_installed", 2);
    assert_eq!(report.text("service", "advice"), "chatcode-gateway service install");
    // No manager to ask: nothing is said.
    patient.program("systemctl", "exit 1");
    let report = patient.report();
    assert_eq!((report.exit_code, report.not_checked()), (0, vec!["service"]));
}

#[test]
fn terminal_types_that_are_missing() {
    let mut patient = Patient::new();
    let empty = |folder: &str| format!("test ! -d {folder} || mount -t tmpfs none {folder}");
    let folders = ["/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"];
    let all = folders.map(empty).join("; ");
    patient.before = Some(all.clone());
    patient.says("terminfo", "terminfo_missing", 1);
    let add = "mkdir -p /usr/share/terminfo/s; touch /usr/share/terminfo/s/screen-256color";
    patient.before = Some(format!("{all}; {add}"));
    patient.says("terminfo", "terminfo_limited", 2);
}

#[test]
fn folders_that_cannot_be_written_or_are_open() {
    let mut patient = Patient::new();
    let mount = |folder: &std::path::Path, options: &str| {
        Some(format!("mount -t tmpfs -o {options} none {}", folder.display()))
    };
    let (workspace, state) = (patient.home.join("workspace"), patient.home.join("state"));
    // Read-only also for root. The size keeps the room a question of its own.
    patient.before = mount(&workspace, "ro,size=2g");
    patient.says("workspace", "workspace_not_writable", 1);
    patient.before = mount(&state, "ro,size=2g,mode=0700");
    patient.says("state", "state_not_writable", 1);
    patient.before = mount(&state, "size=16m,mode=0700");
    patient.says("disk", "disk_full", 1);
    patient.before = mount(&workspace, "size=500m");
    patient.says("disk", "disk_low", 2);
    patient.before = None;

    std::fs::set_permissions(&state, Permissions::from_mode(0o755)).expect("set");
    let report = patient.says("state", "state_exposed", 2);
    assert_eq!(report.text("state", "advice"), format!("chmod go-rwx {}", state.display()));
    std::fs::set_permissions(&state, Permissions::from_mode(0o700)).expect("set");

    // Folders that are still to come are no trouble, and are not made to find out.
    patient.set("GATEWAY_WORKSPACE", &patient.home.join("a/b").to_string_lossy());
    assert_eq!(patient.report().exit_code, 0);
    assert!(!patient.home.join("a").exists());
    patient.set("GATEWAY_WORKSPACE", "/proc/nowhere/workspace");
    let report = patient.report();
    assert_eq!(report.text("workspace", "code"), "workspace_not_writable");
}

#[test]
fn little_memory() {
    let mut patient = Patient::new();
    patient.write("meminfo", "MemTotal: 500000 kB\nMemAvailable: 100000 kB\n", 0o644);
    let ours = patient.home.join("meminfo");
    patient.before = Some(format!("mount --bind {} /proc/meminfo", ours.display()));
    patient.says("memory", "memory_low", 2);
}

#[test]
fn keys_that_sshd_ignores() {
    let patient = Patient::new();
    patient.write(".ssh/authorized_keys", "# mine\n", 0o600);
    assert_eq!(patient.report().exit_code, 0);
    let places = [patient.home.path().to_owned(), patient.home.join(".ssh")];
    for place in places.iter().chain([&patient.home.join(".ssh/authorized_keys")]) {
        let mode = place.metadata().expect("there").permissions().mode();
        std::fs::set_permissions(place, Permissions::from_mode(mode | 0o020)).expect("set");
        let report = patient.says("ssh_files", "ssh_files_exposed", 1);
        assert_eq!(report.text("ssh_files", "advice"), format!("chmod go-w {}", place.display()));
        std::fs::set_permissions(place, Permissions::from_mode(mode)).expect("set");
    }
    std::fs::remove_file(patient.home.join(".ssh/authorized_keys")).expect("removed");
    std::fs::create_dir(patient.home.join(".ssh/authorized_keys")).expect("made");
    patient.says("ssh_files", "ssh_files_unreadable", 1);
}

#[test]
fn an_sshd_that_is_old_takes_no_keys_or_looks_elsewhere() {
    let patient = Patient::new();
    let good = "pubkeyauthentication yes\nauthorizedkeysfile %h/.ssh/authorized_keys";
    for (version, settings, code) in [
        ("OpenSSH_7.4", good, "sshd_old"),
        ("OpenSSH_9.2", "pubkeyauthentication no", "sshd_no_keys"),
        ("OpenSSH_9.2", "authorizedkeysfile /etc/ssh/keys/%u", "sshd_elsewhere"),
    ] {
        patient.sshd(version, settings);
        patient.says("sshd", code, 2);
    }
    // Its settings are for root alone.
    patient.sshd("OpenSSH_9.2", "sshd: no hostkeys available -- exiting.");
    assert_eq!(patient.report().exit_code, 0);
    patient.sshd("OpenSSH_8.4", good);
    assert_eq!(patient.report().exit_code, 0);
}

#[test]
fn login_shells_without_agents_slow_ones_and_none() {
    let mut patient = Patient::new();
    std::fs::remove_file(patient.home.join("bin/claude")).expect("removed");
    // Others of this machine are no concern of the test.
    patient.write(".bash_profile", "PATH=/usr/bin:/bin\n", 0o644);
    patient.says("agents", "agents_none", 2);
    patient.write(".bash_profile", "sleep 60\n", 0o644);
    patient.says("agents", "shell_slow", 2);
    // What a start-up file leaves in the background keeps nobody waiting.
    patient.program("codex", "exit 0");
    let profile = format!("PATH={}\nsleep 60 &\n", patient.home.join("bin").display());
    patient.write(".bash_profile", &profile, 0o644);
    assert_eq!(patient.report().text("agents", "found"), "codex");
    patient.set("SHELL", "/nowhere/sh");
    patient.says("agents", "shell_missing", 1);
}
