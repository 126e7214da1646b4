// Servers at DigitalOcean in real workerd, against the stand-in: what people see, what it costs,
// and what is made of lost answers, failures, refusals and time.
import assert from "node:assert/strict";
import { createDecipheriv, randomBytes } from "node:crypto";
import { test } from "node:test";
import { runCron } from "../miniflare.mjs";
import { start as startStandIn } from "../stand-ins/digitalocean.mjs";
import { Gateway, User, until, world } from "./harness.mjs";

const MINUTE = 60_000;
const KEY = randomBytes(32);
const WANTED = { name: "My Box", region: "ams3", size: "s-1vcpu-1gb" };

/**
 * The worker with a database that answers late where a droplet's row is read: whoever looks at the
 * same time has the same row in hand before the first of them writes.
 */
const LATE_ROWS = `
  import Main, { GatewayHub } from "./index.js";
  export { GatewayHub };
  const through = (target, change) => new Proxy(target, {
    get(_, name) {
      const value = target[name];
      if (Object.hasOwn(change, name)) return change[name];
      // Its type is known by its constructor.
      const isMethod = typeof value === "function" && name !== "constructor";
      return isMethod ? value.bind(target) : value;
    },
  });
  const late = (statement) => through(statement, {
    bind: (...values) => late(statement.bind(...values)),
    async all() {
      const rows = await statement.all();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return rows;
    },
  });
  const database = (db) => through(db, {
    prepare(sql) {
      const statement = db.prepare(sql);
      return sql.includes("JOIN do_connections") ? late(statement) : statement;
    },
  });
  export default class extends Main {
    constructor(context, env) {
      super(context, { ...env, DB: database(env.DB) });
    }
  }
`;

/** A worker, the stand-in and a user who has connected an account. */
async function scene(t, { settings = {}, bindings = {}, connected = true, entry } = {}) {
  const manual = { boot_ms: null, action_ms: null, linger_ms: 0 };
  const standIn = await startStandIn({ ...manual, ...settings });
  t.after(() => standIn.close());
  const { mf, url } = await world(t, {
    entry,
    bindings: {
      ...{ DO_CLIENT_ID: "client", DO_CLIENT_SECRET: "secret" },
      ...{ DO_API_URL: standIn.url, DO_OAUTH_URL: `${standIn.url}/v1/oauth` },
      SEALING_KEYS: `1:${KEY.toString("base64")}`,
      ...bindings,
    },
  });
  const db = await mf.getD1Database("DB");
  const user = await User.signIn(url);
  const here = { mf, url, db, user, standIn, cron: () => runCron(mf) };
  if (connected) assert.equal(await connect(here), "/settings?cloud=connected");
  return here;
}

/** A page that sends the browser elsewhere: where to, and with which cookie. */
async function visit(url, cookie) {
  const page = await fetch(url, { redirect: "manual", headers: { cookie } });
  assert.equal(page.status, 302, `${url}: ${await page.text()}`);
  return [page.headers.get("location"), page.headers.get("set-cookie")?.split(";")[0]];
}

/** Goes to DigitalOcean and back as a browser does; where it ends up. */
async function connect({ user }, change = (url) => url) {
  const [away, cookie] = await visit(`${user.url}/api/cloud/connect`, user.cookie);
  const [back] = await visit(away, "");
  return (await visit(change(back), `${user.cookie}; ${cookie}`))[0];
}

/** A server of a user by its id. */
async function server(user, id) {
  const { servers } = await user.ask("GET", "/api/servers");
  return servers.find((one) => one.gateway_id === id);
}

const droplet = async (user, id) => (await server(user, id))?.droplet;

/** Lets time pass: what lies in the rows is so much longer ago. */
async function passes(db, ms) {
  const shift = (column) => `${column} = ${column} - ${ms}`;
  const times = ["made_at", "acted_at", "deadline", "next_look_at"].map(shift);
  await db.prepare(`UPDATE vps SET ${times.join()}, revision = revision + 1`).run();
  await db.prepare(`UPDATE do_connections SET ${shift("paused_until")}`).run();
}

