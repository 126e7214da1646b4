// Files on a way that is slow or breaks: back-pressure, whoever leaves, keystrokes meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { CHUNK, Files, WINDOW, chunkFrame, noise, sha256 } from "./file-gateway.mjs";
import { MIB, code, drained, get, open, put, scene } from "./file-requests.mjs";
import { until } from "./harness.mjs";

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

/** Resolves when the gateway gets the next keystroke. */
function pressed(gateway) {
  return new Promise((resolve) => {
    const others = gateway.onMessage;
    gateway.onMessage = () => {
      others();
      const at = gateway.received.findIndex((one) => one.type === "session.input");
      if (at < 0) return;
      gateway.received.splice(at, 1);
      gateway.onMessage = others;
      resolve();
    };
  });
}

/** Milliseconds of keystrokes through the hub to the gateway, one after the other, in order. */
async function keystrokes(viewer, gateway, isOver) {
  const times = [];
  while (!isOver()) {
    const start = performance.now();
    const arrived = pressed(gateway);
    viewer.send("session.input", { data: btoa("x") });
    await arrived;
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return times.sort((a, b) => a - b);
}

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

test("a slow end holds back the other: no more than four chunks wait on the way", async (t) => {
  const { user, gateway, path } = await scene(t);
  const files = new Files(gateway);
  const bytes = noise(20 * MIB);
  const chunks = bytes.length / CHUNK;

  // A gateway that does not ack gets one chunk: nothing is known of the way to it.
  files.acks = false;
  const up = open(user, "PUT", path("up"), { "content-length": bytes.length });
  up.end(bytes);
  const upload = await files.transfer("up");
  assert.equal(await settled("the upload stops", () => upload.chunks.length), 1);
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

test("a gateway that goes ends its transfers, and the next one carries on", async (t) => {
  const { user, gateway, session_id, path } = await scene(t);
  const files = new Files(gateway);
  files.kept.set("down", noise(20 * MIB));
  files.acks = false;
  const up = put(user, path("up"), noise(8 * CHUNK));
  const upload = await files.transfer("up");
  await until("a chunk came", () => upload.chunks.length === 1);
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
  await until("a chunk came", () => second.chunks.length === 1);
  again.acks = true;
  again.ack(second);
  assert.equal((await answer).status, 201);
  assert.ok(again.kept.get("up").equals(bytes));
  assert.deepEqual(again.cancelled, []);
});

test("20 MiB go up and down while keystrokes pass", async (t) => {
  const { user, gateway, session_id, path } = await scene(t);
  const viewer = await user.viewer(gateway, session_id);
  await viewer.attach(gateway);
  const files = new Files(gateway);
  const bytes = noise(20 * MIB);
  const measure = async (what, transfer) => {
    let over = false;
    const typing = keystrokes(viewer, gateway, () => over);
    const start = performance.now();
    await transfer();
    const took = performance.now() - start;
    over = true;
    const times = await typing;
    const at = (share) => times[Math.floor((times.length - 1) * share)].toFixed(1);
    t.diagnostic(
      `${what}: ${took.toFixed(0)} ms; ${times.length} keystrokes: ` +
        `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
    );
    assert.ok(times.length >= 5, "keystrokes passed meanwhile");
    assert.ok(times.at(-1) < 1_000, `a keystroke took ${at(1)} ms`);
  };
  await measure("nothing", () => new Promise((resolve) => setTimeout(resolve, 500)));
  await measure("up", async () => assert.equal((await put(user, path("big"), bytes)).status, 201));
  assert.ok(files.kept.get("big").equals(bytes));
  await measure("down", async () => {
    const back = Buffer.from(await (await get(user, path("big"))).arrayBuffer());
    assert.ok(back.equals(bytes));
  });
  assert.ok(files.mostUnacked <= WINDOW, `${files.mostUnacked} unacknowledged`);
});
