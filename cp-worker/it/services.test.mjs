// Keys, agents, folders, updates and what a session is started with, in real workerd.
import assert from "node:assert/strict";
import { test } from "node:test";
import { User, until, world } from "./harness.mjs";

const PRINT = "SHA256:uNiVztksCsDhcc0u9e8BrrtAdvlsfX92XW6PT21rPQ+";
const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3sAX0mGmJzQZ2i4m8dGv0c1n5x9Yb7KfQ2oT6wRkLh ana@laptop";

async function scene(t, bindings = {}) {
  const { url } = await world(t, { bindings });
  const user = await User.signIn(url);
  const gateway = await user.server();
  return { url, user, gateway, server: `/api/servers/${gateway.id}` };
}

/** Answers the next command of a type by an event and its ack. */
async function answer(gateway, type, event, fields) {
  const command = await gateway.command(type);
  if (event) gateway.send(event, { request_id: command.request_id, ...fields });
  gateway.ack();
  return command;
}

test("keys are listed, added and removed through the gateway", async (t) => {
  const { user, gateway, server } = await scene(t);
  const laptop = { fingerprint: PRINT, label: "laptop", expires_at: 2_000_000_000 };
  const plain = { fingerprint: PRINT.replace("u", "v"), label: "" };

  const listed = user.ask("GET", `${server}/keys`);
  await answer(gateway, "ssh.list", "ssh.keys", { keys: [laptop, plain] });
  assert.deepEqual(await listed, { keys: [laptop, { ...plain, expires_at: null }] });

  const body = { public_key: KEY, label: " laptop ", expires_at: 2_000_000_000 };
  const added = user.ask("POST", `${server}/keys`, body, 201);
  const { public_key, label, expires_at } = await answer(gateway, "ssh.authorize");
  assert.deepEqual({ public_key, label, expires_at }, { ...body, label: "laptop" });
  await answer(gateway, "ssh.list", "ssh.keys", { keys: [laptop] });
  assert.deepEqual(await added, { keys: [laptop] });

  const encoded = new URLSearchParams({ fingerprint: PRINT });
  for (const query of [encoded, `fingerprint=${PRINT}`]) {
    const removed = user.ask("DELETE", `${server}/keys?${query}`, undefined, 204);
    assert.equal((await answer(gateway, "ssh.revoke")).fingerprint, PRINT);
    await removed;
  }

  for (const bad of [
    { ...body, public_key: "" },
    { ...body, public_key: `${KEY}\n${KEY}` },
    { ...body, label: "a\nssh-rsa AAAA" },
    { ...body, label: "x".repeat(65) },
    { ...body, expires_at: -1 },
    { label: "no key" },
  ]) {
    await user.ask("POST", `${server}/keys`, bad, 400);
  }
  for (const query of ["", "?fingerprint=", "?fingerprint=MD5:00"]) {
    await user.ask("DELETE", `${server}/keys${query}`, undefined, 400);
  }
  assert.deepEqual(gateway.received.filter((one) => /^ssh\./.test(one.type)), []);
  for (const [code, status] of Object.entries({
    ...{ bad_key: 400, bad_label: 400, bad_expiry: 400, unknown_key: 404, busy: 503, io: 502 },
    ...{ permission_denied: 403, disk_full: 507, unsupported: 501, timed_out: 504 },
  })) {
    const refused = user.fetch("POST", `${server}/keys`, body);
    await gateway.command("ssh.authorize");
    gateway.ack({ ok: false, error: { code, message: "m" } });
    assert.equal((await refused).status, status, code);
    assert.equal((await (await refused).json()).error.code, code);
  }
  // An ack without the answer that was asked for.
  const silent = user.fetch("GET", `${server}/keys`);
  await answer(gateway, "ssh.list");
  assert.equal((await (await silent).json()).error.code, "no_answer");
});

test("support is let in for a day where the deployment has a key", async (t) => {
  const { user, gateway, server } = await scene(t, { SUPPORT_PUBLIC_KEY: ` ${KEY}\n` });
  const added = user.ask("POST", `${server}/keys/support`, undefined, 201);
  const before = Date.now() / 1_000;
  const { public_key, label, expires_at } = await answer(gateway, "ssh.authorize");
  assert.deepEqual({ public_key, label }, { public_key: KEY, label: "support" });
  assert.ok(Math.abs(expires_at - before - 24 * 3_600) < 60, `${expires_at}`);
  await answer(gateway, "ssh.list", "ssh.keys", { keys: [] });
  assert.deepEqual(await added, { keys: [] });
});

test("a deployment without a support key says so", async (t) => {
  const { user, gateway, server } = await scene(t);
  const refused = await user.ask("POST", `${server}/keys/support`, undefined, 409);
  assert.equal(refused.error.code, "no_support_key");
  assert.deepEqual(gateway.received.filter((one) => /^ssh\./.test(one.type)), []);
});