/** The token in a droplet's first text. */
const token = (made) => made.user_data.match(/install\.sh '([\w-]+)' '([\w-]+)'/).slice(1);

/** A gateway on a droplet, which enrols with what the droplet was given. */
async function boots({ url, standIn }, at = -1) {
  const made = standIn.state().droplets.at(at);
  standIn.control({ activate: made.id });
  const [id, bootstrap_token] = token(made);
  const gateway = await Gateway.connect(url, id, bootstrap_token);
  gateway.hello({ bootstrap_token });
  gateway.token = (await gateway.command("gateway.credentials")).auth_token;
  gateway.ack();
  return gateway;
}

const create = (user, wanted = WANTED) => user.ask("POST", "/api/cloud/servers", wanted, 201);

/** A droplet whose gateway is connected. */
async function running(here, wanted = WANTED) {
  const made = (await create(here.user, wanted)).server;
  const gateway = await boots(here);
  await until("it is active", async () => {
    return (await droplet(here.user, made.gateway_id)).status === "active";
  });
  return { gateway, id: made.gateway_id };
}

test("an account is connected by its owner alone, kept sealed, and given back", async (t) => {
  const here = await scene(t, { connected: false });
  const { user, db, standIn, url } = here;
  assert.deepEqual(await user.ask("GET", "/api/cloud"), { connection: null });
  assert.equal((await user.fetch("POST", "/api/cloud/servers", WANTED)).status, 409);

  // An answer that is not the one this browser waits for.
  const swap = (name, value) => (href) => {
    const back = new URL(href);
    back.searchParams.set(name, value);
    return back.href;
  };
  assert.equal(await connect(here, swap("state", "x")), "/settings?cloud=expired");
  assert.equal(await connect(here, swap("code", "x")), "/settings?cloud=refused");
  assert.equal(await connect(here, swap("code", "")), "/settings?cloud=denied");
  standIn.control({ set: { consent: "deny" } });
  assert.equal(await connect(here), "/settings?cloud=denied");
  standIn.control({ set: { consent: "grant" } });
  const bob = await User.signIn(url, "bob@example.com");
  const [away, cookie] = await visit(`${url}/api/cloud/connect`, user.cookie);
  const [stolen] = await visit(away, "");
  const [foreign] = await visit(stolen, `${bob.cookie}; ${cookie}`);
  assert.equal(foreign, "/settings?cloud=expired");
  assert.deepEqual(await user.ask("GET", "/api/cloud"), { connection: null });

  assert.equal(await connect(here), "/settings?cloud=connected");
  const { connection } = await user.ask("GET", "/api/cloud");
  assert.equal(connection.account_email, "sammy@example.com");
  assert.equal(connection.state, "connected");
  assert.ok(Math.abs(connection.created_at - Date.now()) < MINUTE);
  assert.deepEqual(await bob.ask("GET", "/api/cloud"), { connection: null });

  // What the database holds opens with the key, for this row and this token alone.
  const row = await db.prepare("SELECT * FROM do_connections").first();
  const [grant] = standIn.state().grants.slice(-1);
  const open = (sealed, place) => {
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", KEY, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(-16));
    return decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
  };
  assert.equal(open(row.access_token_sealed, `${row.connection_id}.access`), grant.access_token);
  assert.equal(open(row.refresh_token_sealed, `${row.connection_id}.refresh`), grant.refresh_token);
  assert.throws(() => open(row.access_token_sealed, `${row.connection_id}.refresh`));
  assert.doesNotMatch(JSON.stringify(row), /do[or]_v1/);

  // Connecting the same account again renews the row; another one takes its place.
  assert.equal(await connect(here), "/settings?cloud=connected");
  standIn.control({ set: { account: "other" } });
  assert.equal(await connect(here), "/settings?cloud=connected");
  const rows = await db.prepare("SELECT account_email FROM do_connections").all();
  assert.deepEqual(rows.results, [{ account_email: "other@example.com" }]);

  await user.ask("DELETE", "/api/cloud", undefined, 204);
  assert.deepEqual(await user.ask("GET", "/api/cloud"), { connection: null });
  assert.equal(standIn.state().counts.revocations, 2);
  await user.ask("DELETE", "/api/cloud", undefined, 204);
});

