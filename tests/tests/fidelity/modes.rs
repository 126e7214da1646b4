//! What is not cells: each mode by itself, and in the orders in which programs set them, must be
//! the same after a fresh attach and after a restart as in a terminal that saw every byte.
//!
//! Known and left out: in xterm.js `ESC c` neither shows the cursor nor ends new line mode, and it
//! leaves the alternate screen, in which tmux stays; of two mouse encodings that were both set,
//! tmux forgets none when the later one is reset; `CSI 59 m` makes xterm.js underline in white;
//! `CSI ? 1049 l` on the main screen moves the cursor in xterm.js alone; setting margins in origin
//! mode homes the cursor to another row in tmux than in xterm.js.
//! Synchronised updates (2026) are left out: a snapshot shows what is there, finished or not.

use crate::case::SIZES;
use crate::run::Run;

/// Modes that are switched on and off by `CSI ? n h` and `CSI ? n l`.
const PRIVATE: [u32; 18] =
    [1, 5, 6, 7, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1006, 1016, 1049, 2004, 2031];

/// What sets something else, and what takes it back.
const OTHER: [(&str, &str); 20] = [
    (r"\033[4h", r"\033[4l"),
    (r"\033[20h", r"\033[20l"),
    (r"\033=", r"\033>"),
    (r"\033[1 q", r"\033[0 q"),
    (r"\033[2 q", r"\033[ q"),
    (r"\033[3 q", r"\033[0 q"),
    (r"\033[4 q", r"\033[0 q"),
    (r"\033[5 q", r"\033[0 q"),
    (r"\033[6 q", r"\033[0 q"),
    (r"\033[3;9r", r"\033[r"),
    (r"\033]0;both\007", r"\033]0;\007"),
    (r"\033]2;title é\033\\", r"\033]2;\033\\"),
    (r"\033(0", r"\033(B"),
    (r"\033)0\016", r"\033)B\017"),
    (r"\033*0\033+0", r"\033*B\033+B"),
    (r"\033[1;3;4:3;9;38;5;200;48;2;4;5;6;58;5;9m", r"\033[m"),
    (r"\033[2;5;7;21;53;91;104m", r"\033[0m"),
    (r"\033[8;38:2::9:8:7;48:5:4m", r"\033[28;39;49m"),
    (r"\033[?7l\033[?25l", r"\033[?7h\033[?25h"),
    (r"\033[g\033[3g\033[9G\033H", r"\033[17G\033H\033[25G\033H\033[33G\033H"),
];

/// Orders that matter: the last wins, one switches another off, or a reset all of them.
const ORDERS: [&str; 13] = [
    r"\033[?1003h\033[?1000h",
    r"\033[?1000;1002;1003h\033[?1003l",
    r"\033[?1006h\033[?1016h",
    r"\033[?1016h\033[?1006h",
    r"\033[?1000h\033[?1006h\033[?1000l",
    r"\033[?1h\033=\033[?2004h\033[?1004h\033[4h\033[!p",
    r"\033[?1h\033=\033[?2004h\033[?1003;1006h\033[5 q\033]2;t\007\033c",
    r"\033[?1049h\033[?1h\033[?25l\033[31m\033[?1049l",
    r"\033[?25l\033[?1049h\033[?25h\033[2;5r",
    r"\033[32m\0337\033[1;31mred\0338",
    r"\033[32m\033[?1049h\033[1;31m",
    r"\033[4 q\033[?12h",
    r"\033[?12h\033[3 q\033[?12l",
];

/// A loop that prints what is typed as `printf` understands it, and nothing else: no prompt and no
/// echo sets or resets a mode.
const PRINTER: &str = "stty -echo; clear; while IFS= read -r line; do printf \"$line\"; done\r";

/// A session in which modes are set.
struct Printer {
    run: Run,
    printed: usize,
}

impl Printer {
    fn new() -> Self {
        let mut run = Run::shell(SIZES[0]);
        run.type_in(PRINTER);
        run.compare("the printer");
        Self { run, printed: 0 }
    }

    /// Prints; compares live and after a fresh attach.
    fn print(&mut self, text: &str) {
        self.printed += 1;
        let mark = format!("#{}", self.printed);
        self.run.type_in(&format!("{text}{mark}\r"));
        self.run.until_printed(mark.as_bytes());
        self.run.compare(&format!("live after {text}"));
        self.run.attach_again();
        self.run.compare(&format!("after {text} and a fresh attach"));
    }

    /// As [`Self::print`], and after a restart of the gateway.
    fn print_and_restart(&mut self, text: &str) {
        self.print(text);
        self.run.restart();
        self.run.compare(&format!("after {text} and a restart"));
    }
}

#[test]
fn every_private_mode() {
    let mut printer = Printer::new();
    for mode in PRIVATE {
        // 7 and 25 are on to begin with.
        let (on, off) = if mode == 7 || mode == 25 { ('l', 'h') } else { ('h', 'l') };
        printer.print_and_restart(&format!(r"\033[?{mode}{on}"));
        printer.print(&format!(r"\033[?{mode}{off}"));
    }
}

#[test]
fn everything_else_that_can_be_set() {
    let mut printer = Printer::new();
    for (set, reset) in OTHER {
        printer.print_and_restart(set);
        printer.print(reset);
    }
}

#[test]
fn orders_in_which_modes_are_set() {
    let mut printer = Printer::new();
    for text in ORDERS {
        printer.print_and_restart(text);
        printer.print(r"\033[?1049l\033c\033[?25h\033[20l");
    }
}
