//! Attention end to end: real Chromium and the built worker in workerd, a gateway played by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::{Browser, PATIENCE, Page, id};
use integration::connection::{Connection, Order, Received, Wire};
use integration::eventually;
use integration::stack::ControlPlane;
use protocol::frame::{Kind, header};
use protocol::{BASE64, Engine as _};
use serde_json::{Value, json};
use std::time::Instant;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest as _;

const DESKTOP: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (360, 740);
const SESSION: u32 = 1;

/// A gateway that says what the test wants.
struct Script {
    connection: Connection,
    seq: u32,
}

impl Script {
    /// Connects to the control plane at `url` and enrols.
    fn enrol(url: &str, gateway_id: &str, bootstrap_token: &str) -> Self {
        let address = url.strip_prefix("http://").expect("a plain address");
        let mut request = format!("ws://{address}/gateway/{gateway_id}")
            .into_client_request()
            .expect("a request");
        let bearer = format!("Bearer {bootstrap_token}").parse().expect("a header");
        request.headers_mut().insert("Authorization", bearer);
        let stream = std::net::TcpStream::connect(address).expect("the control plane listens");
        let wire = Wire::Plain(mio::net::TcpStream::from_std(stream));
        let (socket, _) = tungstenite::client(request, wire).expect("it is let in");
        let mut script = Self { connection: Connection::start(socket).expect("it runs"), seq: 0 };
        script.say(json!({
            "type": "gateway.hello", "gateway_id": gateway_id, "version": "0.1.0",
            "hostname": "by-hand", "bootstrap_token": bootstrap_token, "sessions": [],
            "system_info": { "os": "linux", "arch": "x86_64", "cpus": 2,
                "ram_total_bytes": 1_000_000_000u64, "disk_total_bytes": 9_000_000_000u64 },
        }));
        let credentials = script.command("gateway.credentials");
        script.ack(&credentials);
        script
    }

    fn say(&self, mut message: Value) {
        message["schema_version"] = json!("1");
        self.connection.order(Order::Send(Message::text(message.to_string())));
    }

    fn ack(&self, command: &Value) {
        self.say(json!({ "type": "ack", "request_id": command["request_id"], "ok": true }));
    }

    /// The next command of this type; others are passed over.
    fn command(&mut self, kind: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let received = self.connection.incoming.recv_timeout(left);
            let (_, received) = received.unwrap_or_else(|_| panic!("no {kind} in time"));
            let Received::Text(text) = received else { continue };
            let command: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            if command["type"] == kind {
                return command;
            }
        }
    }

    /// Starts the session that the control plane asks for.
    fn start(&mut self) {
        let create = self.command("session.create");
        assert_eq!(create["session_id"], SESSION);
        let request_id = &create["request_id"];
        self.say(json!({
            "type": "session.started", "session_id": SESSION, "pid": 1, "request_id": request_id,
        }));
        self.ack(&create);
    }

    /// Answers a viewer's attach.
    fn show(&mut self, screen: &str) {
        let attach = self.command("session.attach");
        self.say(json!({
            "type": "session.snapshot", "session_id": SESSION, "seq": self.seq, "cols": 80,
            "rows": 24, "data": BASE64.encode(screen), "alternate_on": false, "cursor_x": 0,
            "cursor_y": 0, "cursor_visible": true, "history_lines": 0, "truncated": false,
            "request_id": attach["request_id"],
        }));
        self.ack(&attach);
    }

    fn output(&mut self, bytes: &str) {
        let mut frame = header(Kind::Output, SESSION, self.seq).to_vec();
        frame.extend_from_slice(bytes.as_bytes());
        self.seq = self.seq.wrapping_add(bytes.len() as u32);
        self.connection.order(Order::Send(Message::binary(frame)));
    }

    fn wants(&self, reason: &str, title: &str) {
        self.say(json!({
            "type": "session.attention", "session_id": SESSION, "reason": reason, "title": title,
        }));
    }
}

fn sign_in(browser: &Browser, name: &'static str, url: &str, size: (u32, u32)) -> Page {
    let page = browser.open(name, &format!("{url}/sign-in"), size);
    page.fill("sign-in-email", "dev@chatcode.localhost");
    page.click("sign-in-submit");
    page.wait(&id("account-menu"));
    page
}

/// Asks the API as the page's user does.
fn ask(page: &Page, method: &str, path: &str, body: &Value) -> Value {
    let body = if method == "GET" { Value::Null } else { json!(body.to_string()) };
    let init = json!({ "method": method, "body": body });
    page.run(&format!(
        "fetch({}, {init}).then((it) => it.text()).then((text) => text ? JSON.parse(text) : null)",
        json!(path),
    ))
}

/// Chromium gives every page of a test the focus; this takes it, or gives it back.
fn set_focus(page: &Page, on: bool) {
    let event = if on { "focus" } else { "blur" };
    page.run(&format!(
        "document.hasFocus = () => {on}; window.dispatchEvent(new Event('{event}')); null"
    ));
}

/// Waits until the page's title and icon say how many sessions want a person.
fn until_marked(page: &Page, title: &str, icon: &str) {
    eventually(title, PATIENCE, || {
        let shown = page.run("[document.title, document.querySelector('link[rel=icon]').href]");
        let as_wanted = shown[0] == title && shown[1].as_str()?.ends_with(icon);
        as_wanted.then_some(())
    });
}