test("without DigitalOcean, or with half of it, nothing is offered", async (t) => {
  const without = await scene(t, { connected: false, bindings: { DO_CLIENT_ID: "" } });
  assert.deepEqual(await without.user.ask("GET", "/api/cloud"), { connection: null });
  assert.equal((await without.user.fetch("GET", "/api/cloud/connect")).status, 404);
  assert.equal((await without.user.fetch("POST", "/api/cloud/servers", WANTED)).status, 409);
  await without.user.ask("DELETE", "/api/cloud", undefined, 204);
  await without.cron();
  for (const bindings of [
    { SEALING_KEYS: "1:short" },
    { DO_CLIENT_SECRET: "" },
    { DO_API_URL: "http://api.digitalocean.example" },
  ]) {
    const half = await scene(t, { connected: false, bindings });
    const refused = await half.user.fetch("GET", "/api/cloud/connect");
    assert.equal(refused.status, 500);
    assert.equal((await refused.json()).error.code, "misconfigured");
    await half.cron();
  }
});

test("what can be had is listed with its price, and kept for a while", async (t) => {
  const { user, standIn } = await scene(t);
  const options = await user.ask("GET", "/api/cloud/options");
  assert.deepEqual(
    options.regions.map(({ slug, sizes }) => [slug, sizes.length]),
    [["ams3", 4], ["fra1", 4], ["nyc3", 5], ["sgp1", 2]],
  );
  assert.deepEqual(options.sizes[0], {
    ...{ slug: "s-1vcpu-512mb-10gb", vcpus: 1, memory_mb: 512, disk_gb: 10 },
    ...{ price_monthly: 4, price_hourly: 0.00595 },
  });
  assert.ok(!JSON.stringify(options).includes("s-8vcpu-16gb"));
  const before = standIn.state().requests.length;
  assert.deepEqual(await user.ask("GET", "/api/cloud/options"), options);
  assert.equal(standIn.state().requests.length, before);
  for (const bad of [
    { ...WANTED, size: "s-8vcpu-16gb" },
    { ...WANTED, region: "nyc2" },
    { ...WANTED, region: "../account" },
    { ...WANTED, name: "" },
    { name: "x" },
  ]) {
    await user.ask("POST", "/api/cloud/servers", bad, 400);
  }
  assert.equal(standIn.state().counts.creates, 0);
});

test("lists that do not come are told in DigitalOcean's words", async (t) => {
  const { user, standIn } = await scene(t);
  const asks = async () => {
    const response = await user.fetch("GET", "/api/cloud/options");
    return [response.status, (await response.json()).error.code];
  };
  standIn.control({ fail: { status: 500, path: "/v2/regions" } });
  assert.deepEqual(await asks(), [502, "cloud_failed"]);
  standIn.control({ fail: { status: 429, path: "/v2/sizes" } });
  assert.deepEqual(await asks(), [503, "cloud_busy"]);
  standIn.control({ fail: { drop: true, path: "/v2/sizes" } });
  assert.deepEqual(await asks(), [502, "cloud_failed"]);
});

