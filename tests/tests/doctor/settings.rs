//! Settings and tokens that cannot be used, or that others may read.

use crate::patient::Patient;

#[test]
fn settings_that_are_missing_or_wrong_are_named() {
    let mut patient = Patient::new();
    patient.unset("GATEWAY_CP_URL");
    let report = patient.says("config", "config_invalid", 1);
    assert!(report.text("config", "found").contains("GATEWAY_CP_URL"));
    // What does not depend on it is looked at all the same.
    assert_eq!(report.not_checked(), ["dns", "connect", "tls", "credentials", "clock"]);
    assert!(report.names().contains(&"workspace"));

    let mut patient = Patient::new();
    patient.write("gateway.env", "GATEWAY_ID=x\nhello\n", 0o600);
    patient.set("GATEWAY_CONFIG", &patient.home.join("gateway.env").to_string_lossy());
    let report = patient.says("config", "config_invalid", 1);
    assert!(report.text("config", "found").contains("line 2"), "{:#}", report.value);

    let mut patient = Patient::new();
    patient.set("GATEWAY_MAX_SESSIONS", "many");
    patient.says("config", "config_invalid", 1);
}

#[test]
fn tokens_are_there_and_private() {
    let mut patient = Patient::new();
    patient.unset("GATEWAY_AUTH_TOKEN");
    let report = patient.says("token", "token_missing", 1);
    assert!(report.not_checked().contains(&"credentials"));

    let file = patient.home.join("token");
    patient.set("GATEWAY_AUTH_TOKEN_FILE", &file.to_string_lossy());
    patient.write("token", "from-the-file\n", 0o600);
    assert_eq!(patient.report().exit_code, 0);
    assert!(patient.server.requests()[0].contains("Bearer from-the-file\r\n"));
    patient.write("token", "from-the-file\n", 0o644);
    let report = patient.says("token", "token_exposed", 2);
    assert_eq!(report.text("token", "advice"), format!("chmod go-rwx {}", file.display()));
    patient.write("token", "two words\n", 0o600);
    assert_eq!(patient.report().text("token", "code"), "token_invalid");

    // In the configuration's file.
    let mut patient = Patient::new();
    patient.unset("GATEWAY_AUTH_TOKEN");
    patient.write(".config/chatcode/gateway.env", "GATEWAY_AUTH_TOKEN=x\n", 0o604);
    patient.says("token", "token_exposed", 2);
    // Received by enrolment.
    let mut patient = Patient::new();
    patient.unset("GATEWAY_AUTH_TOKEN");
    patient.write("state/auth-token", "x\n", 0o640);
    patient.says("token", "token_exposed", 2);
}
