//! Real Chromium, driven from a test: pages that click, type, look and listen.

use crate::process::Running;
use crate::screen::{Dump, differences, read_dump};
use crate::tmux::Tmux;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

/// How long a page may take to show what it should, with a browser on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// More places than the focus has on any of our pages.
const MOST_STOPS: usize = 60;

struct Inner {
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _process: Running,
}

/// A browser.
#[derive(Clone)]
pub struct Browser(Rc<RefCell<Inner>>);

impl Browser {
    /// Starts it without a page.
    pub fn new() -> Self {
        Self::start(&[])
    }

    /// As [`Self::new`], with the back/forward cache that people's browsers have.
    pub fn with_back_forward_cache() -> Self {
        Self::start(&["--bfcache"])
    }

    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new("node");
        command
            .arg(crate::repository().join("tests/node/browser.mjs"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let orders = process.child().stdin.take().expect("a pipe");
        let answers = BufReader::new(process.child().stdout.take().expect("a pipe"));
        Self(Rc::new(RefCell::new(Inner { orders, answers, _process: process })))
    }

    fn order(&self, order: &Value) -> Result<Value, String> {
        let mut inner = self.0.borrow_mut();
        writeln!(inner.orders, "{order}").expect("the browser lives");
        let mut line = String::new();
        inner.answers.read_line(&mut line).expect("the browser answers");
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Opens `url` in a profile of its own.
    pub fn open(&self, name: &'static str, url: &str, size: (u32, u32)) -> Page {
        self.open_with(name, url, size, json!({}))
    }

    /// As [`Self::open`], on a phone: fingers instead of a mouse.
    pub fn open_phone(&self, name: &'static str, url: &str, size: (u32, u32)) -> Page {
        self.open_with(name, url, size, json!({ "phone": true }))
    }

    fn open_with(
        &self,
        name: &'static str,
        url: &str,
        (width, height): (u32, u32),
        mut order: Value,
    ) -> Page {
        for (field, value) in [("page", json!(name)), ("do", json!("open")), ("url", json!(url))] {
            order[field] = value;
        }
        order["width"] = json!(width);
        order["height"] = json!(height);
        self.order(&order).unwrap_or_else(|error| panic!("{name}: {error}"));
        Page { browser: self.clone(), name }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

/// The output frames that a page has got since they were last counted anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// Payload bytes.
    pub bytes: u64,
    /// Frames that did not follow the one before.
    pub wrong: u64,
    /// Digest of all payloads.
    pub sha256: String,
}

/// A page in a profile of its own.
pub struct Page {
    browser: Browser,
    name: &'static str,
}

/// A file of this machine that a page is given.
#[derive(Clone, Debug)]
pub struct GivenFile<'a> {
    /// Where its bytes are.
    pub path: &'a std::path::Path,
    /// What the page is told that it is called.
    pub name: &'a str,
    /// Its media type, or nothing.
    pub media_type: &'a str,
}

impl GivenFile<'_> {
    fn order(&self) -> Value {
        json!({ "path": self.path, "name": self.name, "type": self.media_type })
    }
}

/// The selector of a test id.
pub fn id(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
}

impl Page {
    fn try_do(&self, what: &str, mut order: Value) -> Result<Value, String> {
        order["page"] = json!(self.name);
        order["do"] = json!(what);
        self.browser.order(&order)
    }

    fn deed(&self, what: &str, order: Value) -> Value {
        let tried = format!("{what} {order}");
        self.try_do(what, order).unwrap_or_else(|error| self.fail(&format!("{tried}: {error}")))
    }

    /// Ends the test with a picture of the page.
    pub fn fail(&self, why: &str) -> ! {
        let _ = self.try_do("screenshot", json!({ "path": shot_path("failure") }));
        panic!("{}: {why}", self.name);
    }

    /// Loads the page anew.
    pub fn reload(&self) {
        self.deed("reload", json!({}));
    }

