// What whoever runs a deployment sees of it, in real workerd: the log, status, rates and history.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway, User, until, world } from "./harness.mjs";

/** Lets a test move the clock of all of the worker, and take its store away. */
const ENTRY = `
  import Worker, { GatewayHub } from "./index.js";
  const Real = Date;
  let ahead = 0;
  globalThis.Date = class extends Real {
    constructor(...given) {
      super(...(given.length ? given : [Real.now() + ahead]));
    }
    static now = () => Real.now() + ahead;
  };
  let broken = false;
  export { GatewayHub };
  export default class extends Worker {
    constructor(context, env) {
      super(context, env);
      const fail = () => Promise.reject(new Error("no store"));
      if (broken) this.env = { ...env, KV: { get: fail, put: fail, list: fail } };
    }
    fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/api/test/ahead") ahead += Number(searchParams.get("ms"));
      else if (pathname === "/api/test/slot") ahead += 5_500 - (Date.now() % 5_000);
      else if (pathname === "/api/test/break") broken = true;
      else return super.fetch(request);
      return new Response();
    }
  }
`;

/** A world whose log is read. */
async function logged(t, options = {}) {
  const lines = [];
  const { mf, url } = await world(t, { ...options, log: (line) => lines.push(line) });
  const events = () => lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const event = (what, fits) => until(what, () => events().find(fits));
  const ahead = (ms) => fetch(`${url}/api/test/ahead?ms=${ms}`);
  return { mf, url, lines, events, event, ahead };
}

test("each request has a line, which its answer names, and each event of a gateway one", async (t) => {
  const { url, event } = await logged(t);
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  await event("enrolled", (one) => one.event === "gateway.enrolled");
  const { user } = await ada.ask("GET", "/api/me");
  const { session_id } = await ada.session(gateway);
  const base = `/api/servers/${gateway.id}`;
  const path = `${base}/sessions/${session_id}`;
  const response = await ada.fetch("PATCH", path, { name: "" });
  const id = response.headers.get("x-request-id");
  assert.match(id, /^[0-9a-f]{16}$/);
  const line = await event("its line", (one) => one.request_id === id);
  assert.ok(line.ms >= 0);
  assert.deepEqual(
    { ...line, ms: 0 },
    {
      ...{ level: "info", event: "request", request_id: id, method: "PATCH", ms: 0 },
      ...{ route: "/api/servers/:gateway_id/sessions/:session_id", status: 400, code: "invalid" },
      ...{ gateway_id: gateway.id, session_id, user_id: user.user_id },
    },
  );
  // Whatever answers: the hub, a refusal, no route at all.
  for (const [asked, status] of [
    [`${base}/rates`, 200],
    [`${base}/files?path=x`, 404],
    ["/api/nothing", 404],
    ["/install.sh", 200],
    [`/gateway/${gateway.id}`, 426],
  ]) {
    const answer = ada.fetch("GET", asked);
    if (asked.includes("files")) {
      await gateway.command("file.download");
      gateway.ack({ ok: false, error: { code: "not_found", message: "no such file" } });
    }
    const request_id = (await answer).headers.get("x-request-id");
    const one = await event(asked, (line) => line.request_id === request_id);
    assert.equal(one.status, status, asked);
  }
  const stray = await event("no route", (one) => one.status === 404 && !one.gateway_id);
  assert.equal(stray.route, undefined, "a stranger's text is not kept");

  gateway.send("session.ended", { session_id, exit_code: 3, reason: "exited" });
  const ended = await event("ended", (one) => one.event === "session.ended");
  assert.deepEqual([ended.session_id, ended.reason, ended.exit_code], [session_id, "exited", 3]);
  await gateway.close();
  await event("gone", (one) => one.event === "gateway.gone" && one.gateway_id === gateway.id);
});

