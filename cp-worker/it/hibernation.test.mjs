// The hub sleeps with its sockets open, is not woken by pings, and goes on without loss.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CHUNK, Files, noise } from "./file-gateway.mjs";
import { User, unframe, until, world } from "./harness.mjs";

/** workerd evicts an idle object after about 10 s; each further try waits longer. */
const IDLE_MS = [16_000, 24_000, 32_000];

/**
 * Lets the hub be idle until it was evicted, pinging in between, and wakes it by `wake`. What this
 * waits for is silence, so a condition cannot be asked: asking would wake the hub.
 */
async function hibernate(user, gateway, sockets, wake) {
  const instance = () => user.ask("GET", `/api/dev/hubs/${gateway.id}`);
  const before = await instance();
  for (const idle of IDLE_MS) {
    const end = Date.now() + idle;
    let pinged;
    for (const pause of [idle - 2_000, 1_000]) {
      await sleep(pause);
      pinged = Date.now();
      for (const socket of sockets) socket.ws.send("ping");
      for (const socket of sockets) await socket.message("pong");
    }
    await sleep(Math.max(0, end - Date.now()));
    await wake();
    const after = await instance();
    if (after.instance === before.instance) continue;
    assert.ok(after.started_at > pinged, "the last ping was answered in its sleep");
    return;
  }
  assert.fail("the hub was never evicted");
}

test("a hub that was evicted with its sockets open goes on without loss", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const watcher = await user.watcher(gateway);
  await gateway.command("gateway.watch");
  gateway.ack();
  const first = await user.viewer(gateway, session_id);
  await first.attach(gateway, {}, 1_000);
  const second = await user.viewer(gateway, session_id);
  await second.attach(gateway, {}, 1_000);
  const third = await user.viewer(gateway, session_id);
  await third.attach(gateway, {}, 1_000);

  // A person looks at the first one's page, and goes on looking through the sleep.
  first.send("viewer.focus", { on: true });

  let seq = 1_000;
  let sent = "";
  const output = (text) => {
    gateway.output(session_id, seq, text);
    seq += text.length;
    sent += text;
  };
  const text = (viewer) =>
    String(
      Buffer.concat(viewer.received.filter(Buffer.isBuffer).map((one) => unframe(one).payload)),
    );
  // The third viewer does not ack and is paused on the way; the others keep up.
  const chunk = "x".repeat(16 * 1024);
  for (let i = 0; i < 40; i++) {
    output(chunk);
    await until("the bytes before the sleep", () => text(second).length === sent.length);
    for (const viewer of [first, second]) viewer.send("session.ack", { seq });
  }
  await third.message("viewer.state", { state: "lagging" });
  const paused = 1_000 + text(third).length;
  assert.equal(text(third).length, 33 * chunk.length);

  // A file before the sleep: nothing of it keeps the hub awake, and its id is not used again.
  const files = new Files(gateway);
  const ids = [];
  const carry = async () => {
    const path = `${url}/api/servers/${gateway.id}/files?path=a`;
    const body = noise(CHUNK);
    files.acks = false;
    const answer = fetch(path, { method: "PUT", headers: { cookie: user.cookie }, body });
    const upload = await files.transfer("a");
    await until("the chunk came", () => upload.chunks.length === 1);
    files.ack(upload);
    assert.equal((await answer).status, 201);
    ids.push(upload.id);
  };
  await carry();

  await hibernate(user, gateway, [first, second, third, watcher, gateway], async () => {
    output("awake ");
    await until("the bytes after the sleep", () => {
      return text(first) === sent && text(second) === sent;
    });
  });

  await carry();
  assert.deepEqual(ids, [ids[0], ids[0] + 1]);
  assert.deepEqual(files.cancelled, []);

  // Who controls, who awaits and what was acked are known as before.
  second.send("session.input", { data: btoa("x") });
  await second.message("error", { code: "not_controller" });
  first.send("session.input", { data: btoa("y") });
  assert.equal((await gateway.command("session.input")).data, btoa("y"));
  first.send("session.ack", { seq });
  await gateway.message("session.ack", { seq });
  const wants = async (reason) => {
    gateway.send("session.attention", { session_id, reason });
    // Behind it in the stream, so whoever has this was not told the other.
    gateway.send("session.error", { session_id, code: reason, message: "m" });
    await second.message("session.error", { code: reason });
    return second.received.some((one) => one.type === "session.attention");
  };
  assert.equal(await wants("bell"), false);
  first.send("viewer.focus", { on: false });
  await until("the focus is gone", () => wants("waiting"));
  await watcher.message("session.attention", { reason: "waiting" });
  // The one that lagged catches up and gets its own snapshot.
  third.send("session.ack", { seq: paused });
  const attach = await gateway.command("session.attach");
  assert.equal(attach.resume_seq, undefined);
  gateway.snapshot(attach, seq);
  await third.message("session.snapshot");
  output("end");
  await until("the last bytes", () => {
    return text(first) === sent && text(second) === sent && text(third).endsWith("xend");
  });
  gateway.send("session.ended", { session_id, exit_code: 0, reason: "exited" });
  await watcher.message("session.ended");
  assert.equal((await second.closed).code, 4409);
});
