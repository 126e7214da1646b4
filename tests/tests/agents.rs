//! Agents: really installed from npm, listed, started; what goes wrong with an installation; the
//! environment of a session.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chatcode_gateway::agents::INSTALLER;
use integration::agents::{NO_NETWORK, reach_npm, share_npm_cache};
use integration::fixture::Stage;
use integration::gateway::{self, Gateway};
use integration::link::Link;
use integration::mock_cp::{Answer, MockCp};
use integration::process::{children, is_alive, signal};
use integration::{PATIENCE, eventually};
use protocol::commands::{AgentsInstall, AgentsList, SessionCreate};
use protocol::events::{AgentState, Event};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a real installation may take on a loaded machine with a cold cache.
const INSTALLATION: Duration = Duration::from_secs(300);

/// A gateway whose login shell finds `path` and what is beside it.
fn stage(path: &str) -> Stage {
    let cp = MockCp::new();
    let mut gateway = Gateway::new(&cp.url());
    reach_npm(&mut gateway, path);
    gateway.run();
    let link = cp.accept();
    Stage { link, gateway, cp }
}

/// One that has the npm of this machine, with a cache that outlives the test.
fn stage_with_npm() -> Stage {
    let stage = stage(&integration::tmux::search_path().to_string_lossy());
    share_npm_cache(&stage.gateway);
    stage
}

/// One whose npm is `script`. `npm` runs in the folder that it is to install into.
fn stage_with(script: &str) -> Stage {
    let stage = stage(&format!("$HOME/fake:{}", integration::tmux::search_path().display()));
    fake_npm(stage.gateway.home.path(), script);
    stage
}

