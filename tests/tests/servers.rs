//! Servers and sessions as a person has them: real Chromium, real control plane, real gateway.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "update/release.rs"]
mod release;
#[allow(dead_code)]
#[path = "update/server.rs"]
mod server;

use chatcode_gateway::identity::OWN;
use integration::agents::{NO_NETWORK, reach_npm, share_npm_cache};
use integration::browser::{Browser, Page, id};
use integration::eventually;
use integration::gateway::Gateway;
use integration::pasted::Home;
use integration::stack::{ControlPlane, Installation, sign_in};
use release::{Key, Kind, Manifest};
use serde_json::{Value, json};
use server::Server;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::time::Duration;

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);

/// How long an agent's installation may take on a loaded machine with a cold cache.
const INSTALLATION: Duration = Duration::from_secs(300);

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmZg8nmzRq3XoROFvoImRGBqvkWBPPSPA3qN3oYCgDy";

/// A person on the page of their one server.
struct Scene {
    all: Installation,
    page: Page,
    browser: Browser,
}

impl Scene {
    fn new(environment: &[(&str, &str)], prepare: impl FnOnce(&mut Gateway)) -> Self {
        let all = Installation::at(ControlPlane::with(environment), prepare);
        let browser = Browser::new();
        let page = sign_in(&browser, "first", &all.control_plane.url(), DESKTOP);
        let scene = Self { all, page, browser };
        scene.open();
        scene
    }

    fn url(&self) -> String {
        format!("{}/servers/{}", self.all.control_plane.url(), self.all.gateway_id)
    }

    fn open(&self) {
        self.page.goto(&self.url());
        status(&self.page, "online");
    }

    fn keys(&self) -> Value {
        self.all.person.ask("GET", &self.all.path("/keys")).expect(200)["keys"].take()
    }

    fn sessions(&self) -> Value {
        self.all.person.ask("GET", &self.all.path("/sessions")).expect(200)["sessions"].take()
    }
}

fn status(page: &Page, status: &str) {
    page.wait_attribute("server-status", "data-status", status);
}

/// Pictures of the page as it is, on a desk and on a phone.
fn pictures(page: &Page, name: &str) {
    page.screenshot(name);
    page.size(PHONE.0, PHONE.1);
    let wide = page.run("document.documentElement.scrollWidth - innerWidth");
    page.screenshot(&format!("{name}-phone"));
    page.size(DESKTOP.0, DESKTOP.1);
    assert_eq!(wide, json!(0), "{name} is wider than a phone");
}

