//! A seeded simulation of one session: a gateway that keeps the contract, viewers that come, stall
//! and leave, connections that break, a hub that hibernates. Every viewer must see every byte once.
//!
//! `HUB_SEED=<n> cargo test -p cp-worker simulation` replays the schedule that failed.

use super::messages::encoded_len;
use super::*;
use crate::limits::VIEWER_WINDOWS;
use protocol::frame;
use protocol::limits::{
    LAG_RECOVERY_BYTES, OUTPUT_FRAME_BYTES, OUTPUT_WINDOW, REPLAY_BYTES, RING_BYTES,
};
use protocol::seq::{narrow, widen};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::VecDeque;

const SCHEDULES: u64 = 1_200;
const STEPS: u32 = 500;
const SESSION: u32 = 7;

/// Where streams begin: close enough to 2³² that most schedules pass it.
const ORIGIN: u64 = (1 << 32) - 600_000;

/// Most that may lie between hub and a stalled viewer: its window, the frame that passed it, and
/// what an answer to its own attach brings.
const QUEUE_BYTES: u64 =
    VIEWER_WINDOWS * OUTPUT_WINDOW + OUTPUT_FRAME_BYTES as u64 + REPLAY_BYTES as u64;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Debug)]
enum FromGateway {
    Text(String),
    Frame { seq: u32, len: usize },
}

#[derive(Clone, Debug)]
enum ToViewer {
    Text(Value),
    Frame { seq: u32, len: usize },
}

/// One session of a gateway, after the contract's words.
struct Gateway {
    attached: bool,
    produced: u64,
    sent: u64,
    acked: u64,
    /// Bytes before it are gone from the ring.
    floor: u64,
    lagged: bool,
    /// Longest replay; long ones are slow to simulate, so most schedules have short ones.
    replay_bytes: u64,
    /// Snapshots for second attaches, each at its place in the stream.
    answers: VecDeque<(u64, String)>,
    outbox: VecDeque<FromGateway>,
}

impl Gateway {
    fn new(random: &mut Random) -> Self {
        let replay_bytes = if random.one_in(8) { REPLAY_BYTES as u64 } else { 12_000 };
        Self {
            replay_bytes,
            attached: false,
            produced: ORIGIN,
            sent: ORIGIN,
            acked: ORIGIN,
            floor: ORIGIN,
            lagged: false,
            answers: VecDeque::new(),
            outbox: VecDeque::new(),
        }
    }

    fn say(&mut self, message: Value) {
        self.outbox.push_back(FromGateway::Text(message.to_string()));
    }

    /// The connection ended: what was on its way is lost, the stream stays.
    fn disconnected(&mut self) {
        self.detach();
        self.outbox.clear();
    }

    fn detach(&mut self) {
        (self.attached, self.lagged) = (false, false);
        self.acked = self.sent;
        self.answers.clear();
    }

    fn hello(&mut self) {
        self.say(json!({
            "type": "gateway.hello", "schema_version": "1", "gateway_id": "gw", "version": "1",
            "hostname": "h", "system_info": { "os": "linux", "arch": "arm", "cpus": 1,
            "ram_total_bytes": 1, "disk_total_bytes": 1 },
            "sessions": [{ "session_id": SESSION, "seq": 0, "cols": 80, "rows": 24 }],
        }));
    }

    fn command(&mut self, text: &str) {
        let command: Value = serde_json::from_str(text).unwrap();
        let number = |name: &str| {
            command.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
        };
        match command["type"].as_str().unwrap() {
            "session.attach" => {
                let resume = number("resume_seq").and_then(|seq| widen(self.sent, seq));
                self.attach(resume, command["request_id"].as_str().unwrap().to_owned());
            }
            "session.detach" => self.detach(),
            "session.ack" => {
                let seq = widen(self.sent, number("seq").unwrap()).unwrap();
                if (self.acked..=self.sent).contains(&seq) {
                    self.acked = seq;
                    self.floor = self.floor.max(seq);
                }
            }
            other => panic!("{other}"),
        }
    }

