// Servers and sessions in real workerd: enrolment and re-enrolment, what a list says of sessions
// after outages, activity, limits, the installer and the release.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Gateway, User, until, world } from "./harness.mjs";

const DAY = 24 * 3_600_000;

/** A server, its owner and the database behind them. */
async function installation(t, options) {
  const { mf, url } = await world(t, options);
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  const db = await mf.getD1Database("DB");
  const base = `/api/servers/${gateway.id}`;
  return { mf, url, ada, gateway, db, base };
}

async function only(ada) {
  return (await ada.ask("GET", "/api/servers")).servers[0];
}

test("a server is renamed and enrolled anew while its gateway stays", async (t) => {
  const { url, ada, gateway, db, base } = await installation(t);
  const renamed = await ada.ask("PATCH", base, { name: " attic " });
  assert.equal(renamed.server.name, "attic");
  assert.equal((await ada.fetch("PATCH", base, { name: "" })).status, 400);
  const bob = await User.signIn(url, "bob@example.com");
  assert.equal((await bob.fetch("PATCH", base, { name: "mine" })).status, 404);
  assert.equal((await bob.fetch("POST", `${base}/bootstrap`)).status, 404);
  assert.equal((await only(ada)).bootstrap_expires_at, null);

  const first = await ada.ask("POST", `${base}/bootstrap`, undefined, 201);
  assert.equal(first.server.bootstrap_expires_at, first.expires_at);
  assert.ok(first.expires_at > Date.now());
  assert.equal((await only(ada)).status, "online", "the gateway stays");
  const second = await ada.ask("POST", `${base}/bootstrap`, undefined, 201);
  const come = (token) => Gateway.connect(url, gateway.id, token);
  await assert.rejects(come(first.bootstrap_token), /401/, "the last token is void");
  // The gateway's own token is good until the new one has come.
  const again = await come(gateway.token);
  again.hello();

  const anew = await come(second.bootstrap_token);
  assert.equal((await again.closed).code, 4002);
  anew.hello({ bootstrap_token: second.bootstrap_token });
  const { auth_token } = await anew.command("gateway.credentials");
  anew.ack();
  await until("it is burnt", async () => (await only(ada)).bootstrap_expires_at === null);
  await assert.rejects(come(gateway.token), /401/, "the old token went with the enrolment");
  await assert.rejects(come(second.bootstrap_token), /401/, "a bootstrap token is used once");
  (await come(auth_token)).hello();

  const third = await ada.ask("POST", `${base}/bootstrap`, undefined, 201);
  await db.prepare("UPDATE gateways SET bootstrap_expires_at = ?").bind(Date.now()).run();
  await assert.rejects(come(third.bootstrap_token), /401/, "it has expired");
  assert.equal((await only(ada)).bootstrap_expires_at, null);
});

test("an enrolment that a new line overtakes comes to nothing", async (t) => {
  const { url } = await world(t);
  const ada = await User.signIn(url);
  const made = await ada.ask("POST", "/api/servers", { name: "pi" }, 201);
  const id = made.server.gateway_id;
  const thief = await Gateway.connect(url, id, made.bootstrap_token);
  thief.hello({ bootstrap_token: made.bootstrap_token });
  const { auth_token } = await thief.command("gateway.credentials");
  const next = await ada.ask("POST", `/api/servers/${id}/bootstrap`, undefined, 201);
  thief.ack();
  await assert.rejects(Gateway.connect(url, id, auth_token), /401/);
  const gateway = await Gateway.connect(url, id, next.bootstrap_token);
  assert.equal((await thief.closed).code, 4002);
  gateway.hello({ bootstrap_token: next.bootstrap_token });
  const own = await gateway.command("gateway.credentials");
  gateway.ack();
  await until("it is enrolled", async () => (await only(ada)).bootstrap_expires_at === null);
  (await Gateway.connect(url, id, own.auth_token)).hello();
});

