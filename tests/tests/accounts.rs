//! Accounts as a person has them: landing page, link by mail, settings, the installed app.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::{Browser, PATIENCE, Page, id};
use integration::stack::ControlPlane;
use integration::{api, eventually};
use serde_json::{Value, json};

const DESKTOP: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (360, 740);

/// Bytes that the first load of the app may take, compressed, without the terminal.
const APP_BYTES: u64 = 350 * 1024;

/// Bytes that the landing page may take, with its picture and its font.
const LANDING_BYTES: u64 = 60 * 1024;

const EMAIL: &str = "ada@example.com";

/// Pictures in both themes, on a desk and on a phone, where nothing may be wider than the window.
fn pictures(page: &Page, name: &str) {
    for scheme in ["light", "dark"] {
        page.scheme(scheme);
        page.screenshot(&format!("{name}-{scheme}"));
        page.size(PHONE.0, PHONE.1);
        page.screenshot(&format!("{name}-{scheme}-phone"));
        let wider = page.run("document.documentElement.scrollWidth - innerWidth");
        assert_eq!(wider, json!(0), "{name} is wider than a phone");
        page.size(DESKTOP.0, DESKTOP.1);
    }
}

/// Asks for a link; the page says where it went.
fn ask_for_link(page: &Page, url: &str, email: &str) {
    page.goto(&format!("{url}/sign-in"));
    page.fill("sign-in-email", email);
    page.click("sign-in-mail");
    page.wait(&id("mailed-to"));
    assert_eq!(page.text("mailed-to"), email);
}

/// The link in the newest mail of the development server.
fn newest_link(page: &Page) -> String {
    page.click("open-outbox");
    page.wait(&id("mail-link"));
    page.text("mail-link")
}

fn path(page: &Page) -> Value {
    page.run("location.pathname + location.search + location.hash")
}

fn until_path(page: &Page, wanted: &str) {
    eventually(wanted, PATIENCE, || (path(page) == wanted).then_some(()));
}

#[test]
fn signing_up_by_mail() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let page = Browser::new().open("new", &url, DESKTOP);
    assert_eq!(
        page.run("document.querySelector('h1').textContent"),
        "Vibe-code on your own cloud server"
    );
    pictures(&page, "landing");
    page.click("landing-continue");
    page.wait(&id("sign-in-email"));
    pictures(&page, "sign-in");

    ask_for_link(&page, &url, EMAIL);
    pictures(&page, "check-mail");
    let link = newest_link(&page);
    pictures(&page, "outbox");
    let start = format!("{url}/sign-in/confirm#token=");
    assert!(link.starts_with(&start), "{link}");
    page.click("mail-link");
    page.wait(&id("confirm-sign-in"));
    until_path(&page, "/sign-in/confirm");
    assert_eq!(
        page.run("fetch('/api/me').then((it) => it.status)"),
        401,
        "nobody pressed anything"
    );
    pictures(&page, "confirm");
    page.press("Enter");
    page.wait(&id("add-server"));
    until_path(&page, "/");
    pictures(&page, "first-page");

    // The address now belongs to the app, and to the landing page again after signing out.
    page.reload();
    page.wait(&id("add-server"));
    page.click("account-menu");
    page.click("sign-out");
    page.wait(&id("landing-continue"));
    until_path(&page, "/");

    // The link was good for one time.
    page.goto(&link);
    page.click("confirm-sign-in");
    page.wait(&id("new-link"));
    pictures(&page, "link-expired");
    page.click("new-link");
    page.wait(&id("sign-in-email"));
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn the_page_that_was_wanted_comes_after_signing_in() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let browser = Browser::new();
    let page = browser.open("wanting", &format!("{url}/settings?a=b"), DESKTOP);
    page.wait(&id("sign-in-email"));
    until_path(&page, "/sign-in?next=%2Fsettings%3Fa%3Db");
    page.fill("sign-in-email", EMAIL);
    page.click("sign-in-mail");
    let link = newest_link(&page);
    page.goto(&link);
    page.click("confirm-sign-in");
    page.wait(&id("sign-in-row"));
    until_path(&page, "/settings?a=b");
    // Once.
    page.goto(&url);
    page.wait(&id("add-server"));

    // Nothing of another site is ever wanted.
    let other = browser.open("lured", &format!("{url}/sign-in?next=//example.com/x"), DESKTOP);
    other.fill("sign-in-email", EMAIL);
    other.click("sign-in-submit");
    other.wait(&id("add-server"));
    until_path(&other, "/");

    // A provider's refusal is a sentence of ours.
    let refused = browser.open("refused", &format!("{url}/sign-in?problem=%3Cb%3E"), DESKTOP);
    refused.wait(&id("sign-in-problem"));
    assert!(refused.text("sign-in-problem").starts_with("Signing in did not work."));
}

