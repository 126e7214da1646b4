//! Every page and dialog in both themes before axe, and a whole visit by the keyboard alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::{Browser, PATIENCE, Page, id};
use integration::eventually;
use integration::gateway::Gateway;
use integration::stack::{ControlPlane, Stack};
use serde_json::Value;

const DESKTOP: (u32, u32) = (1280, 800);

/// Something to look at: a page, and what is opened on it by clicks.
struct Look {
    name: &'static str,
    /// `{gateway}`, `{session}` and `{ended}` stand for those of the test.
    path: &'static str,
    /// Test ids that are clicked, one after the other, once they are there.
    clicks: &'static [&'static str],
    /// What is there when all of it is.
    shows: &'static str,
}

const fn look(
    name: &'static str,
    path: &'static str,
    clicks: &'static [&'static str],
    shows: &'static str,
) -> Look {
    Look { name, path, clicks, shows }
}

const SERVER: &str = "/servers/{gateway}";
const TERMINAL: &str = "/servers/{gateway}/sessions/{session}";
const LIVE: &str = "[data-testid=connection-state][data-state=live]";
const DIALOG: &str = "[role=dialog], [role=alertdialog]";
const MENU: &str = "[role=menu]";

/// For who is not signed in.
const OUTSIDE: &[Look] = &[
    look("landing", "/", &[], "h1"),
    look("sign-in", "/sign-in", &[], "[data-testid=sign-in-email]"),
    look("sign-in-problem", "/sign-in?problem=bad_state", &[], "[data-testid=sign-in-problem]"),
    look("confirm", "/sign-in/confirm#token=abc", &[], "[data-testid=confirm-sign-in]"),
    look(
        "confirm-expired",
        "/sign-in/confirm#token=abc",
        &["confirm-sign-in"],
        "[data-testid=new-link]",
    ),
    look("confirm-broken", "/sign-in/confirm", &[], "[data-testid=new-link]"),
    look("status-outside", "/status", &[], "[data-testid=status-store][data-state=ok]"),
    look("outbox", "/dev/outbox", &[], "[data-testid=mail]"),
    look("nowhere-outside", "/nowhere", &[], "h1"),
];

/// For who is.
const INSIDE: &[Look] = &[
    look("servers", "/", &[], "[data-testid=server-card]"),
    look("servers-menu", "/", &["server-menu"], MENU),
    look("account-menu", "/", &["account-menu"], MENU),
    look("theme-menu", "/", &["theme-menu"], MENU),
    look("add-server", "/", &["add-server"], DIALOG),
    look("rename-server", "/", &["server-menu", "rename-server"], DIALOG),
    look("remove-server", "/", &["server-menu", "remove-server"], DIALOG),
    look("server", SERVER, &[], "[data-testid=session-row]"),
    look("new-session", SERVER, &["new-session"], DIALOG),
    look("session-menu", SERVER, &["session-menu"], MENU),
    look("rename-session", SERVER, &["session-menu", "session-rename"], DIALOG),
    look("end-session", SERVER, &["session-menu", "session-end"], DIALOG),
    look("add-key", SERVER, &["add-key"], DIALOG),
    look("terminal", TERMINAL, &[], LIVE),
    look("terminal-menu", TERMINAL, &["terminal-menu"], MENU),
    look("terminal-view", TERMINAL, &["terminal-menu", "menu-view"], DIALOG),
    look("terminal-help", TERMINAL, &["terminal-menu", "menu-help"], DIALOG),
    look("terminal-download", TERMINAL, &["terminal-menu", "menu-download"], DIALOG),
    look("no-session", "/servers/{gateway}/sessions/999999", &[], "h1"),
    look("settings", "/settings", &[], "[data-testid=sign-in-row]"),
    look("sign-out-everywhere", "/settings", &["sign-out-everywhere"], DIALOG),
    look("delete-account", "/settings", &["delete-account"], DIALOG),
    look("status", "/status", &[], "[data-testid=server-status]"),
    look("nowhere", "/nowhere", &[], "h1"),
];

