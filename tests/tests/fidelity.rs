//! Fidelity: for real programs, the web app's screen made from the stream is tmux's own screen.
//!
//! Each program is compared live, after a fresh attach, and live again after that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::screen::Screen;
use std::fmt::Write as _;

const COLS: u32 = 100;
const ROWS: u32 = 30;

/// A program and what is done with it.
struct Program {
    /// Files that it needs: name and content.
    files: Vec<(&'static str, String)>,
    /// What is typed to start it.
    start: &'static str,
    /// What is on the screen when it has started.
    shows: &'static str,
    /// Keys after each of which the screens are compared.
    keys: &'static [&'static str],
}

impl Program {
    fn new(start: &'static str, shows: &'static str, keys: &'static [&'static str]) -> Self {
        Self { files: Vec::new(), start, shows, keys }
    }

    fn with(mut self, name: &'static str, content: String) -> Self {
        self.files.push((name, content));
        self
    }

    fn check(self) {
        let mut stage = Stage::new();
        for (name, content) in &self.files {
            std::fs::write(stage.gateway.in_workdir(1, name), content).expect("written");
        }
        let mut screen = Screen::new();
        stage.stream(1).keep_log = true;
        stage.open(1, COLS, ROWS);
        let Stage { link, gateway, .. } = &mut stage;
        // A prompt that holds nothing of this machine.
        link.type_in(1, "PS1='$ '; clear\r");
        screen.expect_equal(link, &gateway.tmux, 1);

        link.type_in(1, format!("{}\r", self.start));
        integration::eventually(self.shows, integration::PATIENCE, || {
            gateway.tmux.lines(1).iter().any(|line| line.contains(self.shows)).then_some(())
        });
        screen.expect_equal(link, &gateway.tmux, 1);
        let (before, after) = self.keys.split_at(self.keys.len() / 2);
        for keys in before {
            link.type_in(1, keys);
            screen.expect_equal(link, &gateway.tmux, 1);
        }
        link.detach(1);
        link.attach_afresh(1, None);
        screen.expect_equal(link, &gateway.tmux, 1);
        for keys in after {
            link.type_in(1, keys);
            screen.expect_equal(link, &gateway.tmux, 1);
        }
        link.resize(1, COLS - 17, ROWS - 5);
        link.until("the resize", |link| {
            (link.stream(1).sizes.last() == Some(&(COLS - 17, ROWS - 5))).then_some(())
        });
        link.detach(1);
        link.attach_afresh(1, None);
        screen.expect_equal(link, &gateway.tmux, 1);
    }
}

fn source() -> String {
    let mut text = String::from("#include <stdio.h>\n\n/* A comment. */\n");
    for n in 0..120 {
        let _ = writeln!(text, "int f{n}(int x) {{\n\treturn x + {n}; // \"text\" é 日本\n}}");
    }
    text
}

#[test]
fn vim() {
    let keys = &["20j", "V5j", "\x1b:set number\r", "/return\r", "ddp", ":split\r", ":q\r", "G"];
    Program::new("vim --clean -c 'syntax on' file.c", "#include", keys)
        .with("file.c", source())
        .check();
}

#[test]
fn less() {
    let keys = &[" ", " ", "/f77\r", "\x1b[B", "G", "q"];
    Program::new("less -N file.c", "stdio", keys).with("file.c", source()).check();
}

#[test]
fn less_of_colours() {
    let mut text = String::new();
    for n in 0..200 {
        let _ = writeln!(text, "\x1b[{}m colour {n} \x1b[1mbold\x1b[0m plain", 31 + n % 7);
    }
    Program::new("less -R colours", "colour 1 ", &[" ", "j", "k", "q"])
        .with("colours", text)
        .check();
}

#[test]
fn htop() {
    Program::new("htop -d 100", "Load average", &["\x1bOR", "\x1b", "\x1b[B", "t", "q"]).check();
}

#[test]
fn top() {
    Program::new("top -d 30", "load average", &["z", "x", "c", "1", "q"]).check();
}

#[test]
fn nano() {
    let keys = &["abc def", "\r", "\x1b[B\x1b[B", "\x17", "f77\r", "\x18", "n"];
    Program::new("nano -I file.c", "stdio", keys).with("file.c", source()).check();
}

#[test]
fn midnight_commander() {
    let keys = &["\t", "\x1b[B\x1b[B", "\x1bOP", "\x1b\x1b", "\x1b9", "\x1b\x1b"];
    Program::new("mc -u -x --skin=default /usr /etc", "Left", keys).check();
}

