// Many gateways and viewers on one workerd: nothing may be lost, and the cost is told.
//
//   node cp-worker/load.mjs [--gateways 200] [--viewers 2] [--kib 512] [--idle 20]
//
// `--viewers` and `--kib` (of output) are for each gateway, `--idle` is in seconds. Prints a report in
// JSON, and fails when a byte or a keystroke is lost, doubled or in the wrong place.
//
// In all phases but one each session prints at the pace of a busy agent. In `flood` all print as fast
// as credit lets them: what is more than this machine carries is left out by snapshots, as it must.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { User, until } from "./it/harness.mjs";
import { serve, usage } from "./load/process.mjs";
import { Sink, Source } from "./load/stream.mjs";

/** Servers of one user, below the limit of 50. */
const SERVERS_OF_A_USER = 40;

/** What is set up at the same time: more only waits in workerd's queues. */
const AT_ONCE = 8;

/** Milliseconds between two pings of a browser that is visible and of a gateway that hears nothing. */
const PING_MS = 25_000;

/** Milliseconds in which each phase must be through. */
const PHASE_MS = 60_000;

/** What a busy agent prints: bytes, and milliseconds between them. */
const PRINT = { bytes: 3_200, every: 100 };

/** Keystrokes of each session in a phase, and milliseconds between them. */
const KEYS = { count: 10, every: 200 };

/** Runs the whole; returns the report. */
export async function load({ gateways = 200, viewers = 2, kib = 512, idle = 20 } = {}) {
  const server = await serve();
  const stage = new Stage(server, viewers);
  try {
    const report = { gateways, viewers: gateways * viewers, kib_of_a_session: kib, phases: {} };
    const phase = async (name, work) => {
      const before = usage(server.pids);
      const counted = stage.counted();
      const started = performance.now();
      await work();
      report.phases[name] = told(before, usage(server.pids), started, counted, stage.counted());
    };
    report.before = usage(server.pids);
    await phase("connect", () => stage.connect(gateways));
    await phase("stream", () => stage.stream(kib * 1_024));
    await phase("idle", () => stage.rest(idle * 1_000));
    await phase("after_idle", () => stage.stream(64 * 1_024));
    await phase("reconnect", () => stage.reconnect(kib * 512));
    await phase("flood", () => stage.flood(kib * 1_024));
    report.after = usage(server.pids);
    return { ...report, ...stage.result() };
  } finally {
    stage.close();
    await server.stop();
  }
}

/** Whether all was right, and nothing left out where no more was printed than can be carried. */
export function isWhole({ wrong, phases: { flood: _, ...paced } }) {
  return wrong.length === 0 && Object.values(paced).every((phase) => phase.mb_left_out === 0);
}

/** What a phase took and did. */
function told(before, after, started, earlier, later) {
  const seconds = (performance.now() - started) / 1_000;
  const frames_in = later.sent - earlier.sent;
  const frames_out = later.received - earlier.received;
  const cpu_s = after.workerd_cpu_s - before.workerd_cpu_s;
  const rounded = (value) => Math.round(value * 100) / 100;
  return {
    ...{ seconds: rounded(seconds), workerd_cpu_s: rounded(cpu_s) },
    ...{ frames_in, frames_out, frames_per_s: Math.round((frames_in + frames_out) / seconds) },
    mb_out: Math.round((later.bytes - earlier.bytes) / 1e6),
    mb_left_out: rounded((later.skipped - earlier.skipped) / 1e6),
    ...{ workerd_rss_mb: after.workerd_rss_mb, node_rss_mb: after.node_rss_mb },
  };
}

/** All that is connected. */
class Stage {
  constructor({ url }, viewers) {
    Object.assign(this, { url, viewers });
    /** One for each gateway: `user`, `source`, `sinks`, and what was typed. */
    this.sets = [];
    this.timers = [];
  }

  async connect(count) {
    const users = [];
    for (let i = 0; i * SERVERS_OF_A_USER < count; i++) {
      users.push(await User.signIn(this.url, `user${i}@example.com`));
    }
    await inTurns(Array.from({ length: count }, (_, salt) => salt), async (salt) => {
      const user = users[salt % users.length];
      const gateway = await user.server(`server ${salt}`);
      const { session_id } = await user.session(gateway);
      const source = new Source(gateway, session_id, salt);
      source.use(gateway);
      const set = { user, source, sinks: [], typed: [] };
      for (let i = 0; i < this.viewers; i++) {
        const sink = new Sink(session_id, salt);
        sink.use(await user.viewer(gateway, session_id));
        set.sinks.push(sink);
        await until("the viewer is live", () => sink.state.state === "live");
      }
      this.sets.push(set);
    });
    this.#ping();
  }

  /** Each session prints `bytes` more at its pace while a person types in it. */
  async stream(bytes) {
    this.#print(bytes);
    for (let i = 0; i < KEYS.count; i++) {
      for (const set of this.sets) this.#type(set);
      await sleep(KEYS.every);
    }
    await this.#arrived();
  }

  /** Each session prints `bytes` at once. */
  async flood(bytes) {
    for (const { source } of this.sets) {
      source.goal += bytes;
      source.print(bytes);
    }
    for (const set of this.sets) this.#type(set);
    await this.#arrived();
  }

