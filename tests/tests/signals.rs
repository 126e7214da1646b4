//! What programs tell and ask around the screen: attention, notifications, colours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::fixture::Stage;
use integration::link::Link;
use protocol::commands::{SessionColors, SessionCreate};
use protocol::events::{Event, SessionAttention};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

/// Longer than bells and notifications are collected, and than anything else is held back.
const NOTHING_COMES: Duration = Duration::from_millis(1_500);

fn attention(stage: &mut Stage) -> SessionAttention {
    stage.event("attention", |event| match event {
        Event::SessionAttention(attention) => Some(attention.clone()),
        _ => None,
    })
}

fn no_attention(stage: &mut Stage) {
    stage.take_for(NOTHING_COMES);
    let any = stage.events.iter().find(|(_, event)| matches!(event, Event::SessionAttention(_)));
    assert!(any.is_none(), "{any:?}");
}

/// A program on the gateway's path, in the place of an agent.
fn install(stage: &Stage, name: &str, script: &str) {
    let bin = stage.gateway.home.join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let path = bin.join(name);
    std::fs::write(&path, script).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let profile = format!("PATH=\"{}:$PATH\"\n", bin.display());
    std::fs::write(stage.gateway.home.join(".profile"), profile).expect("a profile");
}

#[test]
fn bells_and_notifications_are_told_once() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "printf '\\a'\r");
    let told = attention(&mut stage);
    assert_eq!((told.reason.as_str(), told.title), ("bell", None));
    stage.type_in(1, "sleep 0.1; printf '\\a\\033]9;Allow it?\\a\\a'; sleep 0.6; printf '\\a'\r");
    let told = attention(&mut stage);
    assert_eq!((told.reason.as_str(), told.title.as_deref()), ("notification", Some("Allow it?")));
    no_attention(&mut stage);
    for (command, title) in [
        ("\\033]777;notify;Build;has failed\\a", "Build: has failed"),
        ("\\033]99;i=1:d=0;Part\\033\\\\\\\\\\033]99;i=1:d=1:p=body;two\\033\\\\\\\\", "Part: two"),
        ("\\033Ptmux;\\033\\033]9;From inside\\a\\033\\\\\\\\", "From inside"),
    ] {
        stage.type_in(1, format!("printf '{command}'\r"));
        assert_eq!(attention(&mut stage).title.as_deref(), Some(title));
    }
    stage.type_in(1, "printf '\\033]9;4;1;50\\a\\033]0;title\\a'\r");
    no_attention(&mut stage);
}

#[test]
fn attention_reaches_who_comes_later() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    stage.type_in(1, "sleep 1; printf '\\033]9;While you were away\\a'; echo done-$((1+1))\r");
    // Nobody is attached, nobody is connected.
    stage.detach(1);
    stage.cp.answer(integration::mock_cp::Answer::Refuse(503, Some(1)));
    stage.cut();
    let tmux = &stage.gateway.tmux;
    integration::eventually("the program ends", integration::PATIENCE, || {
        tmux.lines(1).iter().any(|line| line == "done-2").then_some(())
    });
    stage.cp.answer(integration::mock_cp::Answer::Accept);
    stage.reconnect();
    assert_eq!(attention(&mut stage).title.as_deref(), Some("While you were away"));
}

#[test]
fn an_agent_that_has_become_quiet_waits() {
    let mut stage = Stage::new();
    let script = "#!/bin/sh\nread line\nfor i in 1 2 3 4 5 6 7 8; do printf '\\rworking %s' $i; \
                  sleep 0.5; done\nprintf '\\r\\nReady> '\nread line\n";
    install(&stage, "codex", script);
    let create = SessionCreate { agent: "codex".to_owned(), ..Link::shell(1, 80, 24) };
    stage.request(create).expect("a session");
    stage.attach(1, None);
    stage.type_in(1, "go\r");
    stage.expect(1, "Ready> ");
    let waited = std::time::Instant::now();
    let told = attention(&mut stage);
    assert_eq!((told.reason.as_str(), told.title), ("waiting", None));
    assert!(waited.elapsed() > Duration::from_secs(5), "a pause is no end of work");
    // The agent is known as such after a restart too, and says so only once.
    stage.kill_and_restart_gateway();
    no_attention(&mut stage);
}

