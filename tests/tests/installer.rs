//! `deploy/install.sh` refuses what cannot be installed, in three shells, with a sentence that says
//! what to do, and leaves everything as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "update/release.rs"]
mod release;
#[allow(dead_code)]
#[path = "update/server.rs"]
mod server;

use integration::tempdir::TempDir;
use release::{Key, Kind, Manifest};
use server::{Part, Server};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The shells that `sh` is on one machine or another.
const SHELLS: [&[&str]; 3] = [&["dash"], &["bash", "--posix"], &["busybox", "sh"]];

/// All programs that the installer may ask for.
const TOOLS: &str = "sh dash bash busybox env cat cp mv rm mkdir rmdir mktemp chmod chown cmp cut tr od \
    head tail sed grep sort wc df dirname find id uname getconf sleep printf nohup ps sha256sum curl \
    minisign openssl tmux mount unshare";

const VERSION: &str = "0.2.0";

/// What a run of the installer came to, and what a look afterwards saw.
struct Outcome {
    done: bool,
    said: String,
    left: String,
}

/// An empty home, a folder with the programs that can be found, and a deployment with a release.
struct Scene {
    place: TempDir,
    server: Server,
    key: Key,
    /// What the deployment's pages fill in.
    trusted: String,
    environment: BTreeMap<&'static str, String>,
}

impl Scene {
    fn new() -> Self {
        let (place, server, key) = (TempDir::new(), Server::new(), Key::new());
        for folder in ["home", "tools", "tmp"] {
            std::fs::create_dir(place.join(folder)).expect("a folder");
        }
        for tool in TOOLS.split_whitespace() {
            let found = which(tool).unwrap_or_else(|| panic!("{tool} is missing"));
            symlink(found, place.join("tools").join(tool)).expect("a link");
        }
        std::fs::write(place.join("roots"), &server.roots).expect("written");
        let path = |name: &str| place.join(name).to_string_lossy().into_owned();
        let environment = BTreeMap::from([
            ("PATH", path("tools")),
            ("HOME", path("home")),
            ("TMPDIR", path("tmp")),
            ("CURL_CA_BUNDLE", path("roots")),
        ]);
        let head = "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n";
        server.put("/gateway/gw-test", vec![Part::Bytes(head.into())]);
        let trusted = key.public.clone();
        let scene = Self { place, server, key, trusted, environment };
        scene.offer(&scene.manifest().json());
        scene
    }

    /// The release that is served.
    fn manifest(&self) -> Manifest {
        let bytes = release::built(VERSION, &self.key, "none");
        self.server.put_file("/binary", &bytes);
        let manifest = Manifest::new(VERSION, &self.server.url("/binary"), &bytes);
        Manifest { target: target(), ..manifest }
    }

    fn offer(&self, manifest: &str) {
        self.offer_signed(manifest, &self.key.sign(manifest, Kind::Prehashed));
    }

