// The HTTP API in real workerd: sign-in, whose is whose, sessions, and what is refused.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { start } from "../miniflare.mjs";
import { Gateway, Socket, User, until, world } from "./harness.mjs";

test("people sign in and out, and see what is theirs alone", async (t) => {
  const { url } = await world(t);
  const nobody = new User(url);
  assert.deepEqual(await nobody.ask("GET", "/api/config"), {
    ...{ auth_mode: "dev", version: "0.1.0" },
    ...{ github: false, google: false, cloud: false, support: false },
  });
  assert.equal((await nobody.fetch("GET", "/api/me")).status, 401);
  nobody.cookie = "chatcode_session=e30.e30";
  assert.equal((await nobody.fetch("GET", "/api/servers")).status, 401);
  assert.equal((await nobody.fetch("POST", "/api/auth/dev", { email: "nobody" })).status, 400);

  const ada = await User.signIn(url, "Ada@Example.com");
  const me = await ada.ask("GET", "/api/me");
  assert.equal(me.user.email, "ada@example.com");
  const again = await User.signIn(url, "ada@example.com");
  assert.deepEqual(await again.ask("GET", "/api/me"), me);
  const signedOut = await again.fetch("POST", "/api/auth/sign-out");
  assert.match(signedOut.headers.get("set-cookie"), /Max-Age=0/);

  const gateway = await ada.server();
  const { session_id } = await ada.session(gateway);
  const bob = await User.signIn(url, "bob@example.com");
  assert.deepEqual(await bob.ask("GET", "/api/servers"), { servers: [] });
  const server = `/api/servers/${gateway.id}`;
  for (const [method, path, body] of [
    ["DELETE", server],
    ["GET", `${server}/sessions`],
    ["POST", `${server}/sessions`, { name: "n", workdir: "", agent: "none", cols: 8, rows: 2 }],
    ["PATCH", `${server}/sessions/${session_id}`, { name: "n" }],
    ["DELETE", `${server}/sessions/${session_id}`],
    ["GET", `/api/dev/hubs/${gateway.id}`],
  ]) {
    assert.equal((await bob.fetch(method, path, body)).status, 404, `${method} ${path}`);
  }
  // A refused upgrade tells pages why by its close code.
  const closeCode = async (user, path, headers) =>
    (await (await user.socket(path, headers)).closed).code;
  const socket = `${server}/sessions/${session_id}/socket`;
  assert.equal(await closeCode(bob, socket), 4404);
  assert.equal(await closeCode(bob, `${server}/socket`), 4404);
  assert.equal(await closeCode(ada, `${server}/sessions/99/socket`), 4404);
  assert.equal(await closeCode(new User(url), socket), 4401);
  assert.equal(await closeCode(ada, socket, { origin: "https://evil.example" }), 1008);
});

test("pages of others cannot make a signed-in browser act", async (t) => {
  const { url } = await world(t);
  const ada = await User.signIn(url);
  const create = (origin) => ada.fetch("POST", "/api/servers", { name: "pi" }, { origin });
  assert.equal((await create("https://evil.example")).status, 403);
  assert.equal((await create(url)).status, 201);
  const read = await ada.fetch("GET", "/api/me", undefined, { origin: "https://evil.example" });
  assert.equal(read.headers.get("access-control-allow-origin"), null);
});