    fn attach(&mut self, resume: Option<u64>, request_id: String) {
        let oldest = self.floor.max(self.produced.saturating_sub(RING_BYTES as u64));
        let replay = resume.filter(|resume| (oldest..=self.sent).contains(resume));
        let replay = replay.filter(|resume| self.sent - resume <= self.replay_bytes);
        match (replay, self.attached) {
            (Some(resume), attached) => {
                if !attached {
                    (self.acked, self.attached) = (resume, true);
                }
                let data = base64_of((self.sent - resume) as usize);
                self.say(json!({
                    "type": "session.replay", "schema_version": "1", "session_id": SESSION,
                    "from_seq": narrow(resume), "data": data, "request_id": request_id,
                }));
            }
            // Its place is behind what is produced by now, however long that takes to be sent.
            (None, true) => self.answers.push_back((self.produced, request_id)),
            (None, false) => {
                self.attached = true;
                self.jump(Some(&request_id));
            }
        }
    }

    /// A snapshot of the present that drops what is unsent.
    fn jump(&mut self, request_id: Option<&str>) {
        (self.sent, self.acked, self.floor) = (self.produced, self.produced, self.produced);
        self.snapshot(request_id);
    }

    fn snapshot(&mut self, request_id: Option<&str>) {
        let mut message = json!({
            "type": "session.snapshot", "schema_version": "1", "session_id": SESSION,
            "seq": narrow(self.sent),
        });
        if let Some(request_id) = request_id {
            message["request_id"] = json!(request_id);
        }
        self.say(message);
    }

    /// Sends what credit allows.
    fn pump(&mut self, random: &mut Random) {
        if !self.attached {
            return;
        }
        if self.produced - self.sent > RING_BYTES as u64 && !self.lagged {
            self.lagged = true;
            let seq = narrow(self.sent);
            self.say(json!({
                "type": "session.lagged", "schema_version": "1", "session_id": SESSION, "seq": seq,
            }));
        }
        if self.lagged {
            if self.sent - self.acked > LAG_RECOVERY_BYTES {
                return;
            }
            self.lagged = false;
            self.jump(None);
        }
        loop {
            while self.answers.front().is_some_and(|(place, _)| *place <= self.sent) {
                let (_, request_id) = self.answers.pop_front().unwrap();
                self.snapshot(Some(&request_id));
            }
            let place = self.answers.front().map_or(self.produced, |(place, _)| *place);
            let credit = OUTPUT_WINDOW - (self.sent - self.acked);
            let most = (place - self.sent).min(credit).min(OUTPUT_FRAME_BYTES as u64);
            if most == 0 {
                return;
            }
            let len = 1 + random.below(most);
            let seq = narrow(self.sent);
            self.outbox.push_back(FromGateway::Frame { seq, len: len as usize });
            self.sent += len;
            assert!(self.sent - self.acked <= OUTPUT_WINDOW);
        }
    }
}

/// A page: it knows where it is, and fails when it is sent anything else.
#[derive(Default)]
struct Page {
    position: Option<u32>,
    state: String,
    inbox: VecDeque<ToViewer>,
    outbox: VecDeque<Value>,
    /// Reads only now and then.
    stalls: bool,
}

impl Page {
    fn queued(&self) -> u64 {
        self.inbox
            .iter()
            .map(|one| match one {
                ToViewer::Frame { len, .. } => *len as u64,
                ToViewer::Text(_) => 0,
            })
            .sum()
    }

    fn read(&mut self) {
        let Some(message) = self.inbox.pop_front() else { return };
        let before = self.position;
        let mut parsed_answer = false;
        match message {
            ToViewer::Frame { seq, len } => {
                assert_eq!(self.position, Some(seq), "a gap or a duplicate");
                self.position = Some(seq.wrapping_add(len as u32));
            }
            ToViewer::Text(text) => match text["type"].as_str().unwrap() {
                "session.snapshot" => {
                    self.position = Some(text["seq"].as_u64().unwrap() as u32);
                    parsed_answer = true;
                }
                "session.replay" => {
                    let from = text["from_seq"].as_u64().unwrap() as u32;
                    assert_eq!(self.position, Some(from), "a replay from elsewhere");
                    let len = encoded_len(text["data"].as_str().unwrap());
                    self.position = Some(from.wrapping_add(len as u32));
                }
                "viewer.state" => text["state"].as_str().unwrap().clone_into(&mut self.state),
                "session.lagged" => {}
                // An attach that found no answer in time: the page asks again.
                "error" => {
                    assert_eq!(text["code"], "timed_out");
                    self.outbox.push_back(attach(self.position));
                }
                other => panic!("{other}"),
            },
        }
        if before != self.position || parsed_answer {
            let seq = self.position.unwrap();
            self.outbox.push_back(json!({ "type": "session.ack", "seq": seq }));
        }
    }
}

/// Base64 of `len` zeros.
fn base64_of(len: usize) -> String {
    "A".repeat((len * 4).div_ceil(3)) + &"=".repeat((3 - len % 3) % 3)
}