#[test]
fn programs_notify_by_command() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let gateway = integration::gateway::binary();
    let command = gateway.display();
    stage.type_in(1, format!("{command} notify 'Tests are' green && echo sent-$((1+1))\r"));
    stage.expect(1, "sent-2");
    assert_eq!(attention(&mut stage).title.as_deref(), Some("Tests are green"));
    // From a process without a terminal, as hooks are run; and after a restart of the gateway.
    stage.kill_and_restart_gateway();
    stage.attach(1, None);
    stage.type_in(1, format!("setsid -w {command} notify again </dev/null >/dev/null 2>&1\r"));
    assert_eq!(attention(&mut stage).title.as_deref(), Some("again"));

    stage.type_in(1, format!("{command} notify\r"));
    stage.expect(1, "say what for");
    stage.gateway.kill();
    let run = |marker: &str| {
        let mut command = std::process::Command::new(integration::gateway::binary());
        command.args(["notify", "x"]).env_remove("CHATCODE_SESSION");
        if !marker.is_empty() {
            command.env("CHATCODE_SESSION", marker);
        }
        let output = command.output().expect("it runs");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(run("").contains("this is no chatcode session"));
    let state = stage.gateway.home.join("state");
    let said = run(&format!("gw/1 {}", state.display()));
    assert!(said.contains("no gateway listens"), "{said}");
}

/// Asks the terminal for a colour as programs do, and prints what it answers.
const ASK: &str = "stty raw -echo min 0 time 20; printf '\\033]11;?\\033\\\\'; \
                   answer=$(dd bs=64 count=1 2>/dev/null | tr -d '\\033\\\\'); stty sane; \
                   echo \"<$answer>\"";

#[test]
fn programs_learn_the_viewers_colours() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    std::fs::write(stage.gateway.in_workdir(1, "ask"), ASK).expect("a script");
    for (background, answer) in
        [("#fafafa", "<]11;rgb:fafa/fafa/fafa>"), ("#0b0d10", "<]11;rgb:0b0b/0d0d/1010>")]
    {
        let (foreground, background) = ("#c0c1c2".to_owned(), background.to_owned());
        stage.tell(SessionColors { session_id: 1, foreground, background });
        stage.type_in(1, "sh ask\r");
        stage.expect(1, answer);
    }
    // tmux remembers, whoever comes next.
    stage.kill_and_restart_gateway();
    stage.attach_afresh(1, None);
    let bad = SessionColors {
        session_id: 1,
        foreground: "red".to_owned(),
        background: "#000".to_owned(),
    };
    stage.checks_schema = false;
    stage.tell(bad);
    let code = stage.event("the refusal", |event| match event {
        Event::SessionError(error) => Some(error.code.clone()),
        _ => None,
    });
    assert_eq!(code, "invalid_payload");
    stage.type_in(1, "sh ask\r");
    stage.expect(1, "<]11;rgb:0b0b/0d0d/1010>");
}

#[test]
fn a_new_colour_scheme_is_reported_to_who_asked() {
    let mut stage = Stage::new();
    stage.open(1, 80, 24);
    let script = "stty raw -echo min 1 time 50; printf '\\033[?2031h'; \
                  answer=$(dd bs=9 count=1 2>/dev/null | tr -d '\\033'); stty sane; echo \"<$answer>\"";
    std::fs::write(stage.gateway.in_workdir(1, "ask"), script).expect("a script");
    let colours = |background: &str| SessionColors {
        session_id: 1,
        foreground: "#808080".to_owned(),
        background: background.to_owned(),
    };
    stage.tell(colours("#101010"));
    stage.type_in(1, "sh ask\r");
    stage.expect(1, "\x1b[?2031h");
    stage.tell(colours("#f0f0f0"));
    stage.expect(1, "<[?997;2n>");
}
