// Accounts in real workerd: mailed links, their limits, sign-ins and their end, the account's end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { askForLink, follow, mailingWorld, refusal, tokenOf } from "./accounts.mjs";
import { Gateway, User, until, world } from "./harness.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test("a mailed link signs in, once", async (t) => {
  const here = await mailingWorld(t);
  const { url, mail, mf } = here;
  const token = await askForLink(here, " Ada@Example.com ");
  const [{ from, to, subject, text }] = mail.mails;
  assert.deepEqual(
    { from, to, subject },
    {
      ...{ from: "chatcode <sign-in@chatcode.example>", to: ["ada@example.com"] },
      subject: "Sign in to chatcode",
    },
  );
  assert.ok(text.includes(`\n${url}/sign-in/confirm#token=${token}\n`), text);
  const { keys } = await (await mf.getKVNamespace("KV")).list();
  assert.ok(!JSON.stringify(keys).includes(token), "the store does not know the token");
  // Digests are hexadecimal, in which "ada" comes up by itself.
  assert.doesNotMatch(JSON.stringify(keys), /ada@|example/i, "no key names a person");
  assert.equal((await fetch(`${url}/api/dev/outbox`)).status, 404);

  const { response, user } = await follow(url, token);
  const answer = await response.json();
  assert.equal(answer.user.email, "ada@example.com");
  assert.deepEqual(answer.user.identities, [{ kind: "email", email: "ada@example.com" }]);
  assert.ok(Math.abs(answer.user.created_at - Date.now()) < DAY);
  assert.deepEqual(await user.ask("GET", "/api/me"), answer);
  const set = response.headers.get("set-cookie");
  assert.match(set, /^chatcode_session=.*; Path=\/; HttpOnly; SameSite=Lax; Max-Age=31536000$/);

  const replay = await follow(url, token);
  assert.equal(await refusal(replay.response, 410), "link_expired");
  const again = await follow(url, await askForLink(here, "ada@example.com"));
  assert.deepEqual(await again.user.ask("GET", "/api/me"), answer);
});

test("of several that follow a link at once, one is signed in", async (t) => {
  const here = await mailingWorld(t);
  for (let round = 0; round < 4; round++) {
    const token = await askForLink(here, "ada@example.com");
    const all = await Promise.all(Array.from({ length: 6 }, () => follow(here.url, token)));
    assert.deepEqual(all.map(({ status }) => status).sort(), [200, 410, 410, 410, 410, 410]);
  }
  const db = await here.mf.getD1Database("DB");
  const { results } = await db.prepare("SELECT user_id FROM users").all();
  assert.equal(results.length, 1);
});

test("links that are old or foreign sign nobody in", async (t) => {
  const here = await mailingWorld(t);
  const kv = await here.mf.getKVNamespace("KV");
  const token = await askForLink(here, "ada@example.com");
  const [{ name }] = (await kv.list({ prefix: "link:" })).keys;
  const record = JSON.parse(await kv.get(name));
  const left = record.expires_at - Date.now();
  assert.ok(left > 9 * 60_000 && left <= 10 * 60_000, `${left} ms`);
  await kv.put(name, JSON.stringify({ ...record, expires_at: Date.now() }));
  for (const foreign of [token, "A".repeat(43), "", "x", `${token}A`, "é".repeat(43)]) {
    const { response } = await follow(here.url, foreign);
    assert.equal(await refusal(response, 410), "link_expired");
    assert.equal(response.headers.get("set-cookie"), null);
  }
  // Unless it is in time.
  await kv.put(name, JSON.stringify({ ...record, expires_at: Date.now() + HOUR }));
  assert.equal((await follow(here.url, token)).status, 200);
  for (const body of [{}, { token: 1 }, []]) {
    const response = await new User(here.url).fetch("POST", "/api/auth/email/confirm", body);
    assert.equal(await refusal(response, 400), "invalid");
  }
});