fn fake_npm(home: &Path, script: &str) {
    std::fs::create_dir_all(home.join("fake")).expect("a folder");
    program(&home.join("fake/npm"), script);
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn program(path: &Path, script: &str) {
    write(path, &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a program");
}

/// An npm that installs a program of this version.
fn npm_of(program: &str, version: &str) -> String {
    format!(
        "mkdir -p node_modules/.bin; p=node_modules/.bin/{program}\n\
         printf '#!/bin/sh\\necho {program} {version}\\n' >$p; chmod 755 $p; echo added 1 package"
    )
}

fn install(agent: &str) -> AgentsInstall {
    AgentsInstall { agent: agent.to_owned() }
}

fn list(link: &mut Link) -> BTreeMap<String, AgentState> {
    let caused = link.request(AgentsList {}).expect("the list is acked");
    let [Event::AgentsStatus(status)] = caused.as_slice() else { panic!("{caused:?}") };
    status.agents.iter().map(|state| (state.agent.clone(), state.clone())).collect()
}

/// How an installation ended: the version, or the last lines.
fn outcome(link: &mut Link, wanted: &str) -> Result<Option<String>, String> {
    link.until_within(INSTALLATION, "the installation's outcome", |link| {
        let found = link.events.iter().position(|(_, event)| match event {
            Event::AgentInstalled(one) => one.agent == wanted,
            Event::AgentInstallFailed(one) => one.agent == wanted,
            _ => false,
        })?;
        match link.events.remove(found)?.1 {
            Event::AgentInstalled(one) => Some(Ok(one.version)),
            Event::AgentInstallFailed(one) => Some(Err(one.message)),
            _ => None,
        }
    })
}

fn installed(stage: &Stage, program: &str) -> PathBuf {
    stage.gateway.home.join(".local/bin").join(program)
}

/// Folders of installations, whole or not.
fn folders(stage: &Stage) -> Vec<PathBuf> {
    let home = stage.gateway.home.join(".local/share/chatcode/agents");
    std::fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[test]
fn two_agents_are_installed_from_npm_listed_and_run() {
    let mut stage = stage_with_npm();
    assert!(list(&mut stage).values().all(|state| !state.installed && state.version.is_none()));
    // What an interrupted try left is no installation, and goes.
    let broken = stage.gateway.home.join(".local/share/chatcode/agents/gemini.broken");
    std::fs::create_dir_all(broken.join("node_modules/.bin")).expect("a folder");

    let agents = [("gemini", "gemini"), ("codex", "codex")];
    for (agent, _) in agents {
        let started = Instant::now();
        stage.request(install(agent)).expect("acked when accepted");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        let busy = stage.request(install(agent)).expect_err("one at a time");
        assert_eq!(busy.code, "busy");
    }
    for (agent, program) in agents {
        let version = match outcome(&mut stage, agent) {
            Ok(version) => version.expect("a version"),
            Err(why) if NO_NETWORK.iter().any(|code| why.contains(code)) => {
                return println!("skipped: no way to npm's registry: {why}");
            }
            Err(why) => panic!("{agent}: {why}"),
        };
        let path = installed(&stage, program);
        let home = stage.gateway.home.path();
        let said = Command::new(&path).arg("--version").env("HOME", home).output().expect(program);
        assert!(String::from_utf8_lossy(&said.stdout).contains(&version), "{version}");
        let state = list(&mut stage).remove(agent).expect("listed");
        assert!(state.installed);
        // A version that does not come in time is absent; a wrong one never comes.
        assert!(state.version.is_none_or(|listed| listed == version));
    }
    let told = stage.events.iter().filter(|(_, event)| match event {
        Event::AgentInstallProgress(progress) => !progress.message.is_empty(),
        _ => false,
    });
    assert!(told.count() >= 4, "progress of both");
    assert!(!broken.exists() && folders(&stage).len() == 2, "{:?}", folders(&stage));

    for (session_id, (agent, program)) in (1..).zip(agents) {
        let agent = agent.to_owned();
        let create = SessionCreate { agent, ..Link::shell(session_id, 100, 30) };
        stage.request(create).expect("a session");
        let looks = format!("/{program} ");
        eventually("the agent runs in the session", INSTALLATION, || {
            let pid = stage.gateway.tmux.format(session_id, "#{pane_pid}").parse().ok()?;
            let screen = stage.gateway.tmux.lines(session_id);
            let runs = descendants(pid).iter().any(|pid| command_line(*pid).contains(&looks));
            (runs && screen.len() > 3).then_some(())
        });
        let screen = stage.gateway.tmux.lines(session_id).join("\n");
        assert!(!screen.contains("not installed"), "{screen}");
    }

    // Again: the version that sessions run stays beside the new one, and what is older goes.
    for _ in 0..2 {
        stage.request(install("gemini")).expect("accepted");
        outcome(&mut stage, "gemini").expect("installed again");
    }
    assert_eq!(folders(&stage).len(), 3, "{:?}", folders(&stage));
}

fn descendants(pid: u32) -> Vec<u32> {
    let own = children(pid);
    own.iter().copied().chain(own.iter().flat_map(|child| descendants(*child))).collect()
}

fn command_line(pid: u32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

#[test]
fn a_registry_that_refuses_is_told_with_the_last_lines() {
    let mut stage = stage_with_npm();
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = registry.local_addr().expect("an address");
    std::thread::spawn(move || {
        for socket in registry.incoming().flatten() {
            let (mut socket, mut request) = (socket, [0; 4096]);
            let _ = socket.read(&mut request);
            let refusal =
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = socket.write_all(refusal.as_bytes());
        }
    });
    let npmrc = stage.gateway.home.join(".npmrc");
    let cache = stage.gateway.home.join("cache");
    let settings = format!("registry=http://{address}/\ncache={}\n", cache.display());
    write(&npmrc, &settings);
    stage.request(install("codex")).expect("accepted");
    let lines = outcome(&mut stage, "codex").expect_err("refused");
    assert!(lines.contains("403") && lines.contains("could not install @openai/codex"), "{lines}");
    assert!(lines.lines().count() <= 20 && lines.len() <= 4096 && !lines.contains('\x1b'));
    assert!(!list(&mut stage)["codex"].installed && folders(&stage).is_empty());
    assert_eq!(std::fs::read_to_string(npmrc).expect("still there"), settings);
}

#[test]
fn without_npm_it_is_said_what_to_do() {
    let mut stage = stage("$HOME/few");
    let few = stage.gateway.home.join("few");
    std::fs::create_dir_all(&few).expect("a folder");
    symlink("/bin/uname", few.join("uname")).expect("a link");
    program(&few.join("apt-get"), "");
    stage.request(install("gemini")).expect("accepted");
    let lines = outcome(&mut stage, "gemini").expect_err("no node");
    for part in ["node was not found", "Node.js 20", "apt-get install -y nodejs"] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    program(&few.join("node"), "case $1 in --version) echo v18.19.0;; *) echo 18;; esac");
    program(&few.join("npm"), "");
    stage.request(install("gemini")).expect("accepted");
    let lines = outcome(&mut stage, "gemini").expect_err("an old node");
    assert!(lines.contains("needs Node.js 20") && lines.contains("v18.19.0"), "{lines}");
}

#[test]
fn what_hangs_is_stopped_with_all_that_it_started_and_cleaned_up() {
    let stage = stage_with("echo going; (sleep 2000 & echo $! >$HOME/pid); sleep 1000");
    let limits = [("60000", "1500", "said nothing for 1 s"), ("2000", "60000", "more than 2 s")];
    for (whole, quiet, why) in limits {
        let mut command = stage.gateway.command();
        command.args(["_install", "state", "workspace", whole, quiet]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a child");
        let request = protocol::commands::Command::from(install("gemini")).to_json(Some("r"));
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(request.as_bytes()).expect("asked");
        drop(stdin);
        let started = Instant::now();
        let said = child.wait_with_output().expect("an answer");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("ok failed ") && said.contains(why), "{said}");
        assert!(said.contains(r#""message":"going""#), "{said}");
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
        let pid = std::fs::read_to_string(stage.gateway.home.join("pid")).expect("it ran");
        let pid = pid.trim().parse().expect("a pid");
        eventually("what it started is gone", PATIENCE, || (!is_alive(pid)).then_some(()));
        assert_eq!(folders(&stage), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_child_that_is_killed_is_a_failure_and_the_next_try_is_accepted() {
    let mut stage = stage_with("echo $$ >$HOME/pid; exec sleep 1000");
    stage.request(install("opencode")).expect("accepted");
    let pid_file = stage.gateway.home.join("pid");
    // The shell makes the file before it writes into it.
    let npm = eventually("npm runs", PATIENCE, || {
        std::fs::read_to_string(&pid_file).ok()?.strip_suffix('\n')?.parse().ok()
    });
    let gateway = stage.gateway.process().id();
    let child = children(gateway).into_iter().find(|pid| command_line(*pid).contains("_install"));
    signal(child.expect("the child"), Signal::KILL);
    let lines = outcome(&mut stage, "opencode").expect_err("killed");
    assert!(lines.contains("killed"), "{lines}");
    eventually("npm does not go on for nobody", PATIENCE, || (!is_alive(npm)).then_some(()));
    eventually("nothing is left", PATIENCE, || folders(&stage).is_empty().then_some(()));
    fake_npm(stage.gateway.home.path(), &npm_of("opencode", "7.8.9"));
    stage.request(install("opencode")).expect("accepted again");
    assert_eq!(outcome(&mut stage, "opencode"), Ok(Some("7.8.9".to_owned())));
}

#[test]
fn an_outcome_while_nobody_listens_is_told_after_the_next_hello() {
    let mut stage = stage_with(&format!(
        "while [ ! -f \"$HOME/go\" ]; do sleep 0.05; done; {}",
        npm_of("gemini", "9.8.7")
    ));
    stage.request(install("gemini")).expect("accepted");
    stage.cp.answer(Answer::Refuse(503, None));
    stage.link.cut();
    write(&stage.gateway.home.join("go"), "");
    eventually("it ends", PATIENCE, || stage.gateway.log().contains("9.8.7").then_some(()));
    stage.cp.answer(Answer::Accept);
    stage.reconnect();
    let told = stage.until("the outcome", |link| {
        let is_it = |(_, event): &&(_, Event)| matches!(event, Event::AgentInstalled(_));
        link.events.iter().find(is_it).cloned()
    });
    assert_eq!(told.0, None, "nobody here asked for it");
    stage.take_for(Duration::from_millis(300));
    let told = |event: &Event| matches!(event, Event::AgentInstalled(_));
    assert_eq!(stage.events.iter().filter(|(_, event)| told(event)).count(), 1);
    stage.link.cut();
    stage.reconnect();
    stage.take_for(Duration::from_millis(300));
    assert!(!stage.events.iter().any(|(_, event)| told(event)), "told once");
}

#[test]
fn what_does_not_start_is_no_installation_and_a_persons_program_is_not_replaced() {
    let mut stage = stage_with(&npm_of("gemini", "1.0.0"));
    let run = |stage: &mut Stage| {
        stage.request(install("gemini")).expect("accepted");
        outcome(stage, "gemini")
    };
    assert_eq!(run(&mut stage), Ok(Some("1.0.0".to_owned())));
    let link = installed(&stage, "gemini");
    let first = std::fs::read_link(&link).expect("a link");

    fake_npm(stage.gateway.home.path(), &npm_of("gemini", "2.0.0; exit 1"));
    assert!(run(&mut stage).expect_err("broken").contains("does not start"));
    fake_npm(stage.gateway.home.path(), "echo half >node_modules; kill -9 $PPID");
    run(&mut stage).expect_err("interrupted");
    assert_eq!(std::fs::read_link(&link).expect("a link"), first);
    assert_eq!(list(&mut stage)["gemini"].version.as_deref(), Some("1.0.0"));

    fake_npm(stage.gateway.home.path(), &npm_of("gemini", "3.0.0"));
    assert_eq!(run(&mut stage), Ok(Some("3.0.0".to_owned())));
    assert_eq!(folders(&stage).len(), 2, "the present and the one before");

    std::fs::remove_file(&link).expect("removed");
    program(&link, "echo mine 0.1.0");
    assert!(run(&mut stage).expect_err("theirs").contains("not installed by chatcode"));
    assert_eq!(list(&mut stage)["gemini"].version.as_deref(), Some("0.1.0"));
}

#[test]
fn only_known_agents_are_installed() {
    let mut stage = Stage::new();
    for agent in ["none", "clippy", "", "codex; true"] {
        let refused = stage.request(install(agent)).expect_err(agent);
        assert!(["unknown_agent", "invalid_payload"].contains(&&*refused.code), "{refused:?}");
    }
}

#[test]
fn the_installer_is_a_script_for_every_sh() {
    let checked =
        Command::new("shellcheck").args(["--shell=sh", "-"]).stdin(Stdio::piped()).spawn();
    let mut checked = checked.expect("shellcheck runs");
    let mut stdin = checked.stdin.take().expect("its input");
    stdin.write_all(INSTALLER.as_bytes()).expect("read");
    drop(stdin);
    assert!(checked.wait().expect("an answer").success());

    let shells: &[&[&str]] =
        &[&["dash"], &["bash", "--posix"], &["bash"], &["zsh", "--emulate", "sh"]];
    for shell in shells {
        let home = integration::tempdir::TempDir::new();
        let home = home.join("a folder; with 'quotes'");
        std::fs::create_dir_all(&home).expect("a folder");
        fake_npm(&home, &npm_of("codex", "1.2.3"));
        let path =
            format!("{}:{}", home.join("fake").display(), std::env::var("PATH").expect("set"));
        for _ in 0..2 {
            let mut command = Command::new(shell[0]);
            command.args(&shell[1..]).args(["-c", INSTALLER, "sh", "codex", "codex", "x", "16"]);
            let said = command.env("HOME", &home).env("PATH", &path).output().expect("a shell");
            let errors = String::from_utf8_lossy(&said.stderr).into_owned();
            assert!(said.status.success(), "{shell:?}: {errors}");
        }
        let said = Command::new(home.join(".local/bin/codex")).output().expect("installed");
        assert_eq!(said.stdout, b"codex 1.2.3\n", "{shell:?}");
    }
}

/// Names and values as a process of the session has them.
fn environment(pid: u32) -> BTreeMap<String, String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).expect("a living process");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The session's program: the wrapper's child.
fn inside(stage: &Stage, session_id: u32) -> BTreeMap<String, String> {
    let pid: u32 = stage.gateway.tmux.format(session_id, "#{pane_pid}").parse().expect("a pid");
    let child = eventually("the shell runs", PATIENCE, || {
        // Before it is the shell, the child has the wrapper's words, and variables.
        children(pid).into_iter().find(|pid| command_line(*pid).starts_with("/bin/bash"))
    });
    environment(child)
}

fn shell_with(session_id: u32, env: &BTreeMap<String, String>) -> SessionCreate {
    SessionCreate { env: Some(env.clone()), ..Link::shell(session_id, 80, 24) }
}

#[test]
fn an_environment_arrives_as_it_was_given_short_or_long() {
    let mut stage = Stage::new();
    let values = [
        ("LINES_", "one\ntwo\n\nend\n"),
        ("QUOTES", "it's \"quoted\" `x` \\ \\\\ $HOME $(id) ${x}"),
        ("SEMICOLON", "a; b;"),
        ("ONLY", ";"),
        ("TMUX_FORMAT", "#{pane_id} #S %1 ~ {} #"),
        ("WORLD", "é 日本 \u{1f600}"),
        ("EMPTY", ""),
        ("e", "x"),
        ("f", "y"),
        ("r", "z"),
    ];
    let short: BTreeMap<String, String> =
        values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut long = short.clone();
    long.insert("PATH".to_owned(), "/nowhere:/usr/bin:/bin".to_owned());
    // As much as the contract allows: twice what a message to tmux can hold.
    let used: usize = long.iter().map(|(name, value)| name.len() + value.len()).sum();
    long.insert("LONG".to_owned(), "'".repeat(protocol::limits::ENV_BYTES - used - 4));
    for (session_id, env) in [(1, &short), (2, &long)] {
        stage.request(shell_with(session_id, env)).expect("a session");
        let seen = inside(&stage, session_id);
        for (name, value) in env {
            assert_eq!(seen.get(name), Some(value), "{name} of session {session_id}");
        }
        assert!(!stage.gateway.home.join(&format!("state/sessions/{session_id}.env")).exists());
    }
    long.insert("MORE".to_owned(), String::new());
    assert_eq!(stage.request(shell_with(3, &long)).expect_err("too long").code, "invalid_payload");
    let nul = BTreeMap::from([("A".to_owned(), "x\0y".to_owned())]);
    assert_eq!(stage.request(shell_with(3, &nul)).expect_err("NUL").code, "invalid_payload");
}

#[test]
fn trap_06_an_environment_does_not_leak_into_the_next_session() {
    let mut stage = Stage::new();
    let env = BTreeMap::from([("ONLY_MINE".to_owned(), "secret-of-session-1".to_owned())]);
    stage.request(shell_with(1, &env)).expect("a session");
    assert_eq!(inside(&stage, 1).get("ONLY_MINE").map(String::as_str), Some("secret-of-session-1"));
    stage.request(Link::shell(2, 80, 24)).expect("a session");
    assert!(!inside(&stage, 2).contains_key("ONLY_MINE"));
    let server = stage.gateway.tmux.server_pid().expect("a server");
    assert!(!environment(server).contains_key("ONLY_MINE"));
    assert!(!stage.gateway.tmux.run(&["show-environment", "-g"]).contains("secret-of-session-1"));
}

#[test]
fn trap_04_the_gateways_token_is_in_no_session_and_no_installer() {
    let mut stage = stage_with("env >\"$HOME/seen\"; exit 1");
    let without_secrets = |seen: &str, who: &str| {
        assert!(!seen.contains(gateway::AUTH_TOKEN), "{who}");
        assert!(!seen.contains("GATEWAY_"), "{who}");
    };
    stage.request(install("codex")).expect("accepted");
    outcome(&mut stage, "codex").expect_err("npm fails");
    let seen = std::fs::read_to_string(stage.gateway.home.join("seen")).expect("npm ran");
    assert!(seen.contains("HOME="));
    without_secrets(&seen, "npm");
    stage.request(Link::shell(1, 80, 24)).expect("a session");
    without_secrets(&format!("{:?}", inside(&stage, 1)), "the session");
    let server = stage.gateway.tmux.server_pid().expect("a server");
    without_secrets(&format!("{:?}", environment(server)), "the tmux server");
    let bin = stage.gateway.home.join(".local/bin");
    let path = &inside(&stage, 1)["PATH"];
    assert!(path.contains(&*bin.to_string_lossy()), "{path}");
}
