//! The terminal page: real Chromium, the built worker in workerd, a real gateway and real tmux.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod away;
mod desk;
mod files;
mod phone;

use integration::browser::{PATIENCE, Page};
use integration::stack::Stack;
use serde_json::Value;
use std::path::PathBuf;

/// A window on a desk.
const DESKTOP: (u32, u32) = (1280, 800);

/// The smallest phone that is cared for.
const PHONE: (u32, u32) = (360, 640);

/// Waits until the page's session is live.
fn live(page: &Page) {
    page.wait_attribute("connection-state", "data-state", "live");
}

/// Waits until a script says yes.
fn until(page: &Page, what: &str, script: &str) {
    let look = || (page.run(script) == Value::Bool(true)).then_some(());
    if integration::wait_for(PATIENCE, look).is_none() {
        page.fail(&format!("not within {PATIENCE:?}: {what}"));
    }
}

/// The folder that the session's shell is in.
fn folder_of(stack: &Stack, session: u32) -> PathBuf {
    PathBuf::from(stack.gateway.tmux.format(session, "#{pane_current_path}"))
}

/// The middle of the first character of a text on the screen, in CSS pixels of the window.
fn place_of(page: &Page, text: &str) -> (f64, f64) {
    let script = format!(
        "(() => {{ const terminal = window.chatcodeTerminal, buffer = terminal.buffer.active; \
         const box = document.querySelector('.xterm-screen').getBoundingClientRect(); \
         for (let row = terminal.rows - 1; row >= 0; row -= 1) {{ \
         const line = buffer.getLine(buffer.viewportY + row).translateToString(true); \
         const col = line.indexOf({text:?}); if (col < 0) continue; \
         return [box.x + (col + 0.5) * box.width / terminal.cols, \
         box.y + (row + 0.5) * box.height / terminal.rows]; }} return null; }})()"
    );
    let place = integration::eventually(&format!("{text} is on the screen"), PATIENCE, || {
        let value = page.run(&script);
        Some((value[0].as_f64()?, value[1].as_f64()?))
    });
    assert!(place.0 > 0.0 && place.1 > 0.0, "{place:?}");
    place
}

/// What the clipboard holds.
fn clipboard(page: &Page) -> String {
    page.run("navigator.clipboard.readText()").as_str().expect("text").to_owned()
}

/// Waits until the clipboard holds a text.
fn until_copied(page: &Page, text: &str) {
    let found = integration::wait_for(PATIENCE, || (clipboard(page) == text).then_some(()));
    if found.is_none() {
        page.fail(&format!("{text:?} is not copied but {:?}", clipboard(page)));
    }
}
