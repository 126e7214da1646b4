// What hostile people, pages, networks and gateways try, in real workerd: refused, and nothing breaks.
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { mailingWorld } from "./accounts.mjs";
import { granted } from "./answering.mjs";
import { Gateway, Socket, User, frame, unframe, until, world } from "./harness.mjs";

/** Sends bytes as they are and returns the answer's head: no client tidies them up. */
function raw(url, text) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = "";
    const done = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => {
      answer += data;
      if (answer.includes("\r\n\r\n")) done();
    });
    socket.on("end", done).on("error", reject);
  });
}

const statusOf = (answer) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

async function refusal(response) {
  return [response.status, (await response.json()).error.code];
}

/** Opens a connection as a gateway; the status that it was refused with, or 101. */
async function knock(url, id, token) {
  const gateway = new Gateway(`${url}/gateway/${id}`, { authorization: `Bearer ${token}` });
  const refused = await gateway.opened.then(() => undefined, (error) => error.message);
  gateway.ws.terminate();
  return refused ? Number(/\d{3}/.exec(refused)[0]) : 101;
}

/** A server that nobody has enrolled at yet. */
async function pending(user, name = "pi") {
  const made = await user.ask("POST", "/api/servers", { name }, 201);
  return { id: made.server.gateway_id, token: made.bootstrap_token };
}

/** The database, changed as time would change it. */
async function sql(mf, text, ...values) {
  const db = await mf.getD1Database("DB");
  const { meta } = await db.prepare(text).bind(...values).run();
  assert.ok(meta.changes > 0, text);
}

test("1: a bootstrap token is of use once, for an hour and for its own server", async (t) => {
  const { url, mf } = await world(t);
  const user = await User.signIn(url);
  const [first, second] = [await pending(user), await pending(user, "other")];
  assert.equal(await knock(url, second.id, first.token), 401, "another server's");
  assert.equal(await knock(url, first.id, `${first.token}=`), 401, "nearly the same");

  await sql(mf, "UPDATE gateways SET bootstrap_expires_at = 1 WHERE gateway_id = ?", first.id);
  assert.equal(await knock(url, first.id, first.token), 401, "too late");

  const gateway = await Gateway.connect(url, second.id, second.token);
  gateway.hello({ bootstrap_token: second.token });
  const { auth_token } = await gateway.command("gateway.credentials");
  gateway.ack();
  await until("it is burnt", async () => (await knock(url, second.id, second.token)) === 401);
  assert.equal(await knock(url, first.id, auth_token), 401, "a gateway's own, at another");
});

test("2: a token that was leaked is void once a new one was made", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const { id, token } = await pending(user);
  const again = await user.ask("POST", `/api/servers/${id}/bootstrap`, undefined, 201);
  assert.notEqual(again.bootstrap_token, token);
  assert.equal(await knock(url, id, token), 401);
  assert.equal(await knock(url, id, again.bootstrap_token), 101);
});

test("3: bodies that are too large, too deep or not JSON are refused", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const post = (body, headers = {}) =>
    fetch(`${url}/api/servers`, {
      ...{ method: "POST", body, duplex: "half" },
      headers: { cookie: user.cookie, origin: url, ...headers },
    });
  const large = JSON.stringify({ name: "x".repeat(70_000) });
  assert.deepEqual(await refusal(await post(large)), [413, "too_large"]);
  for (const [what, body] of Object.entries({
    nothing: "",
    "half of it": '{"name":"a"',
    deep: "[".repeat(60_000),
    "deep objects": '{"name":'.repeat(8_000),
    "not UTF-8": Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    "a number": '{"name":1e999}',
    "two of them": '{"name":"a"}{"name":"b"}',
    "a lone surrogate": '{"name":"\\ud800"}',
    "another type": '{"name":{"name":"a"}}',
  })) {
    assert.equal((await post(body)).status, 400, what);
  }
  assert.deepEqual((await user.ask("GET", "/api/servers")).servers, []);
});

test("4: a body without a length is cut off where the limit is, not at its end", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const headers = { cookie: user.cookie, origin: url, "transfer-encoding": "chunked" };
  const call = request(`${url}/api/servers`, { method: "POST", agent: false, headers });
  const answered = new Promise((resolve, reject) => {
    call.on("response", resolve).on("error", reject);
    setTimeout(() => reject(new Error("it waits for the rest")), 12_000).unref();
  });
  // No more than this ever comes, and the end never does.
  call.write(`{"name":"${"x".repeat(100 * 1_024)}`);
  const response = await answered;
  assert.equal(response.statusCode, 413);
  call.destroy();
});

