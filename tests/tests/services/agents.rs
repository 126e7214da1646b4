//! Agents: what is there, and an installation that fails.

use integration::stack::Installation;

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