  /** Lets the programs print; not all in the same moment. */
  #print(bytes) {
    for (const { source } of this.sets) {
      source.goal += bytes;
      const timer = setInterval(() => {
        source.print(PRINT.bytes);
        if (source.printed === source.goal) clearInterval(timer);
      }, PRINT.every);
      this.timers.push(timer);
    }
  }

  /** The one in control types, and another one, who must not be heard. */
  #type(set) {
    const writer = set.sinks.find((sink) => sink.state.control === "you");
    const reader = set.sinks.find((sink) => sink.state.control === "other");
    const text = `${set.source.salt}:${set.typed.length};`;
    if (writer) {
      set.typed.push(text);
      writer.type(text);
    }
    reader?.type("not from here");
  }

  /** Nothing happens but what always does: pings, and the health of watched gateways. */
  async rest(ms) {
    for (const { source } of this.sets) health(source.gateway);
    await sleep(ms);
  }

  /** A third of the gateways and of the pages is cut off in the middle of output. */
  async reconnect(bytes) {
    this.#print(bytes);
    await sleep(KEYS.every);
    const third = (_, index) => index % 3 === 0;
    const cut = this.sets.filter(third);
    for (const set of cut) set.source.gateway.ws.terminate();
    for (const set of this.sets) set.sinks.at(-1).socket.ws.terminate();
    await inTurns(cut, async ({ source }) => {
      const next = await source.gateway.reconnect();
      source.use(next);
      const { session_id, sent: seq } = source;
      next.hello({ sessions: [{ session_id, seq, cols: 80, rows: 24 }] });
    });
    await inTurns(this.sets, async ({ user, source, sinks }) => {
      const sink = sinks.at(-1);
      sink.use(await user.viewer(source.gateway, source.session_id));
    });
    await until("all are live", () => this.#all((sink) => sink.state.state === "live"), PHASE_MS);
    for (const set of this.sets) this.#type(set);
    await this.#arrived();
  }

  #arrived() {
    return until(
      "every byte and keystroke has arrived",
      () =>
        this.sets.every(({ source, sinks, typed }) => {
          const there = source.sent === source.goal && source.typed.length >= typed.length;
          return there && sinks.every((sink) => sink.next === source.goal);
        }) || this.#all((sink) => sink.wrong.length > 0),
      PHASE_MS,
    );
  }

  #all(fits) {
    return this.sets.every(({ sinks }) => sinks.every(fits));
  }

  #ping() {
    const pings = setInterval(() => {
      for (const { source, sinks } of this.sets) {
        for (const { ws } of [source.gateway, ...sinks.map((sink) => sink.socket)]) {
          if (ws.readyState === 1) ws.send("ping");
        }
      }
    }, PING_MS);
    this.timers.push(pings);
  }

  counted() {
    const sinks = this.sets.flatMap((set) => set.sinks);
    const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);
    return {
      sent: sum(this.sets, ({ source }) => source.frames),
      received: sum(sinks, (sink) => sink.frames),
      bytes: sum(sinks, (sink) => sink.bytes),
      skipped: sum(sinks, (sink) => sink.skipped),
    };
  }

  /** What went wrong, which is to be nothing, and the sums. */
  result() {
    const wrong = this.sets.flatMap(({ source, sinks, typed }) => [
      ...sinks.flatMap((sink) => sink.wrong),
      ...(source.typed.join("") === typed.join("") ? [] : [`typed: ${source.typed.join("")}`]),
      ...sinks.filter((sink) => sink.next !== source.goal).map((sink) => `ends at ${sink.next}`),
    ]);
    const sinks = this.sets.flatMap((set) => set.sinks);
    return {
      wrong,
      keystrokes: this.sets.reduce((total, set) => total + set.typed.length, 0),
      refused_keystrokes: sinks.reduce((total, sink) => total + sink.refused, 0),
    };
  }

  close() {
    this.timers.forEach(clearInterval);
    for (const { source, sinks } of this.sets) {
      for (const { ws } of [source.gateway, ...sinks.map((sink) => sink.socket)]) ws.terminate();
    }
  }
}

/** Says how a gateway's machine is, as it does each 30 s while it is watched. */
export function health(gateway) {
  const ram = { ram_used_bytes: 1e8, ram_total_bytes: 1e9 };
  const disk = { disk_used_bytes: 1e9, disk_total_bytes: 1e10 };
  const times = { timestamp: Date.now(), uptime_seconds: 60, last_activity_at: Date.now() };
  gateway.send("gateway.health", { ...times, cpu_percent: 1, ...ram, ...disk, sessions: [] });
}

/** Does the work for each, a few at a time. */
async function inTurns(list, work) {
  const left = list.values();
  const worker = async () => {
    for (const one of left) await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function main() {
  const { values } = parseArgs({
    options: Object.fromEntries(
      ["gateways", "viewers", "kib", "idle"].map((name) => [name, { type: "string" }]),
    ),
  });
  const numbers = Object.entries(values).map(([name, text]) => [name, Number(text)]);
  const report = await load(Object.fromEntries(numbers));
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = isWhole(report) ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main();
}
