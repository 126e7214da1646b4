//! One schedule: who acts next, what is cut, who leaves, and what must hold all the while.

mod control_plane;
mod gateway;
mod people;
mod settle;

use super::contract::Contract;
use super::fault::{Fault, Trap};
use super::model_tmux::ModelTmux;
use super::page::{Message, Page, Resumed};
use super::random::Random;
use super::seen::Seen;
use super::wire::{Speed, Wire};
use chatcode_gateway::daemon::{Daemon, Job, Now};
use cp_worker::hub::Hub;
use protocol::limits::{OUTPUT_WINDOW, RING_BYTES};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const GATEWAY: &str = "simulated";
const STEPS: u32 = 250;
/// Sessions of one gateway, at most.
const SESSIONS: u64 = 3;
/// The ring at its fullest: unsent, unacknowledged, one read beyond, and a vector's growth.
const RING_MEMORY: usize = 2 * (RING_BYTES + OUTPUT_WINDOW as usize + 64 * 1024);
/// Where some streams begin, so that their `seq` passes 2³² on the way.
const NEAR_THE_WRAP: u64 = (1 << 32) - 3_000;

/// One gateway with its tmux, the link, the hub and the pages.
pub struct World {
    random: Random,
    /// Milliseconds.
    now: u64,
    /// How much time a step takes at most.
    pace: u64,
    /// Programs print megabytes.
    flood: bool,
    tmux: ModelTmux,
    daemon: Daemon,
    /// Sessions whose control client runs.
    clients: BTreeSet<u32>,
    jobs: VecDeque<Job>,
    up: bool,
    speed: Speed,
    to_hub: Wire<Message>,
    to_gateway: Wire<String>,
    contract: Contract,
    hub: Hub,
    hubs: u32,
    /// What the sockets keep for the hub.
    gateway_attachment: Option<String>,
    attachments: BTreeMap<u32, String>,
    pages: BTreeMap<u32, Page>,
    /// What is left of pages whose socket broke.
    broken: Vec<(u32, Resumed)>,
    next_page: u32,
    /// Numbers what is typed.
    typed: u64,
    trap: Option<Trap>,
    traced: bool,
    seen: Seen,
}

impl World {
    /// The world of a seed, with at most one fault.
    pub fn new(seed: u64, fault: Option<Fault>) -> Self {
        let mut random = Random::new(seed);
        let flood = random.one_in(12);
        let sessions = if random.one_in(2) { 1 } else { 1 + random.below(SESSIONS) as u32 };
        let wraps = random.one_in(3);
        let bound = if wraps { NEAR_THE_WRAP.to_string() } else { String::new() };
        let speed = Speed::of_link(&mut random);
        let seen = Seen {
            shared_links: u64::from(sessions > 1),
            wraps: u64::from(wraps),
            ..Seen::default()
        };
        Self {
            now: 1,
            pace: random.one_of(&[0, 3, 25]),
            random,
            flood,
            tmux: ModelTmux::new(sessions, &bound),
            daemon: gateway::new_daemon(),
            clients: BTreeSet::new(),
            jobs: VecDeque::new(),
            up: false,
            speed,
            to_hub: Wire::new(speed),
            to_gateway: Wire::new(speed),
            contract: Contract::default(),
            hub: Hub::new(GATEWAY.to_owned(), 0),
            hubs: 0,
            gateway_attachment: None,
            attachments: BTreeMap::new(),
            pages: BTreeMap::new(),
            broken: Vec::new(),
            next_page: 1,
            typed: 0,
            trap: fault.map(|fault| Trap::new(fault, seed)),
            traced: false,
            seen,
        }
    }

    /// Prints what happens, for a person who replays a schedule.
    pub fn trace_all(&mut self) {
        self.traced = true;
    }

    /// Whether the fault that was asked for has happened.
    pub fn is_sprung(&self) -> bool {
        self.trap.as_ref().is_some_and(|trap| trap.sprung)
    }

