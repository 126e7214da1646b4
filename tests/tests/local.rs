//! `list` and `attach`: sessions in a terminal on the machine, beside the browsers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::gateway::{Gateway, binary};
use integration::link::Link;
use integration::pty::Pty;
use integration::{PATIENCE, eventually};
use serde_json::Value;
use std::process::{Command, Output, Stdio};

/// The terminal of the person; smaller than the browser's, so that a change of size would show.
const TERMINAL: (u16, u16) = (60, 15);

/// A command of the person: no id, no token, nothing of the gateway's but the place.
fn command(gateway: &Gateway, words: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .env("PATH", integration::tmux::search_path())
        .env("HOME", gateway.home.path())
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .env("TMUX_TMPDIR", gateway.home.path())
        .args(words)
        .stdin(Stdio::null());
    command
}

/// The same on the gateway's socket.
fn here(gateway: &Gateway, words: &[&str]) -> Command {
    let mut command = command(gateway, words);
    command.env("GATEWAY_TMUX_SOCKET", gateway.tmux.socket());
    command
}

fn output(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the gateway's binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

fn listed(gateway: &Gateway) -> Vec<Value> {
    let (code, text, error) = output(here(gateway, &["list", "--json"]));
    assert_eq!((code, error.as_str()), (Some(0), ""));
    serde_json::from_str::<Value>(&text).expect("JSON").as_array().expect("an array").clone()
}

fn size(gateway: &Gateway) -> String {
    gateway.tmux.format(1, "#{window_width}x#{window_height}")
}

#[test]
fn sessions_are_listed_for_people_and_machines() {
    let mut stage = Stage::new();
    let (code, text, _) = output(here(&stage.gateway, &["list"]));
    assert_eq!(code, Some(0));
    assert!(text.starts_with("No sessions."), "{text}");
    assert_eq!(listed(&stage.gateway), Vec::<Value>::new());

    let name = "müller | co;".to_owned();
    let named = protocol::commands::SessionCreate { name, ..Link::shell(7, 90, 25) };
    stage.request(named).expect("a session");
    let agent = "opencode".to_owned();
    let with_agent = protocol::commands::SessionCreate { agent, ..Link::shell(12, 80, 24) };
    stage.request(with_agent).expect("a session");
    // A session that is nobody's: not ours to show.
    stage.gateway.tmux.run(&["new-session", "-d", "-s", "mine"]);

    let all = listed(&stage.gateway);
    let of = |id: u32| all.iter().find(|it| it["session_id"] == id).expect("listed").clone();
    assert_eq!(all.len(), 2);
    assert_eq!((&of(7)["name"], &of(7)["agent"]), (&"müller | co;".into(), &Value::Null));
    assert_eq!((&of(7)["cols"], &of(7)["rows"]), (&90.into(), &25.into()));
    assert_eq!((&of(7)["attached"], &of(12)["agent"]), (&0.into(), &"opencode".into()));
    assert!(of(7)["folder"].as_str().expect("text").ends_with("workspace/work-7"), "{all:?}");
    assert!(of(7)["created"].as_u64().expect("a time") > 1_700_000_000);
    eventually("the gateway listens", PATIENCE, || {
        listed(&stage.gateway).iter().all(|it| it["gateway"] == true).then_some(())
    });

    let (_, table, _) = output(here(&stage.gateway, &["list"]));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("SESSION"), "{table}");
    assert!(table.contains("müller | co;") && table.contains("90x25"), "{table}");
}

#[test]
fn a_terminal_shows_the_session_and_leaves_it_as_it_was() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "echo before-$((1+1))\r");
    stage.expect(1, "before-2");

    let mut terminal = Pty::run(&here(&stage.gateway, &["attach"]), TERMINAL);
    terminal.expect("before-2");
    terminal.type_in("echo typed-$((1+2))\r");
    stage.expect(1, "typed-3");
    terminal.expect("typed-3");
    stage.type_in(1, "echo browser-$((1+3))\r");
    terminal.expect("browser-4");
    stage.expect(1, "browser-4");
    assert_eq!(listed(&stage.gateway)[0]["attached"], 1);
    assert_eq!(size(&stage.gateway), "80x24", "the browser's size");

    terminal.type_in("\x02d");
    assert_eq!(terminal.wait().code(), Some(0));
    terminal.expect("detached");
    eventually("no terminal is attached", PATIENCE, || {
        (listed(&stage.gateway)[0]["attached"] == 0).then_some(())
    });
    stage.type_in(1, "stty size; echo after-$((1+4))\r");
    let seen = stage.expect(1, "after-5");
    assert!(String::from_utf8_lossy(&seen).contains("24 80"));
    assert_eq!((size(&stage.gateway).as_str(), stage.stream(1).sizes.len()), ("80x24", 0));
    assert_eq!(stage.stream(1).snapshots.len(), 1, "the stream was never interrupted");
}

