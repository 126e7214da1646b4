//! A browser on a way of 1 Mbit/s and 300 ms: what its person sees, by the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::Page;
use integration::slow_way::{SlowWay, Way};
use integration::stack::{Stack, sign_in};
use std::time::{Duration, Instant};

const DESKTOP: (u32, u32) = (1280, 800);

/// A phone on a bad network.
const FAR: Way = Way { bytes_per_second: 125_000, round_trip: Duration::from_millis(300) };

/// How long a flood lasts before a person stops it: until what was sent while nobody knew how slow
/// the way is has arrived.
const FLOOD: Duration = Duration::from_secs(5);

/// … and nearby, where nothing has to arrive.
const NEAR_FLOOD: Duration = Duration::from_secs(2);

/// Floods that are stopped.
const FLOODS: usize = 3;

/// How much longer than a person on loopback, in the same run, one on such a way may wait for the
/// effect of Ctrl-C.
const STOPPED_WITHIN: Duration = Duration::from_secs(2);

/// A person on a slow way stops a flood; whether others watch it on fast ways or not.
fn ctrl_c_of_a_slow_browser(is_watched: bool) {
    let (stack, near) = Stack::new(DESKTOP);
    stack.create_session(&near, "Far away");
    let url = near.url();
    if !is_watched {
        near.goto(&stack.control_plane.url());
    }
    let way = SlowWay::to(stack.control_plane.port(), FAR);
    let there = |url: &str| {
        url.replace(&stack.control_plane.url(), &format!("http://127.0.0.1:{}", way.port()))
    };
    let far = sign_in(&stack.browser, "slow", &there(&stack.control_plane.url()), DESKTOP);
    far.goto(&there(&url));
    far.wait_attribute("connection-state", "data-state", "live");
    if is_watched {
        take_over(&far);
    }
    let slow = floods(&far, FLOOD);
    far.screenshot("far-away");
    if is_watched {
        take_over(&near);
    } else {
        far.goto(&there(&stack.control_plane.url()));
        near.goto(&url);
        near.wait_attribute("connection-state", "data-state", "live");
    }
    let fast = floods(&near, NEAR_FLOOD);
    eprintln!("Ctrl-C far away {slow:?}, near {fast:?}, watched: {is_watched}");
    let limit = fast.iter().max().expect("floods").saturating_add(STOPPED_WITHIN);
    assert!(slow.iter().all(|time| *time < limit), "Ctrl-C took {slow:?}, {fast:?} nearby");
}

fn take_over(page: &Page) {
    page.click("take-over");
    page.wait_attribute("control-badge", "data-control", "you");
}

fn floods(page: &Page, length: Duration) -> Vec<Duration> {
    (1..=FLOODS).map(|number| ctrl_c(page, length, number)).collect()
}

/// Floods the terminal; how long it then takes to see the flood stopped.
fn ctrl_c(page: &Page, length: Duration, number: usize) -> Duration {
    page.line(&format!("clear; (trap : INT; yes; echo; echo stopped-$(({number}+1)))"));
    page.expect("y");
    std::thread::sleep(length);
    let pressed = Instant::now();
    page.press("Control+c");
    page.expect(&format!("stopped-{}", number + 1));
    pressed.elapsed()
}

#[test]
fn ctrl_c_on_a_slow_way_is_seen_at_once() {
    ctrl_c_of_a_slow_browser(false);
}

#[test]
fn ctrl_c_on_a_slow_way_is_seen_at_once_while_others_watch() {
    ctrl_c_of_a_slow_browser(true);
}
