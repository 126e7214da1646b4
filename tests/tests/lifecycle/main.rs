//! From the pasted line to the last trace: real releases on clean machines, each with its systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod releases;
mod scene;
#[allow(dead_code)]
#[path = "../update/server.rs"]
mod server;
mod traces;
mod way;

use integration::machine::Machine;
use integration::root::{BOOKWORM, NOBLE, Recipe, TRIXIE};
use integration::{PATIENCE, eventually};
use releases::{NEW, NEXT, OLD};
use scene::{By, Scene};

/// The tables that know a user.
const USERS: &[&str] =
    &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"];

/// What every new home has, and what bash writes into one when it ends.
const SKELETON: &[&str] = &[".bash_logout", ".bashrc", ".profile", ".bash_history"];

/// The record that sessions outlive a logout, which ends with them.
const LINGER: &str = "/var/lib/systemd/linger";

#[test]
fn debian_12_by_root() {
    live(&BOOKWORM, By::Root);
}

#[test]
fn ubuntu_24_04_by_root() {
    live(&NOBLE, By::Root);
}

#[test]
fn debian_13_by_a_person() {
    live(&TRIXIE, By::Person("ada"));
}

/// All of a server's life.
fn live(recipe: &Recipe, by: By) {
    let mut scene = Scene::new(recipe, by);
    scene.reached("the machine is up");
    install(&scene);
    let (session, shell) = restart(&mut scene);
    update(&scene, session, &shell);
    roll_back(&scene, session, &shell);
    uninstall(&scene, session, &shell);
}

fn install(scene: &Scene) {
    if scene.by != By::Root {
        // Nobody else may install packages.
        let refused = scene.run(&scene.line(&scene.own_words()));
        assert!(!refused.done && refused.text.contains("install tmux"), "{}", refused.text);
        scene.expect_left(&[]);
        scene.machine.run("apt-get -q -y install tmux").expect("tmux comes");
    }
    let said = scene.run(&scene.line(&scene.own_words()));
    assert!(said.done && said.text.contains("is online"), "{}", said.text);
    assert!(!said.text.contains(&scene.token), "secrets are not printed: {}", said.text);
    if said.text.contains("sudo loginctl enable-linger") {
        let linger = format!("loginctl enable-linger {}", scene.by.user());
        scene.machine.run(&linger).expect("it does");
    }
    scene.wait_online(OLD);
    assert_eq!(scene.releases.fetched(OLD), 1);
    let pid = scene.systemctl("show --value --property=MainPID");
    let user = scene.machine.run(&format!("stat -c %U /proc/{pid}")).expect("its user");
    assert_eq!(user, scene.by.user(), "never as root");
    let program = scene.machine.run(&format!("readlink /proc/{pid}/exe")).expect("its program");
    assert_eq!(program, format!("/home/{user}/.local/bin/chatcode-gateway"), "no shell before it");
    if scene.by == By::Root {
        let begins = scene.systemctl("show --value --property=ExecStart");
        assert!(begins.contains("path=/usr/local/bin/chatcode-gateway"), "{begins}");
    }
    scene.shorten_trials();
    scene.reached("installed and enrolled");
}

/// The gateway's restart leaves the session as it is; after the machine's own the gateway is there
/// again, and sessions can be made. The last one, and its shell.
fn restart(scene: &mut Scene) -> (u64, String) {
    let session = scene.create_session("shop");
    let shell = scene.shell(session);
    scene.systemctl("restart");
    scene.wait_online(OLD);
    assert_eq!(scene.shell(session), shell, "the same shell");
    scene.reached("the gateway was restarted");

    scene.machine.reboot();
    scene.wait_online(OLD);
    let session = scene.create_session("shop");
    assert_eq!(scene.type_in(session, "pwd"), format!("{}/shop", scene.by.workspace()));
    scene.reached("the machine was restarted");
    (session, scene.shell(session))
}

/// A newer release is offered, and taken when a person says so.
fn update(scene: &Scene, session: u64, shell: &str) {
    let mut watcher = scene.watch();
    watcher.event("gateway.health");
    scene.releases.offer(NEW);
    scene.person.send("POST", &scene.path("/update"), scene.releases.update(NEW)).expect(202);
    assert_eq!(watcher.event("gateway.updated")["version"], NEW);
    scene.wait_online(NEW);
    assert_eq!(scene.shell(session), shell, "the same shell");
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
        scene.log().contains("going back to the version before").then_some(())
    });
    assert!(scene.log().contains(&format!("gateway starts version={NEXT}")), "it was tried");
    scene.reached("the next version has no link and gives way");
    scene.way.mend();
    let failed = watcher.event("gateway.update_failed");
    assert_eq!(failed["code"], "rolled_back", "{failed}");
    assert!(failed["message"].as_str().is_some_and(|why| why.contains(NEXT)), "{failed}");
    scene.wait_online(NEW);
    assert_eq!(scene.shell(session), shell, "the same shell");
    scene.reached("rolled back, and told");
}