test("a droplet is made, comes alive, is switched off and on, and destroyed", async (t) => {
  const here = await scene(t);
  const { user, standIn, cron, db, url } = here;
  const made = (await create(user)).server;
  const id = made.gateway_id;
  assert.equal(made.status, "pending");
  const { deadline, ...rest } = made.droplet;
  assert.ok(deadline > Date.now() + 9 * MINUTE && deadline <= Date.now() + 10 * MINUTE);
  assert.deepEqual(rest, {
    ...{ status: "provisioning", failure: null, region: "ams3", size: "s-1vcpu-1gb" },
    ...{ ip_address: null, price_monthly: 6 },
    console_url: "https://cloud.digitalocean.com/droplets/3164444",
  });
  const [asked] = standIn.state().droplets;
  assert.match(asked.name, /^my-box-chatcode-[0-9a-f]{20}-1$/);
  assert.equal(asked.image, "ubuntu-24-04-x64");
  assert.ok(asked.user_data.includes(`'${url}/install.sh'`), asked.user_data);
  assert.ok(asked.user_data.includes("hostname: my-box\n"));

  const gateway = await boots(here);
  await until("it is active", async () => (await droplet(user, id)).status === "active");
  assert.equal((await server(user, id)).status, "online");
  assert.equal((await droplet(user, id)).deadline, null);

  // A droplet is not forgotten while it costs money.
  const refused = await user.fetch("DELETE", `/api/servers/${id}`);
  assert.equal((await refused.json()).error.code, "droplets_exist");
  assert.equal((await user.fetch("DELETE", "/api/cloud")).status, 409);

  // It is asked to go down, and the plug is pulled when it does not listen.
  const power = (on) => user.ask("POST", `/api/cloud/servers/${id}/power`, { on }, 202);
  standIn.control({ deafen: asked.id });
  assert.equal((await power(false)).server.droplet.status, "powering_off");
  const actions = () =>
    standIn.state().requests.filter(({ path, method }) => path.endsWith("/actions") && method);
  assert.equal(actions().length, 1);
  await power(false);
  assert.equal(actions().length, 1);
  standIn.control({ settle: true });
  await passes(db, 10_000);
  await cron();
  assert.equal(actions().length, 1);
  await passes(db, 2 * MINUTE);
  await cron();
  assert.equal(actions().length, 2);
  standIn.control({ settle: true });
  await passes(db, 10_000);
  await cron();
  assert.equal((await droplet(user, id)).status, "off");
  assert.equal((await server(user, id)).status, "offline");
  assert.equal((await droplet(user, id)).ip_address, `203.0.113.${asked.id % 250}`);

  await gateway.close();
  assert.equal((await power(true)).server.droplet.status, "powering_on");
  standIn.control({ settle: true });
  const again = await gateway.reconnect();
  again.hello();
  await until("it is on", async () => (await droplet(user, id)).status === "active");

  // Destroyed by its name, over failures, until DigitalOcean knows nothing of it.
  const path = `/api/cloud/servers/${id}`;
  await user.ask("DELETE", path, { name: "my box" }, 400);
  await user.ask("DELETE", path, {}, 400);
  standIn.control({ fail: { status: 500, path: "/v2/droplets", times: 2 } });
  const destroying = await user.ask("DELETE", path, { name: WANTED.name }, 202);
  assert.equal(destroying.server.droplet.status, "destroying");
  standIn.control({ set: { linger_ms: null } });
  for (const gone of [false, false, false, true]) {
    assert.equal((await server(user, id)) === undefined, false);
    if (gone) standIn.control({ settle: true });
    await passes(db, 10 * MINUTE);
    await cron();
  }
  assert.equal(await server(user, id), undefined);
  assert.equal((await again.closed).code, 4001);
  for (const table of ["vps", "gateways", "sessions", "authorized_keys"]) {
    const { count } = await db.prepare(`SELECT count(*) AS count FROM ${table}`).first();
    assert.equal(count, 0, table);
  }
  assert.equal(standIn.state().counts.creates, 1);
  await user.ask("DELETE", "/api/cloud", undefined, 204);
});

test("a double click and a lost answer make one droplet", async (t) => {
  const { user, standIn, cron, db } = await scene(t);
  await user.ask("GET", "/api/cloud/options");
  const both = await Promise.all([create(user), create(user), create(user)]);
  assert.equal(new Set(both.map(({ server }) => server.gateway_id)).size, 1);
  assert.equal(standIn.state().counts.creates, 1);

  // The answer is lost, and the list is behind.
  standIn.control({ set: { visible_ms: null } });
  standIn.control({ fail: { drop: true, after: true, path: "/v2/droplets", method: "POST" } });
  const { server: lost } = await create(user, { ...WANTED, name: "lost" });
  assert.equal(standIn.state().counts.creates, 2);
  assert.equal(lost.droplet.console_url, null);
  for (const wait of [MINUTE, MINUTE / 2]) {
    await passes(db, wait);
    await cron();
    assert.equal(standIn.state().counts.creates, 2);
  }
  standIn.control({ settle: true });
  await passes(db, 10 * MINUTE - 2 * MINUTE);
  await cron();
  assert.match((await droplet(user, lost.gateway_id)).console_url, /3164445$/);
  assert.equal(standIn.state().counts.creates, 2);
});

