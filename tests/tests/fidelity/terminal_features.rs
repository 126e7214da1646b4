//! What terminals can do, printed by scripts: colours, attributes, characters, margins.

use crate::case::{Case, LARGE_SIZES};
use integration::halting::Depth;
use std::fmt::Write as _;

#[test]
fn progress_bar() {
    Case::script(
        "for i in $(seq 0 5 100); do printf '\\r\\033[K[%-50s] %3d%%' \
         \"$(printf '#%.0s' $(seq 1 $((i / 2 + 1))))\" $i; sleep 0.01; done; echo\n",
    )
    .halts([
        (". ./script\r", Depth::Escape, 3),
        (". ./script\r", Depth::Introducer, 2),
        (". ./script\r", Depth::Introducer, 9),
    ])
    .keys(&["echo next\r", "\r"])
    .check();
}

#[test]
fn the_256_colours() {
    let mut text = String::from("cat <<'END'\n");
    for n in 0..256 {
        let _ = write!(text, "\x1b[48;5;{n}m{n:4}\x1b[38;5;{}m x\x1b[0m", 255 - n);
        if n % 12 == 11 {
            text.push('\n');
        }
    }
    for n in (30..38).chain(40..48).chain(90..98).chain(100..108) {
        let _ = write!(text, "\x1b[{n}m{n} \x1b[1mb\x1b[0m");
    }
    Case::script(text + "\nEND\n").check();
}

#[test]
fn truecolour() {
    let mut text = String::from("cat <<'END'\n");
    for row in 0..10 {
        for col in 0..90 {
            let (r, g, b) = (col * 255 / 90, row * 25, 255 - col * 2);
            let _ = write!(text, "\x1b[48;2;{r};{g};{b}m\x1b[38;2;{b};{r};{g}m▀");
        }
        text.push_str("\x1b[0m\n");
    }
    let places = [(Depth::Parameters, 500), (Depth::Character, 300), (Depth::Introducer, 900)];
    Case::script(text + "END\n")
        .halts(places.map(|(depth, nth)| (". ./script\r", depth, nth)))
        .check();
}

#[test]
fn attributes() {
    let mut text = String::from("cat <<'END'\n");
    for n in ["1", "2", "3", "4", "4:2", "4:3", "5", "7", "8", "9", "53", "21"] {
        let _ = writeln!(text, "\x1b[{n}mattribute {n}\x1b[31m red \x1b[44mon blue\x1b[0m plain");
    }
    text.push_str("\x1b[4;58;5;9mred line\x1b[4:3;58;2;1;2;3m curl of its own\x1b[0m\n");
    Case::script(text + "END\n").check();
}

#[test]
fn wide_and_combining_characters() {
    let text = "日本語テキスト|한국어|中文字符\ne\u{301}a\u{308}o\u{302}u\u{303}n\u{303}|Ａｂｃ|ｱｲｳ\n\
                ελληνικά кириллица ąčęėįšųūž ✓ ✗ → ⇒ ∀ ∑ √\n🙂🎉🚀|é|ﬁ|½|№|…|—\n";
    let text = format!("cat <<'END'\n{text}{}\nEND\n", "日本".repeat(40));
    let places = [(Depth::Character, 3), (Depth::Character, 20), (Depth::Character, 100)];
    Case::script(text)
        .halts(places.map(|(depth, nth)| (". ./script\r", depth, nth)))
        .keys(&["\r", "echo 日本語\r"])
        .check();
}

#[test]
fn a_table_of_wide_characters() {
    let mut text = String::from("cat <<'END'\n\x1b[7m 名前   │ 数 │ 状態 \x1b[0m\n");
    for (n, name) in ["東京", "大阪市", "札幌", "福岡"].into_iter().enumerate() {
        let pad = " ".repeat(8 - 2 * name.chars().count());
        let _ = writeln!(text, "\x1b[3{}m{name}{pad}│ {n:2} │ ✓ é ü\x1b[0m", n + 1);
    }
    Case::script(text + "END\n")
        .halts([
            (". ./script\r", Depth::Character, 5),
            (". ./script\r", Depth::Parameters, 5),
            (". ./script\r", Depth::Character, 25),
        ])
        .check();
}

#[test]
fn line_drawing() {
    Case::script(
        "printf '\\033(0lqqqwqqqk\\nx   x   x\\ntqqqnqqqu\\nmqqqvqqqj\\033(B\\n'\n\
         printf '\\033)0\\016lqk\\017 plain\\n┌──┬──┐\\n╚══╩══╝ ▁▂▃▄▅▆▇█\\n'\n\
         printf '\\033)B'\n",
    )
    .halts([
        (". ./script\r", Depth::Escape, 2),
        (". ./script\r", Depth::Escape, 3),
        (". ./script\r", Depth::Character, 5),
    ])
    .keys(&["\r", "echo qqq\r"])
    .check();
}