#[test]
fn progress_bar() {
    let script = "for i in $(seq 0 5 100); do printf '\\r\\033[K[%-50s] %3d%%' \
                  \"$(printf '#%.0s' $(seq 1 $((i / 2 + 1))))\" $i; sleep 0.03; done; echo; \
                  echo bar-$((1+1))\n";
    Program::new("bash bar.sh", "bar-2", &["echo next\r", "\r"])
        .with("bar.sh", script.to_owned())
        .check();
}

#[test]
fn the_256_colours() {
    let mut text = String::new();
    for n in 0..256 {
        let _ = write!(text, "\x1b[48;5;{n}m{n:4}\x1b[38;5;{}m x\x1b[0m", 255 - n);
        if n % 12 == 11 {
            text.push('\n');
        }
    }
    for n in (30..38).chain(40..48).chain(90..98).chain(100..108) {
        let _ = write!(text, "\x1b[{n}m{n} \x1b[1mb\x1b[0m");
    }
    Program::new("cat table; echo table-$((1+1))", "table-2", &["\r", "\r"])
        .with("table", text)
        .check();
}

#[test]
fn truecolour() {
    let mut text = String::new();
    for row in 0..10 {
        for col in 0..90 {
            let (r, g, b) = (col * 255 / 90, row * 25, 255 - col * 2);
            let _ = write!(text, "\x1b[48;2;{r};{g};{b}m\x1b[38;2;{b};{r};{g}m▀");
        }
        text.push_str("\x1b[0m\n");
    }
    Program::new("cat table; echo table-$((1+1))", "table-2", &["\r", "\r"])
        .with("table", text)
        .check();
}

#[test]
fn attributes() {
    let mut text = String::new();
    for n in [1, 2, 3, 4, 5, 7, 8, 9, 53] {
        let _ = writeln!(text, "\x1b[{n}mattribute {n}\x1b[31m red \x1b[44mon blue\x1b[0m plain");
    }
    Program::new("cat table; echo table-$((1+1))", "table-2", &["\r", "\r"])
        .with("table", text)
        .check();
}

#[test]
fn wide_and_combining_characters() {
    let text = "日本語テキスト|한국어|中文字符\ne\u{301}a\u{308}o\u{302}u\u{303}n\u{303}|Ａｂｃ|ｱｲｳ\n\
                ελληνικά кириллица ąčęėįšųūž ✓ ✗ → ⇒ ∀ ∑ √\n🙂🎉🚀|é|ﬁ|½|№|…|—\n";
    let long = format!("{text}{}\n", "日本".repeat(40));
    Program::new("cat text; echo text-$((1+1))", "text-2", &["\r", "echo 日本語\r"])
        .with("text", long)
        .check();
}

#[test]
fn a_dialog() {
    let start = "dialog --title Title --menu 'Choose one:' 15 50 5 1 First 2 Second 3 Third";
    Program::new(start, "Choose one", &["\x1b[B", "\x1b[B", "\t", "\r"]).check();
}

#[test]
fn line_drawing() {
    let script = "printf '\\033(0lqqqwqqqk\\nx   x   x\\ntqqqnqqqu\\nmqqqvqqqj\\033(B\\n'\n\
                  printf '\\033)0\\016lqk\\017 plain\\n┌──┬──┐\\n╚══╩══╝ ▁▂▃▄▅▆▇█\\n'\n\
                  echo lines-$((1+1))\n";
    Program::new("bash lines.sh", "lines-2", &["\r", "echo qqq\r"])
        .with("lines.sh", script.to_owned())
        .check();
}

#[test]
fn scroll_regions_and_the_like() {
    let script = "for i in $(seq 1 40); do echo row $i; done; \
                  printf '\\033[5;15r\\033[15;1H'; for i in 1 2 3 4 5; do printf '\\nin region'; done; \
                  printf '\\033[7;1H\\033[2L\\033[10;1H\\033[3M\\033[r\\033[20;10H\\033[1;32mabc\\033[4D\\033[2@\\033[P\\033[K\\033[0m'; \
                  printf '\\0337\\033[3;3Hx\\0338\\033[25;1H'; echo region-$((1+1))\n";
    Program::new("bash region.sh", "region-2", &["\r", "echo more\r"])
        .with("region.sh", script.to_owned())
        .check();
}
