//! One schedule: who acts next, what is cut, who leaves, and what must hold all the while.

use super::model_tmux::ModelTmux;
use super::page::{Page, ToPage};
use super::random::Random;
use super::terminal::Terminal;
use chatcode_gateway::config::Config;
use chatcode_gateway::daemon::{Daemon, Effect, Job, Message, Now};
use cp_worker::hub::{self, Hub};
use protocol::frame::HEADER_BYTES;
use protocol::limits::{OUTPUT_WINDOW, RING_BYTES};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const GATEWAY: &str = "simulated";
const STEPS: u32 = 250;
/// Bytes that the socket of the link takes before it would block.
const SOCKET_BYTES: usize = 64 * 1024;
/// The ring at its fullest: unsent, unacknowledged, one read beyond, and a vector's growth.
const RING_MEMORY: usize = 2 * (RING_BYTES + OUTPUT_WINDOW as usize + 64 * 1024);
/// Rounds in which everything must come to rest in the end.
const SETTLE_ROUNDS: u32 = 2_000;

/// What happened, so that a simulation that tests nothing is noticed.
#[derive(Debug, Default)]
pub struct Seen {
    pub cuts: u32,
    pub restarts: u32,
    pub clients_lost: u32,
    pub lags: u32,
    pub snapshots: u32,
    pub replays: u32,
    pub leavers: u32,
    pub resizes: u32,
    pub pauses: u32,
    pub bytes: u64,
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.cuts += other.cuts;
        self.restarts += other.restarts;
        self.clients_lost += other.clients_lost;
        self.lags += other.lags;
        self.snapshots += other.snapshots;
        self.replays += other.replays;
        self.leavers += other.leavers;
        self.resizes += other.resizes;
        self.pauses += other.pauses;
        self.bytes += other.bytes;
    }

    pub fn assert_all_happened(&self) {
        let counts = [
            self.cuts,
            self.restarts,
            self.clients_lost,
            self.lags,
            self.snapshots,
            self.replays,
            self.leavers,
            self.resizes,
            self.pauses,
        ];
        assert!(counts.iter().all(|&count| count > 20), "the simulation misses cases: {self:?}");
    }
}

/// A direction of the link: messages as bytes, so that a cut can fall into the middle of one.
#[derive(Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    received: Vec<u8>,
}

impl Pipe {
    fn put(&mut self, kind: u8, payload: &[u8]) {
        self.bytes.push_back(kind);
        self.bytes.extend(u32::try_from(payload.len()).expect("a small message").to_be_bytes());
        self.bytes.extend(payload);
    }

    /// Moves some bytes; gives the messages that are whole now.
    fn carry(&mut self, most: usize) -> Vec<(u8, Vec<u8>)> {
        let count = most.min(self.bytes.len());
        self.received.extend(self.bytes.drain(..count));
        let mut whole = Vec::new();
        loop {
            let Some((&[kind, a, b, c, d], rest)) = self.received.split_first_chunk::<5>() else {
                return whole;
            };
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            if rest.len() < length {
                return whole;
            }
            whole.push((kind, rest[..length].to_vec()));
            self.received.drain(..5 + length);
        }
    }
}

pub struct World {
    random: Random,
    now: u64,
    tmux: ModelTmux,
    daemon: Daemon,
    /// Whether the control client runs.
    client: bool,
    up: bool,
    to_hub: Pipe,
    to_gateway: Pipe,
    hub: Hub,
    pages: BTreeMap<u32, Page>,
    /// Pages whose socket broke, with what they still show.
    broken: Vec<(Terminal, u32)>,
    next_page: u32,
    jobs: VecDeque<Job>,
    flood: bool,
    seen: Seen,
}

