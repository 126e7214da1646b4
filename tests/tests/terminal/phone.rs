//! The terminal on a phone of 360 pixels: the key bar, fingers, and the keyboard that stays away.

use super::{DESKTOP, PHONE, live, place_of, until, until_copied};
use integration::browser::{Page, id};
use integration::stack::{Stack, sign_in_at};
use std::time::Duration;

/// A finger that rests for as long selects.
const LONG_PRESS: Duration = Duration::from_millis(900);

/// A phone on a new session, in control of it.
fn phone(name: &str) -> (Stack, Page, u32) {
    let (stack, desk) = Stack::new(DESKTOP);
    let session = stack.create_session(&desk, name);
    let url = desk.url();
    desk.goto(&stack.control_plane.url());
    let page =
        stack.browser.open_phone("phone", &format!("{}/sign-in", stack.control_plane.url()), PHONE);
    let page = sign_in_at(page);
    page.goto(&url);
    live(&page);
    (stack, page, session)
}

fn latch(page: &Page, key: &str, state: &str) {
    page.wait_attribute(key, "data-latch", state);
}

#[test]
fn the_key_bar_types_what_phones_cannot() {
    let (stack, page, session) = phone("Phone");
    page.wait(&id("key-bar"));
    // On a phone the keyboard is up where the focus is in the terminal.
    assert!(!page.is_typing(), "the keyboard comes with a tap, not with the page");
    page.screenshot("phone");
    page.tap("terminal");
    page.wait_typing();
    page.line("sleep 1000");
    page.expect("sleep 1000");

    // Held for one key, locked, and let go; the keyboard stays through it.
    latch(&page, "key-ctrl", "off");
    page.tap("key-ctrl");
    latch(&page, "key-ctrl", "once");
    page.screenshot("phone-latch");
    page.type_in("c");
    latch(&page, "key-ctrl", "off");
    page.expect("^C");
    page.line("echo interrupted-$((1+1))");
    page.expect("interrupted-2");
    assert!(page.is_typing());
    page.line("clear; echo raw-$((1+1)); cat -v");
    page.expect("raw-2");
    page.tap("key-alt");
    page.tap("key-alt");
    latch(&page, "key-alt", "locked");
    page.type_in("xy");
    page.expect("^[x^[y");
    page.tap("key-alt");
    latch(&page, "key-alt", "off");
    page.press("Enter");

    // Keys of the bar, and of its other rows.
    for key in ["key-escape", "key-shift-and-tab", "key-up"] {
        page.tap(key);
    }
    page.expect("^[^[[Z^[[A");
    page.press("Enter");
    page.tap("key-more-keys");
    page.wait(&id("key-f5"));
    page.screenshot("phone-more-keys");
    for key in ["key-f5", "key-home", "key-shift", "key-left", "key-page-up", "key-pipe"] {
        page.tap(key);
    }
    page.expect("^[[15~^[[H^[[1;2D^[[5~|");
    assert!(page.is_typing());

    // The prompt is above the bar, whatever rows it has, and nothing is wider than the window.
    until(
        &page,
        "the terminal ends above the bar",
        "(() => { const bottom = document.querySelector('.xterm-screen').getBoundingClientRect().bottom; \
         const bar = document.querySelector('[data-testid=key-bar]').getBoundingClientRect(); \
         return bottom <= bar.top && bar.bottom <= innerHeight + 1 \
         && document.documentElement.scrollWidth <= innerWidth; })()",
    );
    page.tap("key-more-keys");
    page.wait_gone(&id("key-f5"));
    page.press("Control+c");
    page.tap("key-more-keys");
    page.run("navigator.clipboard.writeText('echo pasted-$((1+1))')");
    page.tap("key-paste");
    page.expect("echo pasted-$((1+1))");
    page.press("Enter");
    page.expect("pasted-2");

    // The menu and its dialogs at this width.
    page.tap("terminal-menu");
    page.screenshot("phone-menu");
    page.tap("menu-view");
    page.wait(&id("view-dialog"));
    page.tap("theme-light");
    page.screenshot("phone-view-light");
    page.press("Escape");
    page.wait_gone(&id("view-dialog"));
    page.screenshot("phone-light");
    let size = stack.gateway.tmux.format(session, "#{pane_width}");
    let cols = page.run("window.chatcodeTerminal.cols").to_string();
    assert_eq!(size, cols, "the session has the phone's size");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn fingers_scroll_select_and_zoom_and_no_keyboard_comes() {
    let (stack, page, _) = phone("Fingers");
    page.tap("terminal");
    page.line("clear; seq 1 400; echo end-$((1+1)) some/path.txt");
    page.expect("end-2");
    page.run("document.activeElement.blur()");

    // One finger scrolls, and the list goes on for a while after it.
    let top = "window.chatcodeTerminal.buffer.active.viewportY";
    let before = page.run(top).as_i64().expect("a line");
    let rows = page.run("window.chatcodeTerminal.rows").as_i64().expect("rows");
    page.swipe("terminal", 0.5);
    until(&page, "it goes on", &format!("{top} < {}", before - rows * 6 / 10));
    assert!(!page.is_typing(), "scrolling opens no keyboard");
    page.screenshot("phone-scrolled");
    let rests = format!(
        "(async () => {{ const before = {top}; await new Promise((done) => setTimeout(done, 300)); \
         return before === {top}; }})()"
    );
    until(&page, "it comes to rest", &rests);
    page.run("window.chatcodeTerminal.scrollToBottom()");

    // A finger at rest selects a word, and the bar copies it.
    let word = place_of(&page, "some/path.txt");
    page.press_and_hold(word, word, LONG_PRESS);
    page.wait(&id("selection-bar"));
    assert_eq!(page.run("window.chatcodeTerminal.getSelection()"), "some/path.txt");
    assert!(!page.is_typing(), "selecting opens no keyboard");
    page.screenshot("phone-selection");
    page.tap("selection-copy");
    until_copied(&page, "some/path.txt");
    page.wait_gone(&id("selection-bar"));

    // Two fingers change the text's size.
    let size = "window.chatcodeTerminal.options.fontSize";
    let usual = page.run(size).as_f64().expect("a size");
    page.pinch("terminal", 80.0, 140.0);
    until(&page, "larger text", &format!("{size} > {}", usual * 1.4));
    page.screenshot("phone-pinched");
    page.pinch("terminal", 140.0, 80.0);
    until(&page, "smaller text", &format!("{size} < {}", usual * 1.4));

    // A program that has the screen gets the wheel.
    page.tap("terminal");
    page.line("seq 1001 1300 | less");
    page.expect("1002");
    page.swipe("terminal", -0.6);
    // No line that it only passes on its way: it goes on for a while, as far as it likes.
    let first = "window.chatcodeTerminal.buffer.active.getLine(\
                 window.chatcodeTerminal.buffer.active.viewportY).translateToString(true)";
    until(&page, "less has scrolled", &format!("Number({first}) >= 1023"));

    // A link is opened by a tap; the person is asked where words hide it.
    page.type_in("q");
    page.expect("end-2");
    let base = stack.control_plane.url();
    page.line(&format!(
        "clear; printf '\\033]8;;{base}/icon.svg\\033\\\\the picture\\033]8;;\\033\\\\\\n'; \
         echo hidden-$((1+1))"
    ));
    page.expect("hidden-2");
    let place = place_of(&page, "the picture");
    page.press_and_hold(place, place, Duration::ZERO);
    page.wait(&id("link-question"));
    page.screenshot("phone-link-question");
    page.tap("link-open");
    integration::eventually("the link opens", integration::PATIENCE, || {
        page.opened().first().map(|url| assert_eq!(url, &format!("{base}/icon.svg")))
    });
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
