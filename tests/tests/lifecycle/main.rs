//! From the pasted line to the last trace: real releases on clean machines, each with its systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod releases;
mod scene;
#[allow(dead_code)]
#[path = "../update/server.rs"]
mod server;
mod traces;
mod way;

use integration::root::{BOOKWORM, NOBLE, Recipe, TRIXIE};
use integration::{PATIENCE, eventually};
use releases::{NEW, NEXT, OLD};
use scene::Scene;

/// The workspace of the user that an installation by root makes.
const WORKSPACE: &str = "/home/vibe/workspace";

/// What a user that was made leaves in the tables of users, their former states included.
const USERS: &[&str] = &[
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/group",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/subuid",
    "/etc/subuid-",
    "/etc/subgid",
    "/etc/subgid-",
];

#[test]
fn debian_12_by_root() {
    by_root(&BOOKWORM);
}

#[test]
fn ubuntu_24_04_by_root() {
    by_root(&NOBLE);
}

/// All of a server's life, as a service of a user that the line has made.
fn by_root(recipe: &Recipe) {
    let mut scene = Scene::new(recipe);
    scene.reached("the machine is up");
    let said = scene.machine.run(&scene.line(&scene.own_words()));
    assert!(said.done && said.text.contains("is online"), "{}", said.text);
    assert!(!said.text.contains(&scene.token), "secrets are not printed: {}", said.text);
    scene.wait_online(OLD);
    scene.reached("installed and enrolled");
    assert_eq!(scene.releases.fetched(OLD), 1);
    let pid = scene.machine.run("systemctl show --value -p MainPID chatcode-gateway");
    let pid = pid.expect("the service runs");
    let user = scene.machine.run(&format!("stat -c %U /proc/{pid}")).expect("its user");
    assert_eq!(user, "vibe", "never as root");
    scene.shorten_trials("/etc/chatcode/gateway.env");

    // The gateway is restarted: the session is the same.
    let session = scene.create_session("shop");
    let shell = scene.shell(session, WORKSPACE);
    scene.machine.run("systemctl restart chatcode-gateway").expect("restarted");
    scene.wait_online(OLD);
    assert_eq!(scene.shell(session, WORKSPACE), shell, "the same shell");
    scene.reached("restarted");

    // The machine is restarted: the gateway comes back by itself, and sessions can be made.
    scene.machine.reboot();
    scene.wait_online(OLD);
    let session = scene.create_session("shop");
    let shell = scene.shell(session, WORKSPACE);
    let kept = scene.type_in(session, WORKSPACE, "pwd");
    assert_eq!(kept, format!("{WORKSPACE}/shop"));
    scene.reached("the machine was restarted");

    update(&scene, session, &shell);
    roll_back(&scene, session, &shell);
    uninstall(&scene, session, &shell);
}

/// A newer release is offered, and taken when a person says so.
fn update(scene: &Scene, session: u64, shell: &str) {
    let mut watcher = scene.watch();
    watcher.event("gateway.health");
    scene.releases.offer(NEW);
    scene.person.send("POST", &scene.path("/update"), scene.releases.update(NEW)).expect(202);
    assert_eq!(watcher.event("gateway.updated")["version"], NEW);
    scene.wait_online(NEW);
    assert_eq!(scene.shell(session, WORKSPACE), shell, "the same shell");
    let said = scene.machine.run("chatcode-gateway version").expect("it runs");
    assert_eq!(said, format!("chatcode-gateway {NEW}"));
    scene.reached("updated");
}

/// The next release finds no way to the control plane: the one before takes its place again.
fn roll_back(scene: &Scene, session: u64, shell: &str) {
    let mut watcher = scene.watch();
    watcher.event("gateway.health");
    scene.person.send("POST", &scene.path("/update"), scene.releases.update(NEXT)).expect(202);
    eventually("it is fetched", PATIENCE, || (scene.releases.fetched(NEXT) == 1).then_some(()));
    scene.way.cut();
    eventually("the way back", scene::AWAY, || {
        let journal = scene.machine.run("journalctl --unit chatcode-gateway --no-pager");
        journal.text.contains("going back to the version before").then_some(())
    });
    scene.reached("the next version has no link and gives way");
    scene.way.mend();
    let failed = watcher.event("gateway.update_failed");
    assert_eq!(failed["code"], "rolled_back", "{failed}");
    assert!(failed["message"].as_str().is_some_and(|why| why.contains(NEXT)), "{failed}");
    scene.wait_online(NEW);
    assert_eq!(scene.shell(session, WORKSPACE), shell, "the same shell");
    scene.reached("rolled back, and told");
}

/// All of it goes, but what the person made; then that too, because they say so.
fn uninstall(scene: &Scene, session: u64, shell: &str) {
    scene.type_in(session, WORKSPACE, "echo precious >shop/work.txt");
    let said = scene.machine.run(&scene.line("--uninstall"));
    assert!(said.done, "{}", said.text);
    scene.wait_offline();
    let unit = scene.machine.run("systemctl show --value -p LoadState chatcode-gateway");
    assert_eq!(unit.expect("systemd answers"), "not-found");
    let alive = scene.machine.run(&format!("cat /proc/{shell}/comm")).expect("sessions go on");
    assert!(alive.contains("bash") || alive == "sh", "{alive}");
    let programs = scene.machine.run("cat /proc/[0-9]*/comm | grep chatcode");
    assert!(!programs.done, "still running: {}", programs.text);
    let work = scene.machine.path(&format!("{WORKSPACE}/shop/work.txt"));
    assert_eq!(std::fs::read_to_string(work).expect("their work"), "precious\n");
    let home = ["/home/vibe/workspace/shop", "/home/vibe/.bash_logout", "/home/vibe/.bashrc"];
    let rest = ["/home/vibe/.profile"];
    let list = scene.machine.run("ls -A /home/vibe").expect("a home");
    println!("in the home: {}", list.split_whitespace().collect::<Vec<_>>().join(" "));
    let _ = (home, rest);
    let expected: Vec<&str> = USERS.iter().copied().chain(["/home/vibe"]).collect();
    scene.expect_left(&expected);
    scene.reached("uninstalled");

    let said = scene.machine.run(&scene.line("--uninstall --purge"));
    assert!(said.done, "{}", said.text);
    assert!(!scene.machine.run(&format!("cat /proc/{shell}/comm")).done, "sessions end");
    scene.expect_left(&[]);
    scene.reached("purged");
}

#[test]
#[ignore]
fn debian_13_by_a_person() {
    let _ = &TRIXIE;
}