test("nothing secret is logged", async (t) => {
  const { url, lines, event } = await logged(t);
  const ada = await User.signIn(url, "private.address@example.com");
  const made = await ada.ask("POST", "/api/servers", { name: "secret name" }, 201);
  const id = made.server.gateway_id;
  const gateway = await Gateway.connect(url, id, made.bootstrap_token);
  gateway.hello({ bootstrap_token: made.bootstrap_token, hostname: "secret-host" });
  const { auth_token } = await gateway.command("gateway.credentials");
  gateway.ack();
  await event("enrolled", (one) => one.event === "gateway.enrolled");
  const { session_id } = await ada.session(gateway, "secret session");
  const viewer = await ada.viewer(gateway, session_id);
  await viewer.attach(gateway);
  const secret = "secret-of-a-terminal";
  gateway.output(session_id, 0, secret);
  viewer.send("session.input", { data: btoa(secret) });
  await gateway.command("session.input");
  gateway.send("session.attention", { session_id, reason: "bell", title: secret });
  await viewer.message("session.attention");
  const path = `/api/servers/${id}/files?path=${secret}`;
  const answer = ada.fetch("GET", path);
  await gateway.command("file.download");
  gateway.ack({ ok: false, error: { code: "not_found", message: secret } });
  assert.equal((await answer).status, 404);
  const last = await ada.fetch("GET", `/api/${secret}`);
  const request_id = last.headers.get("x-request-id");
  await event("the last request", (one) => one.request_id === request_id);
  const log = lines.join("\n");
  const cookie = ada.cookie.slice(ada.cookie.indexOf("=") + 1);
  for (const hidden of [
    ...["private.address", secret, btoa(secret), made.bootstrap_token, auth_token, cookie],
    ...["secret name", "secret-host", "secret session", "path="],
  ]) {
    assert.ok(!log.includes(hidden), hidden);
  }
});

test("status says what works", async (t) => {
  const { url, event } = await logged(t, { entry: ENTRY });
  const well = await fetch(`${url}/api/status`);
  assert.equal(well.status, 200);
  const { version, ...parts } = await well.json();
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(parts, { database: "ok", store: "ok" });
  await fetch(`${url}/api/test/break`);
  const ill = await fetch(`${url}/api/status`);
  assert.equal(ill.status, 503);
  assert.deepEqual(await ill.json(), { version, database: "ok", store: "failing" });
  const { cause } = await event("why", (one) => one.event === "status.failing");
  assert.match(cause, /no store/);
  // What fails unexpectedly is told to us, and to nobody else.
  const failed = await fetch(`${url}/api/auth/email`, {
    method: "POST",
    headers: { origin: url },
    body: JSON.stringify({ email: "ada@example.com" }),
  });
  assert.equal(failed.status, 500);
  const { error } = await failed.json();
  assert.equal(error.code, "internal");
  assert.ok(!error.message.includes("store"), error.message);
  const request_id = failed.headers.get("x-request-id");
  const line = await event("its line", (one) => one.request_id === request_id);
  assert.deepEqual([line.level, line.code, line.status], ["error", "internal", 500]);
  assert.match(line.cause, /no store/);
});