    /// Lets it all happen; panics when something is wrong.
    pub fn run(&mut self) -> Seen {
        self.perform();
        self.link_up();
        self.page_comes();
        for _ in 0..STEPS {
            self.now += self.random.below(self.pace + 1);
            self.step();
            self.check();
        }
        self.settle();
        self.seen.lags = u64::from(self.contract.lags);
        std::mem::take(&mut self.seen)
    }

    fn at(&self) -> Now {
        Now { mono: self.now, wall: 1_700_000_000_000 + self.now }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..28 => self.program_prints(),
            28..46 => self.gateway_turn(),
            46..58 => self.link_carries(),
            58..74 => self.some_page_reads(),
            74..78 => self.some_page_acks(),
            78..82 => self.time_passes(),
            82..85 => self.page_comes(),
            85 => self.page_leaves(),
            86 => self.page_breaks(),
            87..89 => self.page_stalls(),
            89 => self.someone_resizes(),
            90 => self.someone_types(),
            91 => self.someone_takes_control(),
            92 if self.random.one_in(2) => self.pane_is_switched(),
            93 => self.cut(),
            94..96 => self.link_up(),
            96 => self.hub_forgets(),
            97 if self.random.one_in(3) => self.gateway_restarts(),
            98 if self.random.one_in(3) => self.client_is_detached(),
            99 if self.random.one_in(4) => self.long_pause(),
            _ => self.gateway_turn(),
        }
    }

    fn some_session(&mut self) -> u32 {
        1 + self.random.below(self.tmux.sessions.len() as u64) as u32
    }

    fn program_prints(&mut self) {
        let id = self.some_session();
        let times = if self.flood { 40 } else { 1 };
        let aside = self.random.one_in(20);
        for _ in 0..times {
            let bytes = self.some_output(id, aside);
            self.print(id, &bytes, aside);
        }
        if self.contract.is_lagged(id) && self.random.one_in(2) {
            self.someone_resizes();
        }
    }

    fn print(&mut self, id: u32, bytes: &[u8], aside: bool) {
        self.seen.bytes += bytes.len() as u64;
        self.tmux.session(id).print(bytes, aside, &mut self.random);
    }

    fn some_output(&mut self, id: u32, aside: bool) -> Vec<u8> {
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
            let mut kept = self.random.below(out.len() as u64 + 1) as usize;
            // tmux reports no half character, so one is lost when the gateway comes to the pane
            // right within it. That is known and not what is looked for here.
            let follows = self.clients.contains(&id) && !self.tmux.session(id).has_unread();
            while !follows && out.get(kept).is_some_and(|byte| byte & 0xc0 == 0x80) {
                kept -= 1;
            }
            let later = out.split_off(kept);
            self.print(id, &out, aside);
            self.gateway_turn();
            return later;
        }
        out
    }

    fn pane_is_switched(&mut self) {
        let id = self.some_session();
        self.trace("tmux", "another pane");
        self.seen.pane_switches += 1;
        self.tmux.session(id).switch_pane();
    }

    fn time_passes(&mut self) {
        let most = if self.random.one_in(5) { 3_000 } else { 60 };
        self.now += self.random.below(most);
        self.hub.tick(self.now);
        self.hub_effects(None);
        self.gateway_turn();
    }

    fn check(&mut self) {
        for &id in self.tmux.sessions.keys() {
            if let Some(session) = self.daemon.session(id) {
                let (memory, unacked) = (session.memory(), session.unacked());
                assert!(memory <= RING_MEMORY, "session {id}: the ring holds {memory}");
                assert!(unacked <= OUTPUT_WINDOW, "session {id}: {unacked} bytes beyond credit");
            }
        }
    }

    fn trace(&self, what: &str, text: &str) {
        if self.traced {
            println!("{} {what}: {text:.200}", self.now);
        }
    }
}