test("what surely was not made is asked for again, what is refused is not", async (t) => {
  const here = await scene(t);
  const { user, standIn, cron, db } = here;
  await user.ask("GET", "/api/cloud/options");
  standIn.control({ fail: { status: 429, retry_after: 120, path: "/v2/droplets" } });
  const { server: made } = await create(user);
  const id = made.gateway_id;
  assert.equal(made.droplet.status, "provisioning");
  const requests = () => standIn.state().requests.length;
  const before = requests();
  await passes(db, MINUTE);
  await cron();
  assert.equal(requests(), before, "the account is left alone");
  await passes(db, MINUTE + 1);
  await cron();
  assert.equal(standIn.state().counts.creates, 1);
  await boots(here);
  await until("it is active", async () => (await droplet(user, id)).status === "active");

  standIn.control({ fail: { status: 422, path: "/v2/droplets", method: "POST" } });
  const { server: refused } = await create(user, { ...WANTED, name: "second" });
  assert.deepEqual(refused.droplet.failure, {
    code: "refused",
    message: "creating this/these droplet(s) will exceed your droplet limit",
  });
  assert.equal(refused.droplet.status, "failed");
  await passes(db, 30 * MINUTE);
  await cron();
  assert.equal(standIn.state().counts.creates, 1);
  // There is nothing to destroy, and so it is gone at once.
  const path = `/api/cloud/servers/${refused.gateway_id}`;
  const gone = await user.ask("DELETE", path, { name: "second" }, 202);
  assert.equal(gone.server.droplet.status, "destroying");
  assert.equal(await server(user, refused.gateway_id), undefined);
});

test("a droplet that says nothing times out, and a retry replaces it", async (t) => {
  const here = await scene(t);
  const { user, standIn, cron, db, url } = here;
  const { server: made } = await create(user);
  const id = made.gateway_id;
  await passes(db, 9 * MINUTE);
  await cron();
  assert.equal((await droplet(user, id)).status, "provisioning");
  await passes(db, MINUTE);
  await cron();
  const failed = await droplet(user, id);
  assert.deepEqual([failed.status, failed.failure.code], ["failed", "timed_out"]);
  await user.ask("POST", `/api/cloud/servers/${id}/power`, { on: false }, 409);
  // Nothing is destroyed because of it.
  await passes(db, 60 * MINUTE);
  await cron();
  const alive = () => standIn.state().droplets.filter((one) => !one.deleted);
  assert.equal(alive().length, 1);
  const [, first] = token(alive()[0]);

  // Two clicks, one retry: the old one first, then another under the same server.
  const retry = () => user.ask("POST", `/api/cloud/servers/${id}/retry`, undefined, 202);
  const [once] = await Promise.all([retry(), retry()]);
  assert.equal(once.server.droplet.status, "provisioning");
  await until("another one is made", async () => {
    await passes(db, MINUTE / 2);
    await cron();
    return standIn.state().counts.creates === 2;
  });
  assert.equal(alive().length, 1);
  const [, second] = token(alive()[0]);
  assert.notEqual(first, second);
  assert.match(alive()[0].name, /-2$/);
  const late = new Gateway(`${url}/gateway/${id}`, { authorization: `Bearer ${first}` });
  await assert.rejects(late.opened, /401/);
  // A late hello is welcome.
  await passes(db, 11 * MINUTE);
  await cron();
  assert.equal((await droplet(user, id)).status, "failed");
  await boots(here);
  await until("it is active", async () => (await droplet(user, id)).status === "active");
  assert.equal((await droplet(user, id)).failure, null);
});

