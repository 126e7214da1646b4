//! The hub's promises one by one.

mod attention;
mod far_away;
mod services;
mod transfers;

use super::messages::error;
use super::*;
use protocol::commands::{SessionEnd, decode};
use protocol::frame;
use protocol::limits::{OUTPUT_FRAME_BYTES, OUTPUT_WINDOW};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const SESSION: u32 = 7;

/// A hub with a clock, and what it has asked for since last looked at.
struct World {
    hub: Hub,
    now: u64,
    gateway: Vec<Value>,
    browsers: Vec<(SocketId, Value)>,
    other: Vec<Effect>,
    attachments: BTreeMap<SocketId, String>,
    gateway_attachment: Option<String>,
}

impl World {
    fn new() -> Self {
        Self {
            hub: Hub::new("gw".into(), 1),
            now: 1_000,
            gateway: vec![],
            browsers: vec![],
            other: vec![],
            attachments: BTreeMap::new(),
            gateway_attachment: None,
        }
    }

    /// A world whose gateway is connected and has said hello.
    fn online() -> Self {
        let mut world = Self::new();
        world.hub.gateway_connected(false);
        world.hello(&[SESSION]);
        world.look();
        world
    }

    fn look(&mut self) {
        for effect in self.hub.take_effects() {
            match effect {
                Effect::ToGateway(text) => {
                    self.gateway.push(serde_json::from_str(&text).unwrap_or(Value::Null));
                }
                Effect::ToBrowser(id, text) => {
                    self.browsers.push((id, serde_json::from_str(&text).unwrap()));
                }
                Effect::Pass(id) => self.browsers.push((id, json!("passed"))),
                Effect::SaveBrowser(id, text) => drop(self.attachments.insert(id, text)),
                Effect::SaveGateway(text) => self.gateway_attachment = Some(text),
                other => self.other.push(other),
            }
        }
    }

    fn say(&mut self, message: Value) {
        let mut message = message;
        message["schema_version"] = json!("1");
        self.hub.gateway_text(&message.to_string(), self.now);
        self.look();
    }

    fn hello(&mut self, sessions: &[u32]) {
        let sessions: Vec<Value> = sessions
            .iter()
            .map(|id| json!({ "session_id": id, "seq": 0, "cols": 80, "rows": 24 }))
            .collect();
        self.say(json!({
            "type": "gateway.hello", "gateway_id": "gw", "version": "1", "hostname": "h",
            "bootstrap_token": "secret",
            "system_info": { "os": "linux", "arch": "arm", "cpus": 1, "ram_total_bytes": 1,
                "disk_total_bytes": 1 },
            "sessions": sessions,
        }));
    }

    fn viewer(&mut self, id: SocketId) {
        self.hub.viewer_connected(id, SESSION);
        self.look();
    }

    fn tell(&mut self, id: SocketId, message: Value) {
        self.hub.browser_text(id, &message.to_string(), self.now);
        self.look();
    }

    /// Connects a viewer and brings it live at `seq`, its snapshot confirmed.
    fn live(&mut self, id: SocketId, seq: u32) {
        self.viewer(id);
        self.tell(id, json!({ "type": "viewer.attach" }));
        let request_id = self.command("session.attach")["request_id"].clone();
        self.snapshot(request_id, seq);
        self.tell(id, json!({ "type": "session.ack", "seq": seq }));
        self.browsers.clear();
    }

    fn snapshot(&mut self, request_id: Value, seq: u32) {
        let mut message = json!({ "type": "session.snapshot", "session_id": SESSION, "seq": seq });
        if !request_id.is_null() {
            message["request_id"] = request_id;
        }
        self.say(message);
    }

    /// The last command sent to the gateway, which must be of this type.
    fn command(&mut self, kind: &str) -> Value {
        let command = self.gateway.pop().expect("a command");
        assert_eq!(command["type"], kind, "{command}");
        command
    }

    fn output(&mut self, seq: u32, len: usize) {
        let head = frame::header(frame::Kind::Output, SESSION, seq);
        self.hub.gateway_binary(&head, frame::HEADER_BYTES + len, self.now);
        self.look();
    }