test("5: headers that are too large, doubled or forged change nothing", async (t) => {
  const { url } = await world(t);
  const { user, gateway } = await granted(url);
  const { host } = new URL(url);
  const get = (lines) => raw(url, `GET /api/me HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n\r\n`);
  const huge = await get(`Cookie: ${user.cookie}; x=${"A".repeat(2_000_000)}`).catch(() => "");
  assert.ok(!/^HTTP\/1.1 2/.test(huge), huge.slice(0, 80));
  const name = user.cookie.split("=")[0];
  assert.equal(statusOf(await get(`Cookie: ${name}=\r\nX-User: ${user.cookie}`)), 401);
  // The method is the method.
  const override = {
    "x-http-method-override": "DELETE",
    "x-http-method": "DELETE",
    "x-method-override": "DELETE",
  };
  const server = `/api/servers/${gateway.id}`;
  for (const path of [server, `${server}?_method=DELETE`]) {
    const response = await user.fetch("GET", path, undefined, override);
    assert.equal(response.status, 405, path);
  }
  const overridden = await user.fetch("POST", server, { _method: "DELETE" }, override);
  assert.equal(overridden.status, 405);
  assert.equal((await user.ask("GET", "/api/servers")).servers.length, 1);
});

test("6: names and paths cannot add headers, lines or markup", async (t) => {
  const { url } = await world(t);
  const { user, gateway } = await granted(url);
  const server = `/api/servers/${gateway.id}`;
  for (const name of ["a\r\nSet-Cookie: x=y", "a\0b", "\u001b[2J", "", " ", "x".repeat(65)]) {
    assert.equal((await user.fetch("POST", "/api/servers", { name })).status, 400, name);
    assert.equal((await user.fetch("PATCH", server, { name })).status, 400, name);
  }
  const paths = ['a"\r\nSet-Cookie: x=y', "a\u2028b", '"; filename=b.html', "../../x\\y", "é".repeat(900)];
  for (const path of paths) {
    const query = new URLSearchParams({ path });
    const response = await user.fetch("GET", `${server}/files?${query}`);
    if (response.status === 400) continue;
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("set-cookie"), null);
    const disposition = response.headers.get("content-disposition");
    assert.match(disposition, /^attachment; filename="[^"\\/\r\n]*"; filename\*=UTF-8''[^"/\s]*$/);
  }
});

test("7: a page of somebody else opens no socket, nor anybody another's session", async (t) => {
  const { url } = await world(t);
  const { user, gateway, session_id } = await granted(url);
  const bob = await granted(url, "bob@example.com");
  const code = async (who, path, headers) => (await (await who.socket(path, headers)).closed).code;
  const of = (one, id) => `/api/servers/${one.id}/sessions/${id}/socket`;
  for (const origin of ["https://evil.example", "null", `${url}0`, url.toUpperCase()]) {
    assert.equal(await code(user, of(gateway, session_id), { origin }), 1008, origin);
    assert.equal(await code(user, `/api/servers/${gateway.id}/socket`, { origin }), 1008, origin);
  }
  assert.equal(await code(bob.user, of(gateway, session_id)), 4404);
  // The second session is ada's alone, and bob has a server: the two do not mix.
  const made = { name: "second", workdir: "app", agent: "none", cols: 80, rows: 24 };
  const second = await user.ask("POST", `/api/servers/${gateway.id}/sessions`, made, 201);
  assert.equal(await code(bob.user, of(bob.gateway, second.session.session_id)), 4404);
  // What a viewer says of other sessions is not heard: its socket implies which it is.
  const viewer = await user.viewer(gateway, session_id);
  viewer.send("viewer.attach");
  await viewer.message("viewer.state", { state: "live" });
  const heard = [];
  const { onMessage } = gateway;
  gateway.onMessage = () => {
    heard.push(...gateway.received.filter((one) => one.type === "session.input"));
    onMessage();
  };
  viewer.send("session.input", { data: btoa("x"), session_id: second.session.session_id });
  await until("the input came", () => heard.length > 0);
  assert.equal(heard[0].session_id, session_id);
});

