//! Droplets as a person has them: real Chromium, real control plane, the stand-in of DigitalOcean,
//! and a real gateway in the place of the machine that it would start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use integration::browser::{Browser, Page, id};
use integration::cloud::{DigitalOcean, Order, order_of};
use integration::eventually;
use integration::gateway::Gateway;
use integration::stack::{ControlPlane, sign_in};
use serde_json::{Value, json};
use std::time::Duration;

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);

/// How long a droplet's next state may take: some turns of the cron, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the product says about power that is off, word for word.
const BILLING: &str = "Compute billing stops. Storage and reserved IP continue to be billed. \
                       To stop all charges, destroy the droplet.";

/// Makes droplets older than what DigitalOcean may not know yet.
const LONG_AGO: &str = "UPDATE vps SET made_at = made_at - 600000";

/// A person who has connected DigitalOcean.
struct Scene {
    page: Page,
    control_plane: ControlPlane,
    cloud: DigitalOcean,
}

impl Scene {
    fn new() -> Self {
        let cloud = DigitalOcean::start();
        let mut variables = cloud.variables().to_vec();
        variables.push(("CHATCODE_CRON_MS", "1000".to_owned()));
        let variables: Vec<_> = variables.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let control_plane = ControlPlane::with(&variables);
        let page = sign_in(&Browser::new(), "first", &control_plane.url(), DESKTOP);
        Self { page, control_plane, cloud }
    }

    /// Connects the account on the way to a first droplet.
    fn connect(&self) {
        self.page.click("add-server");
        self.page.click("add-cloud");
        self.page.wait(&id("cloud-connect"));
        self.page.screenshot("cloud-connect");
        self.page.click("cloud-connect");
        // DigitalOcean sends them back to the settings, which lead on.
        self.page.click("create-droplet");
        self.page.wait(&id("droplet-size"));
    }

    /// Orders the smallest droplet; the page shows its server.
    fn order(&self, name: &str) {
        self.page.fill("server-name", name);
        self.page.click("size-s-1vcpu-1gb");
        self.page.wait_text("droplet-cost", "$6 a month");
        self.page.click("droplet-create");
        self.page.wait(&format!("h1:has-text({})", json!(name)));
    }

    fn status(&self, status: &str) {
        self.page.wait_attribute("server-status", "data-status", status);
    }

    /// The one droplet that there is, once there is one.
    fn droplet(&self) -> Value {
        eventually("there is one droplet", PATIENCE, || {
            let there = |one: &Value| one["deleted"] == json!(false);
            let mut there: Vec<_> = self.cloud.droplets().into_iter().filter(there).collect();
            if there.len() == 1 { there.pop() } else { None }
        })
    }

    /// What a droplet's machine runs, on this one.
    fn gateway(&self, Order { gateway_id, token }: &Order) -> Gateway {
        let url = format!("{}/gateway", self.control_plane.url().replacen("http", "ws", 1));
        let mut gateway = Gateway::new(&url);
        gateway.unset("GATEWAY_AUTH_TOKEN");
        gateway.set("GATEWAY_ID", gateway_id);
        gateway.set("GATEWAY_BOOTSTRAP_TOKEN", token);
        gateway.run();
        gateway
    }

    fn pictures(&self, name: &str) {
        self.page.screenshot(name);
        self.page.size(PHONE.0, PHONE.1);
        let wide = self.page.run("document.documentElement.scrollWidth - innerWidth");
        self.page.screenshot(&format!("{name}-phone"));
        self.page.size(DESKTOP.0, DESKTOP.1);
        assert_eq!(wide, json!(0), "{name} is wider than a phone");
    }

    fn destroy(&self, name: &str) {
        let page = &self.page;
        page.click("server-menu");
        page.click("destroy-server");
        page.fill("typed-confirmation", "something else");
        page.wait(&format!("{}:disabled", id("confirm")));
        page.fill("typed-confirmation", name);
        page.screenshot("droplet-destroy");
        page.press("Enter");
    }
}