fn attach(resume: Option<u32>) -> Value {
    match resume {
        Some(seq) => json!({ "type": "viewer.attach", "resume_seq": seq }),
        None => json!({ "type": "viewer.attach" }),
    }
}

struct Simulation {
    random: Random,
    now: u64,
    hub: Hub,
    gateway: Gateway,
    connected: bool,
    to_gateway: VecDeque<String>,
    pages: BTreeMap<SocketId, Page>,
    attachments: BTreeMap<SocketId, String>,
    gateway_attachment: Option<String>,
    next_id: SocketId,
    instances: u32,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut simulation = Self {
            now: 1_000_000,
            hub: Hub::new("gw".into(), 0),
            gateway: Gateway::new(&mut random),
            random,
            connected: false,
            to_gateway: VecDeque::new(),
            pages: BTreeMap::new(),
            attachments: BTreeMap::new(),
            gateway_attachment: None,
            next_id: 1,
            instances: 0,
        };
        simulation.connect_gateway();
        simulation
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            self.step();
            assert!(self.pages.values().all(|page| page.queued() <= QUEUE_BYTES));
        }
        self.finish();
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=19 => self.gateway.produced += self.random.below(60_000),
            20..=44 => self.deliver_from_gateway(),
            45..=54 => self.deliver_to_gateway(),
            55..=74 => self.page_turn(),
            75..=79 => self.page_speaks(),
            80..=81 if self.pages.len() < 5 => self.page_comes(),
            82 => self.page_leaves(),
            83 => self.page_stalls(),
            84 if self.random.one_in(4) => self.break_gateway(),
            85 if self.random.one_in(2) => self.connect_gateway(),
            86..=87 => self.hibernate(),
            88 if self.random.one_in(4) => self.panic(),
            _ => self.time_passes(),
        }
        self.gateway.pump(&mut self.random);
    }

    fn time_passes(&mut self) {
        self.now += self.random.below(60);
        if self.hub.next_deadline().is_some_and(|at| at <= self.now) {
            self.hub.tick(self.now);
            self.look(None);
        }
    }

    fn look(&mut self, passed: Option<&FromGateway>) {
        for effect in self.hub.take_effects() {
            match effect {
                Effect::ToGateway(text) => self.to_gateway.push_back(text),
                Effect::ToBrowser(id, text) => {
                    self.give(id, ToViewer::Text(serde_json::from_str(&text).unwrap()));
                }
                Effect::Pass(id) => {
                    let message = match passed.expect("a message to pass") {
                        FromGateway::Text(text) => {
                            ToViewer::Text(serde_json::from_str(text).unwrap())
                        }
                        FromGateway::Frame { seq, len } => ToViewer::Frame { seq: *seq, len: *len },
                    };
                    self.give(id, message);
                }
                Effect::SaveBrowser(id, text) => drop(self.attachments.insert(id, text)),
                Effect::SaveGateway(text) => self.gateway_attachment = Some(text),
                Effect::Record(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn give(&mut self, id: SocketId, message: ToViewer) {
        self.pages.get_mut(&id).expect("a page").inbox.push_back(message);
    }

    fn deliver_from_gateway(&mut self) {
        for _ in 0..=self.random.below(8) {
            let Some(message) = self.gateway.outbox.pop_front() else { return };
            match &message {
                FromGateway::Text(text) => self.hub.gateway_text(text, self.now),
                FromGateway::Frame { seq, len } => {
                    let head = frame::header(frame::Kind::Output, SESSION, *seq);
                    self.hub.gateway_binary(&head, frame::HEADER_BYTES + len, self.now);
                }
            }
            self.look(Some(&message));
        }
    }

    fn deliver_to_gateway(&mut self) {
        for _ in 0..=self.random.below(4) {
            let Some(text) = self.to_gateway.pop_front() else { return };
            self.gateway.command(&text);
        }
    }

    fn some_page(&mut self) -> Option<SocketId> {
        let count = self.pages.len() as u64;
        let nth = (count > 0).then(|| self.random.below(count) as usize)?;
        self.pages.keys().nth(nth).copied()
    }

    fn page_turn(&mut self) {
        let Some(id) = self.some_page() else { return };
        let messages = self.random.below(12);
        let page = self.pages.get_mut(&id).unwrap();
        if !page.stalls {
            (0..messages).for_each(|_| page.read());
        }
        self.speak(id);
    }

    fn page_speaks(&mut self) {
        if let Some(id) = self.some_page() {
            self.speak(id);
        }
    }

    fn speak(&mut self, id: SocketId) {
        while let Some(message) = self.pages.get_mut(&id).unwrap().outbox.pop_front() {
            self.hub.browser_text(id, &message.to_string(), self.now);
            self.look(None);
            // Some acks come later than others.
            if self.random.one_in(3) {
                return;
            }
        }
    }

    fn page_comes(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        self.hub.viewer_connected(id, SESSION);
        // Some pages have seen the stream before, over a socket that is gone.
        let back = self.random.below(300_000);
        let seen = self.gateway.produced.saturating_sub(back).max(ORIGIN);
        let position = self.random.one_in(2).then(|| narrow(seen));
        let outbox = VecDeque::from([attach(position)]);
        self.pages.insert(id, Page { position, outbox, ..Page::default() });
        self.look(None);
    }

    fn page_leaves(&mut self) {
        let Some(id) = self.some_page() else { return };
        self.pages.remove(&id);
        self.attachments.remove(&id);
        self.hub.browser_closed(id, self.now);
        self.look(None);
    }

    fn page_stalls(&mut self) {
        if let Some(id) = self.some_page() {
            let page = self.pages.get_mut(&id).unwrap();
            page.stalls = !page.stalls;
        }
    }

    fn break_gateway(&mut self) {
        if std::mem::take(&mut self.connected) {
            self.gateway_attachment = None;
            self.hub.gateway_closed();
            self.cut();
        }
    }

    fn connect_gateway(&mut self) {
        // Also while the old connection seems alive: the new one takes its place.
        self.connected = true;
        self.hub.gateway_connected(false);
        self.cut();
        self.gateway.hello();
    }

    fn cut(&mut self) {
        self.look(None);
        self.to_gateway.clear();
        self.gateway.disconnected();
    }

    /// Hibernation comes only while no timer runs, so everything is saved by then.
    fn hibernate(&mut self) {
        if self.hub.next_deadline().is_none() {
            self.rebuild();
            assert_eq!(self.hub.take_effects(), []);
        }
    }

    /// A panic comes at any time, between two saves too.
    fn panic(&mut self) {
        self.rebuild();
        self.hub.distrust(self.now);
        self.look(None);
    }

    fn rebuild(&mut self) {
        self.instances += 1;
        self.hub = Hub::new("gw".into(), self.instances);
        if let Some(attachment) = &self.gateway_attachment {
            self.hub.restore_gateway(attachment);
        }
        for (id, attachment) in &self.attachments {
            self.hub.restore_browser(*id, attachment);
        }
        self.hub.restored();
    }

    /// Everything works again: all pages must come to the stream's end, live.
    fn finish(&mut self) {
        // A fresh connection would open windows that must not stay closed on the old one either.
        if !self.connected || self.random.one_in(2) {
            self.connect_gateway();
        }
        self.pages.values_mut().for_each(|page| page.stalls = false);
        for round in 0..10_000 {
            if round < 200 && round % 50 == 0 {
                self.gateway.produced += 1_000;
            }
            if round >= 200 && self.lacks().is_none() {
                break;
            }
            self.deliver_from_gateway();
            self.deliver_to_gateway();
            self.page_turn();
            self.time_passes();
            self.gateway.pump(&mut self.random);
        }
        assert_eq!(self.lacks(), None);
        if !self.pages.is_empty() {
            assert_eq!(self.gateway.sent, self.gateway.produced, "the window stays closed");
        }
    }

    /// A page that is not live at the stream's end.
    fn lacks(&self) -> Option<(SocketId, &str, Option<u32>)> {
        let end = Some(narrow(self.gateway.produced));
        let mut pages = self.pages.iter();
        let page = pages.find(|(_, page)| page.state != "live" || page.position != end);
        page.map(|(id, page)| (*id, page.state.as_str(), page.position))
    }
}

#[test]
fn every_schedule_shows_every_viewer_every_byte_once() {
    let seeds = match std::env::var("HUB_SEED") {
        Ok(seed) => {
            let seed: u64 = seed.parse().expect("HUB_SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..SCHEDULES,
    };
    for seed in seeds {
        let run = std::panic::AssertUnwindSafe(|| Simulation::new(seed).run());
        if let Err(cause) = std::panic::catch_unwind(run) {
            eprintln!("the schedule of HUB_SEED={seed} failed");
            std::panic::resume_unwind(cause);
        }
    }
}
