//! Agents: what is there, and an installation that fails.

use integration::agents::{NO_NETWORK, reach_npm, share_npm_cache};
use integration::stack::Installation;
use integration::{PATIENCE, eventually};
use serde_json::json;
use std::time::Duration;

/// How long a real installation may take on a loaded machine with a cold cache.
const INSTALLATION: Duration = Duration::from_secs(300);

#[test]
fn agents_are_listed_and_a_failed_installation_tells_its_last_lines() {
    let all = Installation::new(|_| {});
    // Whatever the machine has: this person's npm has no way out.
    std::fs::write(
        all.gateway.home.join(".npmrc"),
        "registry=http://127.0.0.1:9/\nfetch-retries=0\n",
    )
    .expect("a file");
    let listed = all.person.ask("GET", &all.path("/agents")).expect(200);
    let names: Vec<_> = listed["agents"].as_array().expect("a list").iter().collect();
    assert_eq!(names.len(), 4, "{listed}");
    let codex = names.iter().find(|agent| agent["agent"] == "codex").expect("codex");
    assert_eq!(codex["installed"], false, "{codex}");
    let mut watcher = all.watch();
    watcher.event("gateway.health");
    all.person.ask("POST", &all.path("/agents/codex")).expect(202);
    let failed = watcher.event("agent.install_failed");
    assert_eq!(failed["agent"], "codex");
    assert!(failed["message"].as_str().expect("text").len() > 20, "{failed}");
    all.person.ask("POST", &all.path("/agents/emacs")).expect_error(404, "not_found");
}

#[test]
fn an_agent_is_installed_from_npm_and_starts_in_a_session() {
    let path = integration::tmux::search_path().to_string_lossy();
    let all = Installation::new(|gateway| {
        reach_npm(gateway, &path);
        share_npm_cache(gateway);
    });
    let mut watcher = all.watch();
    watcher.event("gateway.health");
    watcher.patience = INSTALLATION;
    all.person.ask("POST", &all.path("/agents/codex")).expect(202);
    let outcome = watcher.find("the outcome", |event| {
        matches!(event["type"].as_str(), Some("agent.installed" | "agent.install_failed"))
    });
    let message = outcome["message"].as_str().unwrap_or_default();
    if NO_NETWORK.iter().any(|word| message.contains(word)) {
        return eprintln!("skipped: npm's registry cannot be reached: {message}");
    }
    assert_eq!(outcome["type"], "agent.installed", "{outcome}");
    let listed = all.person.ask("GET", &all.path("/agents")).expect(200);
    let agents = listed["agents"].as_array().expect("a list");
    let codex = agents.iter().find(|agent| agent["agent"] == "codex").expect("codex");
    assert_eq!((&codex["installed"], &codex["version"]), (&json!(true), &outcome["version"]));

    let body = json!({
        "name": "work", "workdir": "work", "agent": "codex", "cols": 80, "rows": 24,
        "env": { "GREETING": "two\nlines; $HOME" }, "agent_config": { "agents_md": "Use tabs.\n" },
    });
    all.person.send("POST", &all.path("/sessions"), body).expect(201);
    let workdir = all.gateway.home.join("workspace/work");
    let text = std::fs::read_to_string(workdir.join("AGENTS.md")).expect("instructions");
    assert!(text.contains("Use tabs.") && text.contains("chatcode-gateway notify"), "{text}");
    let home = all.gateway.home.path().to_string_lossy().into_owned();
    eventually("the agent runs with its environment", PATIENCE, || {
        let read =
            |pid: u32, name| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let is_codex = |pid: u32| String::from_utf8_lossy(&read(pid, "cmdline")).contains("codex");
        let wanted = b"GREETING=two\nlines; $HOME".as_slice();
        let is_greeted =
            |pid: u32| read(pid, "environ").split(|&byte| byte == 0).any(|it| it == wanted);
        integration::process::marked(&home)
            .into_iter()
            .find(|pid| is_codex(*pid) && is_greeted(*pid))
    });
}