test("rates are counted, and a runaway is told once and never muted", async (t) => {
  const { url, event, events, ahead } = await logged(t, { entry: ENTRY });
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  const { session_id } = await ada.session(gateway);
  const watcher = await ada.watcher(gateway);
  const viewer = await ada.viewer(gateway, session_id);
  await viewer.attach(gateway);
  const rates = () => ada.ask("GET", `/api/servers/${gateway.id}/rates`);
  const nothing = { frames: 0, bytes: 0, inputs: 0 };
  assert.deepEqual(await rates(), {
    ...{ window_ms: 60_000, gateway: nothing, sessions: [], runaway: [] },
  });
  viewer.send("session.input", { data: btoa("x") });
  await gateway.command("session.input");
  const frame = Buffer.alloc(16 * 1024, "x");
  let seq = 0;
  const print = async (frames) => {
    const before = (await rates()).gateway.frames;
    for (let count = 0; count < frames; count += 1, seq += frame.length) {
      gateway.output(session_id, seq, frame);
    }
    return until("the hub has counted them", async () => {
      const now = await rates();
      return now.gateway.frames >= before + frames && now;
    });
  };
  await fetch(`${url}/api/test/slot`);
  const first = await print(200);
  const counted = { frames: 200, bytes: 200 * frame.length, inputs: 1 };
  assert.deepEqual(first, {
    ...{ window_ms: 60_000, gateway: counted, runaway: [] },
    sessions: [{ session_id, ...counted }],
  });
  // 200 frames in five seconds are 640 KiB a second: for a minute that is too much.
  for (let slot = 0; slot < 12; slot += 1) {
    assert.ok(!watcher.received.some((one) => one.type === "session.runaway"), `slot ${slot}`);
    // To the beginning of the next slot, which leaves seconds for what is printed in it.
    await fetch(`${url}/api/test/slot`);
    await print(slot < 11 ? 200 : 1);
  }
  const told = await watcher.message("session.runaway", { session_id });
  assert.ok(Math.abs(told.bytes_per_second - 640 * 1024) < 64 * 1024, told.bytes_per_second);
  const line = await event("its line", (one) => one.event === "session.runaway");
  const { bytes_per_second } = told;
  assert.deepEqual([line.gateway_id, line.session_id], [gateway.id, session_id]);
  assert.equal(line.bytes_per_second, bytes_per_second);
  assert.deepEqual((await rates()).runaway, [session_id]);
  await print(200);
  assert.equal(events().filter((one) => one.event === "session.runaway").length, 1, "told once");

  // The session goes on, and so does its viewer when it has caught up.
  viewer.send("session.ack", { seq: viewer.received.filter(Buffer.isBuffer).length * 16 * 1024 });
  gateway.snapshot(await gateway.command("session.attach"), seq);
  await viewer.message("session.snapshot", { seq });
  await ahead(120_000);
  const quiet = { window_ms: 60_000, gateway: nothing, sessions: [], runaway: [] };
  assert.deepEqual(await rates(), quiet);
});

test("a day of health is kept, one sample in five minutes", async (t) => {
  const { url, ahead } = await logged(t, { entry: ENTRY });
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  const base = `/api/servers/${gateway.id}`;
  const history = async () => {
    const { interval_ms, samples } = await ada.ask("GET", `${base}/history`);
    assert.equal(interval_ms, 300_000);
    return samples;
  };
  assert.deepEqual(await history(), []);
  let count = 0;
  const report = async () => {
    count += 1;
    gateway.send("gateway.health", {
      ...{ timestamp: count, cpu_percent: count % 100, ram_used_bytes: 1, ram_total_bytes: 4 },
      ...{ disk_used_bytes: 1, disk_total_bytes: 2, uptime_seconds: 9, sessions: [] },
    });
    await until("it has come", async () => {
      return (await ada.ask("GET", "/api/servers")).servers[0].health?.timestamp === count;
    });
  };
  await report();
  const [first] = await history();
  assert.deepEqual({ ...first, at: 0 }, { at: 0, cpu_percent: 1, ram_percent: 25, disk_percent: 50 });
  await report();
  // Between the two a new interval may have begun.
  const soon = await history();
  assert.ok(soon.length <= 2 && soon[0].at === first.at);
  await ahead(600_000);
  await report();
  const later = await history();
  assert.deepEqual(later.slice(0, soon.length), soon, "oldest first");
  assert.equal(later.at(-1).cpu_percent, 3);
  assert.ok(later.at(-1).at - first.at >= 600_000, "a gap stays one");

  await ahead(24 * 3_600_000 - 300_000);
  const dayLater = await history();
  assert.deepEqual(dayLater.map((one) => one.cpu_percent), [3], "older than a day");
  await ahead(300_000);
  await report();
  assert.equal((await history()).at(-1).cpu_percent, 4, "its place in the ring was taken");

  await ada.ask("DELETE", base, undefined, 204);
  assert.equal((await gateway.closed).code, 4001);
});
