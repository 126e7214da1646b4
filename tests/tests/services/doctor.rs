//! The doctor shows the real control plane a token, and disturbs no gateway that runs.

use integration::stack::Installation;
use integration::{PATIENCE, eventually};
use serde_json::Value;

/// State and code of each check about the way to the control plane.
fn examine(all: &Installation) -> Vec<(String, String)> {
    let mut command = all.gateway.command();
    let output = command.args(["doctor", "--json"]).stdout(std::process::Stdio::piped()).output();
    let report: Value = serde_json::from_slice(&output.expect("it runs").stdout).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().expect("checks").iter();
    checks.map(|check| (text(&check["check"]), text(&check["code"]))).collect()
}

#[test]
fn a_token_is_shown_without_replacing_the_gateway() {
    let mut all = Installation::new(|_| {});
    let links =
        |all: &Installation| all.gateway.log().matches("linked to the control plane").count();
    // Until then the token is the one of the enrolment, which is about to be burnt.
    eventually("the gateway has its own token", PATIENCE, || {
        all.gateway.log().contains("enrolled").then_some(())
    });
    let before = links(&all);
    let found = examine(&all);
    for check in ["config", "token", "connect", "credentials", "tmux"] {
        let wanted = (check.to_owned(), "ok".to_owned());
        assert!(found.contains(&wanted), "{check}: {found:?}");
    }
    assert_eq!(all.server()["status"], "online");
    assert_eq!(links(&all), before, "nobody took the gateway's place");
    all.gateway.set("GATEWAY_AUTH_TOKEN", "of-somebody-else");
    let refused = ("credentials".to_owned(), "token_refused".to_owned());
    assert!(examine(&all).contains(&refused), "{:?}", examine(&all));
}