    /// Goes to `url`.
    pub fn goto(&self, url: &str) {
        self.deed("goto", json!({ "url": url }));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.deed("url", json!({})).as_str().expect("an address").to_owned()
    }

    /// Clicks what has this test id.
    pub fn click(&self, test_id: &str) {
        self.deed("click", json!({ "selector": id(test_id) }));
    }

    /// Clicks what a selector finds.
    pub fn click_selector(&self, selector: &str) {
        self.deed("click", json!({ "selector": selector }));
    }

    /// Fills in a field.
    pub fn fill(&self, test_id: &str, text: &str) {
        self.deed("fill", json!({ "selector": id(test_id), "text": text }));
    }

    /// Types on the keyboard.
    pub fn type_in(&self, text: &str) {
        self.deed("type", json!({ "text": text }));
    }

    /// Presses a key by its name.
    pub fn press(&self, key: &str) {
        self.deed("press", json!({ "key": key }));
    }

    /// Types a line and Enter.
    pub fn line(&self, text: &str) {
        self.type_in(text);
        self.press("Enter");
    }

    /// Takes its network away, or gives it back.
    pub fn set_offline(&self, on: bool) {
        self.deed("offline", json!({ "on": on }));
    }

    /// The browser's own way back.
    pub fn back(&self) {
        self.deed("back", json!({}));
    }

