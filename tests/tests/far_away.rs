//! A browser on a way of 1 Mbit/s and 300 ms: what its person sees, by the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::Page;
use integration::slow_way::{SlowWay, Way};
use integration::stack::{Stack, sign_in};
use std::time::{Duration, Instant};

const DESKTOP: (u32, u32) = (1280, 800);

/// A phone on a bad network.
const FAR: Way = Way { bytes_per_second: 125_000, round_trip: Duration::from_millis(300) };

/// How long a flood lasts before a person stops it.
const FLOOD: Duration = Duration::from_secs(5);

/// Floods that are stopped.
const FLOODS: usize = 3;

/// How long Ctrl-C may take until a person on such a way sees its effect.
const STOPPED_WITHIN: Duration = Duration::from_secs(2);

/// A person on a slow way stops a flood; whether others watch it on fast ways or not.
fn ctrl_c_of_a_slow_browser(is_watched: bool) {
    let (stack, first) = Stack::new(DESKTOP);
    stack.create_session(&first, "Far away");
    let url = first.url();
    if !is_watched {
        first.goto(&stack.control_plane.url());
    }
    let way = SlowWay::to(stack.control_plane.port(), FAR);
    let far = |url: &str| {
        url.replace(&stack.control_plane.url(), &format!("http://127.0.0.1:{}", way.port()))
    };
    let slow = sign_in(&stack.browser, "slow", &far(&stack.control_plane.url()), DESKTOP);
    slow.goto(&far(&url));
    slow.wait_attribute("connection-state", "data-state", "live");
    if is_watched {
        slow.click("take-over");
        slow.wait_attribute("control-badge", "data-control", "you");
    }
    let times: Vec<Duration> = (1..=FLOODS).map(|number| ctrl_c(&slow, number)).collect();
    eprintln!("Ctrl-C {times:?}, watched: {is_watched}");
    assert!(times.iter().all(|time| *time < STOPPED_WITHIN), "Ctrl-C took {times:?}");
    slow.screenshot("far-away");
}

/// Floods the terminal for a while; how long it then takes to see the flood stopped.
fn ctrl_c(slow: &Page, number: usize) -> Duration {
    slow.line(&format!("clear; (trap : INT; yes; echo; echo stopped-$(({number}+1)))"));
    slow.expect("y");
    std::thread::sleep(FLOOD);
    let pressed = Instant::now();
    slow.press("Control+c");
    slow.expect(&format!("stopped-{}", number + 1));
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