    fn passed(&mut self) -> Vec<SocketId> {
        let passed = self.browsers.iter().filter(|(_, text)| text == "passed").map(|(id, _)| *id);
        let ids = passed.collect();
        self.browsers.retain(|(_, text)| text != "passed");
        ids
    }

    fn told(&self, id: SocketId, kind: &str) -> Vec<&Value> {
        let fits = |(to, message): &&(SocketId, Value)| *to == id && message["type"] == kind;
        self.browsers.iter().filter(fits).map(|(_, message)| message).collect()
    }

    fn tick(&mut self) {
        self.now = self.hub.next_deadline().expect("a deadline").max(self.now);
        self.hub.tick(self.now);
        self.look();
    }
}

#[test]
fn frames_before_a_viewers_answer_are_not_sent_to_it_and_all_after_are() {
    let mut world = World::online();
    world.live(1, 100);
    world.viewer(2);
    world.tell(2, json!({ "type": "viewer.attach", "resume_seq": 90 }));
    let attach = world.command("session.attach");
    assert_eq!(attach["resume_seq"], 90);
    world.output(100, 10);
    assert_eq!(world.passed(), [1]);
    world.say(json!({
        "type": "session.replay", "request_id": attach["request_id"], "session_id": SESSION,
        "from_seq": 90, "data": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    }));
    assert_eq!(world.passed(), [2]);
    world.output(110, 10);
    assert_eq!(world.passed(), [1, 2]);
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    let mut world = World::online();
    world.live(1, 0);
    world.viewer(2);
    world.tell(2, json!({ "type": "viewer.attach" }));
    let attach = world.command("session.attach");
    world.hub.browser_closed(2, world.now);
    world.snapshot(attach["request_id"].clone(), 0);
    world.snapshot(json!("foreign"), 0);
    assert!(world.passed().is_empty());
}

#[test]
fn a_recovery_snapshot_goes_to_all_who_are_live() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    world.viewer(3);
    world.tell(3, json!({ "type": "viewer.attach" }));
    world.browsers.clear();
    world.say(json!({ "type": "session.lagged", "session_id": SESSION, "seq": 0 }));
    assert_eq!(world.passed(), [1, 2]);
    world.snapshot(Value::Null, 5_000_000);
    assert_eq!(world.passed(), [1, 2]);
    world.output(5_000_000, 1);
    assert_eq!(world.passed(), [1, 2]);
}

#[test]
fn a_browser_that_stalls_is_not_given_one_recovery_snapshot_after_the_other() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    for seq in [10, 20, 30] {
        world.tell(1, json!({ "type": "session.ack", "seq": seq - 10 }));
        world.snapshot(Value::Null, seq);
    }
    assert_eq!(world.passed(), [1, 2, 1, 2, 1]);
    assert_eq!(world.told(2, "viewer.state").last().unwrap()["state"], "lagging");
}

#[test]
fn the_most_advanced_viewer_is_acked_for_at_most_once_per_64_kib_or_100_ms() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    assert_eq!(world.command("session.ack")["seq"], 0);
    world.output(0, OUTPUT_FRAME_BYTES);
    world.gateway.clear();
    world.tell(1, json!({ "type": "session.ack", "seq": 100 }));
    world.tell(2, json!({ "type": "session.ack", "seq": 50 }));
    assert_eq!(world.gateway, [] as [Value; 0]);
    world.tick();
    assert_eq!(world.command("session.ack")["seq"], 100);
    for seq in (1..6).map(|n| n * OUTPUT_FRAME_BYTES as u32) {
        world.output(seq, OUTPUT_FRAME_BYTES);
        world.tell(2, json!({ "type": "session.ack", "seq": seq }));
    }
    assert_eq!(world.command("session.ack")["seq"], 5 * OUTPUT_FRAME_BYTES as u32);
    assert_eq!(world.gateway, [] as [Value; 0]);
}

#[test]
fn a_snapshot_under_way_is_not_acked_to_the_gateway() {
    let mut world = World::online();
    world.live(1, 0);
    world.gateway.clear();
    world.snapshot(Value::Null, 5_000);
    world.output(5_000, 10);
    assert_eq!(world.gateway, [] as [Value; 0]);
    world.now += 1_000;
    world.tell(1, json!({ "type": "session.ack", "seq": 5_000 }));
    assert_eq!(world.command("session.ack")["seq"], 5_000);
}