test("8: the development sign-in cannot be had by a host name", async (t) => {
  const body = JSON.stringify({ email: "ada@example.com" });
  const ask = (url, host, more = "") =>
    raw(
      url,
      `POST /api/auth/dev HTTP/1.1\r\nHost: ${host}\r\n${more}Content-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  const dev = await world(t);
  assert.equal(statusOf(await ask(dev.url, new URL(dev.url).host)), 200);
  for (const host of ["chatcode.example", "127.0.0.1.evil.example", "localhost.evil.example:80"]) {
    assert.equal(statusOf(await ask(dev.url, host)), 500, host);
  }
  const real = await world(t, {
    authMode: "email",
    bindings: { PUBLIC_ORIGIN: "https://chatcode.example" },
  });
  for (const host of ["127.0.0.1", "localhost", "chatcode.example"]) {
    const more = `X-Forwarded-Host: ${host}\r\nForwarded: host=${host}\r\nX-Forwarded-Proto: http\r\n`;
    assert.equal(statusOf(await ask(real.url, host, more)), 404, host);
  }
});

test("9: no path leads out of the API, the web app or a server", async (t) => {
  const { url } = await world(t);
  const { user, gateway } = await granted(url);
  const { host } = new URL(url);
  const get = (path) =>
    raw(url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${user.cookie}\r\n\r\n`);
  for (const path of [
    "/../wrangler.toml",
    "/..%2f..%2fwrangler.toml",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%5c..%5cetc%5cpasswd",
    "//evil.example/%2e%2e",
    "/build/index.js",
    "/.dev.vars",
  ]) {
    const answer = await get(path);
    assert.ok(!/root:|COOKIE_SECRET|database_name|wasm/.test(answer), path);
    assert.ok(!/location: (https?:)?\/\/evil/i.test(answer), path);
  }
  for (const path of [
    `/api/servers/${gateway.id}%2f..%2f${gateway.id}/sessions`,
    `/api/servers/${"x".repeat(65)}/sessions`,
    "/api/servers/%27%20OR%201=1--/sessions",
    "/api/servers/%00/sessions",
    `/api/servers/${gateway.id}/sessions/1e0`,
    `/api/servers/${gateway.id}/sessions/-1`,
    `/api/servers/${gateway.id}/sessions/99999999999999999999`,
    "/gateway/%2e%2e%2fapi",
    "/gateway/a.b",
  ]) {
    assert.equal(statusOf(await get(path)), path.includes("/sessions/") ? 404 : 404, path);
  }
});

test("10: a gateway cannot reach what is not its own, nor bring the hub down", async (t) => {
  const { url } = await world(t);
  const mine = await granted(url);
  const bob = await granted(url, "bob@example.com");
  const watcher = await bob.user.watcher(bob.gateway);
  const viewer = await mine.user.viewer(mine.gateway, mine.session_id);
  viewer.send("viewer.attach");
  await viewer.message("viewer.state", { state: "live" });
  const { gateway } = mine;

  // It says that it is another's, and speaks of sessions that it has not.
  const sessions = [{ session_id: mine.session_id, seq: 0, cols: 80, rows: 24 }];
  gateway.hello({ gateway_id: bob.gateway.id, sessions, hostname: "taken" });
  await viewer.message("viewer.state", { state: "awaiting" });
  await viewer.message("viewer.state", { state: "live" });
  gateway.send("session.ended", { session_id: 99, exit_code: 0, reason: "exited" });
  gateway.send("gateway.offline", { gateway_id: bob.gateway.id });
  gateway.ws.send(frame(99, 0, "not for you"));
  gateway.ws.send(frame(mine.session_id, 0, "of the session"));
  const got = await viewer.take("the session's frame", Buffer.isBuffer);
  assert.equal(String(unframe(got).payload), "of the session");

  // What makes no sense is dropped.
  for (const nonsense of [
    "{", "null", "[]", '"hello"', "{}", '{"type":1}', '{"type":"gateway.hello"}', "\u0000",
    `{"type":"ack","schema_version":"1","request_id":"${"x".repeat(100_000)}","ok":true}`,
    '{"type":"ack","schema_version":"1","request_id":"1","ok":"maybe"}',
    `{"type":"session.snapshot","schema_version":"1","session_id":1,"seq":-1}`,
    `{"type":"gateway.hello","schema_version":"1","sessions":${"[".repeat(50_000)}`,
    '{"type":"session.attention","schema_version":"1","session_id":1,"reason":"\\u0000\\n"}',
    "x".repeat(1_000_000),
  ]) {
    gateway.ws.send(nonsense);
  }
  for (const bytes of [[], [1], [1, 0, 0], [2, 0, 0, 0, 1, 0, 0, 0, 0, 7], [9, 9, 9], new Array(9)]) {
    gateway.ws.send(Buffer.from(bytes));
  }
  for (let i = 0; i < 5_000; i++) {
    gateway.send("session.attention", { session_id: mine.session_id, reason: `r${i}` });
    gateway.send("session.started", { session_id: i + 1_000, pid: 1 });
  }
  gateway.output(mine.session_id, 14, "and on");
  const after = await viewer.take("what follows", Buffer.isBuffer);
  assert.equal(String(unframe(after).payload), "and on");

  // The other server has felt nothing of it.
  const names = async (user) =>
    (await user.ask("GET", "/api/servers")).servers.map((one) => [one.status, one.hostname]);
  assert.deepEqual(await names(bob.user), [["online", "pi"]]);
  assert.deepEqual(watcher.received.filter((one) => one.type === "gateway.offline"), []);
  const theirs = await bob.user.ask("GET", `/api/servers/${bob.gateway.id}/sessions`);
  assert.equal(theirs.sessions.length, 1);

  // More than the contract allows in a message ends the connection, not the hub.
  gateway.ws.send("x".repeat(2 * 1_024 * 1_024 + 1));
  assert.equal((await gateway.closed).code, 1009);
  await viewer.message("viewer.state", { gateway: "offline" });
  const next = await gateway.reconnect();
  next.hello({ sessions: [{ session_id: mine.session_id, seq: 20, cols: 80, rows: 24 }] });
  await viewer.message("viewer.state", { gateway: "online" });
});

