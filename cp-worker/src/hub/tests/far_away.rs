//! What a viewer on a slow way sees of a flood that others watch on fast ones, by the clock.

use super::*;

const NEAR: SocketId = 1;
const FAR: SocketId = 2;

/// Bytes a millisecond and milliseconds from end to end of the way to the far viewer: 1 Mbit/s
/// and a round trip of 300 ms.
const RATE: u64 = 125;
const ONE_WAY_MS: u64 = 150;

/// Bytes that the flood prints each millisecond, in frames of a batch.
const FLOOD: usize = 2_000;
const BATCH_MS: u64 = 8;

/// Milliseconds after which the near viewer acks: its page draws between two looks at its socket.
const NEAR_MS: u64 = 40;

/// Milliseconds in which what is asked for comes from the gateway.
const GATEWAY_MS: u64 = 5;

/// A flood, and two who watch it.
struct Flood {
    world: World,
    printed: u32,
    near: VecDeque<(u64, u32)>,
    far: VecDeque<(u64, u32)>,
    acks: VecDeque<(u64, u32)>,
    /// When the way to the far viewer has carried all that it was given.
    free_at: u64,
    asked: Option<(u64, Value)>,
    /// Bytes of a screen and some history.
    snapshot: u64,
    seen: Option<u32>,
}

impl Flood {
    fn new(snapshot: u64) -> Self {
        let mut world = World::online();
        world.live(NEAR, 0);
        world.viewer(FAR);
        world.tell(FAR, json!({ "type": "viewer.attach" }));
        let [near, far, acks] = [const { VecDeque::new() }; 3];
        let mut flood = Self {
            world,
            printed: 0,
            near,
            far,
            acks,
            free_at: 0,
            asked: None,
            snapshot,
            seen: None,
        };
        flood.pass(1_000, 0);
        flood
    }

    /// The way carries `bytes` to the far viewer, after which it has seen all before `end`.
    fn carry(&mut self, bytes: u64, end: u32) {
        self.free_at = self.free_at.max(self.world.now) + bytes / RATE;
        self.far.push_back((self.free_at + ONE_WAY_MS, end));
    }

    fn print(&mut self, bytes: usize) {
        self.world.output(self.printed, bytes);
        self.printed += bytes as u32;
        for id in self.world.passed() {
            match id {
                FAR => self.carry(bytes as u64, self.printed),
                _ => self.near.push_back((self.world.now + NEAR_MS, self.printed)),
            }
        }
    }

    /// Lets time pass while so many bytes are printed each millisecond.
    fn pass(&mut self, ms: u64, bytes: usize) {
        for _ in 0..ms {
            self.world.now += 1;
            let now = self.world.now;
            if bytes > 0 && now.is_multiple_of(BATCH_MS) {
                self.print(bytes * BATCH_MS as usize);
            }
            while let Some((_, seq)) = self.near.pop_front_if(|(at, _)| *at <= now) {
                self.world.tell(NEAR, json!({ "type": "session.ack", "seq": seq }));
            }
            while let Some((_, seq)) = self.far.pop_front_if(|(at, _)| *at <= now) {
                self.seen = Some(seq);
                self.acks.push_back((now + ONE_WAY_MS, seq));
            }
            while let Some((_, seq)) = self.acks.pop_front_if(|(at, _)| *at <= now) {
                self.world.tell(FAR, json!({ "type": "session.ack", "seq": seq }));
            }
            if self.world.hub.next_deadline().is_some_and(|at| at <= now) {
                self.world.hub.tick(now);
                self.world.look();
            }
            self.answer();
        }
    }

    /// The gateway answers an attach of the far viewer with the present screen.
    fn answer(&mut self) {
        let now = self.world.now;
        for command in std::mem::take(&mut self.world.gateway) {
            if command["type"] == "session.attach" {
                self.asked = Some((now + GATEWAY_MS, command["request_id"].clone()));
            }
        }
        if let Some((_, request_id)) = self.asked.take_if(|(at, _)| *at <= now) {
            self.world.snapshot(request_id, self.printed);
            self.carry(self.snapshot, self.printed);
        }
        self.world.browsers.clear();
    }
}

#[test]
fn a_flood_that_others_watch_ends_soon_for_a_slow_viewer() {
    let mut longest = 0;
    for (snapshot, at) in
        [4_000, 20_000].into_iter().flat_map(|size| (0..40).map(move |n| (size, n)))
    {
        let mut flood = Flood::new(snapshot);
        flood.pass(6_000 + at * 37, FLOOD);
        let start = flood.world.now;
        while flood.seen < Some(flood.printed) {
            flood.pass(1, 0);
        }
        longest = longest.max(flood.world.now - start);
    }
    // A screen full of colours, one window, and the way there and back.
    assert!(longest < 1_400, "{longest} ms until the last byte was seen");
}
