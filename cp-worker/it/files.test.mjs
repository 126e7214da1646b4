// Files up and down through the hub in real workerd: whole, refused, too many.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { CHUNK, Files, WINDOW, noise, sha256 } from "./file-gateway.mjs";
import { MIB, code, get, open, put, scene } from "./file-requests.mjs";
import { User, until } from "./harness.mjs";

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
    const signedOut = [401, "not_signed_in"];
    assert.deepEqual(await code(await put(nobody, path("a", place), "x")), signedOut);
    assert.deepEqual(await code(await get(nobody, path("a", place))), signedOut);
    const foreign = await put(user, path("a", place), "x", { origin: "https://evil.example" });
    assert.deepEqual(await code(foreign), [403, "foreign_origin"]);
    for (const query of ["", "?path=", "?path=%00", "?path=%ff", `?path=${"x".repeat(4_097)}`]) {
      const address = `${place}/files${query}`;
      assert.deepEqual(await code(await put(user, address, "x")), [400, "invalid"]);
      assert.deepEqual(await code(await get(user, address)), [400, "invalid"]);
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