#[test]
fn a_pasted_line_makes_a_server_live_by_itself() {
    let control_plane = ControlPlane::start();
    let browser = Browser::new();
    let page = sign_in(&browser, "first", &control_plane.url(), DESKTOP);
    page.click("add-server");
    page.fill("server-name", "build-box");
    page.press("Enter");
    page.wait_attribute("connect-status", "data-state", "waiting");
    let line = page.text("bootstrap-command");
    let start = format!("curl -fsSL {}/install.sh | sh -s -- ", control_plane.url());
    assert!(line.starts_with(&start) && line.split(' ').count() == 9, "{line}");
    pictures(&page, "server-line");

    // An hour later it is worth nothing; the new one is another.
    page.run("window.realNow = Date.now; Date.now = () => window.realNow() + 2 * 3600e3; 0");
    page.wait_attribute("connect-status", "data-state", "expired");
    page.screenshot("server-line-expired");
    page.click("new-token");
    let renewed = eventually("another line", integration::browser::PATIENCE, || {
        Some(page.text("bootstrap-command")).filter(|shown| *shown != line)
    });
    assert!(renewed.starts_with(&start), "{renewed}");
    // Only now: the first line would be a good one again.
    page.run("Date.now = window.realNow; 0");
    page.wait_attribute("connect-status", "data-state", "waiting");
    let home = Home::new();
    let refused = home.paste(&format!("{line} --no-service"));
    assert!(!refused.done, "the first line was replaced: {}", refused.said);

    let pasted = home.paste(&format!("{renewed} --no-service"));
    assert!(pasted.done, "{}", pasted.said);
    page.wait_attribute("connect-status", "data-state", "connected");
    page.screenshot("server-connected");
    page.wait_focus("connect-open");
    page.press("Enter");
    status(&page, "online");
    for figure in ["cpu_percent", "ram_percent", "disk_percent"] {
        page.wait(&format!("{}[data-figure={figure}][aria-label*=average]", id("history-chart")));
    }
    assert!(page.text("gateway-version").starts_with("0."), "{}", page.text("gateway-version"));
    pictures(&page, "server-page");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn a_server_is_renamed_lost_connected_anew_and_removed() {
    let mut scene = Scene::new(&[], |_| {});
    let page = &scene.page;
    page.focus("server-menu");
    page.press("Enter");
    page.wait_focus("rename-server");
    page.press("Enter");
    page.wait(&id("rename-name"));
    page.press("Escape");
    page.wait_gone(&id("rename-name"));
    page.wait_focus("server-menu");
    page.press("Enter");
    page.wait_focus("rename-server");
    page.press("Enter");
    page.fill("rename-name", "another name");
    page.press("Enter");
    page.wait("h1:has-text(\"another name\")");
    assert_eq!(scene.all.server()["name"], "another name");

    scene.all.gateway.kill();
    status(page, "reconnecting");
    eventually("it is offline half a minute later", Duration::from_secs(60), || {
        let offline = format!("{}[data-status=offline]", id("server-status"));
        (page.count(&offline) > 0).then_some(())
    });
    page.wait(&id("offline-notice"));
    pictures(page, "server-offline");
    page.click("server-menu");
    page.click("show-line");
    page.wait_attribute("connect-status", "data-state", "waiting");
    let line = page.text("bootstrap-command");
    let home = Home::new();
    let pasted = home.paste(&format!("{line} --no-service"));
    assert!(pasted.done, "{}", pasted.said);
    page.wait_attribute("connect-status", "data-state", "connected");
    page.wait_focus("connect-open");
    page.press("Enter");
    status(page, "online");

    page.click("server-menu");
    page.click("remove-server");
    page.click("confirm");
    page.wait("text=another name is removed.");
    page.wait("text=No server yet");
    page.screenshot("server-removed");
    page.click("add-server");
    page.wait(&id("server-name"));
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn keys_are_added_and_removed_and_private_ones_never_leave_the_page() {
    let scene = Scene::new(&[("SUPPORT_PUBLIC_KEY", KEY)], |_| {});
    let page = &scene.page;
    page.click("add-key");
    page.fill("key-text", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA");
    page.wait(&id("key-problem"));
    page.screenshot("key-private");
    let left = page.run("document.querySelector('[data-testid=key-text]').value");
    assert_eq!(left, json!(""), "it does not stay in the field either");
    page.wait(&format!("{}:disabled", id("key-save")));
    // The harmless one, with its comment for a label, for a week.
    page.fill("key-text", &format!("{KEY} ada@laptop"));
    page.wait_gone(&id("key-problem"));
    page.focus("key-expires");
    page.press("ArrowDown");
    page.press("ArrowDown");
    pictures(page, "key-public");
    page.click("key-save");
    page.wait_text("key-row", "ada@laptop");
    page.wait_text("key-expiry", "7 days left");
    page.wait_gone(&id("key-text"));
    page.wait_focus("add-key");
    let file = scene.all.gateway.home.join(".ssh/authorized_keys");
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.contains(KEY) && text.contains("expiry-time="), "{text}");
    page.screenshot("keys");

    page.click("remove-key");
    page.click("confirm");
    page.wait_gone(&id("key-row"));
    assert_eq!(scene.keys(), json!([]));

    page.click("grant-support");
    page.screenshot("support-asked");
    page.click("confirm");
    page.wait_text("key-row", "Support");
    page.wait_text("key-expiry", "24 h left");
    page.wait_gone(&id("grant-support"));
    pictures(page, "support");
    page.click("remove-key");
    page.click("confirm");
    page.wait(&id("grant-support"));
    assert_eq!(scene.keys(), json!([]));
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn a_missing_agent_is_installed_and_then_the_session_starts() {
    let path = integration::tmux::search_path().to_string_lossy();
    let scene = Scene::new(&[], |gateway| {
        reach_npm(gateway, &path);
        share_npm_cache(gateway);
        std::fs::create_dir_all(gateway.home.join("workspace/shop/web")).expect("folders");
    });
    let page = &scene.page;
    page.wait(&format!("{}[data-agent=codex][data-installed=false]", id("agent-card")));
    page.click("new-session");
    page.wait(&format!("{}:has-text(\"Not installed\")", id("agent-codex")));
    page.click("agent-codex");
    page.wait_text("session-create", "Install and start");
    page.fill("session-name", "shop work");
    page.fill("session-folder", "sho");
    page.wait_text("folder-option", "shop");
    page.press("ArrowDown");
    page.press("Enter");
    let folder = page.run("document.querySelector('[data-testid=session-folder]').value");
    assert_eq!(folder, json!("shop"));
    pictures(page, "session-new");
    page.click("session-create");
    let outcome = eventually("the installation ends", INSTALLATION, || {
        if page.url().contains("/sessions/") {
            return Some(String::new());
        }
        (page.count(&id("install-failed")) > 0).then(|| page.text("install-failed"))
    });
    if NO_NETWORK.iter().any(|word| outcome.contains(word)) {
        return eprintln!("skipped: npm's registry cannot be reached: {outcome}");
    }
    assert_eq!(outcome, "", "installed");
    page.wait_attribute("connection-state", "data-state", "live");
    page.screenshot("session-with-agent");
    let session = scene.sessions()[0].take();
    assert_eq!((&session["agent"], &session["workdir"]), (&json!("codex"), &json!("shop")));
    scene.open();
    page.wait(&format!("{}[data-agent=codex][data-installed=true]", id("agent-card")));
}

#[test]
fn a_failed_installation_says_what_the_installer_said() {
    let scene = Scene::new(&[], |gateway| {
        let settings = "registry=http://127.0.0.1:9/\nfetch-retries=0\n";
        std::fs::write(gateway.home.join(".npmrc"), settings).expect("settings of npm");
    });
    let page = &scene.page;
    page.wait(&format!("{}[data-agent=codex][data-installed=false]", id("agent-card")));
    // Nothing is started before it is known what is missing, however quick one is.
    page.run(
        "(() => { const ask = window.fetch; window.fetch = (...all) => all[0].endsWith('/agents') \
         ? new Promise((go) => { window.answer = () => go(ask(...all)); }) : ask(...all); })()",
    );
    page.click("new-session");
    page.click("agent-codex");
    page.fill("session-name", "never");
    assert_eq!(page.run("document.querySelector('[data-testid=session-create]').disabled"), true);
    page.run("window.answer()");
    page.click("session-create");
    page.wait(&format!("[role=dialog] {}", id("install-failed")));
    page.wait(&format!("{}:enabled", id("session-create")));
    pictures(page, "install-failed");
    assert_eq!(scene.sessions(), json!([]), "nothing was started");
    page.press("Escape");
    page.wait_gone("[role=dialog]");
    page.wait_focus("new-session");
}

#[test]
fn five_sessions_are_the_most_and_those_of_yesterday_are_folded_away() {
    let mut scene = Scene::new(&[], |_| {});
    for n in 1..=4 {
        scene.all.create_session(&format!("session-{n}"));
    }
    let page = &scene.page;
    let rows = |count| page.wait_count("session-row", count);
    rows(4);
    // The fifth comes while somebody is about to start it here: the server says what to do.
    page.click("new-session");
    page.fill("session-name", "one too many");
    page.click("agent-none");
    scene.all.create_session("session-5");
    page.click("session-create");
    page.wait_text("problem", "end one");
    page.screenshot("session-refused");
    page.press("Escape");
    page.wait_gone("[role=dialog]");
    page.wait(&id("session-limit"));
    page.wait(&format!("{}:disabled", id("new-session")));
    pictures(page, "session-limit");

    let row = format!("{}:has-text(\"session-5\") {}", id("session-row"), id("session-menu"));
    page.click_selector(&row);
    page.click("session-end");
    page.click("confirm");
    page.wait_attribute("session-row", "data-status", "ended");
    page.wait(&format!("{}:enabled", id("new-session")));
    page.wait_gone(&id("session-limit"));

    // Twelve that ended, and all of them two days ago.
    for n in 6..=16 {
        let session = scene.all.create_session(&format!("session-{n}"));
        let path = scene.all.path(&format!("/sessions/{session}"));
        scene.all.person.ask("DELETE", &path).expect(204);
    }
    let old = "UPDATE sessions SET created_at = 1, last_activity_at = 1, ended_at = 1 WHERE status = 'ended'";
    scene.all.control_plane.change_rows(old);
    scene.all.wait_online();
    scene.open();
    page.wait_text("inactive-sessions", "Inactive (12)");
    page.wait(&id("history-chart"));
    rows(4);
    page.screenshot("sessions-inactive");
    page.focus("inactive-sessions");
    page.press("Enter");
    rows(16);
    pictures(page, "sessions-inactive-open");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn an_address_of_a_session_lasts() {
    let scene = Scene::new(&[], |_| {});
    let session = scene.all.create_session("shop");
    let page = scene.browser.open("second", &scene.url(), DESKTOP);
    let deep = format!("{}/sessions/{session}", scene.url());
    page.goto(&deep);
    page.fill("sign-in-email", "dev@chatcode.localhost");
    page.click("sign-in-submit");
    page.wait_attribute("connection-state", "data-state", "live");
    assert_eq!(page.url(), deep, "signing in leads back");
    let path = scene.all.path(&format!("/sessions/{session}"));
    scene.all.person.ask("DELETE", &path).expect(204);
    page.wait(&id("session-ended"));
    page.reload();
    page.wait_text("session-ended", "Ended by you");
    page.screenshot("session-ended-later");
}

/// A folder of releases over plain HTTP, for as long as the test runs.
fn folder_of_releases(files: HashMap<String, String>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            lines.find(String::is_empty);
            let file = first.split(' ').nth(1).and_then(|path| files.get(path));
            let (status, body) = file.map_or((404, ""), |text| (200, text.as_str()));
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
            let _ = stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes());
        }
    });
    format!("http://{address}")
}