test("the list of sessions is right after every kind of outage", async (t) => {
  const { ada, gateway, base } = await installation(t);
  for (const name of ["stays", "ends away", "is lost", "comes back"]) {
    await ada.session(gateway, name);
  }
  const states = async () => {
    const { sessions } = await ada.ask("GET", `${base}/sessions`);
    return Object.fromEntries(sessions.map((one) => [one.name, one.reason ?? one.status]));
  };
  const hello = async (from, ids) => {
    const next = await from.reconnect();
    next.hello({ sessions: ids.map((session_id) => ({ session_id, seq: 0, cols: 8, rows: 2 })) });
    return next;
  };
  const settled = (what, wanted) =>
    until(what, async () => {
      const now = await states();
      return Object.entries(wanted).every(([name, state]) => now[name] === state);
    });

  // One goes on, one ended meanwhile and says so, two are nowhere.
  await gateway.close();
  const second = await hello(gateway, [1]);
  const end = { session_id: 2, exit_code: 3, reason: "exited" };
  second.send("session.ended", end);
  await settled("what is missing is lost", {
    ...{ stays: "running", "ends away": "exited" },
    ...{ "is lost": "lost", "comes back": "lost" },
  });
  const { sessions } = await ada.ask("GET", `${base}/sessions`);
  assert.equal(sessions[1].exit_code, 3);

  // What was called lost and is there all the same runs again; what ended stays so, also when it
  // is reported twice; what nobody remembers is taken up.
  const third = await hello(second, [1, 4, 9]);
  third.send("session.ended", { session_id: 2, signal: 9, reason: "killed" });
  third.send("session.ended", { session_id: 3, exit_code: 0, reason: "exited" });
  await settled("they are taken up again", {
    ...{ stays: "running", "ends away": "exited", "is lost": "exited" },
    ...{ "comes back": "running", "session 9": "running" },
  });
  const after = (await ada.ask("GET", `${base}/sessions`)).sessions;
  assert.deepEqual(after.map((one) => one.session_id), [1, 2, 3, 4, 9]);
  assert.deepEqual([after[3].ended_at, after[3].reason], [null, null]);
});

test("activity is kept to the minute, and a silent day makes sessions and servers idle", async (t) => {
  const { ada, gateway, db, base } = await installation(t);
  await ada.session(gateway, "first");
  await ada.session(gateway, "second");
  const list = async () => (await ada.ask("GET", `${base}/sessions`)).sessions;
  const created = (await list()).map((one) => one.created_at);
  assert.deepEqual((await list()).map((one) => one.last_activity_at), created);
  // Made two days ago, as far as the database knows.
  const past = Date.now() - 2 * DAY;
  await db.batch([
    db.prepare("UPDATE sessions SET created_at = ?").bind(past),
    db.prepare("UPDATE gateways SET created_at = ?").bind(past),
  ]);
  const health = async (first, second) => {
    const at = Date.now();
    const sessions = [first, second].map((last_activity_at, n) => {
      return { session_id: n + 1, last_activity_at };
    });
    gateway.send("gateway.health", {
      ...{ timestamp: at, cpu_percent: 1, ram_used_bytes: 1, ram_total_bytes: 4 },
      ...{ disk_used_bytes: 1, disk_total_bytes: 2, uptime_seconds: 9, sessions },
    });
    await until("it is written", async () => (await only(ada)).health?.timestamp === at);
  };
  const silent = Date.now() - DAY - 1_000;
  await health(silent, silent - 60_000);
  let [first, second] = await list();
  assert.deepEqual([first.last_activity_at, first.archived], [silent, true]);
  assert.deepEqual([second.last_activity_at, second.archived], [silent - 60_000, true]);
  assert.equal((await only(ada)).idle_since, silent, "nothing happened on it for a day");

  // Less than a minute later is not news, more is; the clock of a gateway does not run ahead.
  await health(silent + 59_000, Date.now() + DAY);
  [first, second] = await list();
  assert.deepEqual([first.last_activity_at, first.archived], [silent, true]);
  assert.ok(second.last_activity_at <= Date.now() && !second.archived);
  assert.equal((await only(ada)).idle_since, null);

  // An end is news as well, for a day.
  gateway.send("session.ended", { session_id: 1, exit_code: 0, reason: "exited" });
  await until("it has ended", async () => (await list())[0].status === "ended");
  assert.equal((await list())[0].archived, false);
  await db.prepare("UPDATE sessions SET ended_at = ? WHERE session_id = 1").bind(silent).run();
  assert.equal((await list())[0].archived, true);

  await db.prepare("UPDATE gateways SET last_activity_at = ?").bind(silent).run();
  await gateway.close();
  await until("it is offline", async () => (await only(ada)).status === "offline");
  assert.equal((await only(ada)).idle_since, null, "what is off is not idle");
});

