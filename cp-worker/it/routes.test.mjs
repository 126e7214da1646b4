// Every route against every kind of caller, in real workerd: who is let in, and as what.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { grantAll, granted } from "./answering.mjs";
import { Gateway, Socket, User, world } from "./harness.mjs";
import { ROUTES, address, isMutating, isSocket } from "./route-table.mjs";

const FOREIGN = "https://evil.example";

/** The close code by which a page is told what other callers are told by a status. */
const CLOSE_CODES = { 401: 4401, 403: 1008, 404: 4404 };

/** An address that has not asked for anything yet: rates are another test's subject. */
let places = 0;
const somewhere = () => `2001:db8::${(places += 1).toString(16)}`;

/** What a route answers to a caller: its status, or what became of a socket. */
async function outcome(url, row, path, headers) {
  if (isSocket(row)) {
    const socket = new Socket(url + path, headers);
    await socket.opened;
    // A refusal closes at once, before anything is said; who is let in hears of the state.
    socket.ws.send("ping");
    const heard = new Promise((resolve) => (socket.onMessage = () => resolve({})));
    const first = await Promise.race([socket.closed, heard]);
    socket.ws.terminate();
    return first.code ?? 101;
  }
  if (row.whose === "gateway") {
    const gateway = new Gateway(url + path, headers);
    const refusal = await gateway.opened.then(() => undefined, (error) => error);
    gateway.ws.terminate();
    return refusal ? Number(/\d{3}/.exec(refusal.message)[0]) : 101;
  }
  const content = typeof row.body === "function" ? row.body() : row.body;
  const body = row.raw ?? (content && JSON.stringify(content));
  const response = await fetch(url + path, {
    method: row.method,
    headers: { origin: url, "cf-connecting-ip": somewhere(), ...headers },
    redirect: "manual",
    ...(body !== undefined && { body }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** What a caller must be answered that is not the one whom the route is for. */
function expected(row, { foreign, person }) {
  const code = (status) => (isSocket(row) ? CLOSE_CODES[status] : status);
  if (row.whose === "gateway") return 401;
  if (foreign && (isMutating(row) || isSocket(row))) return code(403);
  if (["anyone", "dev"].includes(row.whose)) return row.status;
  if (!person) return code(401);
  return row.whose === "owner" ? code(404) : row.status;
}

/** Asks every row as a caller; returns what was answered otherwise than expected. */
async function wrong(url, caller, chosen, ids, headers) {
  const found = [];
  for (const row of chosen) {
    const want = caller.want ?? expected(row, caller);
    const got = await outcome(url, row, address(row, ids), await headers(row));
    if (got !== want) found.push(`${caller.name}: ${row.method} ${row.path}: ${got}, not ${want}`);
  }
  return found;
}

/** Changes one character of a cookie's value, where no padding hides it. */
function forge(cookie, at) {
  const start = cookie.indexOf("=") + 1;
  const place = at < 0 ? cookie.length + at : start + at;
  const other = cookie[place] === "A" ? "B" : "A";
  return cookie.slice(0, place) + other + cookie.slice(place + 1);
}

test("the table is what the API documents", () => {
  const text = readFileSync(new URL("../API.md", import.meta.url), "utf8");
  const documented = [...text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`?…]*)[`?]/g)];
  const names = (list) => [...new Set(list)].sort();
  assert.deepEqual(
    names(ROUTES.map((row) => `${row.method} ${row.path}`)),
    names(documented.map(([, method, path]) => `${method} ${path}`)),
  );
});

test("whoever is not signed in is refused, whatever they carry", async (t) => {
  const { url, mf } = await world(t);
  const { user, gateway, session_id } = await granted(url);
  const ids = { gateway_id: gateway.id, session_id };
  const [name, value] = user.cookie.split("=");
  const open = await user.ask("POST", "/api/servers", { name: "open" }, 201);
  const out = await User.signIn(url);
  await out.ask("POST", "/api/auth/sign-out", undefined, 204);
  const old = await User.signIn(url, "old@example.com");
  await expire(mf, "old@example.com");
  const asked = gateway.asked.length;

  const found = [];
  for (const [caller, cookie] of Object.entries({
    nobody: undefined,
    "an empty cookie": `${name}=`,
    "a made-up cookie": `${name}=e30.e30`,
    "a forged signature": forge(user.cookie, -3),
    "forged contents": forge(user.cookie, 2),
    "a signature alone": `${name}=.${value.split(".")[1]}`,
    "a very long cookie": `${name}=${"A".repeat(7_000)}.AAAA`,
    "a cookie after sign-out": out.cookie,
    "a cookie that expired": old.cookie,
    "a gateway's token as cookie": `${name}=${gateway.token}`,
    "a bootstrap token as cookie": `${name}=${open.bootstrap_token}`,
  })) {
    const headers = () => (cookie === undefined ? {} : { cookie });
    found.push(...(await wrong(url, { name: caller }, ROUTES, ids, headers)));
  }
  // Tokens of gateways open the way of gateways alone, and each its own.
  const guarded = ROUTES.filter((row) => ["person", "owner", "gateway"].includes(row.whose));
  for (const [caller, token, gateway_id] of [
    ["a gateway's token as bearer", gateway.token, open.server.gateway_id],
    ["a bootstrap token as bearer", open.bootstrap_token, gateway.id],
    ["a cookie as bearer", value, gateway.id],
  ]) {
    const headers = () => ({ authorization: `Bearer ${token}` });
    found.push(...(await wrong(url, { name: caller }, guarded, { ...ids, gateway_id }, headers)));
  }
  assert.deepEqual(found, []);
  assert.deepEqual(gateway.asked.slice(asked), [], "the gateway heard nothing");
});

/** Lets the sign-ins of an address be over. */
async function expire(mf, email) {
  const db = await mf.getD1Database("DB");
  const { meta } = await db
    .prepare(
      `UPDATE sign_ins SET expires_at = 1
       WHERE user_id = (SELECT user_id FROM email_identities WHERE email = ?)`,
    )
    .bind(email)
    .run();
  assert.ok(meta.changes > 0);
}

test("another person finds nothing, and a foreign page may change nothing", async (t) => {
  const { url } = await world(t);
  const { gateway, session_id } = await granted(url);
  const ids = { gateway_id: gateway.id, session_id };
  const asked = gateway.asked.length;
  const bob = await User.signIn(url, "bob@example.com");
  // Of the routes without an id those of a person's own are theirs, too; they are asked below. To sign
  // in or out ends the sign-in that asks.
  const ends = (row) => row.whose === "person" || row.path.startsWith("/api/auth/");
  const theirs = ROUTES.filter((row) => !ends(row));
  const found = await wrong(url, { name: "another person", person: true }, theirs, ids, () => {
    return { cookie: bob.cookie };
  });
  const ada = await User.signIn(url);
  const changing = ROUTES.filter((row) => isMutating(row) || isSocket(row));
  for (const origin of [FOREIGN, "null", `${url}.evil.example`, url.replace("http", "https")]) {
    const caller = { name: `the owner from ${origin}`, foreign: true, person: true };
    found.push(...(await wrong(url, caller, changing, ids, () => ({ cookie: ada.cookie, origin }))));
  }
  assert.deepEqual(found, []);
  assert.deepEqual(gateway.asked.slice(asked), [], "the gateway heard nothing");
  await ada.ask("GET", "/api/me");
});

test("whom a route is for is let in", async (t) => {
  const { url } = await world(t);
  let { gateway, session_id } = await granted(url);
  const ids = { gateway_id: gateway.id, session_id };
  const found = [];
  for (const row of ROUTES) {
    const caller = { name: "whom it is for", want: row.status };
    const { cookie } = await User.signIn(url);
    const theirs = row.whose === "gateway";
    const headers = () => (theirs ? { authorization: `Bearer ${gateway.token}` } : { cookie });
    found.push(...(await wrong(url, caller, [row], ids, headers)));
    if (!theirs) continue;
    // The connection that asked has taken the place of the one that grants.
    gateway = await gateway.reconnect();
    grantAll(gateway);
    gateway.hello({ sessions: [{ session_id, seq: 0, cols: 80, rows: 24 }] });
  }
  assert.deepEqual(found, []);
});

test("what is for development does not exist where people sign in by mail", async (t) => {
  const { url } = await world(t, { authMode: "email" });
  const dev = ROUTES.filter((row) => row.whose === "dev" || row.dev);
  assert.ok(dev.length >= 2);
  const caller = { name: "anybody", want: 404 };
  const found = await wrong(url, caller, dev.filter((row) => !row.dev), {}, () => ({}));
  // This one asks first who it is, and so tells strangers nothing at all.
  const hubs = { name: "anybody", want: 401 };
  found.push(...(await wrong(url, hubs, dev.filter((row) => row.dev), { gateway_id: "g" }, () => ({}))));
  assert.deepEqual(found, []);
});
