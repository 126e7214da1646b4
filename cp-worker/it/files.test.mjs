// Files up and down through the hub in real workerd: whole, refused, slow, broken off.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { CHUNK, Files, WINDOW, chunkFrame, noise, sha256 } from "./file-gateway.mjs";
import { User, until, world } from "./harness.mjs";

const MIB = 1024 * 1024;

async function scene(t) {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const server = `/api/servers/${gateway.id}`;
  const path = (name, place = `${server}/sessions/${session_id}`) =>
    `${place}/files?${new URLSearchParams({ path: name })}`;
  return { url, user, gateway, session_id, server, path };
}

function put(user, path, body, headers = {}) {
  const options = { method: "PUT", headers: { cookie: user.cookie, ...headers }, body };
  return fetch(user.url + path, options);
}

function get(user, path, headers = {}) {
  return fetch(user.url + path, { headers: { cookie: user.cookie, ...headers } });
}

async function code(response) {
  return [response.status, (await response.json()).error.code];
}

/** A request whose body and answer the test handles piece by piece. */
function open(user, method, path, headers = {}) {
  const options = { method, agent: false, headers: { cookie: user.cookie, ...headers } };
  const call = request(user.url + path, options);
  call.on("error", () => {});
  return call;
}

/** Whether an answer's body breaks off; what came of it. */
async function drained(response) {
  const parts = [];
  try {
    for await (const part of response) parts.push(part);
    return { broken: false, bytes: Buffer.concat(parts) };
  } catch {
    return { broken: true, bytes: Buffer.concat(parts) };
  }
}

test("files go up and come down whole, whatever their size and name", async (t) => {
  const { user, gateway, session_id, server, path } = await scene(t);
  const files = new Files(gateway);
  for (const [name, size] of [
    ["empty", 0],
    ["one", 1],
    ["chunk", CHUNK],
    ["a/b c+d & é%41.bin", CHUNK + 1],
    ["window", WINDOW * CHUNK],
    ["x".repeat(4_000), 9 * CHUNK + 77],
  ]) {
    const bytes = noise(size);
    const response = await put(user, path(name), bytes);
    assert.equal(response.status, 201, name);
    assert.deepEqual(await response.json(), { path: name, size, sha256: sha256(bytes) });
    assert.ok(files.kept.get(name).equals(bytes), name);

    const back = await get(user, path(name));
    assert.equal(back.status, 200);
    assert.equal(back.headers.get("content-length"), String(size));
    assert.ok(Buffer.from(await back.arrayBuffer()).equals(bytes), name);
  }
  const { headers } = await get(user, path("a/b c+d & é%41.bin"));
  assert.equal(headers.get("content-type"), "application/octet-stream");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
  assert.equal(
    headers.get("content-disposition"),
    "attachment; filename=\"b c+d & __41.bin\"; filename*=UTF-8''b%20c+d%20&%20%C3%A9%2541.bin",
  );
  assert.ok(files.mostUnacked <= WINDOW, `${files.mostUnacked} unacknowledged`);

  // In the workspace the contract's message names no session.
  gateway.onMessage = undefined;
  for (const [place, expected] of [
    [server, undefined],
    [`${server}/sessions/${session_id}`, session_id],
  ]) {
    const up = put(user, path("a", place), "abc");
    const begin = await gateway.command("file.upload.begin");
    assert.deepEqual([begin.session_id, begin.dest_path, begin.size], [expected, "a", 3]);
    gateway.ack({ ok: false, error: { code: "bad_path", message: "m" } });
    assert.deepEqual(await code(await up), [400, "bad_path"]);
    const down = get(user, path("a", place));
    const download = await gateway.command("file.download");
    assert.deepEqual([download.session_id, download.path], [expected, "a"]);
    gateway.ack({ ok: false, error: { code: "not_found", message: "m" } });
    assert.deepEqual(await code(await down), [404, "not_found"]);
  }
});