test("no more sessions are asked for than the gateway allows", async (t) => {
  const { ada, gateway, base } = await installation(t);
  const body = { name: "one more", workdir: "app", agent: "none", cols: 80, rows: 24 };
  const refused = async (sentence) => {
    const response = await ada.fetch("POST", `${base}/sessions`, body);
    assert.equal(response.status, 409);
    const { error } = await response.json();
    assert.equal(error.code, "session_limit");
    assert.match(error.message, sentence);
  };
  for (let count = 0; count < 5; count += 1) await ada.session(gateway, `shell ${count}`);
  await refused(/end one that you do not need/);
  assert.ok(!gateway.received.some((one) => one.type === "session.create"), "it was not asked");
  gateway.send("session.ended", { session_id: 1, exit_code: 0, reason: "exited" });
  await until("one has ended", async () => {
    return (await ada.ask("GET", `${base}/sessions`)).sessions[0].status === "ended";
  });
  assert.equal((await ada.session(gateway, "sixth")).session_id, 6);

  // A gateway that allows more says so, and is the judge of what is too many.
  const sessions = [2, 3, 4, 5, 6].map((session_id) => ({ session_id, seq: 0, cols: 8, rows: 2 }));
  const generous = await gateway.reconnect();
  generous.hello({ max_sessions: 7, sessions });
  await until("it is back", async () => (await only(ada)).status === "online");
  generous.id = gateway.id;
  await until("its word counts", async () => {
    const response = ada.fetch("POST", `${base}/sessions`, body);
    const first = await Promise.race([response, generous.command("session.create")]);
    if (first instanceof Response) return false;
    generous.ack({ ok: false, error: { code: "session_limit", message: "it is full, it says" } });
    assert.equal((await (await response).json()).error.message, "it is full, it says");
    return true;
  });
});

test("what ended long ago is forgotten, and no id is given again", async (t) => {
  const { ada, gateway, db, base } = await installation(t);
  const rows = Array.from({ length: 250 }, (_, n) => n + 1);
  await db
    .prepare(
      "INSERT INTO sessions (gateway_id, session_id, name, workdir, agent, status, reason, " +
        "created_at, ended_at) SELECT ?1, value, 'old', '', 'none', 'ended', 'exited', 1, 2 " +
        "FROM json_each(?2)",
    )
    .bind(gateway.id, JSON.stringify(rows))
    .run();
  assert.equal((await ada.session(gateway, "new")).session_id, 251);
  const { sessions } = await ada.ask("GET", `${base}/sessions`);
  assert.equal(sessions.length, 201);
  assert.equal(sessions[0].session_id, 51);
});

/** Runs the installer as a person does, up to its plan. */
async function paste(url, id, token) {
  const script = await (await fetch(`${url}/install.sh`)).text();
  const words = ["-s", "--", id, token, "--no-service", "--dry-run"];
  return new Promise((resolve) => {
    const HOME = mkdtempSync(join(tmpdir(), "cc-"));
    const env = { ...process.env, CHATCODE_BINARY: "/bin/true", HOME };
    const child = execFile("sh", words, { env, timeout: 30_000 }, (error, out, err) => {
      rmSync(HOME, { recursive: true });
      resolve({ done: !error, said: out + err });
    });
    child.stdin.end(script);
  });
}