#[test]
fn the_window_never_stays_closed_while_somebody_waits_behind_it() {
    let mut world = World::online();
    world.live(1, 0);
    world.viewer(2);
    world.tell(2, json!({ "type": "viewer.attach" }));
    for n in 0..16 {
        world.output(n * OUTPUT_FRAME_BYTES as u32, OUTPUT_FRAME_BYTES);
    }
    world.gateway.clear();
    // The only one who would ack leaves; the answer for the other stands behind the window.
    world.hub.browser_closed(1, world.now);
    world.look();
    assert_eq!(world.command("session.ack")["seq"], 16 * OUTPUT_FRAME_BYTES as u32);
}

#[test]
fn a_viewer_that_lags_gets_its_own_snapshot_when_it_has_caught_up() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    let mut seq = 0;
    while world.told(2, "viewer.state").is_empty() {
        world.output(seq, OUTPUT_FRAME_BYTES);
        seq += OUTPUT_FRAME_BYTES as u32;
        world.tell(1, json!({ "type": "session.ack", "seq": seq }));
    }
    assert_eq!(world.told(2, "viewer.state")[0]["state"], "lagging");
    let last = seq;
    world.passed();
    world.output(seq, 5);
    assert_eq!(world.passed(), [1]);
    world.gateway.clear();
    world.tell(2, json!({ "type": "session.ack", "seq": last }));
    let attach = world.command("session.attach");
    assert_eq!(attach.get("resume_seq"), None);
    world.snapshot(attach["request_id"].clone(), last + 5);
    world.output(last + 5, 5);
    assert_eq!(world.passed(), [2, 1, 2]);
}

#[test]
fn a_page_that_comes_back_has_the_control_of_its_connection_before() {
    let mut world = World::online();
    let attach = |page: &str| json!({ "type": "viewer.attach", "page": page });
    let (own, others) = ("00000000000000aa", "00000000000000bb");
    let controls = |world: &World, id| {
        world.told(id, "viewer.state").last().is_some_and(|state| state["control"] == "you")
    };
    world.viewer(1);
    world.tell(1, attach(own));
    assert!(controls(&world, 1));
    world.viewer(2);
    world.tell(2, attach(others));
    assert!(!controls(&world, 2));
    // Its first connection is dead, and nobody knows.
    world.viewer(3);
    world.tell(3, attach(own));
    assert!(controls(&world, 3) && !controls(&world, 1));
    // A fresh state is no coming back: a page and its duplicate do not fight.
    world.tell(1, attach(own));
    assert!(controls(&world, 3) && !controls(&world, 1));
    // Nobody is what has no name.
    world.viewer(4);
    for page in ["", "aa", "00000000000000AG", "+0000000000000aa"] {
        world.tell(4, attach(page));
        assert!(!controls(&world, 4), "{page}");
    }
}

#[test]
fn one_viewer_controls_and_control_is_released_when_it_leaves() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    world.tell(2, json!({ "type": "session.input", "data": "eA==" }));
    assert_eq!(world.told(2, "error")[0]["code"], "not_controller");
    world.tell(2, json!({ "type": "control.take" }));
    assert_eq!(world.told(1, "viewer.state").last().unwrap()["control"], "other");
    assert_eq!(world.told(2, "viewer.state").last().unwrap()["control"], "you");
    world.gateway.clear();
    world.tell(2, json!({ "type": "session.input", "data": "eA==" }));
    assert_eq!(world.command("session.input")["data"], "eA==");
    for (message, code) in [
        (json!({ "type": "session.input", "data": "?" }), "malformed"),
        (json!({ "type": "session.input", "data": "A".repeat(65_540) }), "invalid_payload"),
        (json!({ "type": "session.resize", "cols": 0, "rows": 1 }), "bad_size"),
        (json!({ "type": "session.fly" }), "malformed"),
        (json!([]), "malformed"),
    ] {
        world.tell(2, message);
        assert_eq!(world.told(2, "error").last().unwrap()["code"], code);
    }
    world.hub.browser_closed(2, world.now);
    world.look();
    assert_eq!(world.told(1, "viewer.state").last().unwrap()["control"], "none");
}

