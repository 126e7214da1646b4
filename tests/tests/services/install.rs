//! The line that a server's page gives, pasted on this machine: `deploy/install.sh` as served.

use crate::release::{self, Key, Kind, Manifest};
use crate::server::Server;
use integration::api::Person;
use integration::pasted::Home;
use integration::process::is_alive;
use integration::stack::ControlPlane;
use integration::{PATIENCE, eventually};
use serde_json::{Value, json};

/// A control plane, a person with one server, and the home in which its line is pasted.
struct Scene {
    control_plane: ControlPlane,
    person: Person,
    gateway_id: String,
    token: String,
    home: Home,
}

impl Scene {
    fn new() -> Self {
        Self::at(ControlPlane::start())
    }

    fn at(control_plane: ControlPlane) -> Self {
        let person = Person::sign_in(&control_plane.url());
        let (gateway_id, token) = person.new_server("Test");
        Self { control_plane, person, gateway_id, token, home: Home::new() }
    }

    /// The line for a machine without a service manager.
    fn line(&self, token: &str) -> String {
        let (url, id) = (self.control_plane.url(), &self.gateway_id);
        format!("curl -fsSL {url}/install.sh | sh -s -- {id} {token} --no-service")
    }

    /// The line that removes what the other has installed.
    fn removal(&self, words: &str) -> String {
        format!("curl -fsSL {}/install.sh | sh -s -- --uninstall {words}", self.control_plane.url())
    }

    fn server(&self) -> Value {
        self.person.ask("GET", "/api/servers").expect(200)["servers"][0].take()
    }

    fn wait_for(&self, status: &str) {
        eventually(&format!("the server is {status}"), PATIENCE, || {
            (self.server()["status"] == status).then_some(())
        });
    }

    /// A session that the API starts, to show that all of the way works.
    fn start_session(&self) {
        let path = format!("/api/servers/{}/sessions", self.gateway_id);
        let body = json!({
            "name": "first", "workdir": "first", "agent": "none", "cols": 80, "rows": 24,
        });
        self.person.send("POST", &path, body).expect(201);
        assert!(self.home.path().join("workspace/first").is_dir(), "in its own workspace");
    }
}

#[test]
fn the_pasted_line_brings_the_server_online_and_burns_its_token() {
    let scene = Scene::new();
    let pasted = scene.home.paste(&scene.line(&scene.token));
    assert!(pasted.done, "{}", pasted.said);
    for words in [&scene.gateway_id, ".local/bin/chatcode-gateway", "tmux", "is online"] {
        assert!(pasted.said.contains(words), "{words}: {}", pasted.said);
    }
    assert!(!pasted.said.contains(&scene.token), "secrets are not printed: {}", pasted.said);
    scene.wait_for("online");
    assert_eq!(scene.server()["bootstrap_expires_at"], Value::Null, "it is burnt");
    scene.start_session();

    // The settings are its owner's alone, and no command line tells the token.
    let settings = scene.home.path().join(".config/chatcode/gateway.env");
    let mode = std::os::unix::fs::MetadataExt::mode(&settings.metadata().expect("settings"));
    assert_eq!(mode & 0o777, 0o600);
    let pid = scene.home.pid().expect("a process");
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("it runs");
    assert!(words.contains("run") && !words.contains(&scene.token), "{words}");

    // Elsewhere the line is worth nothing any more.
    let thief = Home::new();
    let refused = thief.paste(&scene.line(&scene.token));
    assert!(!refused.done && refused.said.contains("new line"), "{}", refused.said);
    assert_eq!(thief.read(".config/chatcode/gateway.env"), "", "nothing was written");
    assert_eq!(scene.server()["status"], "online");
}

