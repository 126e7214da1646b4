//! A clean machine, the control plane that it becomes a server of, and the person whose it is.

use super::releases::Releases;
use super::traces::Traces;
use super::way::Way;
use integration::api::{Person, Socket};
use integration::machine::{Machine, Said};
use integration::root::Recipe;
use integration::stack::ControlPlane;
use integration::tempdir::TempDir;
use integration::{PATIENCE, eventually};
use protocol::{BASE64, Engine as _};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{read_to_string, write};
use std::time::{Duration, Instant};

/// How long the gateway may stay away: it tries again within half a minute, and systemd starts one
/// that ended after five seconds.
pub(crate) const AWAY: Duration = Duration::from_secs(60);

/// The times of an update's trial in seconds: confirmed when the link lived as long, given up when
/// there is none. Those of a real one are 30 and 300.
const TIMES: &str = "GATEWAY_UPDATE_CONFIRM_SECONDS=1\nGATEWAY_UPDATE_LINK_SECONDS=8\n";

/// What installing a package changes beside its own files; tmux is a shell that one may log in to.
const OF_PACKAGES: [&str; 3] = ["/etc/ld.so.cache", "/etc/shells", "/var/lib/shells.state"];

/// Who installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// For a new user `vibe`.
    Root,
    /// For themselves; somebody else has made the account.
    Person(&'static str),
}

impl By {
    /// Whose sessions these are.
    pub(crate) fn user(self) -> &'static str {
        match self {
            Self::Root => "vibe",
            Self::Person(name) => name,
        }
    }

    /// Where the sessions' folders are.
    pub(crate) fn workspace(self) -> String {
        format!("/home/{}/workspace", self.user())
    }

    fn settings(self) -> String {
        match self {
            Self::Root => "/etc/chatcode/gateway.env".to_owned(),
            Self::Person(name) => format!("/home/{name}/.config/chatcode/gateway.env"),
        }
    }
}

pub(crate) struct Scene {
    pub(crate) by: By,
    /// The first to go: what runs on it writes to the others.
    pub(crate) machine: Machine,
    pub(crate) way: Way,
    pub(crate) releases: Releases,
    pub(crate) person: Person,
    pub(crate) gateway_id: String,
    pub(crate) token: String,
    /// What was on the disk before anything was installed.
    before: Traces,
    probes: Cell<u32>,
    began: Instant,
    _control_plane: ControlPlane,
    _roots: TempDir,
}

impl Scene {
    /// The machine is up and trusts the server of releases; nothing is installed.
    pub(crate) fn new(recipe: &Recipe, by: By) -> Self {
        Self::on(|| Machine::boot(recipe), by)
    }

    /// As [`Self::new`], on a machine that `start` makes.
    pub(crate) fn on(start: impl FnOnce() -> Machine, by: By) -> Self {
        let releases = Releases::new();
        let roots = TempDir::new();
        let file = roots.join("roots.pem");
        write(&file, &releases.server.roots).expect("written");
        let control_plane = ControlPlane::with(&[
            ("RELEASE_URL", &releases.server.url("")),
            ("RELEASE_PUBLIC_KEY", &releases.key.public),
            ("NODE_EXTRA_CA_CERTS", &file.to_string_lossy()),
        ]);
        let way = Way::to(control_plane.port());
        let person = Person::sign_in(&control_plane.url());
        let (gateway_id, token) = person.new_server("Test");
        let began = Instant::now();
        let machine = start();
        let trusted = machine.path("/usr/local/share/ca-certificates/tests.crt");
        write(trusted, &releases.server.roots).expect("written");
        machine.run("update-ca-certificates").expect("the machine trusts our releases");
        if let By::Person(name) = by {
            let account = format!("useradd --create-home --shell /bin/bash {name}");
            machine.run(&account).expect("an account");
        }
        let (before, probes) = (Traces::of(&machine), Cell::new(0));
        let (_control_plane, _roots) = (control_plane, roots);
        Self {
            by,
            machine,
            way,
            releases,
            person,
            gateway_id,
            token,
            before,
            probes,
            began,
            _control_plane,
            _roots,
        }
    }