test("11: a page cannot bring the hub down, nor be heard without control", async (t) => {
  const { url } = await world(t);
  const { user, gateway, session_id } = await granted(url);
  const first = await user.viewer(gateway, session_id);
  first.send("viewer.attach");
  await first.message("viewer.state", { control: "you" });
  const second = await user.viewer(gateway, session_id);
  second.send("viewer.attach");
  await second.message("viewer.state", { control: "other" });
  const asked = gateway.asked.length;
  for (const nonsense of [
    "{", "[]", "null", '{"type":"nothing"}', '{"type":"gateway.update","manifest":"{}"}',
    '{"type":"session.ack","seq":-1}', '{"type":"session.ack","seq":4294967296}',
    '{"type":"session.resize","cols":0,"rows":100000}', '{"type":"session.input","data":"%%%"}',
    '{"type":"session.paste","data":"YQ=="}', `{"type":"session.input","data":"${"YQ==".repeat(20_000)}"}`,
    '{"type":"viewer.attach","resume_seq":1.5}', '{"type":"viewer.attach","history_lines":1e9}',
    `{"type":"viewer.focus","on":${"[".repeat(30_000)}`,
  ]) {
    second.ws.send(nonsense);
  }
  second.ws.send(Buffer.alloc(100_000));
  second.send("session.input", { data: btoa("x") });
  await second.message("error", { code: "not_controller" });
  const large = await user.viewer(gateway, session_id);
  large.ws.send("x".repeat(2 * 1_024 * 1_024 + 1));
  assert.equal((await large.closed).code, 1009);
  assert.deepEqual(
    gateway.asked.slice(asked).filter((type) => !/^session\.(attach|detach)$/.test(type)),
    [],
  );
  gateway.output(session_id, 0, "still there");
  assert.equal(String(unframe(await first.take("a frame", Buffer.isBuffer)).payload), "still there");
});

test("12: there is no webhook and no other back door", async (t) => {
  const { url } = await world(t);
  const body = { event: "payment.succeeded", user_id: "u_1", droplet: { id: 1, status: "active" } };
  for (const path of [
    "/webhook", "/webhooks/digitalocean", "/api/webhook", "/api/webhooks", "/api/webhooks/stripe",
    "/api/webhooks/digitalocean", "/api/cloud/webhook", "/api/hooks", "/api/admin", "/api/internal",
    "/api/debug", "/api/graphql", "/api/auth", "/api/auth/password", "/api/users",
    "/cdn-cgi/handler/scheduled", "/__scheduled", "/status", "/revoke", "/command", "/enrol",
  ]) {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { "x-signature": "sha256=00", authorization: "Bearer x" },
      body: JSON.stringify(body),
    });
    assert.ok([404, 405].includes(response.status), `${path}: ${response.status}`);
  }
});

