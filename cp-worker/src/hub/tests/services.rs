//! The hub's promises about calls with an answer, and what watchers are told of services.

use super::*;
use protocol::commands::{SshList, WorkspaceList};

#[test]
fn the_event_that_a_call_asked_for_is_its_answer_once_the_ack_comes() {
    let mut world = World::online();
    world.other.clear();
    world.hub.call(1, &SshList {}.into(), world.now);
    world.hub.call(2, &WorkspaceList {}.into(), world.now);
    world.look();
    let folders = world.command("workspace.list")["request_id"].clone();
    let keys = world.command("ssh.list")["request_id"].clone();
    world.say(json!({ "type": "ssh.keys", "keys": [], "request_id": "foreign" }));
    world.say(json!({ "type": "ssh.keys", "keys": [] }));
    let answer = json!({ "type": "ssh.keys", "keys": [], "request_id": keys });
    world.say(answer.clone());
    world.say(json!({ "type": "workspace.folders", "folders": 7, "request_id": folders }));
    assert_eq!(world.other, []);
    world.say(json!({ "type": "ack", "request_id": keys, "ok": true }));
    let Some(Effect::Answer(1, Ok(Some(text)))) = world.other.pop() else { panic!("no answer") };
    let mut said: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(said["schema_version"].take(), "1");
    assert_eq!(said["keys"], answer["keys"]);
    // What was malformed is none.
    world.say(json!({ "type": "ack", "request_id": folders, "ok": true }));
    assert_eq!(world.other, [Effect::Answer(2, Ok(None))]);
}

#[test]
fn watchers_are_told_how_installations_and_updates_go() {
    let mut world = World::online();
    world.hub.watcher_connected(1);
    world.live(2, 0);
    let events = [
        json!({ "type": "agent.install_progress", "agent": "codex", "message": "m" }),
        json!({ "type": "agent.installed", "agent": "codex", "version": "1", "request_id": "r" }),
        json!({ "type": "agent.install_failed", "agent": "codex", "message": "m" }),
        json!({ "type": "gateway.updated", "version": "0.2.0" }),
        json!({ "type": "gateway.update_failed", "code": "rolled_back", "message": "m" }),
    ];
    for event in &events {
        world.say(event.clone());
    }
    world.say(json!({ "type": "agent.installed", "agent": 7 }));
    let mut told = std::mem::take(&mut world.browsers);
    assert_eq!(told.len(), events.len(), "{told:?}");
    for ((to, message), event) in told.iter_mut().zip(events) {
        message.as_object_mut().unwrap().remove("schema_version");
        assert_eq!((*to, &*message), (1, &event));
    }
}
