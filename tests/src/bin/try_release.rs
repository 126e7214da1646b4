//! `try-release`: a folder of releases, served as it is and installed on a clean machine by the line
//! that people paste. `cargo xtask release --dry-run` runs it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::api::Person;
use integration::machine::Machine;
use integration::root::BOOKWORM;
use integration::stack::ControlPlane;
use integration::tempdir::TempDir;
use server::Server;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

#[allow(dead_code)]
#[path = "../../tests/update/server.rs"]
mod server;

/// How long the gateway may take to be seen online after the line has said so.
const ONLINE: Duration = Duration::from_secs(30);

/// What `xtask release` made, and says of it.
struct Release {
    /// What is served.
    folder: PathBuf,
    /// Where the manifests say that it is.
    port: u16,
    key: String,
    version: String,
}

fn main() {
    let release = Release::told();
    release.verify();
    println!("  SHA256SUMS: minisign accepts the signature, sha256sum every file");
    let server = release.serve();
    let folder = TempDir::new();
    let roots = folder.join("roots.pem");
    std::fs::write(&roots, &server.roots).expect("written");
    let control_plane = ControlPlane::with(&[
        ("RELEASE_URL", &server.url("")),
        ("RELEASE_PUBLIC_KEY", &release.key),
        ("NODE_EXTRA_CA_CERTS", &roots.to_string_lossy()),
    ]);
    let person = Person::sign_in(&control_plane.url());
    let offered = person.ask("GET", "/api/release").expect(200);
    assert_eq!(offered["version"], *release.version, "what the deployment offers: {offered}");
    let (gateway_id, token) = person.new_server("Test");

    let machine = Machine::boot(&BOOKWORM);
    let trusted = machine.path("/usr/local/share/ca-certificates/releases.crt");
    std::fs::write(trusted, &server.roots).expect("written");
    machine.run("update-ca-certificates").expect("the machine trusts our server");
    println!("  a clean {} is up", BOOKWORM.name);
    let line =
        format!("curl -fsSL {}/install.sh | sh -s -- {gateway_id} {token}", control_plane.url());
    let said = machine.run(&line);
    assert!(said.done, "the line failed:\n{}", said.text);
    println!("  the pasted line has installed it:");
    said.text.lines().for_each(|line| println!("    {line}"));
    let version = machine.run("chatcode-gateway version").expect("the gateway runs");
    assert_eq!(version, format!("chatcode-gateway {}", release.version));
    let binary = format!("/v{}/chatcode-gateway-{}", release.version, release.target(&machine));
    assert_eq!(server.asked(&binary), 1, "{binary} was fetched, and nothing else was installed");
    integration::eventually("the server is online", ONLINE, || {
        let server = person.ask("GET", "/api/servers").expect(200)["servers"][0].take();
        (server["status"] == "online" && server["version"] == *release.version).then_some(())
    });
    println!("  {version} is online");
}

impl Release {
    /// As the environment says.
    fn told() -> Self {
        let told = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: cargo xtask release --dry-run runs this")
            })
        };
        Self {
            folder: told("CHATCODE_RELEASES").into(),
            port: told("CHATCODE_RELEASE_PORT").parse().expect("a port"),
            key: told("CHATCODE_RELEASE_KEY"),
            version: told("CHATCODE_RELEASE_VERSION"),
        }
    }

    /// As somebody does who has downloaded all of it.
    fn verify(&self) {
        let folder = self.folder.join(format!("v{}", self.version));
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(&folder).stdin(Stdio::null());
            let answer = command.output().expect(program);
            let said =
                String::from_utf8_lossy(&[answer.stdout, answer.stderr].concat()).into_owned();
            assert!(answer.status.success(), "{program} {arguments:?}: {said}");
            said
        };
        let said = run("minisign", &["-V", "-P", &self.key, "-m", "SHA256SUMS"]);
        let comment = format!("chatcode {} file:SHA256SUMS", self.version);
        assert!(said.contains(&comment), "the trusted comment: {said}");
        run("sha256sum", &["--check", "--strict", "--quiet", "SHA256SUMS"]);
    }

    /// An HTTPS server of every file.
    fn serve(&self) -> Server {
        let server = Server::at(self.port);
        put(&server, &self.folder, "");
        server
    }

    /// The target of a machine.
    fn target(&self, machine: &Machine) -> String {
        let architecture = machine.run("uname -m").expect("an architecture");
        format!("{architecture}-unknown-linux-musl")
    }
}

/// Serves what lies in a folder beneath the address `to`.
fn put(server: &Server, folder: &Path, to: &str) {
    for entry in std::fs::read_dir(folder).expect("the folder of releases") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name());
        let to = format!("{to}/{}", name.to_string_lossy());
        match path.is_dir() {
            true => put(server, &path, &to),
            false => server.put_file(&to, &std::fs::read(path).expect("a file")),
        }
    }
}