test("the installer says what it would do, and takes no token that has expired", async (t) => {
  const { mf, url } = await world(t);
  const ada = await User.signIn(url);
  const made = await ada.ask("POST", "/api/servers", { name: "pi" }, 201);
  const id = made.server.gateway_id;
  const response = await fetch(`${url}/install.sh`);
  assert.match(response.headers.get("content-type"), /^text\/x-shellscript/);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const script = await response.text();
  for (const line of [`ORIGIN='${url}'`, "RELEASES=''", "KEY=''"]) assert.ok(script.includes(line));
  assert.doesNotMatch(script, /@[A-Z_]+@/);
  assert.equal((await fetch(`${url}/install.sh`, { method: "POST" })).status, 405);

  const good = await paste(url, id, made.bootstrap_token);
  assert.ok(good.done && good.said.includes("Nothing was done"), good.said);
  const db = await mf.getD1Database("DB");
  await db.prepare("UPDATE gateways SET bootstrap_expires_at = ?").bind(Date.now()).run();
  const late = await paste(url, id, made.bootstrap_token);
  assert.ok(!late.done && late.said.includes("has expired or was used"), late.said);
});

test("the installer knows the releases of the deployment and the key that signs them", async (t) => {
  const key = `RWQ${"a+/Z".repeat(13)}=`;
  const bindings = { RELEASE_URL: "https://releases.example/gw_1/", RELEASE_PUBLIC_KEY: key };
  const { url } = await world(t, { bindings });
  const script = await (await fetch(`${url}/install.sh`)).text();
  for (const line of ["RELEASES='https://releases.example/gw_1'", `KEY='${key}'`]) {
    assert.ok(script.includes(`\n${line}\n`), line);
  }
  assert.doesNotMatch(script, /@[A-Z_]+@/);
});

test("the newest release is told, kept for a while, and bounded", async (t) => {
  const none = await world(t);
  const nothing = await fetch(`${none.url}/api/release`);
  assert.equal(nothing.status, 404);
  assert.equal((await nothing.json()).error.code, "no_release");

  const manifest = JSON.stringify({ version: "1.2.3", target: "t", url: "https://x/y", size: 1 });
  const files = {
    "/releases/manifest.json": manifest,
    "/releases/manifest.json.minisig": "signed",
    "/releases/aarch64-apple-darwin/manifest.json": "x".repeat(1_000_000),
    "/releases/aarch64-apple-darwin/manifest.json.minisig": "signed",
    "/releases/x86_64-apple-darwin/manifest.json": manifest,
    "/releases/armv7-unknown-linux-musleabihf/manifest.json": '{"version": 5}',
    "/releases/armv7-unknown-linux-musleabihf/manifest.json.minisig": "signed",
  };
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const file = files[request.url];
    response.writeHead(file === undefined ? 404 : 200).end(file ?? "no such file");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const RELEASE_URL = `http://127.0.0.1:${server.address().port}/releases/`;
  const { url } = await world(t, { bindings: { RELEASE_URL } });
  const ask = (query = "") => fetch(`${url}/api/release${query}`);
  for (let again = 0; again < 3; again += 1) {
    const answer = await (await ask()).json();
    assert.deepEqual(answer, { version: "1.2.3", manifest, signature: "signed" });
  }
  assert.equal(asked.length, 2, "kept, not asked for again");
  for (const target of [
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "armv7-unknown-linux-musleabihf",
    "aarch64-unknown-linux-musl",
  ]) {
    assert.equal((await ask(`?target=${target}`)).status, 404, target);
  }
  const before = asked.length;
  assert.equal((await ask("?target=..%2F..%2Fsecret")).status, 404);
  assert.equal((await ask("?target=aarch64-unknown-linux-musl")).status, 404);
  assert.equal(asked.length, before, "what is no target, or was missing, is not looked for");
});
