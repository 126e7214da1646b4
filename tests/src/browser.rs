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
        let mut command = Command::new("node");
        command
            .arg(crate::repository().join("tests/node/browser.mjs"))
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
        let order =
            json!({ "page": name, "do": "open", "url": url, "width": size.0, "height": size.1 });
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
        let tried = format!("{} {what} {order}", self.name);
        self.try_do(what, order).unwrap_or_else(|error| {
            let _ = self.try_do("screenshot", json!({ "path": shot_path("failure") }));
            panic!("{tried}: {error}")
        })
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

    /// Which test id has the focus.
    pub fn focused(&self) -> String {
        let focused = self.run("document.activeElement?.dataset.testid ?? ''");
        focused.as_str().unwrap_or_default().to_owned()
    }

    /// The text of what has this test id.
    pub fn text(&self, test_id: &str) -> String {
        let text = self.deed("text", json!({ "selector": id(test_id) }));
        text.as_str().unwrap_or_default().to_owned()
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

    /// Errors that no script of the page caught.
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
        crate::eventually(&format!("{} shows {text}", self.name), PATIENCE, || {
            let dump = self.dump()?;
            dump.text().iter().any(|line| line.contains(text)).then_some(())
        });
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
        self.screenshot("failure");
        last.truncate(12);
        panic!("{} and tmux differ:\n{}", self.name, last.join("\n"));
    }
}

fn shot_path(name: &str) -> String {
    let folder = crate::repository().join("target/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder for screenshots");
    folder.join(format!("{name}.png")).to_string_lossy().into_owned()
}