test("a droplet that somebody destroyed by hand is noticed", async (t) => {
  const here = await scene(t);
  const { user, standIn, cron, db } = here;
  const { gateway, id } = await running(here);
  const [{ id: number }] = standIn.state().droplets;
  standIn.control({ power_off: number });
  await gateway.close();
  await until("it is offline", async () => (await server(user, id)).status === "offline");
  await passes(db, 15 * MINUTE);
  await cron();
  assert.equal((await droplet(user, id)).status, "off");
  standIn.control({ remove: number });
  await passes(db, 15 * MINUTE);
  await cron();
  const gone = await droplet(user, id);
  assert.deepEqual([gone.status, gone.failure.code], ["failed", "gone"]);
});

test("a refresh token is used once, however many want it at once", async (t) => {
  const { user, standIn, db } = await scene(t);
  await db.prepare("UPDATE do_connections SET expires_at = ?").bind(Date.now() - 1).run();
  const many = Array.from({ length: 6 }, () => user.ask("GET", "/api/cloud/options"));
  await Promise.all(many);
  const { refreshes, refused_refreshes } = standIn.state().counts;
  assert.deepEqual({ refreshes, refused_refreshes }, { refreshes: 1, refused_refreshes: 0 });

  // Before its end, and when it is refused although it has not ended.
  const options = async (status = 200) => {
    await db.prepare("UPDATE do_connections SET generation = generation").run();
    return user.ask("POST", "/api/cloud/servers", { ...WANTED, size: "nothing" }, status);
  };
  await options(400);
  const soon = Date.now() + 60 * MINUTE;
  await db.prepare("UPDATE do_connections SET expires_at = ?").bind(soon).run();
  const { server: made } = await create(user);
  assert.equal(standIn.state().counts.refreshes, 2);
  standIn.control({ expire_tokens: true });
  await user.ask("DELETE", `/api/cloud/servers/${made.gateway_id}`, { name: WANTED.name }, 202);
  assert.equal(standIn.state().counts.refreshes, 3);
  assert.equal(standIn.state().droplets.filter((one) => !one.deleted).length, 0);

  // A crash in the middle holds the lease for its time only.
  const held = "UPDATE do_connections SET lease = 'x', lease_until = ?, expires_at = 0";
  await db.prepare(held).bind(Date.now() + 1_500).run();
  await create(user, { ...WANTED, name: "after" });
  assert.equal(standIn.state().counts.refreshes, 4);
  const { connection } = await user.ask("GET", "/api/cloud");
  assert.equal(connection.state, "connected");
});

test("an account that lets us in no more is told, and goes on when it does again", async (t) => {
  const here = await scene(t);
  const { user, standIn, cron, db } = here;
  const { id } = await running(here);
  standIn.control({ revoke_grants: true, expire_tokens: true });
  const destroying = await user.ask(
    ...["DELETE", `/api/cloud/servers/${id}`, { name: WANTED.name }, 202],
  );
  assert.equal(destroying.server.droplet.failure.code, "connection_expired");
  assert.equal((await user.ask("GET", "/api/cloud")).connection.state, "expired");
  const refused = await user.fetch("POST", "/api/cloud/servers", { ...WANTED, name: "n" });
  assert.equal((await refused.json()).error.code, "connection_expired");
  const before = standIn.state().requests.length;
  await passes(db, 60 * MINUTE);
  await cron();
  assert.equal(standIn.state().requests.length, before);

  // Another account cannot take its place while a droplet is left.
  standIn.control({ set: { account: "other" } });
  assert.equal(await connect(here), "/settings?cloud=other_account");
  standIn.control({ set: { account: "sammy" } });
  assert.equal(await connect(here), "/settings?cloud=connected");
  await until("it is destroyed", async () => {
    await passes(db, MINUTE);
    await cron();
    return (await server(user, id)) === undefined;
  });
});