test("sessions are started, named and ended through the gateway", async (t) => {
  const { url } = await world(t);
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  const path = `/api/servers/${gateway.id}/sessions`;
  const watcher = await ada.watcher(gateway);
  const first = await ada.session(gateway, "first");
  assert.deepEqual(
    { ...first, created_at: 0, last_activity_at: first.last_activity_at - first.created_at },
    {
      ...{ gateway_id: gateway.id, session_id: 1, name: "first", workdir: "app" },
      ...{ agent: "none", status: "running", reason: null, exit_code: null, created_at: 0 },
      ...{ ended_at: null, last_activity_at: 0, archived: false, viewers: 0, attention: null },
    },
  );
  await watcher.message("session.started", { session_id: 1 });
  await watcher.message("sessions.changed");

  // Refused by the gateway: no trace of it.
  const body = { name: "second", workdir: "/etc", agent: "none", cols: 80, rows: 24 };
  const refused = ada.fetch("POST", path, body);
  await gateway.command("session.create");
  gateway.ack({ ok: false, error: { code: "bad_workdir", message: "not beneath ~" } });
  assert.equal((await refused).status, 400);
  assert.equal((await (await refused).json()).error.code, "bad_workdir");
  assert.equal((await ada.ask("GET", path)).sessions.length, 1);
  for (const bad of [{ name: "" }, { agent: "vim" }, { cols: 0 }, { workdir: "a\nb" }]) {
    assert.equal((await ada.fetch("POST", path, { ...body, ...bad })).status, 400);
  }

  const renamed = await ada.ask("PATCH", `${path}/1`, { name: "renamed" });
  assert.equal(renamed.session.name, "renamed");

  const ending = ada.fetch("DELETE", `${path}/1`);
  await gateway.command("session.end");
  gateway.send("session.ended", { session_id: 1, signal: 1, reason: "ended" });
  gateway.ack();
  assert.equal((await ending).status, 204);
  const [ended] = (await ada.ask("GET", path)).sessions;
  assert.deepEqual([ended.status, ended.reason], ["ended", "ended"]);
  const viewer = await ada.viewer(gateway, 1);
  assert.equal((await viewer.closed).code, 4409);

  // One that exits by itself before its start is acked; and ids are not used again.
  const brief = ada.fetch("POST", path, { ...body, workdir: "app" });
  const { session_id } = await gateway.command("session.create");
  assert.equal(session_id, 2);
  gateway.started(session_id);
  gateway.send("session.ended", { session_id, exit_code: 3, reason: "exited" });
  gateway.ack();
  assert.equal((await (await brief).json()).session.exit_code, 3);

  // One that ate the machine's memory says so in the list, too.
  const greedy = await ada.session(gateway, "greedy");
  const end = { session_id: greedy.session_id, signal: 9, reason: "out_of_memory" };
  gateway.send("session.ended", end);
  await until("the list tells why it ended", async () => {
    const { sessions } = await ada.ask("GET", path);
    const one = sessions.find(({ session_id }) => session_id === greedy.session_id);
    return one.status === "ended" && one.reason === "out_of_memory";
  });

  await gateway.close();
  await until("the server is offline", async () => {
    const { servers } = await ada.ask("GET", "/api/servers");
    return servers[0].status === "offline";
  });
  const offline = await ada.fetch("POST", path, { ...body, workdir: "app" });
  assert.equal(offline.status, 409);
  assert.equal((await offline.json()).error.code, "gateway_offline");
});

test("a gateway's sessions are taken up again, also those that nobody remembers", async (t) => {
  const { url } = await world(t);
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  await ada.session(gateway, "mine");
  const path = `/api/servers/${gateway.id}/sessions`;
  const names = async () => {
    const { sessions } = await ada.ask("GET", path);
    return sessions.map(({ name, status }) => `${name} ${status}`).join(", ");
  };
  const hello = async (ids) => {
    const next = await gateway.reconnect();
    next.hello({ sessions: ids.map((session_id) => ({ session_id, seq: 0, cols: 8, rows: 2 })) });
    return next;
  };
  await hello([]);
  await until("it is lost", async () => (await names()) === "mine ended");
  await hello([1, 40]);
  await until("both run", async () => (await names()) === "mine running, session 40 running");
});

test("a deleted server is thrown out and stays out", async (t) => {
  const { url } = await world(t);
  const ada = await User.signIn(url);
  const gateway = await ada.server();
  const watcher = await ada.watcher(gateway);
  await ada.ask("DELETE", `/api/servers/${gateway.id}`, undefined, 204);
  assert.equal((await gateway.closed).code, 4001);
  assert.equal((await watcher.closed).code, 4404);
  const again = new Gateway(`${url}/gateway/${gateway.id}`, {
    authorization: `Bearer ${gateway.token}`,
  });
  await assert.rejects(again.opened, /401/);
  assert.deepEqual(await ada.ask("GET", "/api/servers"), { servers: [] });
});