fn text_of(page: &Page, selector: &str) -> Option<String> {
    let script = format!("document.querySelector({})?.textContent ?? null", json!(selector));
    page.run(&script).as_str().map(str::to_owned)
}

#[test]
fn a_session_that_wants_a_person_says_so_unless_one_looks() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let browser = Browser::new();
    let desk = sign_in(&browser, "desk", &url, DESKTOP);
    let made = ask(&desk, "POST", "/api/servers", &json!({ "name": "Test" }));
    let gateway_id = made["server"]["gateway_id"].as_str().expect("an id").to_owned();
    let token = made["bootstrap_token"].as_str().expect("a token");
    let mut gateway = Script::enrol(&url, &gateway_id, token);
    desk.reload();
    desk.wait_attribute("server-status", "data-status", "online");
    let sessions = format!("/api/servers/{gateway_id}/sessions");
    let new = json!({ "name": "Agent", "workdir": "app", "agent": "claude-code", "cols": 80, "rows": 24 });
    let create = format!(
        "fetch({}, {}); null",
        json!(sessions),
        json!({ "method": "POST", "body": new.to_string() })
    );
    desk.run(&create);
    gateway.start();
    let phone = sign_in(&browser, "phone", &url, PHONE);
    phone.click("server-link");
    phone.wait(&id("session-row"));

    // The page tells its colours, and which pane it shows.
    desk.goto(&format!("{url}/servers/{gateway_id}/sessions/{SESSION}"));
    gateway.show("the agent works\r\n");
    desk.wait_attribute("connection-state", "data-state", "live");
    let colors = gateway.command("session.colors");
    assert_eq!(
        (&colors["foreground"], &colors["background"]),
        (&json!("#dde6e0"), &json!("#0c120f"))
    );

    // While a person looks, nobody is called. The pane comes behind it.
    gateway.wants("waiting", "not to be seen");
    gateway.say(json!({
        "type": "session.pane", "session_id": SESSION, "seq": 0, "pane": 2, "panes": 3,
    }));
    desk.wait(&id("pane"));
    assert!(desk.text("pane").contains("pane 2 of 3"), "{}", desk.text("pane"));
    desk.screenshot("attention-pane");
    desk.size(PHONE.0, PHONE.1);
    desk.screenshot("attention-pane-360");
    desk.size(DESKTOP.0, DESKTOP.1);
    assert_eq!(ask(&desk, "GET", &sessions, &Value::Null)["sessions"][0]["attention"], Value::Null);
    assert_eq!(phone.text("attention-status"), "");

    // When nobody looks, all pages say so, in the program's words.
    set_focus(&desk, false);
    let words = "Claude needs your permission to use Bash";
    eventually("the session wants a person", PATIENCE, || {
        gateway.wants("waiting", words);
        text_of(&phone, &id("session-attention"))
    });
    assert_eq!(phone.text("session-attention"), format!("Wants you{words}"));
    phone.wait_text("attention-status", words);
    assert_eq!(phone.text("attention-status"), format!("Agent wants you: {words}."));
    until_marked(&phone, "(1) Test · chatcode", "/icon-attention.svg");
    until_marked(&desk, "(1) Agent · chatcode", "/icon-attention.svg");
    eventually("the toast", PATIENCE, || {
        let text = text_of(&desk, "[data-sonner-toast]").filter(|text| text.contains(words));
        let toast = "getComputedStyle(document.querySelector('[data-sonner-toast]'))";
        text.filter(|_| desk.run(&format!("{toast}.opacity")) == "1")
    });
    desk.screenshot("attention-terminal");

    // Also after a reload, and on the list of servers, dark and light.
    phone.reload();
    phone.wait_attribute("session-attention", "data-reason", "waiting");
    until_marked(&phone, "(1) Test · chatcode", "/icon-attention.svg");
    for theme in ["light", "dark"] {
        phone.click("theme-menu");
        phone.click(&format!("theme-{theme}"));
        phone.screenshot(&format!("attention-server-{theme}"));
        phone.goto(&url);
        phone.wait(&id("attention-count"));
        until_marked(&phone, "(1) Servers · chatcode", "/icon-attention.svg");
        phone.screenshot(&format!("attention-servers-{theme}"));
        phone.click("server-link");
        phone.wait(&id("session-attention"));
    }
    phone.size(DESKTOP.0, DESKTOP.1);
    phone.screenshot("attention-server-wide");

    // Until a person looks.
    set_focus(&desk, true);
    until_marked(&desk, "Agent · chatcode", "/icon.svg");
    until_marked(&phone, "Test · chatcode", "/icon.svg");
    assert_eq!(text_of(&phone, &id("session-attention")), None);
    phone.reload();
    phone.wait(&id("session-row"));
    assert_eq!(text_of(&phone, &id("session-attention")), None);

    // Another theme is told; a title is none of the screen's business.
    desk.click("terminal-menu");
    desk.click("menu-view");
    desk.click("theme-light");
    assert_eq!(gateway.command("session.colors")["background"], "#fbfdfb");
    desk.press("Escape");
    gateway.output("\x1bkmy title\x1b\\after");
    desk.expect("after");
    let dump = desk.dump().expect("a terminal");
    assert!(!dump.text().join("\n").contains("my title"), "{:?}", dump.text());
    desk.screenshot("attention-light");
    for page in [&desk, &phone] {
        assert!(page.problems().is_empty(), "{:?}", page.problems());
    }
}