test("what must not be asked is refused before the gateway hears of it", async (t) => {
  const { url, user, gateway, server, path } = await scene(t);
  const bob = await User.signIn(url, "bob@example.com");
  const nobody = new User(url);
  nobody.cookie = "";
  for (const place of [server, `${server}/sessions/1`]) {
    assert.equal((await put(bob, path("a", place), "x")).status, 404);
    assert.equal((await get(bob, path("a", place))).status, 404);
    assert.deepEqual(await code(await put(nobody, path("a", place), "x")), [401, "not_signed_in"]);
    assert.deepEqual(await code(await get(nobody, path("a", place))), [401, "not_signed_in"]);
    const foreign = await put(user, path("a", place), "x", { origin: "https://evil.example" });
    assert.deepEqual(await code(foreign), [403, "foreign_origin"]);
    for (const query of ["", "?path=", "?path=%00", "?path=%ff", `?path=${"x".repeat(4_097)}`]) {
      assert.deepEqual(await code(await put(user, `${place}/files${query}`, "x")), [400, "invalid"]);
      assert.deepEqual(await code(await get(user, `${place}/files${query}`)), [400, "invalid"]);
    }
    const chunked = open(user, "PUT", path("a", place), { "transfer-encoding": "chunked" });
    chunked.end("no length");
    assert.equal((await once(chunked, "response"))[0].statusCode, 411);
  }
  const large = open(user, "PUT", path("a"), { "content-length": 20 * MIB + 1 });
  large.flushHeaders();
  assert.equal((await once(large, "response"))[0].statusCode, 413);
  large.destroy();
  assert.equal((await get(user, path("a", `${server}/sessions/99`))).status, 404);
  assert.equal((await user.fetch("POST", path("a"))).status, 405);
  assert.deepEqual(gateway.received.filter((one) => /^file\./.test(one.type)), []);

  gateway.send("session.ended", { session_id: 1, exit_code: 0, reason: "exited" });
  await until("the session has ended", async () => {
    return (await user.ask("GET", `${server}/sessions`)).sessions[0].status === "ended";
  });
  assert.deepEqual(await code(await put(user, path("a"), "x")), [409, "session_ended"]);
  await gateway.close();
  assert.deepEqual(await code(await get(user, path("a", server))), [409, "gateway_offline"]);
  assert.deepEqual(await code(await put(user, path("a", server), "x")), [409, "gateway_offline"]);
});

test("the gateway's codes become statuses, at every stage of a transfer", async (t) => {
  const { user, gateway, path } = await scene(t);
  const statuses = {
    ...{ bad_path: 400, permission_denied: 403, not_found: 404, unknown_session: 404 },
    ...{ file_changed: 409, cancelled: 409, too_large: 413, unsupported: 501, io: 502 },
    ...{ bad_checksum: 502, busy: 503, transfer_limit: 503, timed_out: 504, disk_full: 507 },
    something_new: 409,
  };
  const bytes = noise(2 * CHUNK);
  for (const [name, status] of Object.entries(statuses)) {
    const error = { code: name, message: "m" };
    const refuse = () => gateway.ack({ ok: false, error });
    const fail = ({ transfer_id }) => gateway.send("file.error", { transfer_id, ...error });
    const expect = async (answer) => assert.deepEqual(await code(await answer), [status, name]);

    let answer = get(user, path("a"));
    await gateway.command("file.download");
    refuse();
    await expect(answer);
    answer = get(user, path("a"));
    const download = await gateway.command("file.download");
    gateway.ack();
    fail(download);
    await expect(answer);

    answer = put(user, path("a"), bytes);
    await gateway.command("file.upload.begin");
    refuse();
    await expect(answer);
    answer = put(user, path("a"), bytes);
    const begin = await gateway.command("file.upload.begin");
    gateway.ack();
    await gateway.take("a chunk", Buffer.isBuffer);
    fail(begin);
    await expect(answer);
    answer = put(user, path("a"), "");
    await gateway.command("file.upload.begin");
    gateway.ack();
    await gateway.command("file.upload.end");
    refuse();
    await expect(answer);
    gateway.received = [];
  }
});

