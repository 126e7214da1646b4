//! People who do what the documents say, one after the other.

use crate::container::Docker;
use crate::documents::{commands, filled};
use crate::place::Place;
use crate::wares::{self, Served};
use integration::repository;
use integration::tempdir::TempDir;
use std::path::Path;
use std::process::Command;

/// Runs every command beneath a heading on this machine, with nothing but `home` to change.
fn follow_here(home: &Path, programs: &Path, document: &str, heading: &str) {
    let path = std::env::var("PATH").expect("a search path");
    for command in commands() {
        if (command.document, &*command.heading) != (document, heading)
            || crate::elsewhere::runs(&command)
        {
            continue;
        }
        let repository = repository().to_string_lossy().into_owned();
        let line = filled(&command.text, &[("REPOSITORY", &repository)]);
        let output = Command::new("sh")
            .args(["-c", &line])
            .current_dir(home)
            .env("HOME", home)
            .env("PATH", format!("{}:{path}", programs.display()))
            .output()
            .expect("sh runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{document}, {heading}: {line}\n{said}");
    }
}

#[test]
fn the_line_of_the_page() {
    let mut place = Place::new();
    let before = place.left();
    place.follow("install.md", "The line of the page");
    place.wait_for("online");
    place.follow("install.md", "Afterwards");
    assert!(place.follow("update.md", "By the page").contains("chatcode-gateway "));
    assert!(place.follow("update.md", "By the line").contains("online"));
    place.follow("update.md", "Settings");
    // What an update leaves beside the new version.
    place
        .run("cp ~/.local/bin/chatcode-gateway ~/.local/bin/chatcode-gateway.old")
        .expect("copied");
    place.follow("update.md", "Go back");
    place.wait_for("online");
    let said = place.follow("troubleshooting.md", "Troubleshooting");
    assert!(said.contains("\"checks\":[") && said.contains("enrolled"), "{said}");
    place.follow("uninstall.md", "What the line of the page installed");
    place.wait_for("offline");
    assert!(!place.run("ls ~/.local/bin/chatcode-gateway").done, "the program is gone");

    place.next_server();
    place.follow("install.md", "A binary that you built");
    place.wait_for("online");
    place.follow("uninstall.md", "What the line of the page installed");
    place.next_server();
    place.follow("install.md", "Where no service manager runs");
    place.wait_for("online");
    place.follow("uninstall.md", "What the line of the page installed");
    place.wait_for("offline");
    assert_eq!(place.left(), before, "outside of homes");
}

#[test]
fn the_whole_machine() {
    let place = Place::new();
    let before = place.left();
    place.follow("install.md", "For the whole machine");
    place.wait_for("online");
    place.run("chatcode-gateway service status --system").expect("it runs");
    place.follow("uninstall.md", "What it installed for the whole machine");
    place.wait_for("offline");
    assert_eq!(place.left(), before, "outside of homes");
}

#[test]
fn a_package() {
    let mut place = Place::new();
    let before = place.left();
    for version in ["0.1.0", "0.2.0"] {
        let made = wares::packages(version, &["--target", "x86_64-unknown-linux-musl"]);
        let deb = wares::deb(&made, version);
        let name = deb.file_name().expect("a name").to_string_lossy().into_owned();
        place.put(&deb, &format!("/home/ada/{name}"));
    }
    let status = |place: &Place, scope: &str| {
        place.run(&format!("chatcode-gateway service status {scope}")).text
    };
    place.follow("install.md", "A package for Debian, Ubuntu and Raspberry Pi OS");
    place.wait_for("online");
    assert!(status(&place, "--user").contains("running"), "{}", status(&place, "--user"));
    place.start_session();
    place
        .run("man --version || test -f /usr/share/man/man1/chatcode-gateway.1.gz")
        .expect("a page");
    // Both versions come and go beneath the session, which is tmux's.
    let shell = place.run("tmux -L chatcode list-panes -a -F '#{pane_pid}'").expect("a session");
    place.follow("update.md", "A package");
    place.wait_for("online");
    let said = status(&place, "--user");
    assert!(said.contains("0.1.0") && said.contains("running"), "back at the first: {said}");
    place.run("sudo apt install ./chatcode-gateway_0.2.0_amd64.deb").expect("installed");
    place.wait_for("online");
    let said = status(&place, "--user");
    assert!(said.contains("0.2.0") && said.contains("running"), "it was restarted: {said}");
    let now = place.run("tmux -L chatcode list-panes -a -F '#{pane_pid}'").expect("a session");
    assert_eq!(now, shell, "the session's shell");

    place.run("systemctl --user disable --now chatcode-gateway").expect("stopped");
    place.next_server();
    place.run("rm ~/.local/state/chatcode/auth-token").expect("another server now");
    place.follow("install.md", "A package, for the whole machine");
    place.wait_for("online");
    let said = status(&place, "--system");
    assert!(said.contains("0.2.0") && said.contains("running"), "{said}");
    place.follow("uninstall.md", "A package");
    place.wait_for("offline");
    assert!(!place.run("chatcode-gateway version").done, "the program is gone");
    place.machine.run("rm -r /etc/chatcode").expect("what the person made");
    assert_eq!(place.left(), before, "outside of homes");
}