    fn offer_signed(&self, manifest: &str, signature: &str) {
        let path = format!("/releases/{}/manifest.json", target());
        self.server.put_file(&path, manifest.as_bytes());
        self.server.put_file(&format!("{path}.minisig"), signature.as_bytes());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Puts a program of the test in the place of one, or none.
    fn tool(&self, name: &str, script: Option<&str>) {
        let path = self.path("tools").join(name);
        let _ = std::fs::remove_file(&path);
        if let Some(script) = script {
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("executable");
        }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.environment.insert(name, value.to_owned());
    }

    /// A binary of one's own.
    fn own_binary(&mut self, bytes: &[u8]) -> PathBuf {
        let path = self.path("own");
        std::fs::write(&path, bytes).expect("written");
        self.set("CHATCODE_BINARY", &path.to_string_lossy());
        path
    }

    /// Pipes the script into a shell, as the line does.
    fn run(&self, shell: &[&str], words: &str) -> Outcome {
        self.run_in(shell, words, None)
    }

    /// The same between two commands, in namespaces where the tester is root and may mount.
    fn run_in(&self, shell: &[&str], words: &str, between: Option<(&str, &str)>) -> Outcome {
        let template = integration::repository().join("deploy/install.sh");
        let text = std::fs::read_to_string(template)
            .expect("the installer")
            .replace("@ORIGIN@", &self.server.url(""))
            .replace("@RELEASE_URL@", &self.server.url("/releases"))
            .replace("@RELEASE_KEY@", &self.trusted);
        std::fs::write(self.path("install.sh"), text).expect("written");
        let (before, after) = between.unwrap_or(("true", "true"));
        let shell = shell.join(" ");
        let line = format!(
            "{before} || exit 99; {shell} -s -- {words} <install.sh 2>&1; code=$?; \
             echo '--- left'; {after}; exit $code"
        );
        let mut command = Command::new(if between.is_some() { "unshare" } else { "sh" });
        if between.is_some() {
            command.args(["--user", "--map-root-user", "--mount", "sh"]);
        }
        let output = command
            .args(["-c", &line])
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.place.path())
            .stdin(Stdio::null())
            .output()
            .expect("a shell runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (said, left) = text
            .split_once("--- left\n")
            .unwrap_or_else(|| panic!("{line}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        Outcome { done: output.status.success(), said: said.to_owned(), left: left.to_owned() }
    }

    /// It is refused in each shell, with these words, and nothing has changed.
    fn refuses(&self, says: &str) {
        self.refuses_line("gw-test token --no-service", None, says);
    }

    fn refuses_line(&self, words: &str, before: Option<&str>, says: &str) {
        let there = self.listing();
        for shell in SHELLS {
            let between = before.map(|before| (before, "find \"$HOME\" -mindepth 1"));
            let Outcome { done, said, left } = self.run_in(shell, words, between);
            assert!(!done && said.contains(says), "{shell:?} {words}, not {says:?}: {said}");
            assert!(said.contains("chatcode: "), "a sentence of its own: {said}");
            assert_eq!((&*left, self.listing()), ("", there.clone()), "{shell:?} {words}: {said}");
        }
    }

    /// It is willing in each shell, and says this in its plan.
    fn plans(&self, says: &str) {
        let there = self.listing();
        for shell in SHELLS {
            let words = "gw-test token --no-service --dry-run";
            let Outcome { done, said, .. } = self.run(shell, words);
            assert!(done && said.contains("Nothing was done"), "{shell:?}: {said}");
            assert!(said.contains(says), "{shell:?}, not {says:?}: {said}");
            assert_eq!(self.listing(), there, "{shell:?}");
        }
    }

    /// All that is in the home and in the folder for temporary files, with what is in it.
    fn listing(&self) -> Vec<(PathBuf, u64, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("home"), self.path("tmp")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                let inode = entry.metadata().expect("there").ino();
                let bytes = std::fs::read(&path).unwrap_or_default();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.push((path, inode, bytes));
            }
        }
        found.sort();
        found
    }
}

fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|path| path.is_file())
}

/// What the installer calls this machine.
fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

fn flipped(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= 1;
    String::from_utf8(bytes).expect("still ASCII")
}

#[test]
fn a_good_release_is_verified_by_whatever_can() {
    let scene = Scene::new();
    scene.plans("verified  by its signature, with minisign");
    scene.tool("minisign", None);
    scene.plans("verified  by its signature, with openssl");
    // Signatures over the bytes themselves are minisign's too.
    let manifest = scene.manifest().json();
    scene.offer_signed(&manifest, &scene.key.sign(&manifest, Kind::Legacy));
    scene.plans("verified  by its signature, with openssl");
    // OpenSSL 1 and LibreSSL.
    let openssl = which("openssl").expect("openssl");
    let old = format!("case $* in *-help) exit;; esac; exec {} \"$@\"", openssl.display());
    scene.tool("openssl", Some(&old));
    scene.plans("verified  by the checksum that came by https; by no signature: neither");
    scene.tool("openssl", None);
    scene.plans("verified  by the checksum that came by https; by no signature: neither");
}

#[test]
fn a_deployment_without_a_key_has_checksums() {
    let mut scene = Scene::new();
    scene.trusted = String::new();
    scene.plans("verified  by the checksum that came by https: this deployment signs nothing");
}