#[test]
fn a_droplet_from_the_first_click_to_the_last() {
    let mut scene = Scene::new();
    let page = &scene.page;
    scene.cloud.control(&json!({ "set": { "boot_ms": null, "linger_ms": 4000 } }));
    scene.connect();
    page.wait_text("droplet-cost", "$12 a month");
    page.wait_text("droplet-cost", "0.01786 an hour");
    page.wait(&format!("{}[data-state=checked]", id("size-s-1vcpu-2gb")));
    scene.pictures("droplet-order");
    scene.order("agents-1");
    scene.status("provisioning");
    page.wait_text("droplet-elapsed", "of 10:00");
    scene.pictures("droplet-provisioning");

    // It comes alive by itself, without anybody touching the page.
    let droplet = scene.droplet();
    assert_eq!((&droplet["size"], &droplet["region"]), (&json!("s-1vcpu-1gb"), &json!("ams3")));
    let order = order_of(&droplet);
    assert!(page.url().ends_with(&order.gateway_id), "{} {order:?}", page.url());
    scene.cloud.control(&json!({ "activate": droplet["id"] }));
    let mut gateway = scene.gateway(&order);
    scene.status("online");
    page.wait_gone(&id("droplet-panel"));
    scene.pictures("droplet-online");

    page.click("server-menu");
    page.click("power-off");
    page.wait(&id("billing-notice"));
    assert_eq!(page.text("billing-notice"), BILLING);
    scene.pictures("droplet-power-off");
    page.click("confirm");
    gateway.kill();
    scene.status("off");
    page.wait_text("droplet-panel", "VPS powered off");
    scene.pictures("droplet-off");
    page.click("droplet-power-on");
    scene.status("powering_on");
    gateway.run();
    scene.status("online");

    // Two days pass in which nobody needs it, and longer than DigitalOcean may hide a new droplet.
    let server = page.url();
    scene.control_plane.change_rows("UPDATE gateways SET created_at = 1, last_activity_at = 1");
    scene.control_plane.change_rows(LONG_AGO);
    let page = &scene.page;
    page.goto(&server);
    scene.status("online");
    page.wait(&id("idle-notice"));
    scene.pictures("droplet-idle");
    page.click("idle-power-off");
    assert_eq!(page.text("billing-notice"), BILLING);
    page.press("Escape");
    page.wait_gone(&id("billing-notice"));
    page.wait_focus("idle-power-off");
    page.click("keep-running");
    page.wait_gone(&id("idle-notice"));
    page.reload();
    scene.status("online");
    assert_eq!(page.count(&id("idle-notice")), 0, "it was decided");

    scene.destroy("agents-1");
    scene.status("destroying");
    page.screenshot("droplet-destroying");
    page.wait("text=agents-1 is destroyed.");
    page.wait("text=No server yet");
    assert!(scene.cloud.droplets().iter().all(|one| one["deleted"] == json!(true)));
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn a_droplet_that_never_calls_is_given_up_and_made_anew() {
    let mut scene = Scene::new();
    scene.connect();
    scene.order("slow-one");
    scene.status("provisioning");
    let first = scene.droplet();
    // Ten minutes pass while nobody looks.
    let server = scene.page.url();
    scene.control_plane.change_rows(LONG_AGO);
    scene.control_plane.change_rows("UPDATE vps SET deadline = 1 WHERE deadline > 1");
    let page = &scene.page;
    page.goto(&server);
    scene.status("timed_out");
    page.wait_text("droplet-panel", "VPS provisioning timed out");
    let console = page.run("document.querySelector('[data-testid=droplet-console]').href");
    let console = console.as_str().expect("a link");
    assert!(console.starts_with("https://cloud.digitalocean.com/droplets/"), "{console}");
    scene.pictures("droplet-timed-out");

    page.click("droplet-retry");
    scene.status("provisioning");
    let second = eventually("another droplet takes its place", PATIENCE, || {
        Some(scene.droplet()).filter(|one| one["id"] != first["id"])
    });
    assert_ne!(order_of(&first).token, order_of(&second).token, "a token of its own");
    let _gateway = scene.gateway(&order_of(&second));
    scene.status("online");
    scene.control_plane.change_rows(LONG_AGO);
    scene.status("online");
    let page = &scene.page;
    scene.destroy("slow-one");
    page.wait("text=slow-one is destroyed.");
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}

#[test]
fn what_digitalocean_refuses_is_said_in_its_words() {
    let scene = Scene::new();
    scene.connect();
    scene.cloud.control(&json!({ "set": { "droplet_limit": 0 } }));
    let page = &scene.page;
    page.fill("server-name", "too-many");
    page.click("droplet-create");
    scene.status("failed");
    page.wait_text("droplet-panel", "droplet limit");
    scene.pictures("droplet-refused");
    page.click("droplet-destroy");
    page.fill("typed-confirmation", "too-many");
    page.press("Enter");
    page.wait("text=too-many is destroyed.");
    // Without access to the account nothing can be made, and the page says what to do.
    scene.cloud.control(&json!({ "revoke_grants": true, "expire_tokens": true }));
    page.click("add-server");
    page.click("add-cloud");
    page.fill("server-name", "locked-out");
    page.click("droplet-create");
    scene.status("failed");
    page.wait_text("droplet-panel", "The connection to DigitalOcean has expired");
    scene.pictures("cloud-expired");
    scene.cloud.control(&json!({ "set": { "droplet_limit": 25 } }));
    let server = page.url();
    page.click("cloud-connect");
    page.wait_attribute("cloud-state", "data-state", "connected");
    page.goto(&server);
    page.click("droplet-retry");
    scene.status("provisioning");
    scene.droplet();
    assert!(page.problems().is_empty(), "{:?}", page.problems());
}