test("a body that is not whole is broken off before its end", async (t) => {
  const { user, gateway, path } = await scene(t);
  const bytes = noise(3 * CHUNK);
  const files = new Files(gateway);
  files.kept.set("a", bytes);
  const broken = async (spoil) => {
    files.onDownload = spoil;
    const call = open(user, "GET", path("a"));
    call.end();
    const [response] = await once(call, "response");
    files.onDownload = undefined;
    assert.equal(response.headers["content-length"], String(bytes.length));
    const got = await drained(response);
    assert.equal(got.broken, true);
    assert.ok(got.bytes.length < bytes.length, `${got.bytes.length} bytes came`);
  };
  await broken((transfer) => (transfer.digest = sha256("another")));
  const error = { code: "file_changed", message: "m" };
  await broken(({ id: transfer_id }) => gateway.send("file.error", { transfer_id, ...error }));
  await broken(({ id }) => gateway.ws.send(chunkFrame(id, 9, bytes.subarray(0, CHUNK))));
  // The next one is whole again.
  const back = await get(user, path("a"));
  assert.ok(Buffer.from(await back.arrayBuffer()).equals(bytes));
});

/** Resolves once `probe` gives the same for a second: what it counts has come to a stop. */
async function settled(what, probe) {
  let [last, since] = [undefined, 0];
  await until(what, () => {
    const now = probe();
    if (now !== last || now === 0) [last, since] = [now, Date.now()];
    return Date.now() - since > 1_000;
  });
  return last;
}

test("a slow end holds back the other: no more than four chunks wait on the way", async (t) => {
  const { user, gateway, path } = await scene(t);
  const files = new Files(gateway);
  const bytes = noise(20 * MIB);
  const chunks = bytes.length / CHUNK;

  // A gateway that does not ack gets one window.
  files.acks = false;
  const up = open(user, "PUT", path("up"), { "content-length": bytes.length });
  up.end(bytes);
  const upload = await files.transfer("up");
  assert.equal(await settled("the upload stops", () => upload.chunks.length), WINDOW);
  files.acks = true;
  files.ack(upload);
  const [done] = await once(up, "response");
  assert.equal(done.statusCode, 201);
  assert.ok(files.kept.get("up").equals(bytes));

  // A browser that does not read: what its socket holds has passed, and then nothing more.
  const down = open(user, "GET", path("up"));
  down.end();
  const [response] = await once(down, "response");
  response.pause();
  const download = await files.transfer("up");
  const acked = await settled("the download stops", () => download.acked);
  assert.ok(acked < chunks, `${acked} of ${chunks} chunks were acked though nobody reads`);
  assert.ok(download.sent - download.acked <= WINDOW);
  t.diagnostic(`sockets held ${acked} of ${chunks} chunks`);
  const { broken, bytes: back } = await drained(response);
  assert.equal(broken, false);
  assert.ok(back.equals(bytes));
  assert.ok(files.mostUnacked <= WINDOW, `${files.mostUnacked} unacknowledged`);
});

test("a browser that leaves in the middle cancels", async (t) => {
  const { user, gateway, path } = await scene(t);
  const files = new Files(gateway);
  files.kept.set("down", noise(20 * MIB));
  const up = open(user, "PUT", path("up"), { "content-length": 20 * MIB });
  up.write(noise(3 * CHUNK));
  const upload = await files.transfer("up");
  await until("chunks came", () => upload.chunks.length >= 2);
  up.destroy();
  await until("the upload is cancelled", () => files.cancelled.includes(upload.id));
  assert.equal(files.kept.has("up"), false);

  const down = open(user, "GET", path("down"));
  down.end();
  const [response] = await once(down, "response");
  response.pause();
  const { id } = await files.transfer("down");
  response.destroy();
  await until("the download is cancelled", () => files.cancelled.includes(id));

  // Before the answer began.
  gateway.onMessage = undefined;
  const early = open(user, "GET", path("early"));
  early.end();
  const download = await gateway.command("file.download");
  early.destroy();
  gateway.ack();
  const { transfer_id } = download;
  gateway.send("file.content.begin", { transfer_id, size: 2 * CHUNK, mode: 0o644, mtime: 1 });
  gateway.ws.send(chunkFrame(transfer_id, 0, noise(CHUNK)));
  await gateway.message("file.cancel", { transfer_id });
});