#[test]
fn settings_of_a_person_with_two_browsers() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let browser = Browser::new();
    let open = |name| {
        let page = browser.open(name, &format!("{url}/sign-in?next=/settings"), DESKTOP);
        page.fill("sign-in-email", EMAIL);
        page.click("sign-in-submit");
        page.wait(&id("sign-in-row"));
        page
    };
    let (other, page) = (open("other"), open("first"));
    page.wait_count("sign-in-row", 2);
    assert_eq!(page.count("[data-testid=sign-in-row][data-current=true]"), 1);
    pictures(&page, "settings");

    // Choices hold in this browser, before anything is painted too.
    page.scheme("light");
    page.click("settings-theme-dark");
    page.click("settings-copyOnSelect");
    page.reload();
    page.wait(&id("sign-in-row"));
    assert_eq!(page.run("document.documentElement.dataset.theme"), "dark");
    page.wait_attribute("settings-copyOnSelect", "data-state", "checked");
    page.screenshot("settings-chosen");
    page.click("settings-theme-system");

    // One browser is thrown out.
    page.click("end-sign-in");
    page.wait_count("sign-in-row", 1);
    other.reload();
    other.wait(&id("sign-in-email"));

    // Then all are.
    let other = open("third");
    page.click("sign-out-everywhere");
    page.wait(&id("confirm"));
    page.screenshot("sign-out-everywhere");
    page.click("confirm");
    page.wait(&id("landing-continue"));
    other.reload();
    other.wait(&id("sign-in-email"));

    // The end needs the address, typed.
    let page = open("last");
    page.click("delete-account");
    page.wait(&id("typed-confirmation"));
    page.fill("typed-confirmation", "ada@example.co");
    assert_eq!(page.run("document.querySelector('[data-testid=confirm]').disabled"), true);
    page.fill("typed-confirmation", EMAIL);
    pictures(&page, "delete-account");
    page.click("confirm");
    page.wait(&id("landing-continue"));
    assert_eq!(page.run("fetch('/api/me').then((it) => it.status)"), 401);
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn the_status_is_for_everybody() {
    let control_plane = ControlPlane::start();
    let page = Browser::new().open("anybody", &format!("{}/status", control_plane.url()), DESKTOP);
    for part in ["control-plane", "database", "store"] {
        page.wait_attribute(&format!("status-{part}"), "data-state", "ok");
    }
    pictures(&page, "status");
}

/// Compressed bytes of the page and all that it has loaded, by path.
fn loaded(page: &Page) -> Value {
    // Letters are asked for by the first layout, which may come after the page's load event.
    let script = "(async () => {
        await document.fonts.ready;
        const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
        const parts = {};
        for (const address of new Set([location.href, ...loaded])) {
            const { pathname } = new URL(address);
            if (pathname.startsWith('/api/')) continue;
            const body = await (await fetch(address)).blob();
            const packed = new Response(body.stream().pipeThrough(new CompressionStream('gzip')));
            parts[pathname] = Math.min(body.size, (await packed.blob()).size);
        }
        return parts;
    })()";
    page.run(script)
}

fn sum(parts: &Value) -> u64 {
    parts.as_object().expect("an object").values().filter_map(Value::as_u64).sum()
}

#[test]
fn first_loads_are_within_their_budgets() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let page = Browser::new().open("first", &url, DESKTOP);
    let parts = loaded(&page);
    println!("landing page: {} bytes of {parts:#}", sum(&parts));
    let has = |parts: &Value, what: &str| parts.to_string().contains(what);
    assert!(has(&parts, ".webp") && has(&parts, ".woff2") && has(&parts, ".css"), "{parts:#}");
    assert!(!has(&parts, ".js"), "the landing page needs no script: {parts:#}");
    assert!(sum(&parts) <= LANDING_BYTES, "{parts:#}");

    page.click("landing-continue");
    page.fill("sign-in-email", EMAIL);
    page.click("sign-in-submit");
    page.wait(&id("add-server"));
    page.reload();
    page.wait(&id("add-server"));
    let parts = loaded(&page);
    println!("first load of the app: {} bytes of {parts:#}", sum(&parts));
    assert!(has(&parts, "/index-") && !has(&parts, "xterm"), "{parts:#}");
    assert!(sum(&parts) <= APP_BYTES, "{parts:#}");
}

