//! Scopes of systemd with a limit of memory, where a session may have one of its own.

use crate::words::add;
use std::path::Path;
use std::process::Command;

/// From this version of systemd a scope is stopped as a whole when one of its programs is killed for
/// memory, unless it is told to go on (seen in 252).
const OOM_POLICY_SINCE: u32 = 252;

/// From this one, `$` in what a scope runs may be taken for a variable, unless that is switched off.
const EXPANSION_SINCE: u32 = 254;

/// Words that start a program in a scope named `unit` that holds at most `bytes` of memory. None
/// where there is no cgroup v2, or no manager of this user that outlives a logout and limits memory.
pub fn scope(unit: &str, bytes: u64) -> Option<Vec<String>> {
    let root = rustix::process::geteuid().is_root();
    let (manager, runtime) = manager(Path::new("/"), root, &user()?)?;
    let version = Command::new("systemd-run").arg("--version").output().ok()?;
    let version = version_of(&String::from_utf8_lossy(&version.stdout))?;
    let mut words = Vec::new();
    if !root {
        // A service of the system has no such variable; systemd-run finds the manager by it.
        add(&mut words, &["/usr/bin/env", &format!("XDG_RUNTIME_DIR={runtime}")]);
    }
    add(&mut words, &["systemd-run", manager, "--scope", "--quiet", "--collect"]);
    let (unit, most) = (format!("--unit={unit}"), format!("--property=MemoryMax={bytes}"));
    // Half of what there is, so that one session cannot take it from all others.
    add(&mut words, &[&unit, &most, "--property=MemorySwapMax=50%"]);
    if version >= OOM_POLICY_SINCE {
        add(&mut words, &["--property=OOMPolicy=continue"]);
    }
    if version >= EXPANSION_SINCE {
        add(&mut words, &["--expand-environment=no"]);
    }
    add(&mut words, &["--"]);
    Some(words)
}

struct User {
    id: u32,
    name: String,
}

fn user() -> Option<User> {
    let name = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok())?;
    Some(User { id: rustix::process::geteuid().as_raw(), name })
}

/// The flag for systemd-run and the runtime folder. Everything is looked for beneath `top`.
fn manager(top: &Path, root: bool, user: &User) -> Option<(&'static str, String)> {
    let groups = top.join("sys/fs/cgroup");
    let limits_memory = |group: &str| {
        let controllers = std::fs::read_to_string(groups.join(group).join("cgroup.controllers"));
        controllers.is_ok_and(|list| list.split_whitespace().any(|name| name == "memory"))
    };
    if root {
        let ready = top.join("run/systemd/private").exists() && limits_memory("system.slice");
        return ready.then(|| ("--system", "/run".to_owned()));
    }
    let runtime = format!("run/user/{}", user.id);
    let group = format!("user.slice/user-{0}.slice/user@{0}.service", user.id);
    // Without lingering the manager ends, and every scope with it, when the user logs out.
    let stays = top.join("var/lib/systemd/linger").join(&user.name).exists();
    let ready = stays && top.join(&runtime).join("systemd/private").exists();
    (ready && limits_memory(&group)).then(|| ("--user", format!("/{runtime}")))
}

/// `systemd 252 (252.39-1~deb12u2)`.
fn version_of(text: &str) -> Option<u32> {
    let word = text.strip_prefix("systemd ")?.split_whitespace().next()?;
    word.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version_of("systemd 252 (252.39-1~deb12u2)\n+PAM"), Some(252));
        assert_eq!(version_of("systemd 257~rc1\n"), Some(257));
        assert_eq!(version_of("busybox"), None);
    }

    #[test]
    fn a_manager_must_be_there_stay_and_limit_memory() {
        let top = std::env::temp_dir().join(format!("cc-scope-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&top);
        let user = User { id: 1000, name: "vibe".to_owned() };
        let group = "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers";
        let needed: [(&str, &str); 3] = [
            ("run/user/1000/systemd/private", ""),
            ("var/lib/systemd/linger/vibe", ""),
            (group, "cpu memory pids\n"),
        ];
        let write = |path: &PathBuf, text: &str| {
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        for (path, text) in needed {
            assert_eq!(manager(&top, false, &user), None, "without {path}");
            write(&top.join(path), text);
        }
        let found = Some(("--user", "/run/user/1000".to_owned()));
        assert_eq!(manager(&top, false, &user), found);
        assert_eq!(manager(&top, true, &user), None);
        write(&top.join(group), "cpu pids\n");
        assert_eq!(manager(&top, false, &user), None);
        std::fs::remove_dir_all(&top).expect("cleaned");
    }
}
