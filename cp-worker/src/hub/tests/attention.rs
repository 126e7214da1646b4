//! The hub's promises about attention, focus, colours and the shown pane.

use super::*;

impl World {
    /// The gateway says that the session wants a person; who was told, and what was recorded.
    fn wants(&mut self, reason: &str, title: Option<&str>) -> (Vec<SocketId>, Vec<Record>) {
        self.browsers.clear();
        self.other.clear();
        let mut message =
            json!({ "type": "session.attention", "session_id": SESSION, "reason": reason });
        if let Some(title) = title {
            message["title"] = json!(title);
        }
        self.say(message);
        let told = self.browsers.iter().filter(|(_, text)| text["type"] == "session.attention");
        (told.map(|(id, _)| *id).collect(), self.records())
    }

    /// The records since last asked.
    fn records(&mut self) -> Vec<Record> {
        let records = self.other.drain(..).filter_map(|effect| match effect {
            Effect::Record(record) => Some(record),
            _ => None,
        });
        records.collect()
    }

    fn focus(&mut self, id: SocketId, on: bool) {
        self.tell(id, json!({ "type": "viewer.focus", "on": on }));
    }
}

fn wanted(reason: &str, title: Option<&str>) -> Record {
    let title = title.map(str::to_owned);
    Record::Attention { session_id: SESSION, reason: reason.into(), title }
}

#[test]
fn attention_is_told_and_recorded_unless_somebody_looks() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    world.hub.watcher_connected(3);
    world.hub.viewer_connected(4, SESSION + 1);
    world.focus(4, true);
    let (told, records) = world.wants("waiting", Some("May I?"));
    assert_eq!((told, records), (vec![1, 2, 3], vec![wanted("waiting", Some("May I?"))]));
    assert_eq!(world.told(3, "session.attention")[0]["title"], "May I?");
    // The same again is told, and known already.
    assert_eq!(world.wants("waiting", Some("May I?")), (vec![1, 2, 3], vec![]));
    assert_eq!(world.wants("bell", None), (vec![1, 2, 3], vec![wanted("bell", None)]));
    world.focus(2, true);
    assert_eq!(world.records(), [Record::Attended(SESSION)]);
    assert_eq!(world.wants("bell", None), (vec![], vec![]));
    world.hub.browser_closed(2, world.now);
    assert_eq!(world.wants("bell", None), (vec![1, 3], vec![wanted("bell", None)]));
}

#[test]
fn a_session_is_attended_once_however_often_the_focus_changes() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    world.other.clear();
    for on in [true, true, false, true] {
        world.focus(1, on);
        world.focus(2, on);
    }
    assert_eq!(world.records(), [Record::Attended(SESSION)]);
    for id in [1, 2] {
        world.focus(id, false);
    }
    world.wants("bell", None);
    world.focus(2, true);
    world.focus(1, true);
    assert_eq!(world.records(), [Record::Attended(SESSION)]);
}

#[test]
fn a_page_that_fell_silent_has_no_focus() {
    let mut world = World::online();
    world.live(1, 0);
    world.focus(1, true);
    assert_eq!(world.hub.focused(), [1]);
    world.hub.unfocus(&[1, 9]);
    assert_eq!(world.wants("bell", None).0, [1]);
    // It lives after all and says so again.
    world.focus(1, true);
    assert_eq!(world.records(), [Record::Attended(SESSION)]);
}

#[test]
fn attention_is_cut_to_what_may_be_kept_and_nonsense_is_dropped() {
    let mut world = World::online();
    world.hub.watcher_connected(1);
    let title = format!("\u{1b}[31m{}\u{9b}\n", "x".repeat(100_000));
    let kept = format!("[31m{}", "x".repeat(252));
    let (_, records) = world.wants("notification", Some(&title));
    assert_eq!(records, [wanted("notification", Some(&kept))]);
    assert_eq!(world.told(1, "session.attention")[0]["title"], kept);
    assert_eq!(world.wants("notification", Some("\n")).1, [wanted("notification", None)]);
    assert_eq!(world.wants("NO SUCH", None), (vec![], vec![]));
    assert_eq!(world.wants(&"x".repeat(100_000), None), (vec![], vec![]));
}

#[test]
fn focus_survives_hibernation_and_older_attachments_have_none() {
    let mut world = World::online();
    world.live(1, 0);
    world.focus(1, true);
    let attachment = world.attachments[&1].clone();
    let mut older: Value = serde_json::from_str(&attachment).unwrap();
    assert!(older["Viewer"].as_object_mut().unwrap().remove("focus").is_some());
    for (attachment, focused) in [(attachment, vec![1]), (older.to_string(), vec![])] {
        let mut hub = Hub::new("gw".into(), 2);
        hub.restore_browser(1, &attachment);
        hub.restored();
        assert_eq!(hub.focused(), focused);
        assert_eq!(hub.viewer_counts(), [(SESSION, 1)]);
    }
}

#[test]
fn colours_come_from_the_controller_alone() {
    let mut world = World::online();
    world.live(1, 0);
    world.live(2, 0);
    world.gateway.clear();
    let colors = |background: &str| {
        let foreground = "#d4d4d8";
        json!({ "type": "session.colors", "foreground": foreground, "background": background })
    };
    world.tell(2, colors("#0b0d10"));
    assert_eq!(world.told(2, "error")[0]["code"], "not_controller");
    for bad in ["black", "#0B0D10", "#000", "#0b0d10;", "\u{1b}]11;#000000"] {
        world.browsers.clear();
        world.tell(1, colors(bad));
        assert_eq!(world.told(1, "error")[0]["code"], "invalid_payload", "{bad}");
    }
    assert_eq!(world.gateway, [] as [Value; 0]);
    world.tell(1, colors("#0b0d10"));
    let command = world.command("session.colors");
    assert_eq!((&command["session_id"], &command["background"]), (&json!(7), &json!("#0b0d10")));
}

#[test]
fn the_shown_pane_reaches_all_who_are_live_also_those_just_attached() {
    let mut world = World::online();
    world.live(1, 0);
    world.viewer(2);
    world.tell(2, json!({ "type": "viewer.attach" }));
    let attach = world.command("session.attach");
    let pane = |pane: u32| json!({ "type": "session.pane", "session_id": SESSION, "seq": 0, "pane": pane, "panes": 2 });
    // A change before its answer is not for the one who waits for it: what follows the answer is.
    world.say(pane(1));
    assert_eq!(world.passed(), [1]);
    world.snapshot(attach["request_id"].clone(), 0);
    world.say(pane(2));
    assert_eq!(world.passed(), [2, 1, 2]);
}