#[test]
fn the_app_is_installable_and_opens_offline() {
    let mut control_plane = ControlPlane::start();
    let url = control_plane.url();
    let page = Browser::new().open("app", &format!("{url}/sign-in"), DESKTOP);
    page.fill("sign-in-email", EMAIL);
    page.click("sign-in-submit");
    page.wait(&id("add-server"));
    page.run("navigator.serviceWorker.ready.then(() => 0)");
    eventually("the service worker serves the page", PATIENCE, || {
        (page.run("navigator.serviceWorker.controller !== null") == true).then_some(())
    });
    assert_eq!(page.installability(), json!([]));
    let manifest = page.run(
        "fetch(document.querySelector('link[rel=manifest]').href).then(async (it) => \
         ({ type: it.headers.get('content-type'), ...(await it.json()) }))",
    );
    assert!(manifest["type"].as_str().expect("a type").contains("manifest+json"), "{manifest}");
    for icon in manifest["icons"].as_array().expect("icons") {
        let found = page
            .run(&format!("fetch({}).then((it) => it.headers.get('content-type'))", icon["src"]));
        assert_eq!(found, icon["type"], "{icon}");
    }

    // Another page of the app, whose part was loaded before, without a control plane.
    page.goto(&format!("{url}/settings"));
    page.wait(&id("sign-in-row"));
    let kept = page.run(
        "(async () => { const paths = []; for (const name of await caches.keys()) for (const \
         { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname); \
         return paths; })()",
    );
    let kept: Vec<&str> =
        kept.as_array().expect("paths").iter().filter_map(Value::as_str).collect();
    assert!(kept.iter().any(|path| path.starts_with("/assets/settings-")), "{kept:?}");
    assert!(kept.iter().all(|path| !path.starts_with("/api/") && *path != "/"), "{kept:?}");
    control_plane.kill();
    page.goto(&format!("{url}/settings"));
    page.wait(&id("unreachable"));
    pictures(&page, "unreachable");
    control_plane.run();
    page.wait(&id("sign-in-row"));
    until_path(&page, "/settings");
}

#[test]
fn every_page_and_file_has_its_headers() {
    let control_plane = ControlPlane::start();
    let url = control_plane.url();
    let page = Browser::new().open("headers", &format!("{url}/sign-in"), DESKTOP);
    page.wait(&id("sign-in-email"));
    let script = page.run("document.querySelector('script[type=module]').getAttribute('src')");
    let script = script.as_str().expect("a path");
    let style = page.run("document.querySelector('link[rel=stylesheet]').getAttribute('href')");
    // What the server says, not the browser: its cache leaves out Strict-Transport-Security.
    let head = |path: &str| {
        let answer = api::ask_as_nobody(&url, path);
        let named = answer.headers.iter().map(|(name, value)| {
            (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes())))
        });
        let mut head: Value = named.collect();
        head["status"] = json!(answer.status);
        head
    };
    let pages = ["/", "/sign-in", "/landing", "/settings", "/servers/x/sessions/7", "/status"];
    let files = [script, style.as_str().expect("a path"), "/theme.js", "/sw.js", "/icon.svg"];
    for path in pages.iter().chain(&files) {
        let it = head(path);
        assert_eq!(it["status"], 200, "{path}: {it:#}");
        let policy = it["content-security-policy"].as_str().unwrap_or_default();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{it:#}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(it["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(it["referrer-policy"], "same-origin", "{path}");
        assert_eq!(it["strict-transport-security"], "max-age=31536000", "{path}");
        assert_eq!(it["cross-origin-opener-policy"], "same-origin", "{path}");
        assert!(it["permissions-policy"].as_str().unwrap_or_default().contains("camera=()"));
    }
    assert_eq!(head(script)["cache-control"], "public, max-age=31536000, immutable");
    for path in ["/", "/sw.js"] {
        assert_eq!(head(path)["cache-control"], "no-cache", "{path}");
    }
    assert_eq!(head("/")["vary"], "Cookie");
    assert_eq!(head("/landing")["content-type"], "text/html; charset=utf-8");

    let missing = head("/assets/index-00000000.js");
    assert_eq!(
        missing["status"], 404,
        "a page in its place would be kept as a script: {missing:#}"
    );
    for (path, status) in [("/api/config", 200), ("/api/me", 401), ("/api/nothing", 404)] {
        let it = head(path);
        assert_eq!(it["status"], status, "{path}");
        assert_eq!(it["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(it["cache-control"], "no-store", "{path}");
        assert_eq!(it["x-content-type-options"], "nosniff", "{path}");
    }
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn the_policy_refuses_what_it_should() {
    // Or the other tests, which see no violation, would see none whatever happened.
    let control_plane = ControlPlane::start();
    let page = Browser::new().open("policy", &format!("{}/sign-in", control_plane.url()), DESKTOP);
    page.wait(&id("sign-in-email"));
    page.run(
        "(() => { const it = document.createElement('script'); it.textContent = 'window.ran = 1'; \
         document.head.append(it); return 0; })()",
    );
    eventually("the browser tells", PATIENCE, || (!page.problems().is_empty()).then_some(()));
    assert_eq!(page.run("window.ran ?? 'not run'"), "not run");
}