test("a gateway that goes in the middle ends its transfers, and the next one carries on", async (t) => {
  const { user, gateway, session_id, path } = await scene(t);
  const files = new Files(gateway);
  files.kept.set("down", noise(20 * MIB));
  files.acks = false;
  const up = put(user, path("up"), noise(8 * CHUNK));
  const upload = await files.transfer("up");
  await until("a window came", () => upload.chunks.length === WINDOW);
  const down = open(user, "GET", path("down"));
  down.end();
  const [response] = await once(down, "response");
  const { id } = await files.transfer("down");
  gateway.ws.terminate();
  assert.deepEqual(await code(await up), [409, "gateway_offline"]);
  assert.equal((await drained(response)).broken, true);

  const next = await gateway.reconnect();
  next.hello({ sessions: [{ session_id, seq: 0, cols: 80, rows: 24 }] });
  await until("the server is online", async () => {
    return (await user.ask("GET", "/api/servers")).servers[0].status === "online";
  });
  const again = new Files(next);
  const bytes = noise(5 * CHUNK);
  again.acks = false;
  const answer = put(user, path("up"), bytes);
  const second = await again.transfer("up");
  assert.ok(![upload.id, id].includes(second.id), "transfer ids are not used again");
  await until("a window came", () => second.chunks.length === WINDOW);
  again.acks = true;
  again.ack(second);
  assert.equal((await answer).status, 201);
  assert.ok(again.kept.get("up").equals(bytes));
  assert.deepEqual(again.cancelled, []);
});

test("the ninth file at once has to wait", async (t) => {
  const { user, gateway, path } = await scene(t);
  const ids = [];
  const answers = [];
  for (let i = 0; i < 8; i++) {
    answers.push(get(user, path("a")));
    ids.push((await gateway.command("file.download")).transfer_id);
    gateway.ack();
  }
  assert.equal(new Set(ids).size, 8);
  assert.deepEqual(await code(await get(user, path("a"))), [503, "transfer_limit"]);
  assert.deepEqual(await code(await put(user, path("a"), "x")), [503, "transfer_limit"]);
  gateway.send("file.error", { transfer_id: ids[3], code: "io", message: "m" });
  assert.equal((await answers[3]).status, 502);
  const ninth = get(user, path("a"));
  await gateway.command("file.download");
  gateway.ack({ ok: false, error: { code: "not_found", message: "m" } });
  assert.equal((await ninth).status, 404);
  for (const transfer_id of ids) {
    gateway.send("file.error", { transfer_id, code: "io", message: "m" });
  }
  for (const answer of answers) assert.equal((await answer).status, 502);
});

/** Milliseconds of keystrokes through the hub to the gateway, one after the other. */
async function keystrokes(viewer, gateway, until) {
  const times = [];
  while (!until.over) {
    const start = performance.now();
    viewer.send("session.input", { data: btoa("x") });
    await gateway.command("session.input");
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

test("20 MiB go up and down while keystrokes pass", async (t) => {
  const { user, gateway, session_id, path } = await scene(t);
  const viewer = await user.viewer(gateway, session_id);
  await viewer.attach(gateway);
  const files = new Files(gateway);
  const bytes = noise(20 * MIB);
  const measure = async (what, transfer) => {
    const until = { over: false };
    const typing = keystrokes(viewer, gateway, until);
    const start = performance.now();
    await transfer();
    const took = performance.now() - start;
    until.over = true;
    const times = await typing;
    const at = (share) => times[Math.floor((times.length - 1) * share)].toFixed(1);
    const rate = ((20 * 1024) / took / 1.024).toFixed(0);
    t.diagnostic(
      `${what}: ${took.toFixed(0)} ms, ${rate} MB/s; ${times.length} keystrokes: ` +
        `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
    );
    assert.ok(times.length >= 5, "keystrokes passed meanwhile");
    assert.ok(times.at(-1) < 1_000, `a keystroke took ${at(1)} ms`);
  };
  await measure("up", async () => assert.equal((await put(user, path("big"), bytes)).status, 201));
  assert.ok(files.kept.get("big").equals(bytes));
  await measure("down", async () => {
    const back = Buffer.from(await (await get(user, path("big"))).arrayBuffer());
    assert.ok(back.equals(bytes));
  });
  assert.ok(files.mostUnacked <= WINDOW, `${files.mostUnacked} unacknowledged`);
});