test("five links an hour to an address, whoever asks and whether it is known", async (t) => {
  const here = await mailingWorld(t);
  const ask = (email, place = "203.0.113.1") => {
    const headers = { "cf-connecting-ip": place };
    return new User(here.url).fetch("POST", "/api/auth/email", { email }, headers);
  };
  for (let count = 0; count < 5; count++) {
    const response = await ask(count % 2 ? "ada@example.com" : "ADA@example.com");
    assert.deepEqual([response.status, await response.json()], [202, {}]);
  }
  await follow(here.url, tokenOf(here.mail.mails[0]));
  const refused = await ask("ada@example.com", "203.0.113.2");
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait > 3_500 && wait <= 3_600, `${wait} s`);
  const { error } = await refused.json();
  assert.equal(error.code, "rate_limited");
  assert.match(error.message, /try again in 60 minutes$/);
  assert.equal(here.mail.mails.length, 5);
  assert.equal((await ask("bob@example.com")).status, 202);

  // An hour after the first, one more.
  await age(here.mf, "rate:address:", HOUR, 1);
  assert.equal((await ask("ada@example.com")).status, 202);
  assert.equal((await ask("ada@example.com")).status, 429);
  for (const email of ["", "ada", "a@b, c@d", "<a@b>", "a@b\nbcc: c@d"]) {
    assert.equal(await refusal(await ask(email), 400), "invalid");
  }
});

test("attempts that race do not pass the limit", async (t) => {
  const here = await mailingWorld(t);
  const email = "ada@example.com";
  const ask = () => new User(here.url).fetch("POST", "/api/auth/email", { email });
  const all = await Promise.all(Array.from({ length: 15 }, ask));
  const passed = all.filter(({ status }) => status === 202).length;
  assert.ok(passed <= 5, `${passed} passed`);
  assert.equal(here.mail.mails.length, passed);
  // Those that were refused do not count.
  for (let count = passed; count < 5; count++) assert.equal((await ask()).status, 202);
  assert.equal((await ask()).status, 429);
});

test("twenty links an hour from a place, for whatever addresses", async (t) => {
  const here = await mailingWorld(t);
  const ask = (email, place) => {
    const headers = { "cf-connecting-ip": place };
    return new User(here.url).fetch("POST", "/api/auth/email", { email }, headers);
  };
  for (let count = 0; count < 20; count++) {
    // One household has the whole of a /64.
    const response = await ask(`${count}@example.com`, `2001:db8:1:2::${count + 1}`);
    assert.equal(response.status, 202, await response.text());
  }
  assert.equal(await refusal(await ask("x@example.com", "2001:db8:1:2::ff"), 429), "rate_limited");
  assert.equal((await ask("x@example.com", "2001:db8:1:3::1")).status, 202);
  await age(here.mf, "rate:place:", HOUR, 1);
  assert.equal((await ask("y@example.com", "2001:db8:1:2::ff")).status, 202);
});

test("a mail that cannot be sent is told, and does not count", async (t) => {
  const here = await mailingWorld(t);
  const ask = () => new User(here.url).fetch("POST", "/api/auth/email", { email: "a@b.c" });
  here.mail.fail(422, 6);
  for (let count = 0; count < 6; count++) assert.equal(await refusal(await ask(), 502), "mail_failed");
  assert.equal((await ask()).status, 202);

  const wrongKey = await mailingWorld(t, { bindings: { MAIL_API_KEY: "re_wrong" } });
  const gone = await mailingWorld(t);
  await gone.mail.close();
  for (const { url } of [wrongKey, gone]) {
    const response = await new User(url).fetch("POST", "/api/auth/email", { email: "a@b.c" });
    const text = await response.text();
    assert.equal(JSON.parse(text).error.code, "mail_failed");
    assert.ok(!text.includes("re_"), text);
  }
  for (const bindings of [
    { MAIL_API_KEY: "" },
    { MAIL_FROM: "" },
    { MAIL_API_URL: "http://mail.example/emails" },
  ]) {
    const { url } = await mailingWorld(t, { bindings });
    const response = await new User(url).fetch("POST", "/api/auth/email", { email: "a@b.c" });
    assert.equal(await refusal(response, 500), "misconfigured");
  }
});

test("in development mails stay at home, the newest twenty", async (t) => {
  const { url } = await world(t);
  const outbox = async () => (await new User(url).ask("GET", "/api/dev/outbox")).mails;
  assert.deepEqual(await outbox(), []);
  for (let count = 0; count < 21; count++) {
    const headers = { "cf-connecting-ip": `203.0.113.${count}` };
    const email = `${count}@example.com`;
    const response = await new User(url).fetch("POST", "/api/auth/email", { email }, headers);
    assert.equal(response.status, 202);
  }
  const mails = await outbox();
  assert.deepEqual(
    mails.map(({ to }) => to),
    Array.from({ length: 20 }, (_, at) => `${20 - at}@example.com`),
  );
  assert.ok(mails.every(({ at }) => Math.abs(at - Date.now()) < HOUR));
  const { user } = await follow(url, tokenOf(mails[0]));
  assert.equal((await user.ask("GET", "/api/me")).user.email, "20@example.com");
});