    /// Says how far a test is, for who waits for it.
    pub(crate) fn reached(&self, what: &str) {
        println!("{:6.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// The line of the server's page, with these words behind it.
    pub(crate) fn line(&self, words: &str) -> String {
        format!("curl -fsSL {}/install.sh | sh -s -- {words}", self.way.url())
    }

    /// The words that the page puts there.
    pub(crate) fn own_words(&self) -> String {
        format!("{} {}", self.gateway_id, self.token)
    }

    /// Runs lines of shell as who installs.
    pub(crate) fn run(&self, script: &str) -> Said {
        match self.by {
            By::Root => self.machine.run(script),
            By::Person(name) => self.machine.run_as(name, script),
        }
    }

    /// Asks the manager of the service; what it answers.
    pub(crate) fn systemctl(&self, words: &str) -> String {
        let whose = if self.by == By::Root { "" } else { "--user" };
        self.run(&format!("systemctl {whose} {words} chatcode-gateway")).expect("systemd obeys")
    }

    /// What all gateways of this machine have logged since it was started.
    pub(crate) fn log(&self) -> String {
        self.machine.run("journalctl --no-pager --boot _COMM=chatcode-gatewa").text
    }

    /// A person makes the trial of updates short.
    pub(crate) fn shorten_trials(&self) {
        let path = self.machine.path(&self.by.settings());
        let text = read_to_string(&path).expect("settings");
        write(path, format!("{text}{TIMES}")).expect("written");
    }

    pub(crate) fn server(&self) -> Value {
        self.person.ask("GET", "/api/servers").expect(200)["servers"][0].take()
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/servers/{}{rest}", self.gateway_id)
    }

    pub(crate) fn watch(&self) -> Socket {
        let mut socket = self.person.socket(&self.path("/socket"));
        socket.patience = AWAY;
        socket
    }

    pub(crate) fn wait_online(&self, version: &str) {
        eventually(&format!("{version} is online"), AWAY, || {
            let server = self.server();
            (server["status"] == "online" && server["version"] == version).then_some(())
        });
    }

    pub(crate) fn wait_offline(&self) {
        eventually("the server is offline", AWAY, || {
            (self.server()["status"] == "offline").then_some(())
        });
    }

    /// A new session in a folder of that name; its id.
    pub(crate) fn create_session(&self, workdir: &str) -> u64 {
        let body = json!({
            "name": workdir, "workdir": workdir, "agent": "none", "cols": 80, "rows": 24,
        });
        let made = self.person.send("POST", &self.path("/sessions"), body).expect(201);
        made["session"]["session_id"].as_u64().expect("an id")
    }

    /// Types a command into a session as a page does; what it prints, by way of a file in the
    /// workspace.
    pub(crate) fn type_in(&self, session: u64, command: &str) -> String {
        let workspace = self.by.workspace();
        let path = self.path(&format!("/sessions/{session}/socket"));
        let mut viewer = self.person.socket(&path);
        viewer.send(json!({ "type": "viewer.attach" }));
        viewer.event("session.snapshot");
        viewer.send(json!({ "type": "control.take" }));
        viewer.find("control", |event| event["control"] == "you");
        let file = format!("{workspace}/probe-{}", self.probes.replace(self.probes.get() + 1));
        let keys = format!("{{ {command}; }} >{file}.new && mv {file}.new {file}\r");
        viewer.send(json!({ "type": "session.input", "data": BASE64.encode(keys) }));
        let file = self.machine.path(&file);
        let said = eventually("the session answers", PATIENCE, || read_to_string(&file).ok());
        std::fs::remove_file(file).expect("the probe goes");
        said.trim().to_owned()
    }

    /// The process id of a session's shell: another one would be another session.
    pub(crate) fn shell(&self, session: u64) -> String {
        self.type_in(session, "echo $$")
    }

    /// Checks what is left of the installation: nothing but `expected`, where a folder stands for all
    /// beneath it, and the packages that apt has brought.
    pub(crate) fn expect_left(&self, expected: &[&str]) {
        let now = Traces::of(&self.machine);
        let left = now.since(&self.before);
        let is_of = |path: &str, own: &str| {
            path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let packaged = self.packaged();
        let is_known = |path: &&String| {
            packaged.contains(path.as_str()) || expected.iter().any(|own| is_of(path, own))
        };
        let unknown: Vec<String> = left.iter().filter(|path| !is_known(path)).cloned().collect();
        assert!(unknown.is_empty(), "left behind:\n{}", now.tell(&unknown));
        let is_there = |own: &&&str| left.iter().any(|path| is_of(path, own));
        let missing: Vec<_> = expected.iter().filter(|own| !is_there(own)).collect();
        assert!(missing.is_empty(), "{missing:?} should have been left");
    }

    /// All paths of the packages that were installed since, and what installing any changes.
    fn packaged(&self) -> BTreeSet<String> {
        let clean = self.machine.lower().join("var/lib/dpkg/status");
        let clean = read_to_string(clean).expect("the clean root's packages");
        let names = self.machine.run("dpkg-query --show --showformat '${Package}\\n'");
        let names = names.expect("dpkg answers");
        let known: BTreeSet<&str> =
            clean.lines().filter_map(|line| line.strip_prefix("Package: ")).collect();
        let new: Vec<&str> = names.lines().filter(|name| !known.contains(name)).collect();
        let mut paths = BTreeSet::from(OF_PACKAGES.map(str::to_owned));
        if !new.is_empty() {
            let list = self.machine.run(&format!("dpkg-query --listfiles {}", new.join(" ")));
            // What belongs to /lib is in /usr/lib on systems that have merged the two.
            let list = list.expect("dpkg answers");
            paths.extend(list.lines().flat_map(|path| [path.to_owned(), format!("/usr{path}")]));
        }
        paths
    }
}