#[test]
fn scroll_regions_and_the_like() {
    Case::script(
        "for i in $(seq 1 40); do echo row $i; done\n\
         printf '\\033[5;11r\\033[11;1H'; for i in 1 2 3 4 5; do printf '\\nin region'; done\n\
         printf '\\033[7;1H\\033[2L\\033[10;1H\\033[3M\\033M\\033D\\033[2S\\033[T\\033[r'\n\
         printf '\\033[9;10H\\033[1;32mabc\\033[4D\\033[2@\\033[P\\033[X\\033[K\\033[0m'\n\
         printf '\\0337\\033[3;3Hx\\0338\\033[11;1H'\n",
    )
    .keys(&["\r", "echo more\r"])
    .check();
}

/// As apt shows its progress: a region above a status line, the cursor saved and restored.
#[test]
fn a_status_line_below_a_scroll_region() {
    Case::script(
        "rows=$(tput lines); printf '\\n\\0337\\033[0;%dr\\0338\\033[1A' $((rows - 1))\n\
         for i in 10 40 70 100; do echo \"Unpacking part-$i ...\"\n\
         printf '\\0337\\033[%d;0f\\033[42;30mProgress: [%3d%%]\\033[0m [##..]\\0338' $rows $i\n\
         done\n\
         printf '\\0337\\033[0;%dr\\033[%d;0f\\033[J\\0338' $rows $rows\n",
    )
    // Outside of save and restore: what was saved does not survive a snapshot.
    .halts([
        (". ./script\r", Depth::Escape, 2),
        (". ./script\r", Depth::Introducer, 3),
        (". ./script\r", Depth::Parameters, 3),
    ])
    .check();
}

#[test]
fn tab_stops() {
    // Set back at the end: a resize resets them in tmux, in xterm.js it does not.
    Case::script(
        "printf '\\033[3g'; for x in 5 11 23; do printf '\\033[%dG\\033H' $x; done\n\
         printf '\\r\\ta\\tb\\tc\\td\\n\\033[11G\\033[g\\r\\ta\\tb\\033[2Zd\\033[Ie\\n\\033[3g'\n\
         for x in $(seq 9 8 $(tput cols)); do printf '\\033[%dG\\033H' $x; done; echo\n",
    )
    .halts([
        (". ./script\r", Depth::Escape, 5),
        (". ./script\r", Depth::Introducer, 6),
        (". ./script\r", Depth::Parameters, 7),
    ])
    .check();
}

#[test]
fn origin_and_insert_mode() {
    Case::script(
        "clear; printf '\\033[3;9r\\033[?6h\\033[1;1Htop\\033[7;1Hbottom\\n\\nscrolled'\n\
         printf '\\033[2;1Habcdef\\033[2;3H\\033[4hINSERTED\\033[4l\\033[?6l\\033[r'\n\
         printf '\\033[?7l\\033[11;1H%0200d\\033[?7h\\n' 7\n",
    )
    .check();
}

/// The region, the origin and the insert mode stay on while the gateway is restarted.
#[test]
fn modes_that_stay_on() {
    let script =
        "printf '\\033[?6l\\033[2;8r\\033[?6h\\033[4h\\033[3;3H\\033[1;35mpurple\\033(0q'\n";
    Case::script(script).leave(&["printf '\\033c'\r"]).check();
}

#[test]
fn titles_and_links() {
    Case::script(
        "printf '\\033]0;a title\\007\\033]2;日本 title\\033\\\\'\n\
         printf '\\033]8;;http://127.0.0.1/\\033\\\\a link\\033]8;;\\033\\\\ \\033kname\\033\\\\x\\n'\n\
         printf '\\033]11;?\\007\\033[c\\033[6n' >/dev/null; printf '\\033]52;c;eA==\\007'\n",
    )
    .halts([
        (". ./script\r", Depth::Text, 1),
        (". ./script\r", Depth::Text, 2),
        (". ./script\r", Depth::Text, 5),
    ])
    .check();
}

#[test]
fn a_spinner() {
    let script = "while :; do for c in ⠋ ⠙ ⠹ ⠸ ⠼; do printf '\\r\\033[36m%s\\033[0m working' $c; \
                  sleep 0.03; done; done\n";
    Case::new("bash spin", "working").file("spin", script).animated(&[]).check();
}

/// A script that draws through terminfo.
#[test]
fn a_script_with_tput() {
    Case::script(
        "tput clear; tput cup 2 5; tput bold; tput setaf 3; echo bold; tput sgr0; tput smul\n\
         echo line; tput rmul; tput rev; tput cup 5 $(($(tput cols) - 8)); printf corner\n\
         tput sgr0; tput cup 7 0; tput smso; printf standout; tput rmso; tput el; echo\n\
         tput sc; tput cup 0 0; tput setab 4; printf '%s' home; tput op; tput rc\n",
    )
    .sizes(LARGE_SIZES)
    .check();
}
