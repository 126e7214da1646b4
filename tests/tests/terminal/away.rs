//! What a page shows and does while the gateway or the network is away, and when they come back.

use super::{DESKTOP, PHONE, live, until};
use integration::browser::{Browser, id};
use integration::slow_way::{SlowWay, Way};
use integration::stack::{Stack, sign_in};
use std::time::{Duration, Instant};

/// How long a page waits before it says that something is missing.
const OFFLINE_AFTER: Duration = Duration::from_secs(30);

/// A good line.
const NEAR: Way = Way { bytes_per_second: 10_000_000, round_trip: Duration::from_millis(2) };

/// Waits for the banner, for as long as that takes and as a loaded machine may need.
fn until_banner(page: &integration::browser::Page) {
    integration::eventually("the banner", OFFLINE_AFTER + integration::browser::PATIENCE, || {
        (page.count(&id("offline-banner")) > 0).then_some(())
    });
}

fn until_missing(page: &integration::browser::Page, missing: &str) {
    page.wait(&format!("{}[data-missing=\"{missing}\"]", id("connection-state")));
}

#[test]
fn a_gateway_that_is_away_is_told_after_a_while_and_its_return_at_once() {
    let (mut stack, page) = Stack::new(DESKTOP);
    stack.create_session(&page, "Away");
    page.line("echo before-$((1+1))");
    page.expect("before-2");
    let gone = Instant::now();
    stack.gateway.kill();
    until_missing(&page, "gateway");
    assert_eq!(page.count(&id("offline-banner")), 0, "not for an instant");
    page.screenshot("terminal-reconnecting");
    until_banner(&page);
    assert!(gone.elapsed() >= OFFLINE_AFTER, "after {:?}", gone.elapsed());
    page.wait_attribute("offline-banner", "data-missing", "gateway");
    page.wait_attribute("connection-state", "data-state", "offline");
    page.screenshot("terminal-offline");
    page.size(PHONE.0, PHONE.1);
    page.screenshot("terminal-offline-narrow");
    page.size(DESKTOP.0, DESKTOP.1);

    // What is typed meanwhile is refused aloud and never sent.
    page.click("terminal");
    page.type_in("echo lost");
    // A page that is opened now says so at once: it has nothing to show.
    let other = stack.another_page("second", DESKTOP);
    other.goto(&page.url());
    until_banner(&other);
    page.click("retry-now");
    until_banner(&page);

    stack.gateway.run();
    live(&page);
    live(&other);
    assert_eq!(page.count(&id("offline-banner")), 0);
    page.click("terminal");
    page.line("echo after-$((1+1))");
    page.expect("after-2");
    other.expect("after-2");
    let text = page.dump().expect("a terminal").text().join("\n");
    assert!(!text.contains("lost"), "{text}");
}

#[test]
fn a_network_that_is_away_is_told_and_its_return_noticed_at_once() {
    let (stack, first) = Stack::new(DESKTOP);
    stack.create_session(&first, "Network");
    let address = first.url();
    first.goto(&stack.control_plane.url());
    let way = SlowWay::to(stack.control_plane.port(), NEAR);
    let through = |url: &str, port: u16| {
        url.replace(&stack.control_plane.url(), &format!("http://127.0.0.1:{port}"))
    };
    let url = through(&stack.control_plane.url(), way.port());
    let page = sign_in(&stack.browser, "far", &url, DESKTOP);
    page.goto(&through(&address, way.port()));
    live(&page);
    page.set_offline(true);
    // A cable that is pulled says nothing; here the proxy goes.
    drop(way);
    until_missing(&page, "network");
    until_banner(&page);
    page.wait_attribute("offline-banner", "data-missing", "network");
    page.screenshot("terminal-no-network");
    page.set_offline(false);
    until_missing(&page, "control_plane");
    until_banner(&page);
    assert!(page.text("offline-banner").contains("control plane"));
}

#[test]
fn the_browsers_own_offline_switch_is_noticed() {
    let (stack, page) = Stack::new(DESKTOP);
    stack.create_session(&page, "Switch");
    page.line("echo before-$((1+1))");
    page.expect("before-2");
    page.set_offline(true);
    page.run("window.dispatchEvent(new Event('offline'))");
    until_missing(&page, "network");
    page.set_offline(false);
    live(&page);
    page.line("echo after-$((1+1))");
    page.expect("after-2");
}

#[test]
fn a_page_from_the_back_forward_cache_is_live_again() {
    let (stack, page) = Stack::in_browser(Browser::with_back_forward_cache(), DESKTOP);
    stack.create_session(&page, "Back");
    page.line("echo before-$((1+1))");
    page.expect("before-2");
    page.run(
        "window.kept = 'kept'; window.addEventListener('pageshow', (event) => { \
              window.persisted = event.persisted; })",
    );
    page.goto(&format!("{}/icon.svg", stack.control_plane.url()));
    stack.gateway.tmux.run(&["send-keys", "-t", "=cc-1:", "echo meanwhile-$((1+1))", "Enter"]);
    page.back();
    // It is the page that was left, not another one of the same address.
    until(&page, "the page that was kept", "window.kept === 'kept' && window.persisted === true");
    page.expect("meanwhile-2");
    live(&page);
    page.click("terminal");
    page.line("echo after-$((1+1))");
    page.expect("after-2");
    page.screenshot("terminal-from-cache");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