test("droplets are their owner's, and not too many", async (t) => {
  const here = await scene(t);
  const { user, url, standIn } = here;
  const { server: made } = await create(user);
  const path = `/api/cloud/servers/${made.gateway_id}`;
  const bob = await User.signIn(url, "bob@example.com");
  await bob.ask("POST", `${path}/retry`, undefined, 404);
  await bob.ask("POST", `${path}/power`, { on: false }, 404);
  await bob.ask("DELETE", path, { name: WANTED.name }, 404);
  assert.equal((await bob.fetch("DELETE", "/api/cloud")).status, 204);
  const pi = (await user.ask("POST", "/api/servers", { name: "pi" }, 201)).server;
  assert.equal(await droplet(user, pi.gateway_id), null);
  await user.ask("DELETE", `/api/cloud/servers/${pi.gateway_id}`, { name: "pi" }, 404);
  const evil = { origin: "https://evil.example" };
  assert.equal((await user.fetch("DELETE", path, { name: WANTED.name }, evil)).status, 403);
  assert.equal((await droplet(user, made.gateway_id)).status, "provisioning");

  for (const name of ["b", "c", "d", "e"]) await create(user, { ...WANTED, name });
  const sixth = await user.fetch("POST", "/api/cloud/servers", { ...WANTED, name: "f" });
  assert.deepEqual([sixth.status, (await sixth.json()).error.code], [409, "droplet_limit"]);
  assert.equal(standIn.state().counts.creates, 5);
});

test("crons at once, and clicks meanwhile, do each thing once", async (t) => {
  const here = await scene(t, { entry: LATE_ROWS });
  const { user, standIn, cron, db } = here;
  standIn.control({ fail: { status: 429, path: "/v2/droplets" } });
  const { server: made } = await create(user);
  await passes(db, 2 * MINUTE);
  const path = `/api/cloud/servers/${made.gateway_id}`;
  // Who clicks on retry while it is being made looks at it, as the cron does.
  const looks = Array.from({ length: 6 }, () => user.ask("POST", `${path}/retry`, undefined, 202));
  await Promise.all([...looks, cron(), cron()]);
  assert.equal(standIn.state().counts.creates, 1);
  await passes(db, 5 * MINUTE);
  const clicks = [1, 2].map(() => user.fetch("DELETE", path, { name: WANTED.name }));
  const done = await Promise.all([...clicks, cron(), cron()]);
  assert.ok(done.slice(0, 2).every(({ status }) => [202, 404].includes(status)));
  await until("it is destroyed", async () => {
    await passes(db, MINUTE);
    await cron();
    return (await server(user, made.gateway_id)) === undefined;
  });
  assert.equal(standIn.state().droplets.filter((one) => !one.deleted).length, 0);
});

test("owners of idle servers are told once for each stretch", async (t) => {
  const here = await scene(t);
  const { user, cron, db } = here;
  const { id } = await running(here);
  const pi = await user.server("pi");
  const day = 24 * 60 * MINUTE;
  const active = (gateway_id, ago) => {
    const sql = "UPDATE gateways SET last_activity_at = ?, created_at = 0 WHERE gateway_id = ?";
    return db.prepare(sql).bind(Date.now() - ago, gateway_id).run();
  };
  const mails = async () => (await user.ask("GET", "/api/dev/outbox")).mails;
  await cron();
  assert.deepEqual(await mails(), []);
  await active(id, day + MINUTE);
  await active(pi.id, day - MINUTE);
  await Promise.all([cron(), cron()]);
  await cron();
  const [mail, ...others] = await mails();
  assert.deepEqual(others, []);
  assert.equal(mail.to, "ada@example.com");
  assert.match(mail.subject, /My Box/);
  assert.ok(mail.text.includes(`power it off here:\n${here.url}/servers/${id}\n`), mail.text);
  await active(pi.id, day + MINUTE);
  await cron();
  const [second] = await mails();
  assert.doesNotMatch(second.text, /power it off/);
  // Something happens, and then nothing for another day.
  await active(id, MINUTE);
  await cron();
  assert.equal((await mails()).length, 2);
  await active(id, day + 1);
  await cron();
  assert.equal((await mails()).length, 3);
});