fn daemon() -> Daemon {
    let values = [
        ("GATEWAY_ID", GATEWAY),
        ("GATEWAY_CP_URL", "ws://127.0.0.1:1/gateway"),
        ("GATEWAY_AUTH_TOKEN", "token"),
        ("GATEWAY_STATE_DIR", "/nonexistent/chatcode"),
    ];
    let flags = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Daemon::new(Config::load(flags, |_| None).expect("a configuration"))
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let flood = random.one_in(12);
        Self {
            random,
            now: 1,
            tmux: ModelTmux::new(),
            daemon: daemon(),
            client: false,
            up: false,
            to_hub: Pipe::default(),
            to_gateway: Pipe::default(),
            hub: Hub::new(GATEWAY.to_owned(), 1),
            pages: BTreeMap::new(),
            broken: Vec::new(),
            next_page: 1,
            jobs: VecDeque::new(),
            flood,
            seen: Seen::default(),
        }
    }

    pub fn run(mut self) -> Seen {
        self.perform();
        self.link_up();
        self.page_comes();
        for _ in 0..STEPS {
            self.step();
            self.check();
        }
        self.settle();
        self.seen
    }

    fn at(&self) -> Now {
        Now { mono: self.now, wall: 1_700_000_000_000 + self.now }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..30 => self.program_prints(),
            30..50 => self.gateway_turn(),
            50..62 => self.link_carries(),
            62..80 => self.some_page_reads(),
            80..84 => self.some_page_acks(),
            84..88 => self.time_passes(),
            88..90 => self.page_comes(),
            90 => self.page_leaves(),
            91 => self.page_breaks(),
            92..94 => self.page_stalls(),
            94 => self.someone_resizes(),
            95 => self.cut(),
            96 => self.link_up(),
            97 if self.random.one_in(3) => self.gateway_restarts(),
            98 if self.random.one_in(3) => self.client_is_detached(),
            99 if self.random.one_in(4) => self.long_pause(),
            _ => self.gateway_turn(),
        }
    }

    fn program_prints(&mut self) {
        let times = if self.flood { 40 } else { 1 };
        for _ in 0..times {
            let bytes = self.some_output();
            self.seen.bytes += bytes.len() as u64;
            self.tmux.print(&bytes, &mut self.random);
        }
    }

    fn some_output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..=self.random.below(12) {
            match self.random.below(12) {
                0..5 => {
                    let letter = b'a' + self.random.below(26) as u8;
                    let most = if self.flood { 600 } else { 30 };
                    out.resize(out.len() + self.random.below(most) as usize, letter);
                }
                5..8 => out.extend_from_slice(b"\r\n"),
                8 => {
                    let (y, x) = (self.random.below(9), self.random.below(30));
                    out.extend_from_slice(format!("\x1b[{y};{x}H").as_bytes());
                }
                9 => out.extend_from_slice("é–ß".as_bytes()),
                10 => out.extend_from_slice(b"\x1b[1;38;2;1;2;3mX\x1b[m\\"),
                _ => out.extend_from_slice(b"\x1b]2;title\x1b\\\x1b[?2004h\x1b(B"),
            }
        }
        // A program may stop in the middle of anything and go on later.
        if self.random.one_in(4) {
            let kept = self.random.below(out.len() as u64 + 1) as usize;
            let rest = out.split_off(kept);
            let (now, later) = (out, rest);
            self.tmux.print(&now, &mut self.random);
            self.gateway_turn();
            return later;
        }
        out
    }

    fn gateway_turn(&mut self) {
        if self.client {
            let most = 1 + self.random.below(if self.flood { 300_000 } else { 3_000 }) as usize;
            let bytes = self.tmux.read(most);
            self.daemon.on_tmux(1, &bytes, self.at());
        }
        self.daemon.tick(self.at());
        self.perform();
        self.gateway_sends();
    }

    fn gateway_sends(&mut self) {
        while self.up && self.to_hub.bytes.len() < SOCKET_BYTES {
            match self.daemon.next_message(self.at()) {
                Some(Message::Text(text)) => {
                    self.seen.lags += u32::from(text.contains("session.lagged"));
                    self.to_hub.put(0, text.as_bytes());
                }
                Some(Message::Binary(bytes)) => self.to_hub.put(1, &bytes),
                None => break,
            }
        }
        self.perform();
    }

    /// Does what the daemon wants done outside of it.
    fn perform(&mut self) {
        loop {
            let effects = self.daemon.take_effects(self.at());
            let told = self.daemon.take_to_tmux();
            if effects.is_empty() && told.is_empty() && self.jobs.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Start(job) => self.jobs.push_back(job),
                    Effect::StartClient(1) => {
                        self.client = true;
                        self.tmux.attach();
                    }
                    other => panic!("unexpected: {other:?}"),
                }
            }
            for (_, bytes) in told {
                self.tmux.told(&bytes);
            }
            while let Some(job) = self.jobs.pop_front() {
                let answer = match &job {
                    Job::Survey => self.tmux.survey(GATEWAY),
                    Job::Probe(1) => "ok alive 0".to_owned(),
                    other => panic!("unexpected: {other:?}"),
                };
                self.daemon.on_job(job, &answer, self.at());
            }
        }
    }

    fn link_carries(&mut self) {
        let most = 1 + self.random.below(if self.flood { 200_000 } else { 4_000 }) as usize;
        for (kind, payload) in self.to_hub.carry(most) {
            if kind == 0 {
                let text = String::from_utf8(payload).expect("text");
                self.trace("to hub", &text);
                self.hub.gateway_text(&text, self.now);
                self.hub_effects(|| ToPage::Text(text.clone()));
            } else {
                let head: [u8; HEADER_BYTES] =
                    payload[..HEADER_BYTES].try_into().expect("a whole header");
                self.hub.gateway_binary(&head, payload.len(), self.now);
                self.hub_effects(|| ToPage::Binary(payload.clone()));
            }
        }
        for (_, payload) in self.to_gateway.carry(most) {
            let text = String::from_utf8(payload).expect("text");
            self.trace("to gateway", &text);
            self.daemon.on_text(&text, self.at());
        }
        self.perform();
        self.gateway_sends();
    }

    fn hub_effects(&mut self, passed: impl Fn() -> ToPage) {
        for effect in self.hub.take_effects() {
            match effect {
                hub::Effect::ToGateway(text) if self.up => self.to_gateway.put(0, text.as_bytes()),
                hub::Effect::ToBrowser(id, text) => self.give(id, ToPage::Text(text)),
                hub::Effect::Pass(id) => self.give(id, passed()),
                hub::Effect::CloseGateway(code, why) => panic!("closed {code}: {why}"),
                hub::Effect::CloseBrowser(id, ..) => drop(self.page_gone(id)),
                _ => {}
            }
        }
    }

    /// Shown when a schedule fails.
    fn trace(&self, what: &str, text: &str) {
        println!("{} {what}: {:.200}", self.now, text);
    }

    fn give(&mut self, id: u32, message: ToPage) {
        if let Some(page) = self.pages.get_mut(&id) {
            page.deliver(message);
        }
    }

    fn no_message() -> ToPage {
        panic!("nothing is being passed on")
    }

    fn time_passes(&mut self) {
        let most = if self.random.one_in(5) { 3_000 } else { 60 };
        self.now += self.random.below(most);
        self.hub.tick(self.now);
        self.hub_effects(Self::no_message);
        self.gateway_turn();
    }

    fn link_up(&mut self) {
        if self.up {
            return;
        }
        self.up = true;
        self.to_hub = Pipe::default();
        self.to_gateway = Pipe::default();
        self.hub.gateway_connected(false);
        self.hub_effects(Self::no_message);
        self.daemon.on_link_up(self.at());
        self.gateway_sends();
    }

    /// What is under way is lost, also half a message.
    fn cut(&mut self) {
        if !std::mem::take(&mut self.up) {
            return;
        }
        self.trace("link", "cut");
        self.seen.cuts += 1;
        self.to_hub = Pipe::default();
        self.to_gateway = Pipe::default();
        self.daemon.on_link_down(self.at());
        self.perform();
        self.hub.gateway_closed();
        self.hub_effects(Self::no_message);
    }

    /// As after `kill -9`: a new process that knows what tmux remembers.
    fn gateway_restarts(&mut self) {
        self.cut();
        self.seen.restarts += 1;
        self.tmux.detach();
        self.client = false;
        self.jobs.clear();
        self.daemon = daemon();
        self.perform();
        self.link_up();
    }

    fn client_is_detached(&mut self) {
        if !std::mem::take(&mut self.client) {
            return;
        }
        self.seen.clients_lost += 1;
        self.tmux.detach();
        self.daemon.on_client_closed(1);
        self.perform();
    }

    /// Nobody looks for so long that the pane is paused.
    fn long_pause(&mut self) {
        self.cut();
        self.seen.pauses += 1;
        self.now += 61_000;
        self.gateway_turn();
        self.gateway_turn();
        self.program_prints();
        self.link_up();
    }

    fn some_page(&mut self) -> Option<u32> {
        let nth = self.random.below(self.pages.len().max(1) as u64) as usize;
        self.pages.keys().nth(nth).copied()
    }

    fn some_page_reads(&mut self) {
        let Some(id) = self.some_page() else { return };
        let many = 1 + self.random.below(40);
        let page = self.pages.get_mut(&id).expect("a page");
        if page.stalled {
            return;
        }
        for _ in 0..many {
            if !page.read() {
                break;
            }
        }
        // Mostly it acks at once, sometimes later, sometimes twice.
        for _ in 0..self.random.below(3) {
            self.page_acks(id);
        }
    }

    fn some_page_acks(&mut self) {
        if let Some(id) = self.some_page() {
            self.page_acks(id);
        }
    }

    fn page_acks(&mut self, id: u32) {
        let Some(next) = self.pages.get(&id).and_then(|page| page.next) else { return };
        // A delayed ack names an older place.
        let late = if self.random.one_in(6) { self.random.below(5_000) as u32 } else { 0 };
        let text = format!(r#"{{"type":"session.ack","seq":{}}}"#, next.wrapping_sub(late));
        self.page_says(id, &text);
    }

    fn page_says(&mut self, id: u32, text: &str) {
        self.hub.browser_text(id, text, self.now);
        self.hub_effects(Self::no_message);
    }

    fn page_comes(&mut self) {
        if self.pages.len() >= 4 {
            return;
        }
        let id = self.next_page;
        self.next_page += 1;
        let resumed = if self.random.one_in(3) { None } else { self.broken.pop() };
        let page = Page::new(resumed);
        let attach = page.attach();
        self.pages.insert(id, page);
        self.hub.viewer_connected(id, 1);
        self.hub_effects(Self::no_message);
        self.page_says(id, &attach);
    }

    fn page_gone(&mut self, id: u32) -> Option<Page> {
        let page = self.pages.remove(&id)?;
        self.seen.snapshots += page.snapshots;
        self.seen.replays += page.replays;
        self.hub.browser_closed(id, self.now);
        self.hub_effects(Self::no_message);
        Some(page)
    }

    fn page_leaves(&mut self) {
        if let Some(id) = self.some_page() {
            self.seen.leavers += 1;
            self.page_gone(id);
        }
    }

    /// Its socket breaks; it comes back later with what it has.
    fn page_breaks(&mut self) {
        let page = self.some_page().and_then(|id| self.page_gone(id));
        if let Some(Page { terminal: Some(terminal), next: Some(next), .. }) = page {
            self.broken.push((terminal, next));
        }
    }

    fn page_stalls(&mut self) {
        if let Some(page) = self.some_page().and_then(|id| self.pages.get_mut(&id)) {
            page.stalled = !page.stalled;
        }
    }

    fn someone_resizes(&mut self) {
        if let Some(id) = self.some_page() {
            self.seen.resizes += 1;
            let (cols, rows) = (10 + self.random.below(30), 3 + self.random.below(8));
            let text = format!(r#"{{"type":"session.resize","cols":{cols},"rows":{rows}}}"#);
            self.page_says(id, &text);
        }
    }

    fn check(&mut self) {
        if let Some(session) = self.daemon.session(1) {
            assert!(session.memory() <= RING_MEMORY, "the ring holds {}", session.memory());
            assert!(session.unacked() <= OUTPUT_WINDOW, "beyond credit: {}", session.unacked());
        }
    }

    /// Everything is repaired and read: then every page must show what tmux shows.
    fn settle(&mut self) {
        self.link_up();
        self.page_comes();
        for _ in 0..SETTLE_ROUNDS {
            self.now += 50;
            self.hub.tick(self.now);
            self.hub_effects(Self::no_message);
            while self.client && self.tmux.has_unread() {
                let bytes = self.tmux.read(65_536);
                self.daemon.on_tmux(1, &bytes, self.at());
                self.perform();
                self.gateway_sends();
            }
            self.gateway_turn();
            self.cross_to_hub_and_back();
            let ids: Vec<u32> = self.pages.keys().copied().collect();
            for id in ids {
                let page = self.pages.get_mut(&id).expect("a page");
                page.stalled = false;
                while page.read() {}
                self.page_acks(id);
            }
            if self.is_settled() {
                break;
            }
        }
        self.compare();
    }

    fn cross_to_hub_and_back(&mut self) {
        let flood = std::mem::replace(&mut self.flood, true);
        for _ in 0..4 {
            self.link_carries();
        }
        self.flood = flood;
    }

    fn is_settled(&self) -> bool {
        let expected = self.tmux.terminal.picture();
        let equal =
            |page: &Page| page.terminal.as_ref().map(Terminal::picture).as_ref() == Some(&expected);
        self.to_hub.bytes.is_empty()
            && !self.tmux.has_unread()
            && self.pages.values().all(|page| page.queue.is_empty() && equal(page))
    }

    fn compare(&mut self) {
        let expected = self.tmux.terminal.picture();
        for (id, page) in &self.pages {
            let shown = page.terminal.as_ref().map(Terminal::picture).expect("a screen");
            let differs = |shown: &[String], right: &[String]| {
                let at = shown.iter().zip(right).position(|(a, b)| a != b)?;
                Some((at, shown[at].clone(), right[at].clone()))
            };
            let (history, rows) = (differs(&shown.0, &expected.0), differs(&shown.1, &expected.1));
            assert!(
                shown == expected,
                "page {id} shows another screen: history {history:?} of {} and {}, rows {rows:?}, \
                 cursor {:?} and {:?}",
                shown.0.len(),
                expected.0.len(),
                (shown.2, shown.3),
                (expected.2, expected.3),
            );
        }
        let ends: BTreeSet<Option<u32>> = self.pages.values().map(|page| page.next).collect();
        assert!(ends.len() <= 1, "pages at different places: {ends:?}");
        for page in self.pages.values() {
            self.seen.snapshots += page.snapshots;
            self.seen.replays += page.replays;
        }
    }
}