test("a cookie is worthless after its sign-out, also a stolen one", async (t) => {
  const { url } = await world(t);
  const laptop = await User.signIn(url);
  const phone = await User.signIn(url);
  const thief = Object.assign(new User(url), { cookie: phone.cookie });
  assert.equal((await thief.fetch("GET", "/api/servers")).status, 200);
  const out = await phone.fetch("POST", "/api/auth/sign-out");
  assert.match(out.headers.get("set-cookie"), /^chatcode_session=; .*Max-Age=0/);
  assert.equal(await refusal(await thief.fetch("GET", "/api/servers"), 401), "not_signed_in");
  assert.equal((await laptop.fetch("GET", "/api/me")).status, 200);
  // Who is signed out already may say so again.
  assert.equal((await phone.fetch("POST", "/api/auth/sign-out")).status, 204);
  assert.equal((await new User(url).fetch("POST", "/api/auth/sign-out")).status, 204);

  // A browser that signs in anew leaves no sign-in behind.
  const response = await laptop.fetch("POST", "/api/auth/dev", { email: "ada@example.com" });
  const renewed = Object.assign(new User(url), {
    cookie: response.headers.get("set-cookie").split(";")[0],
  });
  assert.equal((await laptop.fetch("GET", "/api/me")).status, 401);
  assert.equal((await renewed.ask("GET", "/api/me/sign-ins")).sign_ins.length, 1);
});

test("people see where they are signed in and end it there", async (t) => {
  const { url, mf } = await world(t);
  const laptop = await User.signIn(url);
  const agent = `Phone\u00e9 ${"x".repeat(400)}`;
  const body = { email: "ada@example.com" };
  const headers = { "user-agent": encodeURIComponent(agent) };
  const response = await new User(url).fetch("POST", "/api/auth/dev", body, headers);
  const phone = new User(url);
  phone.cookie = response.headers.get("set-cookie").split(";")[0];

  const { sign_ins } = await laptop.ask("GET", "/api/me/sign-ins");
  const [other] = sign_ins.filter((one) => !one.current);
  assert.equal(sign_ins.length, 2);
  assert.equal(other.user_agent, encodeURIComponent(agent).slice(0, 256));
  assert.ok(other.created_at <= other.last_seen_at && other.last_seen_at <= Date.now());
  assert.ok(!phone.cookie.includes(other.sign_in_id));
  const path = `/api/me/sign-ins/${other.sign_in_id}`;
  const bob = await User.signIn(url, "bob@example.com");
  assert.equal(await refusal(await bob.fetch("DELETE", path), 404), "not_found");
  assert.equal((await phone.fetch("GET", "/api/me")).status, 200);
  await laptop.ask("DELETE", path, undefined, 204);
  assert.equal((await phone.fetch("GET", "/api/me")).status, 401);
  assert.equal((await laptop.fetch("DELETE", path)).status, 404);

  const [mine] = (await laptop.ask("GET", "/api/me/sign-ins")).sign_ins;
  const own = await laptop.fetch("DELETE", `/api/me/sign-ins/${mine.sign_in_id}`);
  assert.match(own.headers.get("set-cookie"), /Max-Age=0/);
  assert.equal((await laptop.fetch("GET", "/api/me")).status, 401);

  // A hundred at most, and the one that is unused for longest goes first.
  const first = await User.signIn(url);
  const second = await User.signIn(url);
  const db = await mf.getD1Database("DB");
  await db.prepare("UPDATE sign_ins SET last_seen_at = last_seen_at + 1000").run();
  await db
    .prepare("UPDATE sign_ins SET last_seen_at = 0 WHERE sign_in_id = ?")
    .bind((await second.ask("GET", "/api/me/sign-ins")).sign_ins.find((one) => one.current).sign_in_id)
    .run();
  for (let count = 0; count < 99; count++) await User.signIn(url);
  assert.equal((await second.fetch("GET", "/api/me")).status, 401);
  assert.equal((await first.ask("GET", "/api/me/sign-ins")).sign_ins.length, 100);
});

