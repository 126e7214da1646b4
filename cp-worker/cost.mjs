// What a server and its viewers cost on Cloudflare, counted in workerd.
//
//   node cp-worker/cost.mjs [--seconds 300]
//
// Measures each situation for that long, pings included, and extrapolates to an hour. Prints a report in
// JSON; docs/operations.md has the table and the prices' source.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { User, until } from "./it/harness.mjs";
import { health } from "./load.mjs";
import { COUNTING_ENTRY } from "./load/counting.mjs";
import { Sink, Source } from "./load/stream.mjs";
import { start } from "./miniflare.mjs";

/** US dollars beyond what the paid plan includes. */
export const PRICES = {
  durable_object_request: 0.15 / 1e6,
  gb_second: 12.5 / 1e6,
  row_written: 1 / 1e6,
  row_read: 0.001 / 1e6,
};

/** WebSocket messages that are billed as one request. */
const MESSAGES_OF_A_REQUEST = 20;

/** Memory that is billed, whatever is used. */
const GB = 0.128;

/** Seconds of processor time of an event: measured by `load.mjs`, and more than it on a quiet machine. */
const EVENT_SECONDS = 0.0002;

/** Milliseconds between pings, between two reports of a watched gateway, and of an agent's frames. */
const PING_MS = 25_000;
const HEALTH_MS = 30_000;
const FRAME_MS = 100;

/** What a busy agent prints in a frame, and milliseconds between a person's keystrokes. */
const FRAME_BYTES = 600;
const KEY_MS = 2_000;

/** Milliseconds after which a page on a fast machine has drawn what came, and acks it. */
const DRAWN_MS = 16;

/** Milliseconds of quiet before a window: the hub has done what followed from the last event. */
const SETTLE_MS = 12_000;

/** Each situation: what goes on in it besides pings, whose interval it may say. */
export const SITUATIONS = {
  "connected, nobody looks": {},
  "one idle viewer": { viewer: true, health: HEALTH_MS },
  "one idle viewer, its gateway silent": { viewer: true },
  "a busy agent, one viewer who types": { viewer: true, health: HEALTH_MS, busy: true },
};

/** Counts a situation for `seconds`. */
export async function measure(situation, seconds, settle = SETTLE_MS) {
  const { mf, url } = await start({ entry: COUNTING_ENTRY });
  const timers = [];
  try {
    const { source, sink } = await scene(url, situation, timers);
    await sleep(settle);
    await fetch(`${url}/api/__counts`, { method: "DELETE" });
    await sleep(seconds * 1_000);
    const { at, busy, ...counts } = await (await fetch(`${url}/api/__counts`)).json();
    if (sink?.wrong.length) throw new Error(sink.wrong.join(", "));
    return { seconds, ...counts, pings: source.pings };
  } finally {
    timers.forEach(clearInterval);
    await mf.dispose();
  }
}

/** A gateway with a session, and what goes on there. */
async function scene(url, { viewer, health: every, busy, ping = PING_MS }, timers) {
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const source = Object.assign(new Source(gateway, session_id, 1), { pings: 0 });
  source.use(gateway);
  const sockets = [gateway];
  let sink;
  if (viewer) {
    sink = new Sink(session_id, 1, DRAWN_MS);
    sink.use(await user.viewer(gateway, session_id));
    sockets.push(sink.socket);
    await until("the viewer is live", () => sink.state.state === "live");
    sink.socket.send("viewer.focus", { on: true });
  }
  timers.push(
    setInterval(() => {
      source.pings += sockets.length;
      for (const { ws } of sockets) ws.send("ping");
    }, ping),
  );
  if (every) timers.push(setInterval(() => health(gateway), every));
  if (busy) {
    source.goal = Number.MAX_SAFE_INTEGER;
    timers.push(setInterval(() => source.print(FRAME_BYTES), FRAME_MS));
    timers.push(setInterval(() => sink.type("x"), KEY_MS));
  }
  return { source, sink };
}

/** What an hour of it is, and costs beyond what the plan includes. */
export function hour(counted) {
  const times = 3_600 / counted.seconds;
  const events = counted.messages + counted.fetches + counted.alarms + counted.closes;
  const requests = counted.messages / MESSAGES_OF_A_REQUEST + counted.fetches + counted.alarms;
  const active = counted.active_ms / 1_000 + events * EVENT_SECONDS;
  const per = {
    messages: counted.messages * times,
    wake_ups: counted.wakes * times,
    alarms: counted.alarms * times,
    requests: requests * times,
    active_seconds: active * times,
    gb_seconds: active * GB * times,
    rows_written: (counted.rows_written + counted.storage_written) * times,
    rows_read: counted.rows_read * times,
  };
  const dollars = {
    requests: per.requests * PRICES.durable_object_request,
    duration: per.gb_seconds * PRICES.gb_second,
    database: per.rows_written * PRICES.row_written + per.rows_read * PRICES.row_read,
  };
  const total = dollars.requests + dollars.duration + dollars.database;
  const rounded = (one) => Object.fromEntries(
    Object.entries(one).map(([name, value]) => [name, Number(value.toPrecision(3))]),
  );
  return { per_hour: rounded(per), dollars_per_hour: rounded({ ...dollars, total }) };
}

async function main() {
  const { values } = parseArgs({ options: { seconds: { type: "string", default: "300" } } });
  const report = {};
  const measured = Object.entries(SITUATIONS).map(async ([name, situation]) => {
    const counted = await measure(situation, Number(values.seconds));
    report[name] = { ...hour(counted), counted };
  });
  await Promise.all(measured);
  console.log(JSON.stringify(report, null, 2));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main();
}