#[test]
fn a_signature_that_is_not_the_deployments_is_refused() {
    for without_minisign in [false, true] {
        let scene = Scene::new();
        if without_minisign {
            scene.tool("minisign", None);
        }
        let manifest = scene.manifest().json();
        let good = scene.key.sign(&manifest, Kind::Prehashed);
        let bad = "the signature of the manifest of the release is bad: ";
        // The key of before, or somebody's.
        scene.offer_signed(&manifest, &Key::new().sign(&manifest, Kind::Prehashed));
        scene.refuses(&format!("{bad}another key made it"));
        // One byte of what is signed, of the signature, of its comment, and of that one's.
        let of_other_bytes = format!("{bad}it is not of these bytes");
        scene.offer_signed(&manifest.replacen("0.2.0", "0.2.1", 1), &good);
        scene.refuses(&of_other_bytes);
        let starts: Vec<usize> = good
            .split_inclusive('\n')
            .scan(0, |at, line| Some((*at, *at += line.len()).0))
            .collect();
        for at in [starts[1] + 40, starts[2] + 20, starts[3] + 40] {
            scene.offer_signed(&manifest, &flipped(&good, at));
            scene.refuses(&of_other_bytes);
        }
        scene.offer_signed(&manifest, "");
        scene.refuses(bad);
        let none = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n".to_vec();
        let path = format!("/releases/{}/manifest.json", target());
        scene.server.put(&format!("{path}.minisig"), vec![Part::Bytes(none.clone())]);
        scene.refuses("its signature is missing");
        scene.server.put(&path, vec![Part::Bytes(none)]);
        scene.refuses("offers no gateway to download");
    }
}

#[test]
fn a_manifest_must_be_one_for_this_machine_and_make_sense() {
    let scene = Scene::new();
    let good = scene.manifest();
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        scene.offer(&manifest.json());
    };
    with(&|it| it.target = "armv7-unknown-linux-musleabihf".to_owned());
    scene.refuses("it is for armv7-unknown-linux-musleabihf, and this machine is");
    let unreadable = "its manifest cannot be read; tell who runs";
    let changes: [&dyn Fn(&mut Manifest); 7] = [
        &|it| it.version = "0.2".to_owned(),
        &|it| it.version = "0.2.0-rc1".to_owned(),
        &|it| it.url = "http://127.0.0.1/binary".to_owned(),
        &|it| it.size = 0,
        &|it| it.size = 16_777_217,
        &|it| it.sha256 = "0a".to_owned(),
        &|it| it.sha256 = "g".repeat(64),
    ];
    for change in changes {
        with(change);
        scene.refuses(unreadable);
    }
    scene.offer(&"x".repeat(5_000));
    scene.refuses("cannot be fetched");
}

#[test]
fn a_release_that_wants_another_before_it_is_refused() {
    let scene = Scene::new();
    let mut manifest: serde_json::Value =
        serde_json::from_str(&scene.manifest().json()).expect("JSON");
    manifest["minimum_version"] = "0.1.5".into();
    scene.offer(&manifest.to_string());
    scene.plans("/binary");
    let binary = scene.path("home/.local/bin/chatcode-gateway");
    release::build(&binary, "0.1.10", &scene.key, "none");
    scene.plans("/binary");
    release::build(&binary, "0.1.4", &scene.key, "none");
    scene.refuses("0.1.4 is here, and 0.2.0 replaces only 0.1.5 and later: update to 0.1.5");
}

#[test]
fn a_binary_must_be_what_the_release_names() {
    let scene = Scene::new();
    let good = scene.manifest();
    let bytes = release::built(VERSION, &scene.key, "none");
    scene.server.put_file("/binary", &[&bytes[..bytes.len() - 1], b"x"].concat());
    scene.refuses("is not what the release names: nothing was installed");
    scene.server.put_file("/binary", &bytes[..bytes.len() / 2]);
    scene.refuses("is not what the release names: nothing was installed");
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
    scene.server.put("/binary", vec![Part::Bytes([cut.as_bytes(), &bytes[..1000]].concat())]);
    scene.refuses("failed: nothing was installed; paste the line again");
    scene.server.put_file("/binary", &bytes);
    scene.offer(&Manifest { version: "9.9.9".to_owned(), ..good }.json());
    scene.refuses("it is said to be 9.9.9, and says of itself: chatcode-gateway 0.2.0");
}