test("a sign-in lasts thirty days from its last use, and a year", async (t) => {
  const { url, mf } = await world(t);
  const ada = await User.signIn(url);
  const db = await mf.getD1Database("DB");
  const row = () => db.prepare("SELECT * FROM sign_ins").first();
  const set = (values) => {
    const names = Object.keys(values).map((name) => `${name} = ?`);
    return db.prepare(`UPDATE sign_ins SET ${names}`).bind(...Object.values(values)).run();
  };
  const fresh = await row();
  assert.equal(fresh.expires_at, fresh.created_at + 30 * DAY);
  await ada.ask("GET", "/api/me");
  assert.deepEqual(await row(), fresh, "a use within the hour writes nothing");

  const created_at = Date.now() - 20 * DAY;
  await set({ created_at, last_seen_at: created_at, expires_at: created_at + 30 * DAY });
  await ada.ask("GET", "/api/me");
  const used = await row();
  assert.ok(used.last_seen_at > Date.now() - HOUR);
  assert.equal(used.expires_at, used.last_seen_at + 30 * DAY);

  const longAgo = Date.now() - 360 * DAY;
  await set({ created_at: longAgo, last_seen_at: longAgo, expires_at: Date.now() + DAY });
  await ada.ask("GET", "/api/me");
  assert.equal((await row()).expires_at, longAgo + 365 * DAY);

  await set({ expires_at: Date.now() });
  assert.equal((await ada.fetch("GET", "/api/me")).status, 401);
  // What has expired goes with the next sign-in, whosever.
  await User.signIn(url, "bob@example.com");
  const { results } = await db.prepare("SELECT sign_in_id FROM sign_ins").all();
  assert.equal(results.length, 1);
});

test("sockets end with the sign-in that opened them", async (t) => {
  const { url } = await world(t);
  const laptop = await User.signIn(url);
  const phone = await User.signIn(url);
  const gateway = await laptop.server();
  const { session_id } = await laptop.session(gateway);
  const [laptopViewer, laptopWatcher] = [
    await laptop.viewer(gateway, session_id),
    await laptop.watcher(gateway),
  ];
  const phoneViewer = await phone.viewer(gateway, session_id);
  const phoneWatcher = await phone.watcher(gateway);
  await phone.ask("POST", "/api/auth/sign-out", undefined, 204);
  assert.equal((await phoneViewer.closed).code, 4401);
  assert.equal((await phoneWatcher.closed).code, 4401);
  assert.equal((await (await phone.watcher(gateway)).closed).code, 4401);
  laptopViewer.ws.send("ping");
  await laptopViewer.message("pong");

  const tablet = await User.signIn(url);
  const tabletViewer = await tablet.viewer(gateway, session_id);
  const everywhere = await laptop.fetch("POST", "/api/auth/sign-out-everywhere");
  assert.equal(everywhere.status, 204);
  assert.match(everywhere.headers.get("set-cookie"), /Max-Age=0/);
  for (const socket of [laptopViewer, laptopWatcher, tabletViewer]) {
    assert.equal((await socket.closed).code, 4401);
  }
  for (const user of [laptop, phone, tablet]) {
    assert.equal((await user.fetch("GET", "/api/me")).status, 401);
  }
  // The gateway is not a browser.
  const again = await User.signIn(url);
  assert.equal((await again.ask("GET", "/api/servers")).servers[0].status, "online");
});

