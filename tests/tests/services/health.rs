//! Health, from the machine to whoever watches.

use integration::stack::Installation;
use integration::{PATIENCE, eventually};

#[test]
fn health_names_the_machines_figures_and_each_session() {
    let all = Installation::new(|gateway| gateway.set("GATEWAY_HEALTH_INTERVAL", "1"));
    let session = all.create_session("shop");
    let mut watcher = all.watch();
    let health = watcher.find("health with the session's memory", |event| {
        event["type"] == "gateway.health" && event["sessions"][0]["memory_bytes"].is_u64()
    });
    assert_eq!(health["sessions"][0]["session_id"], session);
    let number = |name: &str| health[name].as_f64().expect(name);
    assert!(number("ram_used_bytes") > 0.0 && number("ram_used_bytes") < number("ram_total_bytes"));
    assert!(number("disk_used_bytes") > 0.0);
    assert!((0.0..=100.0).contains(&number("cpu_percent")) && number("uptime_seconds") > 0.0);
    eventually("the API shows the health", PATIENCE, || {
        all.server()["health"]["timestamp"].is_u64().then_some(())
    });
}