test("folders and agents are listed, installations and updates are watched", async (t) => {
  const { user, gateway, server } = await scene(t);
  const watcher = await user.watcher(gateway);
  await answer(gateway, "gateway.watch");

  const folders = user.ask("GET", `${server}/folders`);
  await answer(gateway, "workspace.list", "workspace.folders", { folders: ["shop", "shop/é"] });
  assert.deepEqual(await folders, { folders: ["shop", "shop/é"] });

  const agents = user.ask("GET", `${server}/agents`);
  const claude = { agent: "claude-code", installed: true, version: "2.0.1" };
  const codex = { agent: "codex", installed: false };
  await answer(gateway, "agents.list", "agents.status", { agents: [claude, codex] });
  assert.deepEqual(await agents, { agents: [claude, { ...codex, version: null }] });

  const installing = user.ask("POST", `${server}/agents/codex`, undefined, 202);
  const { agent, request_id } = await answer(gateway, "agents.install");
  assert.deepEqual([agent, await installing], ["codex", {}]);
  for (const [type, fields] of [
    ["agent.install_progress", { agent: "codex", message: "downloading" }],
    ["agent.install_failed", { agent: "codex", message: "npm: command not found" }],
    ["agent.installed", { agent: "codex", version: "0.50.0" }],
  ]) {
    gateway.send(type, { request_id, ...fields });
    const told = { type, schema_version: "1", request_id, ...fields };
    assert.deepEqual(await watcher.message(type), told);
  }
  await user.ask("POST", `${server}/agents/none`, undefined, 404);

  const update = { manifest: '{"version":"0.2.0"}', signature: "untrusted comment: x\nRW\n" };
  const updating = user.ask("POST", `${server}/update`, update, 202);
  const { manifest, signature } = await answer(gateway, "gateway.update");
  assert.deepEqual({ manifest, signature }, update);
  assert.deepEqual(await updating, {});
  const long = "x".repeat(4_097);
  for (const bad of [
    { manifest: "{}" },
    { ...update, signature: "" },
    { ...update, manifest: long },
  ]) {
    await user.ask("POST", `${server}/update`, bad, 400);
  }
  for (const [code, status] of Object.entries({
    ...{ bad_signature: 400, bad_manifest: 400, busy: 503 },
    ...{ not_newer: 409, too_old: 409, wrong_target: 409 },
  })) {
    const refused = user.fetch("POST", `${server}/update`, update);
    await gateway.command("gateway.update");
    gateway.ack({ ok: false, error: { code, message: "m" } });
    assert.equal((await refused).status, status, code);
  }
  gateway.send("gateway.update_failed", { code: "rolled_back", message: "m" });
  await watcher.message("gateway.update_failed", { code: "rolled_back" });
  // The new binary says so on its own connection.
  const next = await gateway.reconnect();
  next.hello({ version: "0.2.0" });
  next.send("gateway.updated", { version: "0.2.0" });
  await watcher.message("gateway.updated", { version: "0.2.0" });
});

test("only the owner, from our own pages, with the gateway there", async (t) => {
  const { url, user, gateway, server } = await scene(t, { SUPPORT_PUBLIC_KEY: KEY });
  const bob = await User.signIn(url, "bob@example.com");
  const update = { manifest: "{}", signature: "s" };
  const requests = [
    ["GET", "folders"],
    ["GET", "keys"],
    ["POST", "keys", { public_key: KEY, label: "l" }],
    ["POST", "keys/support"],
    ["DELETE", `keys?${new URLSearchParams({ fingerprint: PRINT })}`],
    ["GET", "agents"],
    ["POST", "agents/gemini"],
    ["POST", "update", update],
  ];
  const origin = { origin: "https://evil.example" };
  for (const [method, path, body] of requests) {
    const what = `${method} ${path}`;
    assert.equal((await new User(url).fetch(method, `${server}/${path}`, body)).status, 401, what);
    assert.equal((await bob.fetch(method, `${server}/${path}`, body)).status, 404, what);
    if (method === "GET") continue;
    assert.equal((await user.fetch(method, `${server}/${path}`, body, origin)).status, 403, what);
  }
  assert.deepEqual(gateway.received.filter((one) => one.request_id), []);
  await gateway.close();
  for (const [method, path, body] of requests) {
    const response = await user.fetch(method, `${server}/${path}`, body);
    assert.equal(response.status, 409, `${method} ${path}`);
    assert.equal((await response.json()).error.code, "gateway_offline");
  }
});

test("sessions are started with variables and instructions, within bounds", async (t) => {
  const { user, gateway, server } = await scene(t);
  const body = { name: "n", workdir: "app", agent: "codex", cols: 80, rows: 24 };
  const env = { LANG: "C.UTF-8", _x1: "a\nb" };
  const agent_config = { claude_md: "Use tabs.\n", agents_md: "Use tabs.\n" };
  for (const [given, expected] of [
    [{ env, agent_config }, { env, agent_config }],
    [{ agent_config: { agents_md: "x" } }, { agent_config: { agents_md: "x" } }],
    [{ env: null }, {}],
  ]) {
    const made = user.ask("POST", `${server}/sessions`, { ...body, ...given }, 201);
    const command = await gateway.command("session.create");
    const { env, agent_config } = command;
    assert.deepEqual(JSON.parse(JSON.stringify({ env, agent_config })), expected);
    gateway.started(command.session_id);
    gateway.ack();
    await made;
  }
  for (const bad of [
    { env: { "A-B": "" } },
    { env: { GATEWAY_AUTH_TOKEN: "x" } },
    { env: { A: "a\0b" } },
    { env: { A: 1 } },
    { env: { A: "x".repeat(32 * 1024) } },
    { env: [] },
    { agent_config: "x" },
    { agent_config: { claude_md: 1 } },
  ]) {
    await user.ask("POST", `${server}/sessions`, { ...body, ...bad }, 400);
  }
  await until("nothing more was started", async () => {
    return (await user.ask("GET", `${server}/sessions`)).sessions.length === 3;
  });
});