#[test]
fn commands_are_answered_by_their_acks_by_time_or_by_the_gateways_end() {
    let mut world = World::new();
    let end = SessionEnd { session_id: SESSION }.into();
    world.hub.call(1, &end, 0);
    world.look();
    assert_eq!(world.other, [Effect::Answer(1, Err(CallError::offline()))]);

    let mut world = World::online();
    world.other.clear();
    for call in 1..=3 {
        world.hub.call(call, &end, world.now);
        world.look();
    }
    let request_id = world.command("session.end")["request_id"].clone();
    world.say(json!({ "type": "ack", "request_id": request_id, "ok": true }));
    assert_eq!(world.other, [Effect::Answer(3, Ok(None))]);
    let request_id = world.command("session.end")["request_id"].clone();
    let failure = json!({ "code": "unknown_session", "message": "m" });
    world.say(json!({ "type": "ack", "request_id": request_id, "ok": false, "error": failure }));
    assert_eq!(
        world.other.pop(),
        Some(Effect::Answer(2, Err(CallError::new("unknown_session", "m"))))
    );
    world.hub.gateway_closed();
    world.look();
    assert!(world.other.contains(&Effect::Answer(1, Err(CallError::offline()))));

    let mut world = World::online();
    world.hub.call(9, &end, world.now);
    while world.hub.next_deadline().is_some() {
        world.tick();
    }
    assert!(world.other.contains(&Effect::Answer(9, Err(CallError::timed_out()))));
}

#[test]
fn viewers_are_attached_again_where_they_were_when_the_gateway_comes_back() {
    let mut world = World::online();
    world.live(1, 100);
    world.output(100, 50);
    world.hub.gateway_closed();
    world.look();
    let state = world.told(1, "viewer.state").last().copied().cloned().unwrap();
    assert_eq!((&state["state"], &state["gateway"]), (&json!("awaiting"), &json!("offline")));
    world.tell(1, json!({ "type": "session.input", "data": "eA==" }));
    assert_eq!(world.told(1, "error")[0]["code"], "gateway_offline");
    world.hub.gateway_connected(false);
    world.hello(&[SESSION]);
    assert_eq!(world.command("session.attach")["resume_seq"], 150);
}

#[test]
fn sessions_that_a_gateway_neither_has_nor_reports_are_lost() {
    let mut world = World::online();
    world.live(1, 0);
    world.hub.gateway_closed();
    world.hub.gateway_connected(false);
    world.other.clear();
    world.hello(&[8, 9]);
    world.say(json!({
        "type": "session.ended", "session_id": 5, "exit_code": 0, "reason": "exited",
    }));
    let before = world.now;
    while world.hub.next_deadline().is_some() {
        world.tick();
    }
    let lost = Record::Lost { known: vec![8, 9, 5], before };
    assert!(world.other.contains(&Effect::Record(lost)), "{:?}", world.other);
    assert_eq!(world.told(1, "session.ended")[0]["reason"], "lost");
    assert!(world.other.contains(&Effect::CloseBrowser(1, 4409, "session ended")));
}

#[test]
fn the_bootstrap_token_is_exchanged_and_never_told() {
    let mut world = World::new();
    world.hub.watcher_connected(1);
    world.hub.gateway_connected(true);
    world.hello(&[]);
    assert_eq!(world.told(1, "gateway.hello")[0].get("bootstrap_token"), None);
    assert!(world.other.contains(&Effect::MakeToken));
    world.command("gateway.watch");
    world.hub.enrol("own".into(), world.now);
    world.look();
    let command = world.command("gateway.credentials");
    assert_eq!(command["auth_token"], "own");
    assert!(!world.other.contains(&Effect::Record(Record::Enrolled)));
    world.say(json!({ "type": "ack", "request_id": command["request_id"], "ok": true }));
    assert!(world.other.contains(&Effect::Record(Record::Enrolled)));
}

#[test]
fn the_gateway_is_told_whether_somebody_watches() {
    let mut world = World::online();
    for id in [1, 2] {
        world.hub.watcher_connected(id);
    }
    world.look();
    assert_eq!(world.command("gateway.watch")["on"], true);
    world.hub.browser_closed(1, 0);
    world.look();
    assert_eq!(world.gateway, [] as [Value; 0]);
    world.hub.browser_closed(2, 0);
    world.look();
    assert_eq!(world.command("gateway.watch")["on"], false);
}