test("an account is deleted with all that is its own", async (t) => {
  const { url, mf } = await world(t);
  const ada = await User.signIn(url);
  const other = await User.signIn(url);
  const bob = await User.signIn(url, "bob@example.com");
  const kept = await bob.server("kept");
  const [one, two] = [await ada.server("one"), await ada.server("two")];
  const { session_id } = await ada.session(one);
  const viewer = await other.viewer(one, session_id);
  const watcher = await ada.watcher(two);
  const user_id = (await ada.ask("GET", "/api/me")).user.user_id;
  const db = await mf.getD1Database("DB");

  for (const email of ["", "bob@example.com", "ada@example.co"]) {
    assert.equal(await refusal(await ada.fetch("DELETE", "/api/me", { email }), 400), "invalid");
  }
  await db.batch([
    db.prepare(`INSERT INTO do_connections (connection_id, user_id, account_uuid,
      access_token_sealed, refresh_token_sealed, key_version, expires_at, created_at)
      VALUES ('c', ?, 'a', 's', 's', 1, 1, 1)`).bind(user_id),
    db.prepare(`INSERT INTO vps (vps_id, user_id, connection_id, gateway_id, name, origin, region,
      size, image, status, created_at)
      VALUES ('v', ?, 'c', ?, 'n', 'o', 'ams3', 's', 'i', 'active', 1)`)
      .bind(user_id, two.id),
  ]);
  const refused = await ada.fetch("DELETE", "/api/me", { email: "ada@example.com" });
  assert.equal(await refusal(refused, 409), "droplets_exist");
  assert.equal((await ada.ask("GET", "/api/servers")).servers.length, 2);
  await db.prepare("DELETE FROM vps").run();
  await db.prepare("DELETE FROM do_connections").run();

  const gone = await ada.fetch("DELETE", "/api/me", { email: " ADA@example.com " });
  assert.equal(gone.status, 204);
  assert.match(gone.headers.get("set-cookie"), /Max-Age=0/);
  for (const socket of [viewer, watcher]) assert.equal((await socket.closed).code, 4401);
  for (const gateway of [one, two]) {
    assert.equal((await gateway.closed).code, 4001);
    const headers = { authorization: `Bearer ${gateway.token}` };
    await assert.rejects(new Gateway(`${url}/gateway/${gateway.id}`, headers).opened, /401/);
  }
  for (const user of [ada, other]) assert.equal((await user.fetch("GET", "/api/me")).status, 401);
  for (const table of ["users", "email_identities", "sign_ins", "gateways"]) {
    const { results } = await db.prepare(`SELECT user_id FROM ${table}`).all();
    assert.ok(results.length > 0 && results.every((row) => row.user_id !== user_id), table);
  }
  const { results } = await db.prepare("SELECT gateway_id FROM sessions").all();
  assert.deepEqual(results, []);
  await until("the other user's server is online", async () => {
    return (await bob.ask("GET", "/api/servers")).servers[0].status === "online";
  });
  assert.equal((await kept.ws.readyState), 1);
  const anew = await User.signIn(url);
  assert.notEqual((await anew.ask("GET", "/api/me")).user.user_id, user_id);
  assert.deepEqual(await anew.ask("GET", "/api/servers"), { servers: [] });
});

test("over https the cookie is the host's own, and pages of others cannot use it", async (t) => {
  const origin = "https://chatcode.example";
  const here = await mailingWorld(t, { bindings: { PUBLIC_ORIGIN: origin } });
  const { response } = await follow(here.url, await askForLink(here, "ada@example.com"));
  assert.ok(here.mail.mails[0].text.includes(`${origin}/sign-in/confirm#token=`));
  const set = response.headers.get("set-cookie");
  assert.match(set, /^__Host-chatcode_session=.*; Path=\/; HttpOnly; SameSite=Lax; .*; Secure$/);
  assert.ok(!/domain/i.test(set));
  const cookie = set.split(";")[0];
  const me = (cookie) => fetch(`${here.url}/api/me`, { headers: { cookie } });
  assert.equal((await me(cookie)).status, 200);
  assert.equal((await me(cookie.replace("__Host-", ""))).status, 401);

  const deed = (headers) =>
    fetch(`${here.url}/api/auth/sign-out-everywhere`, {
      ...{ method: "POST", headers: { cookie, ...headers } },
    });
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://sub.chatcode.example" },
    { origin: "http://chatcode.example" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none" },
  ]) {
    assert.equal(await refusal(await deed(headers), 403), "foreign_origin");
  }
  assert.equal((await me(cookie)).status, 200);
  assert.equal((await deed({ origin, "sec-fetch-site": "same-origin" })).status, 204);
});

/** Makes the oldest attempts of a kind older. */
async function age(mf, prefix, by, count) {
  const kv = await mf.getKVNamespace("KV");
  const { keys } = await kv.list({ prefix });
  const parts = keys.map(({ name }) => name.split(":"));
  parts.sort((a, b) => a[3].localeCompare(b[3]));
  for (const [rate, kind, hash, time, random] of parts.slice(0, count)) {
    await kv.delete([rate, kind, hash, time, random].join(":"));
    const earlier = String(Number(time) - by).padStart(16, "0");
    await kv.put([rate, kind, hash, earlier, random].join(":"), "");
  }
}