#[test]
fn a_binary_of_ones_own_must_be_for_this_machine() {
    let mut scene = Scene::new();
    let bytes = release::built(VERSION, &scene.key, "none");
    scene.own_binary(b"#!/bin/sh\necho chatcode-gateway 0.2.0\n");
    scene.refuses("is no program for this machine (Linux, ");
    scene.own_binary(b"");
    scene.refuses("is no program for this machine");
    // e_machine: 40 is ARM, 243 is RISC-V.
    for machine in [40, 243] {
        let mut foreign = bytes.clone();
        foreign[18] = machine;
        scene.own_binary(&foreign);
        scene.refuses(&format!("take one that was built for {}", target()));
    }
    // The right processor, and yet it does not start.
    scene.own_binary(&bytes[..4096]);
    scene.refuses("does not run on this machine");
    scene.set("CHATCODE_BINARY", "/nowhere");
    scene.refuses("there is no file /nowhere");
}

#[test]
fn a_binary_of_ones_own_is_verified_where_it_can_be() {
    let mut scene = Scene::new();
    let bytes = release::built(VERSION, &scene.key, "none");
    let path = scene.own_binary(&bytes);
    scene.plans("verified  by nobody: it is a file of yours");
    scene.set("CHATCODE_SHA256", &integration::patterns::sha256(&bytes));
    scene.plans("verified  by CHATCODE_SHA256");
    scene.set("CHATCODE_SHA256", &"0".repeat(64));
    scene.refuses("has not the digest of CHATCODE_SHA256: nothing was installed");
    scene.environment.remove("CHATCODE_SHA256");
    let signature = |key: &Key| {
        let text = key.sign(&bytes, Kind::Prehashed);
        std::fs::write(path.with_extension("minisig"), text).expect("written");
    };
    signature(&scene.key);
    scene.plans("verified  by its signature, with minisign");
    signature(&Key::new());
    scene.refuses("is bad: another key made it");
}

#[test]
fn machines_without_a_gateway_are_named() {
    let scene = Scene::new();
    for (system, machine) in [("Linux", "sparc64"), ("FreeBSD", "amd64"), ("Linux", "i686")] {
        let script = format!("case $1 in -s) echo {system};; -m) echo {machine};; esac");
        scene.tool("uname", Some(&script));
        let says = format!("there is no gateway for {system} on {machine} (");
        for shell in &SHELLS[..2] {
            let Outcome { done, said, .. } = scene.run(shell, "gw-test token --no-service");
            assert!(!done && said.contains(&says) && said.contains("x86_64, aarch64"), "{said}");
        }
    }
}

#[test]
fn tmux_and_curl_must_be_there_or_come() {
    let scene = Scene::new();
    scene.tool("tmux", Some("echo tmux 2.8"));
    scene.refuses("tmux 2.8 is too old, 3.0 or later is needed: ");
    for new in ["3.0a", "next-3.7", "openbsd-7.4", "master"] {
        scene.tool("tmux", Some(&format!("echo tmux {new}")));
        scene.plans(&format!("tmux {new} is here"));
    }
    scene.tool("tmux", Some("echo lost >&2; exit 1"));
    scene.refuses("tmux is here and does not run (lost)");
    scene.tool("tmux", None);
    scene.refuses("tmux is needed: install tmux with the package manager of this system");
    for (manager, advice) in [("dnf", "sudo dnf install tmux"), ("apk", "apk add tmux")] {
        scene.tool(manager, Some("exit 1"));
        scene.refuses(&format!("tmux is needed: {advice}, then paste the line again"));
        scene.tool(manager, None);
    }
    let scene = Scene::new();
    scene.tool("curl", None);
    scene.refuses("curl is needed: ");
}

