//! `kill -9` before every step of an update: what has the binary's name always works.
//!
//! strace counts the system calls that change files or begin processes, and kills before each in
//! turn.

use super::release::{self, Kind, Manifest};
use super::scene::{NEW, OLD, Outcome, Scene};
use super::server::Part;
use integration::process::{Running, children, is_alive};
use integration::{PATIENCE, eventually, wait_for};
use protocol::commands::{Command as Told, GatewayUpdate};
use protocol::envelope::codes;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Calls that change what is on the disk or begin a process; some kernels lack some of them.
const STEPS: &str = "?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat,fsync,fchmod,\
                     flock,?fork,?vfork,?clone,?clone3,execve";

/// A step: the name of a call, and the how many-th call of that name it is.
type Step = (String, usize);

/// Files with their contents and modes, to begin anew from.
type Saved = BTreeMap<PathBuf, (Vec<u8>, u32)>;

impl Scene {
    fn folders(&self) -> [PathBuf; 2] {
        ["bin", "state"].map(|name| self.stage.gateway.home.join(name))
    }

    fn save(&self) -> Saved {
        let entries = self.folders().into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        files
            .map(|path| {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                (path.clone(), (fs::read(path).unwrap(), mode))
            })
            .collect()
    }

    /// Puts everything back as it was; no gateway runs.
    fn restore(&mut self, saved: &Saved) {
        self.stage.gateway.kill();
        for folder in self.folders() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        for (path, (bytes, mode)) in saved {
            fs::write(path, bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
        }
    }

    /// The gateway's binary under strace, which kills it before a step.
    fn traced(&self, calls: &str, kill: Option<&Step>) -> Command {
        let gateway = self.stage.gateway.command();
        let mut command = Command::new("strace");
        command.env_clear();
        command.envs(gateway.get_envs().filter_map(|(name, value)| Some((name, value?))));
        // The tracer is no parent: who ends the gateway ends the right process.
        command.arg("-D").arg("-o").arg(self.trace()).arg("-e").arg(format!("trace={calls}"));
        if let Some((call, count)) = kill {
            command.arg("-e").arg(format!("inject={call}:signal=KILL:when={count}"));
        }
        command.arg("--").arg(self.binary());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn trace(&self) -> PathBuf {
        self.stage.gateway.home.join("strace.log")
    }

    /// The steps that strace saw after the program was there, in order.
    fn steps(&self) -> Vec<Step> {
        let mut counts = BTreeMap::<String, usize>::new();
        let log = fs::read_to_string(self.trace()).expect("a trace");
        let calls = log.lines().filter_map(|line| line.split_once('(')).map(|(call, _)| call);
        let calls = calls.filter(|call| call.bytes().all(|b| b.is_ascii_alphanumeric()));
        let mut numbered = |call: &str| {
            let count = counts.entry(call.to_owned()).or_default();
            *count += 1;
            (call.to_owned(), *count)
        };
        calls.map(&mut numbered).skip(1).collect()
    }

    /// Runs the child of an update; whether it came to its end.
    fn install(&self, calls: &str, kill: Option<&Step>, request: &str) -> bool {
        let path = self.stage.gateway.home.join("request");
        fs::write(&path, request).unwrap();
        let mut command = self.traced(calls, kill);
        let state = self.stage.gateway.home.join("state");
        command.arg("_update").arg(state).arg("60").stdin(fs::File::open(path).unwrap());
        let output = command.stdout(Stdio::piped()).output().expect("strace runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.is_empty() || said.starts_with("ok "), "{said}");
        !said.is_empty()
    }

    /// Runs what has the name, as a service manager does, and gives the version that links.
    fn version_that_runs(&mut self) -> String {
        self.stage.gateway.run();
        self.stage.reconnect();
        self.version()
    }

    fn request(&self) -> String {
        let manifest = self.offer(NEW, "none").json();
        let signature = self.key.sign(&manifest, Kind::Prehashed);
        Told::from(GatewayUpdate { manifest, signature }).to_json(Some("r1"))
    }

    /// The old version runs, perhaps tells what happened, and has tidied up.
    fn expect_old(&mut self, at: &str) {
        let told = self.settled();
        assert!(
            told.as_ref().is_none_or(|told| matches!(told, Outcome::Failed(..))),
            "{at}: {told:?}"
        );
        // Half a record that nobody knew of yet is overwritten by the next one.
        let harmless =
            |name: &String| name.ends_with(".old") || told.is_none() && name == "update.new";
        let mut left = self.left();
        left.retain(|name| !harmless(name));
        assert_eq!(left, ["chatcode-gateway"], "{at}");
    }

    /// What was told, once there is no record any more. A record that the gateway finds is told of.
    fn settled(&mut self) -> Option<Outcome> {
        let record = self.stage.gateway.home.join("state/update");
        record.exists().then(|| {
            let told = self.outcome();
            self.stage.request(protocol::commands::GatewayWatch { on: false }).expect("acked");
            eventually("no record", PATIENCE, || (!record.exists()).then_some(()));
            told
        })
    }
}

#[test]
fn an_update_that_is_killed_before_any_step_leaves_a_binary_that_works() {
    let mut scene = Scene::new();
    let request = scene.request();
    scene.stage.gateway.kill();
    let pristine = scene.save();
    assert!(scene.install(STEPS, None, &request));
    let steps = scene.steps();
    assert!(steps.len() > 20, "{steps:?}");
    let mut versions = Vec::new();
    for step in &steps {
        scene.restore(&pristine);
        assert!(!scene.install(STEPS, Some(step), &request), "{step:?}");
        let version = scene.version_that_runs();
        match version.as_str() {
            OLD => scene.expect_old(&format!("{step:?}")),
            _ => assert_eq!(scene.settled(), Some(Outcome::Updated(NEW.to_owned())), "{step:?}"),
        }
        versions.push(version);
    }
    // What runs changes once.
    versions.dedup();
    assert_eq!(versions, [OLD, NEW], "{steps:?}");
    for count in [1, 3, 20, 100] {
        scene.restore(&pristine);
        let write = ("write".to_owned(), count);
        assert!(!scene.install("write", Some(&write), &request), "killed while it fetched");
        assert_eq!(scene.version_that_runs(), OLD);
        scene.expect_old(&format!("{write:?}"));
    }
}

/// Starts what has the name under strace and waits until it was killed, or is linked.
fn start_traced(scene: &mut Scene, kill: Option<&Step>) -> bool {
    let mut command = scene.traced(STEPS, kill);
    let mut process = Running::start(command.arg("run"));
    let linked = wait_for(PATIENCE, || {
        if scene.stage.cp.accept_within(Duration::from_millis(10)).is_some() {
            return Some(true);
        }
        (!process.is_running()).then_some(false)
    });
    linked.expect("it is killed or links")
}

#[test]
fn a_start_that_is_killed_before_any_step_leaves_a_binary_that_works() {
    let mut scene = Scene::new();
    let request = scene.request();
    scene.stage.gateway.kill();
    assert!(scene.install(STEPS, None, &request));
    let swapped = scene.save();
    let record = scene.stage.gateway.home.join("state/update");
    let text = fs::read_to_string(&record).expect("a record");
    assert!(text.starts_with("swapping\n"), "{text}");
    fs::write(&record, text.replace("swapping", "trial")).expect("written");
    let tried = scene.save();
    for (saved, expected) in [(&swapped, [NEW, OLD].as_slice()), (&tried, &[OLD])] {
        scene.restore(saved);
        assert!(start_traced(&mut scene, None));
        let steps = scene.steps();
        let mut versions = Vec::new();
        for step in &steps {
            scene.restore(saved);
            // Steps after the link are not always the same.
            start_traced(&mut scene, Some(step));
            let version = scene.version_that_runs();
            if version == OLD {
                scene.expect_old(&format!("{step:?}"));
            }
            versions.push(version);
        }
        versions.dedup();
        assert_eq!(versions, expected, "{steps:?}");
    }
}

/// The gateway is killed while its child fetches: the child does not go on without it.
#[test]
fn a_gateway_that_is_killed_takes_its_update_with_it() {
    let mut scene = Scene::new();
    let bytes = release::built(NEW, &scene.key, "none");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let half = bytes[..bytes.len() / 2].to_vec();
    scene.server.put("/slow", vec![Part::Bytes(head.into_bytes()), Part::Bytes(half), Part::Hold]);
    scene.ask(&Manifest::new(NEW, &scene.server.url("/slow"), &bytes)).expect("accepted");
    let pid = scene.stage.gateway.process().id();
    let command_line = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_update = |pid: &u32| command_line(*pid).windows(7).any(|part| part == b"_update");
    let new = scene.binary().with_file_name("chatcode-gateway.new");
    let child = eventually("a child that fetches", PATIENCE, || {
        children(pid).into_iter().find(is_update).filter(|_| new.exists())
    });
    scene.stage.gateway.kill();
    eventually("the end of the child", PATIENCE, || (!is_alive(child)).then_some(()));
    assert!(new.exists(), "it had no time to tidy up");
    assert_eq!(scene.version_that_runs(), OLD);
    let (code, message) = scene.failure();
    assert_eq!(code, codes::CANCELLED, "{message}");
    scene.expect_left(&["chatcode-gateway"]);
}