#[test]
fn by_hand() {
    let mut place = Place::new();
    let made = wares::packages("0.1.0", &["--target", "x86_64-unknown-linux-musl"]);
    let served = Served::new(&made.join("chatcode-gateway-x86_64-unknown-linux-musl"));
    place.stands_for("https://releases.chatcode.example", served.url.clone());
    place.stands_for("KEY", served.key.clone());
    place.run("sudo apt install tmux minisign man-db").expect("installed");
    place.follow("install.md", "By hand");
    place.wait_for("online");
    place.follow("update.md", "By hand");
    place.wait_for("online");
    place.start_session();
    place.follow("uninstall.md", "By hand");
    place.wait_for("offline");
    let left = place.run("ls -A ~/.local/bin ~/.config").text;
    assert!(!left.contains("chatcode"), "{left}");
}

#[test]
fn a_container() {
    let place = Place::new();
    let made = wares::packages("0.1.0", &["--target", "x86_64-unknown-linux-musl"]);
    let clone = TempDir::new();
    std::fs::create_dir(clone.join("packaging")).expect("a folder");
    for (from, to) in [
        (wares::deb(&made, "0.1.0"), clone.join("chatcode-gateway_0.1.0_amd64.deb")),
        (repository().join("packaging/Containerfile"), clone.join("packaging/Containerfile")),
    ] {
        std::fs::copy(from, to).expect("copied");
    }
    let mut docker = Docker::new(&place);
    for line in place.lines("install.md", "A container") {
        if line.starts_with("docker ") {
            docker.docker(clone.path(), &line);
        } else {
            let mut command = Command::new("sh");
            let status = command.args(["-c", &line]).current_dir(clone.path()).status();
            assert!(status.expect("sh runs").success(), "{line}");
        }
    }
    place.wait_for("online");
}

/// What the documents ask of Homebrew, which is not here: the formula itself is run.
const BREW: &str = "#!/bin/sh
set -eu
tap=$HOME/tap
case \"$*\" in
'tap-new --no-git ada/chatcode') mkdir -p \"$tap/Formula\" ;;
'--repository ada/chatcode') echo \"$tap\" ;;
'install ada/chatcode/chatcode-gateway' | 'upgrade ada/chatcode/chatcode-gateway')
    rm -rf \"$HOME/brew\"
    ruby TRY \"$tap/Formula/chatcode-gateway.rb\" BINARY \"$HOME/brew\" ;;
'services start chatcode-gateway' | 'services stop chatcode-gateway')
    test -f \"$HOME/brew/chatcode-gateway.service\" ;;
'uninstall ada/chatcode/chatcode-gateway') rm -r \"$HOME/brew\" ;;
*) echo \"brew $*\"; exit 64 ;;
esac
";

#[test]
fn homebrew() {
    let (home, programs) = (TempDir::new(), TempDir::new());
    let made = wares::packages("0.1.0", &["--formula"]);
    std::fs::copy(made.join("chatcode-gateway.rb"), home.join("chatcode-gateway.rb"))
        .expect("copied");
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let brew = BREW
        .replace("TRY", &shown(&repository().join("packaging/try-formula.rb")))
        .replace("BINARY", &shown(&made.join("chatcode-gateway-x86_64-unknown-linux-musl")));
    let program = programs.join("brew");
    std::fs::write(&program, brew).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("executable");
    follow_here(home.path(), programs.path(), "install.md", "Homebrew");
    assert!(home.join("brew/share/man/man1/chatcode-gateway.1").is_file());
    follow_here(home.path(), programs.path(), "update.md", "Homebrew");
    follow_here(home.path(), programs.path(), "uninstall.md", "Homebrew");
    assert!(!home.join("brew").exists());
}

#[test]
fn a_clone() {
    let home = TempDir::new();
    follow_here(home.path(), home.path(), "self-host.md", "Deploy");
    assert!(home.join("chatcode/docs").is_dir());
}