#[test]
fn a_session_is_chosen_by_number_or_name_and_never_by_prefix() {
    let mut stage = Stage::new();
    for (session_id, name) in [(1, "api"), (12, "web")] {
        let create = protocol::commands::SessionCreate {
            name: name.to_owned(),
            ..Link::shell(session_id, 80, 24)
        };
        stage.request(create).expect("a session");
    }
    stage.attach(12, None);
    stage.type_in(12, "echo twelve-$((1+1))\r");
    stage.expect(12, "twelve-2");
    for wanted in ["12", "cc-12", "web"] {
        let mut terminal = Pty::run(&here(&stage.gateway, &["attach", wanted]), TERMINAL);
        terminal.expect("twelve-2");
        terminal.type_in("\x02d");
        assert_eq!(terminal.wait().code(), Some(0));
    }
    // A person may have renamed it.
    stage.gateway.tmux.run(&["rename-session", "-t", "=cc-12", "mine"]);
    for wanted in ["12", "mine"] {
        let mut terminal = Pty::run(&here(&stage.gateway, &["attach", wanted]), TERMINAL);
        terminal.expect("twelve-2");
        terminal.type_in("\x02d");
        assert_eq!(terminal.wait().code(), Some(0));
    }
    let (code, _, error) = output(here(&stage.gateway, &["attach"]));
    assert_eq!(code, Some(64));
    assert!(error.contains("several") && error.contains("web"), "{error}");
    assert!(error.contains("chatcode-gateway attach SESSION"), "{error}");
    let (code, _, error) = output(here(&stage.gateway, &["attach", "2"]));
    assert_eq!(code, Some(66));
    assert!(error.contains("there is no session \"2\"") && error.contains("api"), "{error}");
}

#[test]
fn what_cannot_be_attached_is_said_in_a_sentence() {
    let mut stage = Stage::new();
    let refused = |command: Command, code: i32, says: &str| {
        let (got, _, error) = output(command);
        assert_eq!(got, Some(code), "{error}");
        assert!(error.contains(says), "{error}");
    };
    refused(here(&stage.gateway, &["attach"]), 66, "no session to attach to");
    stage.open(1, 80, 24);
    refused(here(&stage.gateway, &["attach"]), 64, "needs a terminal");
    refused(here(&stage.gateway, &["attach", "1", "2"]), 64, "too many");
    refused(here(&stage.gateway, &["attach", "--cp-url=x"]), 64, "--cp-url");
    for words in [["list"], ["attach"]] {
        let mut without_tmux = here(&stage.gateway, &words);
        without_tmux.env("PATH", "/nowhere");
        refused(without_tmux, 69, "install tmux");
        let mut bad_socket = here(&stage.gateway, &words);
        bad_socket.env("GATEWAY_TMUX_SOCKET", "a/b");
        refused(bad_socket, 64, "GATEWAY_TMUX_SOCKET");
    }
    // Inside a session of the same server.
    let line = format!("{} attach --tmux-socket t 1; echo code-$?\r", binary().display());
    stage.type_in(1, line);
    let seen = stage.expect(1, "code-64");
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(seen.contains("leave it with Ctrl-B D"), "{seen}");
}

#[test]
fn the_socket_comes_from_flag_environment_or_file() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let gateway = &stage.gateway;
    let lists = |command: Command| {
        let (code, text, error) = output(command);
        assert_eq!(code, Some(0), "{error}");
        text.starts_with("[{\"session_id\":1,")
    };
    assert!(!lists(command(gateway, &["list", "--json"])), "the usual server is another");
    assert!(lists(command(gateway, &["list", "--json", "--tmux-socket", "t"])));
    let mut flag_over_environment = command(gateway, &["list", "--json", "--tmux-socket=t"]);
    flag_over_environment.env("GATEWAY_TMUX_SOCKET", "other");
    assert!(lists(flag_over_environment));
    let file = gateway.home.join("gateway.env");
    std::fs::write(&file, "GATEWAY_TMUX_SOCKET=t\n").expect("written");
    let file = file.to_string_lossy().into_owned();
    assert!(lists(command(gateway, &["list", "--json", "--config", &file])));
    let (code, _, error) = output(command(gateway, &["list", "--config", "/nowhere/file"]));
    assert_eq!(code, Some(64));
    assert!(error.contains("/nowhere/file"), "{error}");
}