const OLD: &str = "0.1.0";
const NEW: &str = "0.2.0";

/// A person whose gateway takes what `key` signed, at a deployment that offers what `signer` did, to
/// gateways from `minimum` on.
fn offered(key: &Key, signer: &Key, server: &Server, minimum: &str) -> Scene {
    let bytes = release::built(NEW, key, "none");
    server.put_file("/new", &bytes);
    let manifest = Manifest::new(NEW, &server.url("/new"), &bytes).json();
    let manifest = manifest.replacen('{', &format!(r#"{{"minimum_version":"{minimum}","#), 1);
    let path = format!("/{}/manifest.json", OWN.target);
    let signature = signer.sign(&manifest, Kind::Prehashed);
    let files = [(format!("{path}.minisig"), signature), (path, manifest)];
    let url = folder_of_releases(files.into_iter().collect());
    Scene::new(&[("RELEASE_URL", &url)], |gateway| {
        let binary = gateway.home.join("bin/chatcode-gateway");
        release::build(&binary, OLD, key, "none");
        gateway.set_binary(binary);
        gateway.trust(&server.roots);
        gateway.set("GATEWAY_UPDATE_CONFIRM_SECONDS", "1");
    })
}

#[test]
fn a_newer_gateway_is_offered_and_takes_over_while_sessions_go_on() {
    let (key, server) = (Key::new(), Server::new());
    let scene = offered(&key, &key, &server, OLD);
    let page = &scene.page;
    scene.all.create_session("shop");
    page.wait_attribute("session-row", "data-status", "running");
    assert_eq!(page.text("gateway-version"), OLD);
    page.wait_text("update-gateway", "Update to 0.2.0");
    pictures(page, "update-offered");
    page.click("update-gateway");
    page.wait_gone(&id("update-gateway"));
    page.wait_attribute("update-status", "data-state", "done");
    page.wait_text("gateway-version", NEW);
    status(page, "online");
    page.wait_attribute("session-row", "data-status", "running");
    page.screenshot("update-done");
    page.reload();
    page.wait_text("gateway-version", NEW);
    assert_eq!(page.count(&id("update-gateway")), 0, "nothing newer is left");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn a_newer_gateway_that_nobody_trusts_is_refused_in_words() {
    let (key, foreign, server) = (Key::new(), Key::new(), Server::new());
    let scene = offered(&key, &foreign, &server, OLD);
    let page = &scene.page;
    page.click("update-gateway");
    page.wait_text("problem", "not trusted");
    page.wait_attribute("update-status", "data-state", "failed");
    pictures(page, "update-refused");
    page.wait(&id("update-gateway"));
    assert_eq!(page.text("gateway-version"), OLD);
}

#[test]
fn a_gateway_that_is_too_old_is_told_what_comes_first() {
    let (key, server) = (Key::new(), Server::new());
    let scene = offered(&key, &key, &server, "0.1.5");
    let page = &scene.page;
    page.wait_text(
        "update-first",
        "0.2.0 replaces 0.1.5 and later: this gateway needs 0.1.5 first",
    );
    assert_eq!(page.count(&id("update-gateway")), 0, "nothing to press");
    pictures(page, "update-too-old");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