#[test]
fn the_last_viewer_to_leave_stops_the_output() {
    let mut world = World::online();
    world.live(1, 0);
    world.viewer(2);
    world.gateway.clear();
    world.hub.browser_closed(1, 0);
    world.look();
    world.command("session.detach");
}

#[test]
fn what_is_too_large_or_foreign_ends_nothing_but_its_sender() {
    let mut world = World::online();
    world.live(1, 0);
    world.hub.browser_binary(1, 200_000, 0);
    world.look();
    assert!(world.other.contains(&Effect::CloseBrowser(1, 1009, "message too large")));
    for text in ["", "{", "null", "[1]", "{\"type\":7}", "{\"type\":\"session.replay\"}"] {
        world.hub.gateway_text(text, 0);
    }
    world.hub.gateway_binary(&[0; 9], 9, 0);
    world.hub.gateway_binary(&[1; 9], 3, 0);
    assert!(world.hub.is_online());
    world.hub.gateway_binary(&[1; 9], 200_000, 0);
    world.look();
    assert!(world.other.contains(&Effect::CloseGateway(1009, "message too large")));
    assert!(!world.hub.is_online());
}

#[test]
fn everything_is_rebuilt_from_attachments() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    world.output(0, 100);
    while world.hub.next_deadline().is_some() {
        world.tick();
    }
    let mut hub = Hub::new("gw".into(), 2);
    hub.restore_gateway(world.gateway_attachment.as_ref().unwrap());
    for (id, attachment) in &world.attachments {
        hub.restore_browser(*id, attachment);
    }
    hub.restored();
    assert!(hub.is_online());
    assert_eq!(hub.next_deadline(), None);
    // What is kept; how fast they read is learnt again.
    let kept = |hub: &Hub| {
        let viewers = hub.viewers().map(|(_, viewer)| viewer.kept());
        viewers.collect::<Vec<_>>()
    };
    assert_eq!(kept(&hub), kept(&world.hub));
    assert_eq!(hub.take_effects(), []);
    hub.browser_text(2, r#"{"type":"session.input","data":"eA=="}"#, 0);
    let refusal = error("not_controller", "another browser types here; take control first");
    assert_eq!(hub.take_effects(), [Effect::ToBrowser(2, refusal)]);
}

#[test]
fn hub_commands_are_commands_of_the_contract() {
    let mut world = World::online();
    world.viewer(1);
    world.hub.browser_text(1, r#"{"type":"viewer.attach","resume_seq":1}"#, 0);
    for effect in world.hub.take_effects() {
        if let Effect::ToGateway(text) = effect {
            assert!(matches!(decode(&text), protocol::commands::Incoming::Command { .. }));
        }
    }
}

#[test]
fn a_live_viewer_that_hangs_does_not_hold_up_the_answer_to_another() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    let mut seq = 0;
    while u64::from(seq) < OUTPUT_WINDOW {
        world.output(seq, OUTPUT_FRAME_BYTES);
        seq += OUTPUT_FRAME_BYTES as u32;
    }
    // The gateway's window is closed; the second viewer fell behind and wants a new beginning.
    world.tell(2, json!({ "type": "viewer.attach" }));
    world.tick();
    let ack = world.command("session.ack");
    assert_eq!(ack["seq"], json!(seq), "the gateway may go on to the answer");
}

#[test]
fn a_record_replaces_what_it_makes_void_and_nothing_else() {
    let attention =
        |session_id| Record::Attention { session_id, reason: "bell".into(), title: None };
    let ended =
        Record::Ended { session_id: 1, reason: "exited".into(), exit_code: Some(0), signal: None };
    for (new, old, is) in [
        (attention(1), Record::Attended(1), true),
        (Record::Attended(1), attention(1), true),
        (attention(1), attention(2), false),
        (Record::Started(1), Record::Started(1), true),
        (Record::Started(1), ended.clone(), false),
        (ended.clone(), Record::Started(1), false),
        (ended.clone(), ended, false),
        (Record::Offline, Record::Offline, true),
        (Record::Offline, Record::Enrolled, false),
    ] {
        assert_eq!(new.replaces(&old), is, "{new:?} {old:?}");
    }
}