    /// Drags files over what has this test id, without dropping them.
    pub fn drag_over(&self, test_id: &str, files: &[GivenFile<'_>]) {
        self.drag(test_id, files, &["dragenter", "dragover"]);
    }

    /// Drops files on what has this test id.
    pub fn drop_files(&self, test_id: &str, files: &[GivenFile<'_>]) {
        self.drag(test_id, files, &["dragenter", "dragover", "drop"]);
    }

    fn drag(&self, test_id: &str, files: &[GivenFile<'_>], events: &[&str]) {
        let files: Vec<_> = files.iter().map(GivenFile::order).collect();
        let order = json!({ "selector": id(test_id), "files": files, "events": events });
        self.deed("drag", order);
    }

    /// Chooses files in an input that has this test id.
    pub fn choose_files(&self, test_id: &str, paths: &[&std::path::Path]) {
        self.deed("choose_files", json!({ "selector": id(test_id), "files": paths }));
    }

    /// Clicks what has this test id, and saves the download that follows; the name that it had.
    pub fn download(&self, test_id: &str, to: &std::path::Path) -> String {
        let name = self.deed("download", json!({ "selector": id(test_id), "path": to }));
        name.as_str().expect("a name").to_owned()
    }

    /// Taps on what has this test id.
    pub fn tap(&self, test_id: &str) {
        self.deed("tap", json!({ "selector": id(test_id) }));
    }

    /// Moves a finger downwards over what has this test id, by this part of its height.
    pub fn swipe(&self, test_id: &str, by: f64) {
        self.deed("swipe", json!({ "selector": id(test_id), "by": by }));
    }

    /// Rests a finger at a point of the window, then moves it to another one.
    pub fn press_and_hold(&self, from: (f64, f64), to: (f64, f64), time: Duration) {
        let order = json!({ "from": [from.0, from.1], "to": [to.0, to.1], "ms": time.as_millis() });
        self.deed("press_and_hold", order);
    }

    /// Moves two fingers on what has this test id, from one distance to another in CSS pixels.
    pub fn pinch(&self, test_id: &str, from: f64, to: f64) {
        self.deed("pinch", json!({ "selector": id(test_id), "from": from, "to": to }));
    }

    /// Clicks at a point of the window with a modifier held, or with none.
    pub fn click_at(&self, (x, y): (f64, f64), modifier: Option<&str>) {
        self.deed("click_at", json!({ "x": x, "y": y, "modifier": modifier }));
    }

    /// Drags the mouse between two points of the window.
    pub fn select(&self, from: (f64, f64), to: (f64, f64)) {
        self.deed("select", json!({ "from": [from.0, from.1], "to": [to.0, to.1] }));
    }

    /// The pages that it has opened.
    pub fn opened(&self) -> Vec<String> {
        let urls = self.deed("opened", json!({}));
        let urls = urls.as_array().cloned().unwrap_or_default();
        urls.iter().map(|url| url.as_str().expect("an address").to_owned()).collect()
    }

    /// Waits for what a selector finds.
    pub fn wait(&self, selector: &str) {
        self.deed("wait", json!({ "selector": selector }));
    }

    /// Waits until an attribute of what has this test id has a value.
    pub fn wait_attribute(&self, test_id: &str, name: &str, value: &str) {
        self.wait(&format!("{}[{name}=\"{value}\"]", id(test_id)));
    }

    /// Waits until what a selector finds is there no more, or cannot be seen.
    pub fn wait_gone(&self, selector: &str) {
        self.deed("wait", json!({ "selector": selector, "state": "hidden" }));
    }

    /// Waits until what has this test id contains words.
    pub fn wait_text(&self, test_id: &str, words: &str) {
        self.wait(&format!("{}:has-text({})", id(test_id), json!(words)));
    }

    /// Gives the focus to what has this test id.
    pub fn focus(&self, test_id: &str) {
        self.deed("focus", json!({ "selector": id(test_id) }));
    }

    /// How many things a selector finds.
    pub fn count(&self, selector: &str) -> u64 {
        self.deed("count", json!({ "selector": selector })).as_u64().expect("a count")
    }

    /// Waits until there are as many of a test id.
    pub fn wait_count(&self, test_id: &str, wanted: u64) {
        let mut count = 0;
        let found = crate::wait_for(PATIENCE, || {
            count = self.count(&id(test_id));
            (count == wanted).then_some(())
        });
        if found.is_none() {
            self.fail(&format!("{count} {test_id}, not {wanted}"));
        }
    }

    /// Which test id has the focus.
    pub fn focused(&self) -> String {
        let focused = self.run("document.activeElement?.dataset.testid ?? ''");
        focused.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until this test id has the focus. A dialog gives it back after it is gone.
    pub fn wait_focus(&self, test_id: &str) {
        let mut focused = String::new();
        let found = crate::wait_for(PATIENCE, || {
            focused = self.focused();
            (focused == test_id).then_some(())
        });
        if found.is_none() {
            self.fail(&format!("the focus is on {focused:?}, not on {test_id}"));
        }
    }

    /// Whether what is typed goes to the terminal.
    pub fn is_typing(&self) -> bool {
        let typing = "document.activeElement?.classList.contains('xterm-helper-textarea') ?? false";
        self.run(typing) == true
    }

    /// Waits until what is typed goes to the terminal. A dialog gives the focus back after it is gone.
    pub fn wait_typing(&self) {
        if crate::wait_for(PATIENCE, || self.is_typing().then_some(())).is_none() {
            self.fail("the keyboard does not type into the terminal");
        }
    }

    /// The text of what has this test id.
    pub fn text(&self, test_id: &str) -> String {
        let text = self.deed("text", json!({ "selector": id(test_id) }));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Makes the system's colours `light` or `dark`.
    pub fn scheme(&self, scheme: &str) {
        self.deed("scheme", json!({ "scheme": scheme }));
    }

    /// What axe finds wrong with the page as it is, from serious on.
    pub fn accessibility(&self) -> Vec<Value> {
        self.deed("accessibility", json!({})).as_array().cloned().unwrap_or_default()
    }

    /// Why the browser would not install the page as an app.
    pub fn installability(&self) -> Value {
        self.deed("installability", json!({}))
    }

    /// Presses Tab until what has this test id has the focus.
    pub fn tab_to(&self, test_id: &str) {
        self.tab_until(test_id, |focused| focused == test_id);
    }

    /// Presses Tab until the focus is on a test id that is wanted; `what` tells which.
    pub fn tab_until(&self, what: &str, is_wanted: impl Fn(&str) -> bool) {
        for _ in 0..MOST_STOPS {
            if is_wanted(&self.focused()) {
                return;
            }
            self.press("Tab");
        }
        self.fail(&format!("Tab does not lead to {what}"));
    }

    /// Presses an arrow until what has this test id has the focus. Unlike Tab it moves the focus a
    /// moment later: a press that did not wait for the one before would lead past what is wanted.
    /// All that an arrow leads to must have a test id.
    pub fn arrow_to(&self, arrow: &str, test_id: &str) {
        for _ in 0..MOST_STOPS {
            let focused = self.focused();
            if focused == test_id {
                return;
            }
            self.press(arrow);
            if crate::wait_for(PATIENCE, || (self.focused() != focused).then_some(())).is_none() {
                self.fail(&format!("{arrow} does not lead on from {focused:?}"));
            }
        }
        self.fail(&format!("{arrow} does not lead to {test_id}"));
    }

    /// Changes the window's size.
    pub fn size(&self, width: u32, height: u32) {
        self.deed("size", json!({ "width": width, "height": height }));
    }

    /// Saves a picture under `target/screenshots`.
    pub fn screenshot(&self, name: &str) {
        self.deed("screenshot", json!({ "path": shot_path(name) }));
    }

    /// Keeps the page busy, so that it neither reads nor draws.
    pub fn hang(&self, time: Duration) {
        self.deed("hang", json!({ "ms": time.as_millis() }));
    }

    /// Runs a script in the page.
    pub fn run(&self, script: &str) -> Value {
        self.deed("run", json!({ "script": script }))
    }

    /// Counts output frames anew.
    pub fn mark_frames(&self) {
        self.deed("mark", json!({}));
    }

    /// The frames since the last mark.
    pub fn frames(&self) -> Frames {
        let value = self.deed("frames", json!({}));
        Frames {
            bytes: value["bytes"].as_u64().expect("a count"),
            wrong: value["wrong"].as_u64().expect("a count"),
            sha256: value["sha256"].as_str().expect("a digest").to_owned(),
        }
    }

    /// Errors that no script of the page caught, and what its Content-Security-Policy refused.
    pub fn problems(&self) -> Vec<Value> {
        self.deed("problems", json!({})).as_array().cloned().unwrap_or_default()
    }

    /// The terminal's screen, if the page has one.
    pub fn dump(&self) -> Option<Dump> {
        let value = self.deed("dump", json!({}));
        (!value.is_null()).then(|| read_dump(&value))
    }

    /// Waits until the terminal shows `text`.
    pub fn expect(&self, text: &str) {
        let mut shown = Vec::new();
        let found = crate::wait_for(PATIENCE, || {
            shown = self.dump()?.text();
            shown.iter().any(|line| line.contains(text)).then_some(())
        });
        if found.is_none() {
            self.fail(&format!("not {text:?} but\n{}", shown.join("\n").trim_end()));
        }
    }

    /// Waits until the terminal's screen equals tmux's own, both at rest.
    pub fn expect_equal(&self, tmux: &Tmux, session_id: u32, screen: &mut crate::screen::Screen) {
        let mut last = Vec::new();
        let deadline = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < deadline {
            let before = tmux.capture(session_id);
            let Some(shown) = self.dump() else { continue };
            let drawn = screen.draw(&before);
            last = differences(&shown, &drawn);
            if last.is_empty() && tmux.capture(session_id) == before {
                return;
            }
            std::thread::sleep(crate::LOOK_AGAIN);
        }
        last.truncate(12);
        self.fail(&format!("the terminal and tmux differ:\n{}", last.join("\n")));
    }
}

fn shot_path(name: &str) -> String {
    let folder = crate::repository().join("target/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder for screenshots");
    folder.join(format!("{name}.png")).to_string_lossy().into_owned()
}
