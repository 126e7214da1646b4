//! Editors and pagers.

use crate::case::{Case, LARGE_SIZES, repository, source};
use integration::halting::Depth;
use std::fmt::Write as _;

#[test]
fn vim() {
    Case::new("vim --clean -c 'syntax on' file.c", "#include")
        .file("file.c", source())
        .keys(&["20j", "V5j", "\x1b:set number\r", "/return\r", "ddp", "G"])
        .later(9)
        .leave(&[":q!\r"])
        .check();
}

#[test]
fn vim_with_split_windows() {
    Case::new("vim --clean -c 'syntax on' -c 'vsplit' -c 'split' file.c", "#include")
        .file("file.c", source())
        .keys(&["30j", "\x17l:set cursorline number\r", "\x17j", "if\x1b", "\x17c", ":new\r"])
        .halts([
            ("\x0c", Depth::Character, 1),
            ("\x0c", Depth::Parameters, 40),
            ("\x0c", Depth::Character, 4),
        ])
        .leave(&[":qa!\r"])
        .check();
}

#[test]
fn nano() {
    Case::new("nano -I -l file.c", "stdio")
        .file("file.c", source())
        .keys(&["abc def", "\r", "\x1b[B\x1b[B", "\x17", "f77\r", "\x0b"])
        .leave(&["\x18", "n"])
        .check();
}

#[test]
fn emacs() {
    Case::new("emacs -nw -Q file.c", "#include")
        .file("file.c", source())
        .keys(&["\x0e\x0e", "\x0bnew text", "\x18\x32", "\x18o", "\x13return", "\x07"])
        .later(9)
        .leave(&["\x18\x03", "!"])
        .check();
}

#[test]
fn less_with_numbers() {
    Case::new("less -N file.c", "stdio")
        .file("file.c", source())
        .keys(&[" ", " ", "/f77\r", "\x1bOB", "G", "g"])
        .redraw("/return\r")
        .leave(&["q"])
        .check();
}

#[test]
fn less_of_colours() {
    let mut text = String::new();
    for n in 0..200 {
        let _ = writeln!(text, "\x1b[{}m colour {n} \x1b[1mbold\x1b[0m plain é", 31 + n % 7);
    }
    Case::new("less -R colours", "colour 1 ")
        .file("colours", text)
        .keys(&[" ", "j", "k"])
        .halts([
            ("\x0c", Depth::Character, 3),
            ("\x0c", Depth::Introducer, 5),
            ("\x0c", Depth::Parameters, 20),
        ])
        .leave(&["q"])
        .check();
}

#[test]
fn man() {
    let mut page =
        String::from(".TH THING 1\n.SH NAME\nthing \\- does \\fIthings\\fR\n.SH OPTIONS\n");
    for n in 0..60 {
        let _ = writeln!(page, ".TP\n\\fB\\-\\-option\\-{n}\\fR=\\fIVALUE\\fR\nSets the {n}th.");
    }
    Case::new("man ./thing.1", "NAME")
        .file("thing.1", page)
        .keys(&[" ", "/option-40\r", "g"])
        .leave(&["q"])
        .check();
}

#[test]
fn git_log_as_a_graph() {
    let log = "git log --graph --oneline --decorate --all --color=always | less -R -S";
    Case::new(format!("sh repository.sh; {log}"), "merge 6")
        .file("repository.sh", repository())
        .keys(&["j", "/merge\r", "\x1b[C"])
        .leave(&["q"])
        .check();
}

#[test]
fn git_diff_with_colours() {
    let diff = "git diff --color=always --word-diff=color main~2 main | less -R";
    Case::new(format!("sh repository.sh; {diff}"), "diff --git")
        .file("repository.sh", repository())
        .keys(&[" ", "k", "j"])
        .leave(&["q"])
        .check();
}

#[test]
fn tig() {
    Case::new("sh repository.sh; tig --all", "first")
        .file("repository.sh", repository())
        .keys(&["j", "\r", "j", "q", "k"])
        .leave(&["Q"])
        .check();
}

#[test]
fn w3m() {
    let mut page = String::from("<h1>Title</h1><p>Text with a <a href=x>link</a>, <b>bold</b>.");
    page.push_str("<table border><tr><th>a<th>b<tr><td>日本<td>é</table><ul>");
    for n in 0..60 {
        let _ = write!(page, "<li><a href='{n}'>item {n}</a> and text");
    }
    Case::new("w3m page.html", "Title")
        .file("page.html", page)
        .keys(&["\t", "\t\t", " "])
        .leave(&["Q"])
        .sizes(LARGE_SIZES)
        .check();
}