#[test]
fn pasting_it_again_renews_and_another_line_enrols_anew() {
    let scene = Scene::new();
    assert!(scene.home.paste(&scene.line(&scene.token)).done);
    scene.wait_for("online");
    let first = scene.home.pid();

    // A person's own setting stays, and the sessions go on.
    scene.start_session();
    let settings = scene.home.path().join(".config/chatcode/gateway.env");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("# mine\nGATEWAY_LOG_LEVEL=debug\n{text}")).expect("written");
    let again = scene.home.paste(&scene.line(&scene.token));
    assert!(again.done && again.said.contains("only renewed"), "{}", again.said);
    assert!(again.said.contains("Nothing is new here, and the gateway runs"), "{}", again.said);
    assert_eq!(scene.home.pid(), first, "there was no reason to start it anew");
    scene.home.kill();
    let again = scene.home.paste(&scene.line(&scene.token));
    assert!(again.done, "{}", again.said);
    assert_ne!(scene.home.pid(), first, "the gateway was started anew");
    assert!(scene.home.read(".config/chatcode/gateway.env").starts_with("# mine\nGATEWAY_LOG_LEV"));
    scene.wait_for("online");
    assert!(scene.home.tmux.has(1), "the session is still there");

    // The page gives another line: the last is void, and the machine gets a token of its own again.
    let path = format!("/api/servers/{}/bootstrap", scene.gateway_id);
    let made = scene.person.send("POST", &path, json!({})).expect(201);
    let token = made["bootstrap_token"].as_str().expect("a token");
    let kept = scene.home.read(".local/state/chatcode/auth-token");
    let anew = scene.home.paste(&scene.line(token));
    assert!(anew.done, "{}", anew.said);
    assert_ne!(scene.home.read(".local/state/chatcode/auth-token"), kept);
    scene.wait_for("online");
    let sessions = scene.person.ask("GET", &format!("/api/servers/{}/sessions", scene.gateway_id));
    assert_eq!(sessions.expect(200)["sessions"][0]["status"], "running");
}

#[test]
fn what_cannot_be_installed_is_said_before_anything_is_changed() {
    let scene = Scene::new();
    let url = scene.control_plane.url();
    let line = |words: &str| format!("curl -fsSL {url}/install.sh | sh -s -- {words}");
    let (id, token) = (&scene.gateway_id, &scene.token);
    for (line, why) in [
        (line(""), "incomplete"),
        (line(id), "incomplete"),
        (line(&format!("{id} 'a b'")), "incomplete"),
        (line(&format!("{id} {token} --nonsense")), "no option --nonsense"),
        (line(&format!("{id} {token} one-more")), "a word too many"),
        (line(&format!("{id} wrong --no-service")), "new line"),
        (line(&format!("{id} -dash --no-service")), "new line"),
        (line(&format!("gw_unknown {token} --no-service")), "new line"),
        (format!("unset CHATCODE_BINARY; {}", scene.line(token)), "offers no gateway"),
        (format!("export CHATCODE_BINARY=/nowhere; {}", scene.line(token)), "no file /nowhere"),
    ] {
        let refused = scene.home.paste(&line);
        assert!(!refused.done && refused.said.contains(why), "{line}: {}", refused.said);
    }
    let dry = scene.home.paste(&format!("{} --dry-run", scene.line(token)));
    assert!(dry.done && dry.said.contains("Nothing was done"), "{}", dry.said);
    let left: Vec<_> = std::fs::read_dir(scene.home.path()).expect("a home").flatten().collect();
    assert!(left.iter().all(|entry| entry.file_name().to_string_lossy().starts_with("tmux")));
    // None of this has spent the token.
    assert!(scene.home.paste(&scene.line(token)).done);
}

/// Puts a release into the folder that the deployment names.
fn offer(server: &Server, key: &Key, version: &str) {
    let bytes = release::built(version, key, "none");
    let path = format!("/{version}");
    server.put_file(&path, &bytes);
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let folder = format!("/releases/{target}/manifest.json");
    let manifest = Manifest { target, ..Manifest::new(version, &server.url(&path), &bytes) }.json();
    server.put_file(&folder, manifest.as_bytes());
    let signature = key.sign(&manifest, Kind::Prehashed);
    server.put_file(&format!("{folder}.minisig"), signature.as_bytes());
}