test("the development sign-in runs at home only", async (t) => {
  const abroad = await world(t, { bindings: { PUBLIC_ORIGIN: "https://chatcode.example" } });
  const refused = await fetch(`${abroad.url}/api/config`);
  assert.equal(refused.status, 500);
  assert.equal((await refused.json()).error.code, "misconfigured");
  const { url } = await world(t, { authMode: "email" });
  const body = JSON.stringify({ email: "ada@example.com" });
  const response = await fetch(`${url}/api/auth/dev`, { method: "POST", body });
  assert.equal(response.status, 404);
  const weak = await world(t, { bindings: { COOKIE_SECRET: "short" } });
  assert.equal((await fetch(`${weak.url}/api/config`)).status, 500);
});

test("paths and upgrades that make no sense are refused by status", async (t) => {
  const { url } = await world(t);
  for (const [method, path, status] of [
    ["GET", "/api/nothing", 404],
    ["PUT", "/api/me", 405],
    ["GET", "/gateway/gw_x", 426],
    ["GET", "/gateway/a%20b", 404],
  ]) {
    assert.equal((await fetch(url + path, { method })).status, status, path);
  }
  const unknown = new Socket(`${url}/gateway/gw_x`, { authorization: "Bearer x" });
  await assert.rejects(unknown.opened, /401/);
});

test("pages are served beside the API: the landing page, the app, and no page for a file", async (t) => {
  const assets = mkdtempSync(join(tmpdir(), "chatcode-assets-"));
  t.after(() => rmSync(assets, { recursive: true }));
  writeFileSync(join(assets, "index.html"), "<title>app</title>");
  writeFileSync(join(assets, "landing.html"), "<title>landing</title>");
  writeFileSync(join(assets, "app.js"), "export {};");
  writeFileSync(join(assets, "_headers"), "/*\n  Referrer-Policy: same-origin\n");
  const { url } = await world(t, { assets });
  const { cookie } = await User.signIn(url);
  const navigate = { "sec-fetch-mode": "navigate" };
  for (const [path, headers, title] of [
    ["/", navigate, "landing"],
    ["/", { ...navigate, cookie: "theme=dark" }, "landing"],
    ["/", { ...navigate, cookie }, "app"],
    // Out of date or not: whoever was here once gets the app, which finds out.
    ["/", { ...navigate, cookie: "chatcode_session=old" }, "app"],
    ["/sign-in", {}, "app"],
    ["/servers/gw_1", navigate, "app"],
  ]) {
    const page = await fetch(url + path, { headers });
    assert.equal(page.status, 200, path);
    assert.equal(await page.text(), `<title>${title}</title>`, path);
    assert.equal(page.headers.get("referrer-policy"), "same-origin");
  }
  assert.match((await fetch(`${url}/app.js`)).headers.get("content-type"), /javascript/);
  for (const path of ["/old.js", "/assets/old-123.css", "/servers/x.map", "/api/nothing"]) {
    const missing = await fetch(url + path, { headers: navigate });
    assert.equal(missing.status, 404, path);
    assert.equal((await missing.json()).error.code, "not_found", path);
  }
  assert.equal((await fetch(`${url}/gateway/gw_1`)).status, 426);
});

test("state survives a restart, with its secrets", async (t) => {
  const state = mkdtempSync(join(tmpdir(), "chatcode-state-"));
  t.after(() => rmSync(state, { recursive: true }));
  const first = await start({ state });
  let user;
  let gateway;
  try {
    user = await User.signIn(first.url);
    gateway = await user.server();
    await user.session(gateway, "kept");
  } finally {
    await first.mf.dispose();
  }
  const { url } = await world(t, { state });
  user.url = url;
  const again = await Gateway.connect(url, gateway.id, gateway.token);
  again.hello({ sessions: [{ session_id: 1, seq: 0, cols: 80, rows: 24 }] });
  await until("the server is online", async () => {
    return (await user.ask("GET", "/api/servers")).servers[0].status === "online";
  });
  const { sessions } = await user.ask("GET", `/api/servers/${gateway.id}/sessions`);
  assert.deepEqual(sessions.map((one) => [one.name, one.status]), [["kept", "running"]]);
});