test("13: a stolen cookie is worthless once its owner signed out, anywhere, or is gone", async (t) => {
  const { url } = await world(t);
  for (const [what, end] of Object.entries({
    "sign-out": (user) => user.ask("POST", "/api/auth/sign-out", undefined, 204),
    "sign-out everywhere, from another browser": async () => {
      const other = await User.signIn(url);
      await other.ask("POST", "/api/auth/sign-out-everywhere", undefined, 204);
    },
    "the account's end": (user) => user.ask("DELETE", "/api/me", { email: "ada@example.com" }, 204),
  })) {
    const { user, gateway, session_id } = await granted(url);
    const thief = Object.assign(new User(url), { cookie: user.cookie });
    const open = await thief.viewer(gateway, session_id);
    await thief.ask("GET", "/api/servers");
    await end(user);
    assert.equal((await open.closed).code, 4401, what);
    for (const path of ["/api/me", "/api/servers", `/api/servers/${gateway.id}/sessions`]) {
      assert.deepEqual(await refusal(await thief.fetch("GET", path)), [401, "not_signed_in"], what);
    }
    assert.equal((await (await thief.viewer(gateway, session_id)).closed).code, 4401, what);
    const named = await thief.fetch("POST", "/api/servers", { name: "mine" });
    assert.equal(named.status, 401, what);
  }
});

test("14: a link leads to this deployment, whatever host was asked, and to no other", async (t) => {
  const origin = "https://chatcode.example";
  const here = await mailingWorld(t, { bindings: { PUBLIC_ORIGIN: origin } });
  const body = JSON.stringify({ email: "ada@example.com" });
  const answer = await raw(
    here.url,
    `POST /api/auth/email HTTP/1.1\r\nHost: evil.example\r\nOrigin: ${origin}\r\n` +
      "X-Forwarded-Host: evil.example\r\nX-Original-URL: https://evil.example/\r\n" +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assert.equal(statusOf(answer), 202, answer);
  const { text } = await until("the mail", () => here.mail.mails[0]);
  assert.ok(text.includes(`${origin}/sign-in/confirm#token=`), text);
  assert.ok(!text.includes("evil.example"), text);
  // A cookie of another deployment, with other secrets, is a made-up one here.
  const other = await world(t);
  const ada = await User.signIn(other.url);
  const stranger = Object.assign(new User(here.url), { cookie: ada.cookie });
  assert.equal((await stranger.fetch("GET", "/api/me")).status, 401);
});

test("15: nobody is signed in by an answer that no provider gave to this browser", async (t) => {
  const bindings = { GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "secret" };
  const { url } = await world(t, { bindings, outboundService: () => new Response("", { status: 500 }) });
  const get = (path, cookie) =>
    fetch(url + path, { redirect: "manual", headers: cookie ? { cookie } : {} });
  const begun = await get("/api/auth/github");
  assert.equal(begun.status, 302);
  const state = new URL(begun.headers.get("location")).searchParams.get("state");
  const cookie = begun.headers.get("set-cookie").split(";")[0];
  for (const [what, path, held] of [
    ["a browser that began nothing", `?code=c&state=${state}`, undefined],
    ["a made-up state", "?code=c&state=AAAA", cookie],
    ["no state", "?code=c", cookie],
    ["a forged cookie", `?code=c&state=${state}`, `${cookie.slice(0, -2)}AA`],
    ["a state twice", `?code=c&state=${state}&state=x`, `${cookie.split("=")[0]}=e30.e30`],
    ["no code", `?state=${state}`, cookie],
    ["a refusal", `?error=access_denied&state=${state}`, cookie],
    ["a code that the provider does not know", `?code=c&state=${state}`, cookie],
  ]) {
    const answer = await get(`/api/auth/github/callback${path}`, held);
    assert.equal(answer.status, 302, what);
    assert.match(answer.headers.get("location"), /^(https?:\/\/[^/]+)?\/sign-in\?problem=\w+$/, what);
    const set = answer.headers.getSetCookie().join("\n");
    assert.doesNotMatch(set, /chatcode_session=[^;]/, what);
  }
});