/// Waits until nothing moves: what is half faded in has too little contrast.
fn until_still(page: &Page) {
    let moving = "document.getAnimations().filter((it) => it.playState === 'running' && \
                  it.effect.getComputedTiming().endTime !== Infinity).length";
    eventually("the page is still", PATIENCE, || (page.run(moving) == 0).then_some(()));
}

/// Looks at all of `looks` in both themes; what is wrong comes back, with where.
fn wrong(page: &Page, url: &str, looks: &[Look], fill: impl Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for theme in ["light", "dark"] {
        page.scheme(theme);
        for it in looks {
            // The same address again would only change what is behind its `#`.
            page.goto("about:blank");
            page.goto(&format!("{url}{}", fill(it.path)));
            for click in it.clicks {
                page.wait(&id(click));
                page.click(click);
            }
            page.wait(it.shows);
            until_still(page);
            let name = format!("{} {theme}", it.name);
            found.extend(page.accessibility().iter().map(|one| format!("{name}: {one:#}")));
            page.screenshot(&format!("axe-{}-{theme}", it.name));
        }
    }
    found.extend(page.problems().iter().map(Value::to_string));
    found
}

#[test]
fn axe_finds_nothing_serious_outside() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let browser = Browser::new();
    let page = browser.open("outside", &format!("{url}/sign-in"), DESKTOP);
    page.fill("sign-in-email", "ada@example.com");
    page.click("sign-in-mail");
    page.wait(&id("mailed-to"));
    until_still(&page);
    let mut found = page.accessibility();
    page.screenshot("axe-check-mail-dark");
    found.extend(wrong(&page, &url, OUTSIDE, str::to_owned).into_iter().map(Value::from));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn axe_finds_nothing_serious_inside() {
    let (stack, page) = Stack::new(DESKTOP);
    let session = stack.create_session(&page, "Axe").to_string();
    let fill =
        |path: &str| path.replace("{gateway}", &stack.gateway_id).replace("{session}", &session);
    let found = wrong(&page, &stack.control_plane.url(), INSIDE, fill);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_whole_visit_by_the_keyboard_alone() {
    let control_plane = ControlPlane::start();
    let browser = Browser::new();
    let page = browser.open("keys", &control_plane.url(), DESKTOP);
    let go = |test_id| {
        page.wait(&id(test_id));
        page.tab_to(test_id);
    };
    let choose = |test_id| {
        go(test_id);
        page.press("Enter");
    };
    choose("landing-continue");
    go("sign-in-email");
    page.line("ada@example.com");

    choose("add-server");
    go("server-name");
    page.line("keys");
    page.wait(&id("bootstrap-command"));
    let line = page.text("bootstrap-command");
    let words: Vec<&str> = line.split_whitespace().collect();
    let [.., gateway_id, token] = words.as_slice() else { panic!("{line}") };
    let mut gateway = Gateway::new(&control_plane.url().replacen("http", "ws", 1));
    gateway.set_url(&format!("{}/gateway", control_plane.url().replacen("http", "ws", 1)));
    gateway.unset("GATEWAY_AUTH_TOKEN");
    gateway.set("GATEWAY_ID", gateway_id);
    gateway.set("GATEWAY_BOOTSTRAP_TOKEN", token);
    gateway.run();
    page.wait_attribute("connect-status", "data-state", "connected");
    choose("connect-open");

    choose("new-session");
    go("session-name");
    page.type_in("By keyboard");
    page.tab_until("an agent", |focused| focused.starts_with("agent-"));
    page.arrow_to("ArrowDown", "agent-none");
    // An arrow that is let go of before the focus has moved does not choose.
    page.press("Space");
    page.wait_attribute("agent-none", "data-state", "checked");
    choose("session-create");

    page.wait_attribute("connection-state", "data-state", "live");
    page.line("echo keys-$((40+2))");
    page.expect("keys-42");
    page.screenshot("keyboard-terminal");
    page.press("Control+Shift+E");
    page.press("Enter");
    page.wait(&id("session-row"));
    choose("account-menu");
    page.wait(&id("sign-out"));
    page.arrow_to("ArrowDown", "sign-out");
    page.press("Enter");
    page.wait(&id("landing-continue"));
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
