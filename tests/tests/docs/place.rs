//! A clean machine with a person on it, a control plane to connect it to, and documents that they follow.

use crate::documents::{commands, filled};
use crate::elsewhere;
use integration::api::Person;
use integration::machine::{Machine, Said};
use integration::root::BOOKWORM;
use integration::stack::ControlPlane;
use integration::{PATIENCE, eventually};
use serde_json::json;
use std::path::Path;

/// Whose machine it is: they log in, may use sudo, and their services outlive their logins. They say
/// yes to apt.
const PERSON: &str = "set -e
useradd --create-home --shell /bin/bash ada
echo 'ada ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/ada
echo 'Defaults env_keep += CHATCODE_BINARY' >>/etc/sudoers.d/ada
echo 'APT::Get::Assume-Yes \"true\";' >/etc/apt/apt.conf.d/99yes
loginctl enable-linger ada";

/// What a login by ssh knows and `su` does not, and where the gateway comes from.
const LOGIN: &str = "XDG_RUNTIME_DIR=/run/user/$(id -u); export XDG_RUNTIME_DIR
CHATCODE_BINARY=/opt/chatcode-gateway; export CHATCODE_BINARY
PATH=$HOME/.local/bin:$PATH; cd
";

/// Everything that a document needs to be followed.
pub(crate) struct Place {
    pub(crate) machine: Machine,
    pub(crate) control_plane: ControlPlane,
    person: Person,
    server: (String, String),
    values: Vec<(&'static str, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let (machine, control_plane) = (Machine::boot(&BOOKWORM), ControlPlane::start());
        machine.run(PERSON).expect("a person");
        let person = Person::sign_in(&control_plane.url());
        let server = person.new_server("Test");
        let place = Self { machine, control_plane, person, server, values: Vec::new() };
        place.put(&integration::gateway::binary(), "/opt/chatcode-gateway");
        place
    }

    /// Says what one more word stands for.
    pub(crate) fn stands_for(&mut self, word: &'static str, value: String) {
        self.values.push((word, value));
    }

    /// Puts a file of this machine where everybody there may run it.
    pub(crate) fn put(&self, from: &Path, to: &str) {
        std::fs::copy(from, self.machine.path(to)).expect("copied");
        self.machine.run(&format!("chmod 755 {to}")).expect("chmod");
    }

    /// Something that the person does.
    pub(crate) fn run(&self, script: &str) -> Said {
        self.machine.run_as("ada", &format!("{LOGIN}{script}"))
    }

    /// The commands beneath a heading that are for these tests, with everything filled in.
    pub(crate) fn lines(&self, document: &str, heading: &str) -> Vec<String> {
        let url = self.control_plane.url();
        let web_socket = url.replace("http", "ws");
        let mut values = vec![
            ("https://chatcode.example", url.as_str()),
            ("wss://chatcode.example", web_socket.as_str()),
            ("SERVER", self.server.0.as_str()),
            ("TOKEN", self.server.1.as_str()),
            ("/path/to/chatcode-gateway", "/opt/chatcode-gateway"),
        ];
        values.extend(self.values.iter().map(|(word, value)| (*word, value.as_str())));
        let here = commands().into_iter().filter(|it| {
            (it.document, it.heading.as_str()) == (document, heading) && !elsewhere::runs(it)
        });
        here.map(|it| filled(&it.text, &values)).collect()
    }

    /// Runs the commands beneath a heading, in their order; all must succeed. What they print.
    pub(crate) fn follow(&self, document: &str, heading: &str) -> String {
        let mut said = String::new();
        for line in self.lines(document, heading) {
            // Warnings are none of the document's business: this machine has no agent.
            let warned = if line.contains("doctor") { " || [ $? = 2 ]" } else { "" };
            let outcome = self.run(&format!("{line}{warned}"));
            assert!(outcome.done, "{document}, {heading}: {line}\n{}", outcome.text);
            said.push_str(&outcome.text);
        }
        said
    }

    /// Starts a session, so that there is a tmux server too.
    pub(crate) fn start_session(&self) {
        let path = format!("/api/servers/{}/sessions", self.server.0);
        let body = json!({
            "name": "first", "workdir": "first", "agent": "none", "cols": 80, "rows": 24,
        });
        self.person.send("POST", &path, body).expect(201);
    }

    /// Another server, for the next way to install.
    pub(crate) fn next_server(&mut self) {
        self.server = self.person.new_server("Next");
    }

    pub(crate) fn wait_for(&self, status: &str) {
        eventually(&format!("the server is {status}"), PATIENCE, || {
            let servers = self.person.ask("GET", "/api/servers").expect(200);
            let servers = servers["servers"].as_array().cloned().unwrap_or_default();
            let own = servers.iter().find(|it| it["gateway_id"] == *self.server.0);
            own.is_some_and(|it| it["status"] == status).then_some(())
        });
    }

    /// Files of the gateway that are left outside of homes and of what logs and managers keep.
    pub(crate) fn left(&self) -> String {
        let find = "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp \
                    -o -path /opt -o -path /home -o -path /var/log \\) -prune \
                    -o -name '*chatcode*' -print";
        self.machine.run(find).expect("find")
    }
}