/// All of it goes, but what the person made; then that too, when they say so.
fn uninstall(scene: &Scene, session: u64, shell: &str) {
    scene.type_in(session, "echo precious >work.txt");
    let work = scene.machine.path(&format!("{}/shop/work.txt", scene.by.workspace()));
    let said = scene.run(&scene.line("--uninstall"));
    assert!(said.done, "{}", said.text);
    scene.wait_offline();
    assert_eq!(scene.systemctl("show --value --property=LoadState"), "not-found");
    let programs = scene.machine.run("grep -h chatcode /proc/[0-9]*/comm");
    assert!(!programs.done, "still running: {}", programs.text);
    let is_alive = || scene.machine.run(&format!("test -e /proc/{shell}")).done;
    assert!(is_alive(), "sessions go on");
    assert_eq!(std::fs::read_to_string(&work).expect("their work"), "precious\n");
    let workspace = scene.by.workspace();
    match scene.by {
        By::Root => {
            let account = ["/home/vibe", &format!("{LINGER}/vibe")];
            scene.expect_left(&[USERS, &account].concat());
        }
        // Root has let them linger.
        By::Person(name) => scene.expect_left(&[&workspace, &format!("{LINGER}/{name}")]),
    }
    let list = scene.machine.run(&format!("ls -A /home/{}", scene.by.user())).expect("a home");
    let home: Vec<&str> = list.split_whitespace().filter(|name| !SKELETON.contains(name)).collect();
    assert_eq!(home, ["workspace"], "what a new home has, and what the person made");
    scene.reached("uninstalled");

    let said = scene.run(&scene.line("--uninstall --purge"));
    assert!(said.done, "{}", said.text);
    eventually("the sessions end", PATIENCE, || (!is_alive()).then_some(()));
    match scene.by {
        By::Root => scene.expect_left(&[]),
        // Their own account and what they made is not ours to remove.
        By::Person(name) => scene.expect_left(&[&workspace, &format!("{LINGER}/{name}")]),
    }
    scene.reached("purged");
}

/// In a container there is no service manager: the line starts the gateway in the background.
#[test]
fn a_container_without_systemd() {
    let scene = Scene::on(|| Machine::container(&BOOKWORM), By::Root);
    let refused = scene.run(&scene.line(&scene.own_words()));
    assert!(!refused.done && refused.text.contains("--no-service"), "{}", refused.text);
    scene.expect_left(&[]);
    let words = format!("{} --no-service", scene.own_words());
    let said = scene.run(&scene.line(&words));
    assert!(said.done && said.text.contains("is online"), "{}", said.text);
    scene.wait_online(OLD);
    scene.create_session("shop");
    let said = scene.run(&scene.line("--uninstall --purge"));
    assert!(said.done, "{}", said.text);
    scene.wait_offline();
    scene.expect_left(&["/root/workspace"]);
}

/// The package for the whole machine, as docs/install.md has it: what it brought goes with it.
#[test]
fn debian_12_by_package() {
    let scene = Scene::new(&BOOKWORM, By::Person("ada"));
    let deb = scene.releases.package(OLD);
    std::fs::copy(&deb, scene.machine.path("/root/gateway.deb")).expect("copied");
    let root = |script: &str| scene.machine.run(script).expect(script);
    root("apt-get -q -y install ./gateway.deb && rm gateway.deb");
    let url = scene.way.url().replacen("http", "ws", 1);
    let (id, token) = (&scene.gateway_id, &scene.token);
    root(&format!(
        "install -D -m 600 -o ada /dev/null /etc/chatcode/gateway.env\n\
         printf '%s\\n' GATEWAY_ID={id} GATEWAY_CP_URL={url}/gateway \
         GATEWAY_BOOTSTRAP_TOKEN={token} > /etc/chatcode/gateway.env"
    ));
    root("chatcode-gateway service install --run-as ada");
    scene.wait_online(OLD);
    let session = scene.create_session("shop");
    let shell = scene.shell(session);
    scene.reached("installed and enrolled");

    root("apt-get -q -y purge chatcode-gateway");
    scene.wait_offline();
    assert!(scene.machine.run(&format!("test -e /proc/{shell}")).done, "sessions go on");
    let unit = root("systemctl show --value --property=LoadState chatcode-gateway");
    assert_eq!(unit, "not-found");
    // Settings and state are the person's own, as the package says, and their sessions go on.
    let linger = format!("{LINGER}/ada");
    scene.expect_left(&["/etc/chatcode", "/home/ada/workspace", "/home/ada/.local", &linger]);
    scene.reached("purged");
}
