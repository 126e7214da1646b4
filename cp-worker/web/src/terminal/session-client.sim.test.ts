// A viewer against a hub that cuts, repeats, loses and replaces: its screen ends equal, always.

import { expect, it } from "vitest";
import { narrow } from "@/protocol/seq";
import { TestViewer } from "./session-client.harness";

const SCHEDULES = 1_000;
const STEPS = 60;
/** The stream starts shortly before seq wraps. */
const ORIGIN = 2 ** 32 - 100;

/** Deterministic numbers: the same seed is the same schedule. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The hub's side: a stream that grows, and how far this viewer was served. */
class Hub {
  stream = "";
  served = 0;
  constructor(
    private readonly viewer: TestViewer,
    private readonly random: (below: number) => number,
  ) {}

  seq(at: number): number {
    return narrow(ORIGIN + at);
  }

  grow(): void {
    const length = 1 + this.random(40);
    for (let i = 0; i < length; i += 1) this.stream += String.fromCharCode(97 + this.random(26));
  }

  serve(): void {
    const from = Math.max(0, this.served - this.random(4) * this.random(10));
    const to = Math.min(this.stream.length, this.served + this.random(30));
    if (from < to) this.viewer.frame(this.seq(from), this.stream.slice(from, to));
    this.served = Math.max(this.served, to);
  }

  /** Answers the newest attach as a gateway may: by a replay where it can, or by a snapshot. */
  answer(): void {
    const attach = this.viewer.sent.findLast(({ type }) => type === "viewer.attach");
    const resume = attach?.resume_seq;
    this.viewer.sent = [];
    this.viewer.state({});
    if (typeof resume !== "number" || this.random(3) === 0) {
      this.viewer.snapshot(this.seq(this.stream.length), this.stream);
      this.served = this.stream.length;
      return;
    }
    const at = narrow(resume - ORIGIN);
    const data = this.stream.slice(at, at + this.random(50));
    this.viewer.message({ type: "session.replay", from_seq: resume, data: btoa(data) });
    this.served = at + data.length;
  }

  reconnect(): void {
    this.viewer.event({ type: "closed", code: 1006 });
    this.viewer.event({ type: "timer", timer: "retry" });
    this.viewer.event({ type: "opened" });
    this.answer();
  }
}

function runSchedule(seed: number): void {
  const random = randomFrom(seed);
  const viewer = TestViewer.opened();
  const hub = new Hub(viewer, random);
  hub.answer();
  for (let step = 0; step < STEPS; step += 1) {
    const choice = random(20);
    if (choice < 7) hub.grow();
    else if (choice < 14) hub.serve();
    else if (choice < 17) viewer.parse(1 + random(3));
    else if (choice === 17) hub.served += random(20);
    else if (choice === 18) hub.reconnect();
    else viewer.snapshot(hub.seq((hub.served = hub.stream.length)), hub.stream);
    hub.served = Math.min(hub.served, hub.stream.length);
    if (viewer.sent.some(({ type }) => type === "viewer.attach")) hub.answer();
  }
  for (let rounds = 0; rounds < 10_000 && viewer.terminal.content !== hub.stream; rounds += 1) {
    hub.serve();
    viewer.parse();
    if (viewer.sent.some(({ type }) => type === "viewer.attach")) hub.answer();
    // Loss at the very end shows only with the next byte.
    if (hub.served === hub.stream.length && viewer.terminal.content !== hub.stream) hub.grow();
  }
  expect(viewer.terminal.content, `seed ${seed}`).toBe(hub.stream);
}

it(`ends with the whole stream on the screen, over ${SCHEDULES} schedules`, () => {
  for (let seed = 1; seed <= SCHEDULES; seed += 1) runSchedule(seed);
});
