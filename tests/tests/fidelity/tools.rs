//! Monitors, menus, shells and terminals within the terminal.

use crate::case::{Case, LARGE_SIZES};
use integration::halting::Depth;

#[test]
fn htop() {
    Case::new("htop -d 3000", "Load average").keys(&["\x1bOR", "\x1b", "t"]).leave(&["q"]).check();
}

#[test]
fn top() {
    Case::new("top -d 900", "load average")
        .keys(&["z", "x", "c"])
        .redraw("1")
        .leave(&["q"])
        .check();
}

#[test]
fn watch() {
    Case::new("watch -n 0.3 -c 'printf \"\\033[31mred \\033[1;42m\"; date +%N; seq 50'", "red")
        .animated(&[])
        .check();
}

#[test]
fn ncdu() {
    let make = "mkdir -p d/sub; head -c 90000 /dev/zero >d/large; head -c 9000 /dev/zero >d/sub/x";
    Case::new(format!("{make}; ncdu --color dark d"), "large")
        .keys(&["j", "i", "i"])
        .redraw("g")
        .leave(&["q"])
        .sizes(LARGE_SIZES)
        .check();
}

#[test]
fn midnight_commander() {
    Case::new("mc -u -x --skin=default /usr /etc", "Left")
        .keys(&["\t", "\x1bOB\x1bOB", "\x1bOP", "\x1b\x1b", "\x1b9", "\x1b\x1b"])
        .redraw("\t")
        .leave(&["\x1b[21~"])
        .sizes(LARGE_SIZES)
        .check();
}

#[test]
fn a_dialog() {
    let start = "dialog --title Title --menu 'Choose one:' 15 50 5 1 First 2 Second 3 Third";
    Case::new(start, "Choose one")
        .keys(&["\x1bOB", "\x1bOB", "\x1bOA"])
        .redraw("\t")
        .leave(&["\r"])
        .sizes(LARGE_SIZES)
        .check();
}

#[test]
fn whiptail() {
    let start = "whiptail --title Títle --checklist 'Pick some:' 15 38 4 a First on b Sécond off";
    Case::new(start, "Pick some")
        .keys(&[" ", "\x1bOB", "\x1bOA"])
        .redraw("\t")
        .leave(&["\r"])
        .sizes(LARGE_SIZES)
        .check();
}

#[test]
fn bash_line_editing_and_completion() {
    let options = "bind 'set show-all-if-ambiguous on'; bind 'set colored-stats on'; \
                   bind 'TAB:menu-complete'; touch file-{one,two,three,four}; mkdir -p folder";
    Case::new(options, "folder")
        .keys(&[
            "echo some words to edit",
            "\x01\x1b[C\x1b[C\x1b[C\x1b[CX\x1bd\x05",
            "\x15",
            "ls f\t",
            "\t\t",
            "\x03",
            "echo 日本語 é long line that wraps on a small screen",
            "\x12bind",
            "\x07",
        ])
        .halts([
            ("\x0c", Depth::Escape, 1),
            ("\x0c", Depth::Introducer, 2),
            ("\x15ls --color=always\r", Depth::Parameters, 2),
        ])
        .leave(&["\x03"])
        .check();
}

#[test]
fn python() {
    const LOOP: &str = "for i in range(3): print('\\x1b[1;3%dmrow\\x1b[0m' % (i + 1))\r\r";
    Case::new("python3 -q", ">>>")
        .keys(&[LOOP, "[1, 2, 3]\r", "x = 'é'"])
        .halts([
            ("print('\\x1b[32mé\\x1b[0m')\r", Depth::Introducer, 1),
            ("print('\\x1b[32mé\\x1b[0m' * 9)\r", Depth::Parameters, 5),
            ("; print('\\x1b[32mé\\x1b[0m' * 9)\r", Depth::Character, 7),
        ])
        .leave(&["\x04"])
        .check();
}

#[test]
fn sqlite() {
    let query = "with recursive n(x) as (select 1 union all select x+1 from n where x < 40)";
    let start = format!("sqlite3 -box :memory: \"{query} select x, x*x from n;\"; sqlite3");
    Case::new(start, "sqlite>")
        .keys(&[".mode box\r", "select 'é' as a, '日本' as b;\r"])
        .halts([
            ("select '日本' as x;\r", Depth::Character, 1),
            ("select '日本' as x;\r", Depth::Character, 9),
            ("select '日本' as x;\r", Depth::Character, 4),
        ])
        .leave(&["\x04"])
        .check();
}

#[test]
fn gdb_with_windows() {
    Case::new("gdb -q -nx -ex 'set pagination off' -ex 'tui enable'", "No Source")
        .keys(&["help tui\r", "info line\r", "layout regs\r"])
        .leave(&["quit\r"])
        .sizes(LARGE_SIZES)
        .check();
}

#[test]
fn fzf() {
    Case::new("seq 1 500 | sed 's/^/line é /' | fzf --no-mouse", "500/500")
        .keys(&["4", "2", "\x1bOA"])
        .leave(&["\x07"])
        .check();
}

#[test]
fn a_list_with_colours() {
    let make = "mkdir -p d; touch d/a.tar d/b.png; ln -sf x d/link; touch d/run; chmod +x d/run";
    const LIST: &str = "ls --color=always -d d d/* /dev/null /tmp\r";
    Case::new(format!("{make}; ls --color=always d"), "b.png")
        .keys(&[LIST])
        .halts([
            (LIST, Depth::Escape, 3),
            (LIST, Depth::Parameters, 4),
            (LIST, Depth::Introducer, 6),
        ])
        .check();
}

#[test]
fn tmux_within_tmux() {
    let status = "set -g status-right '' ; bind X kill-server";
    let start = "TMUX= tmux -L inner -f inner.conf new-session -s inside 'PS1=in: sh'";
    Case::new(start, "[inside]")
        .file("inner.conf", status.replace(" ; ", "\n"))
        .keys(&["seq 30\r", "\x02%", "\x02\""])
        .redraw("\x02r")
        .leave(&["\x02X"])
        .check();
}

#[test]
fn screen() {
    let start = "SCREENDIR=$HOME/.screen screen -c screenrc sh -c 'PS1=in: exec sh'";
    let config = "startup_message off\nhardstatus alwayslastline '%{= kG}%n %t é'\ndefutf8 on\n";
    Case::new(start, "in:")
        .file("screenrc", config)
        .keys(&["seq 30\r", "\x01S", "\x01\t"])
        .redraw("\x01l")
        .leave(&["\x01:quit\r"])
        .check();
}