#[test]
fn the_wrong_user_is_told_which_is_the_right_one() {
    let scene = Scene::new();
    // No service manager is seen there.
    let as_root = Some("mount -t tmpfs none /run");
    let line = |words: &str| format!("gw-test token {words}");
    scene.refuses_line(&line("--run-as root"), as_root, "name of a user, not of root");
    scene.refuses_line(&line("--run-as no-such"), as_root, "there is no user no-such: make it");
    let not_so = "--run-as is for root with a service";
    scene.refuses_line(&line("--run-as bin --no-service"), as_root, not_so);
    scene.refuses_line(&line(""), as_root, "useradd is needed to make the user vibe");
    scene.refuses_line(&line("--run-as bin"), as_root, "add --no-service to the line");
    // On macOS there is nothing that root could install.
    scene.tool("uname", Some("case $1 in -s) echo Darwin;; -m) echo arm64;; esac"));
    let between = as_root.map(|before| (before, "true"));
    let Outcome { done, said, .. } = scene.run_in(SHELLS[0], &line(""), between);
    assert!(!done && said.contains("run the line as yourself, without sudo"), "{said}");

    let mut scene = Scene::new();
    scene.set("HOME", "/nowhere/at/all");
    scene.refuses("there is no folder /nowhere/at/all: set HOME to where");
    // Somebody else's, as with sudo without -H.
    let foreign = scene.path("foreign");
    std::fs::create_dir(&foreign).expect("a folder");
    let given = std::os::unix::fs::chown(&foreign, Some(54_321), None).is_ok();
    let foreign = if given { foreign } else { PathBuf::from("/usr") };
    scene.set("HOME", &foreign.to_string_lossy());
    scene.refuses("log in as ");
    // The script as it lies in the repository.
    scene.set("HOME", &scene.path("home").to_string_lossy());
    let raw = integration::repository().join("deploy/install.sh");
    let output = Command::new("sh").arg(raw).args(["a", "b"]).output().expect("sh runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("knows no control plane"));
}

/// Mounts a small file system over the home of the scene.
fn small_home(scene: &Scene, kilobytes: u32) -> String {
    let home = scene.path("home");
    format!("mount -t tmpfs -o size={kilobytes}k none {}", home.display())
}

#[test]
fn a_place_without_room_is_named() {
    let scene = Scene::new();
    let small = small_home(&scene, 512);
    let words = "gw-test token --no-service";
    let says = format!("there is no room in {}: ", scene.path("home").display());
    scene.refuses_line(words, Some(&small), &says);
}

#[test]
fn a_disk_that_gets_full_keeps_the_old_binary_and_nothing_by_half() {
    let scene = Scene::new();
    // The look before is deceived: somebody else fills the disk meanwhile.
    scene.tool("df", Some("echo x; echo none 9999999 0 9999999 0% /"));
    let old = "$HOME/.local/bin/chatcode-gateway";
    for (before, left) in [
        ("true", ""),
        (
            "mkdir -p ${old%/*} && echo old >$old",
            "./.local\n\
        ./.local/bin\n./.local/bin/chatcode-gateway\nold\n",
        ),
    ] {
        let before = format!("{} && old={old} && {before}", small_home(&scene, 512));
        let look = "cd $HOME && find . -mindepth 1 | sort && cat $old 2>/dev/null";
        // busybox asks its own df.
        for shell in &SHELLS[..2] {
            let words = "gw-test token --no-service";
            let outcome = scene.run_in(shell, words, Some((&before, look)));
            let said = &outcome.said;
            assert!(!outcome.done && said.contains("No space left on device"), "{said}");
            assert!(said.contains("is what it was before: make room, then paste"), "{said}");
            assert_eq!(outcome.left, left, "{shell:?}: {said}");
        }
    }
}

#[test]
fn a_read_only_place_is_named() {
    let scene = Scene::new();
    let home = scene.path("home");
    let show = home.display();
    let before = format!("mount --bind {show} {show} && mount -o remount,bind,ro {show}");
    let says = format!("nothing can be written in {show} (Read-only file system): it must be");
    scene.refuses_line("gw-test token --no-service", Some(&before), &says);
}