#[test]
fn a_signed_release_is_downloaded_and_only_what_is_newer_replaces_it() {
    let (key, server) = (Key::new(), Server::new());
    let deployment =
        [("RELEASE_URL", &*server.url("/releases")), ("RELEASE_PUBLIC_KEY", &*key.public)];
    let scene = Scene::at(ControlPlane::with(&deployment));
    let roots = scene.home.path().join("roots.pem");
    std::fs::write(&roots, &server.roots).expect("written");
    let paste = |version: &str| {
        offer(&server, &key, version);
        let trust = format!("export CURL_CA_BUNDLE={}; unset CHATCODE_BINARY; ", roots.display());
        let pasted = scene.home.paste(&format!("{trust}{}", scene.line(&scene.token)));
        assert!(pasted.done, "{}", pasted.said);
        assert!(pasted.said.contains("verified  by its signature, with "), "{}", pasted.said);
        scene.wait_for("online");
        (pasted.said, scene.home.pid().expect("a process"))
    };
    let (said, first) = paste("0.1.0");
    assert!(said.contains("chatcode-gateway 0.1.0 is in "), "{said}");
    let settings = scene.home.path().join(".config/chatcode/gateway.env");
    let inode = || std::os::unix::fs::MetadataExt::ino(&settings.metadata().expect("settings"));
    let kept = inode();
    let (said, second) = paste("0.1.0");
    assert!(said.contains("Nothing is new here"), "{said}");
    assert_eq!((second, server.asked("/0.1.0")), (first, 1), "neither fetched nor started anew");
    let (said, third) = paste("0.2.0");
    assert!(said.contains("chatcode-gateway 0.2.0 is in ") && third != first, "{said}");
    let (said, fourth) = paste("0.1.5");
    assert!(said.contains("0.2.0 is here already, and newer than 0.1.5"), "{said}");
    assert_eq!((fourth, inode()), (third, kept), "what is the same stays");
}

#[test]
fn what_was_installed_is_removed_and_what_was_made_stays() {
    let scene = Scene::new();
    assert!(scene.home.paste(&scene.line(&scene.token)).done);
    scene.wait_for("online");
    scene.start_session();
    let pid = scene.home.pid().and_then(|pid| u32::try_from(pid).ok()).expect("a process");
    let remove = |words: &str| {
        let removed = scene.home.paste(&scene.removal(words));
        assert!(removed.done, "{}", removed.said);
        removed.said
    };
    let said = remove("--dry-run");
    assert!(said.contains(".local/bin/chatcode-gateway") && said.contains("Nothing was done"));
    assert!(is_alive(pid) && scene.home.tmux.has(1));

    // The binary may be gone: the script needs none.
    std::fs::remove_file(scene.home.path().join(".local/bin/chatcode-gateway")).expect("removed");
    let said = remove("");
    assert!(said.contains("Sessions go on. To see them: tmux -L chatcode attach"), "{said}");
    assert!(said.contains("workspace, with what was made in sessions"), "{said}");
    assert!(!is_alive(pid) && scene.home.tmux.has(1));
    let entries = std::fs::read_dir(scene.home.path()).expect("a home").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left: Vec<String> = names.filter(|name| !name.starts_with("tmux-")).collect();
    assert_eq!(left, ["workspace"]);
    assert!(remove("").contains("There is nothing of chatcode here"));

    let said = remove("--purge");
    assert!(said.contains("the sessions that run") && !scene.home.tmux.has(1), "{said}");
    assert!(scene.home.path().join("workspace/first").is_dir(), "files of people stay");
    assert!(remove("--purge").contains("There is nothing of chatcode here"));
}
