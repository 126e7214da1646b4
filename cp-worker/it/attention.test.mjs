// A session that wants a person, in real workerd: who is told, what is kept, what clears it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { User, until, world } from "./harness.mjs";

/** Milliseconds: `FOCUS_SILENCE_MS` and a little. What is waited for is silence itself. */
const SILENCE_MS = 61_000;

async function scene(t) {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const { session_id } = await user.session(gateway);
  const watcher = await user.watcher(gateway);
  const viewer = await user.viewer(gateway, session_id);
  await viewer.attach(gateway);
  const listed = async () => {
    const { sessions } = await user.ask("GET", `/api/servers/${gateway.id}/sessions`);
    return sessions.find((one) => one.session_id === session_id).attention;
  };
  /** Takes what `socket` was told of attention until all that the gateway said has come. */
  const told = async (socket, probe) => {
    gateway.send("session.ended", { session_id: 999, exit_code: 0, reason: probe });
    gateway.send("session.error", { session_id, code: probe, message: "m" });
    if (socket === watcher) await socket.message("session.ended", { reason: probe });
    else await socket.message("session.error", { code: probe });
    const mine = socket.received.filter((one) => one.type === "session.attention");
    socket.received = socket.received.filter((one) => one.type !== "session.attention");
    return mine.map(({ reason, title }) => ({ reason, title }));
  };
  return { user, gateway, session_id, watcher, viewer, listed, told };
}

test("attention is told, kept for pages opened later, and cleared by a look", async (t) => {
  const { gateway, session_id, watcher, viewer, listed, told } = await scene(t);
  assert.equal(await listed(), null);
  const before = Date.now();
  const title = "May I\u0007 run this?";
  gateway.send("session.attention", { session_id, reason: "waiting", title });
  const heard = [{ reason: "waiting", title: "May I run this?" }];
  assert.deepEqual(await told(viewer, "p1"), heard);
  assert.deepEqual(await told(watcher, "p2"), heard);
  const kept = await until("the list has it", listed);
  assert.ok(kept.at >= before - 1_000 && kept.at <= Date.now() + 1_000, String(kept.at));
  assert.deepEqual({ ...kept, at: 0 }, { at: 0, ...heard[0] });

  watcher.received = [];
  viewer.send("viewer.focus", { on: true });
  await until("the look clears it", async () => (await listed()) === null);
  await watcher.message("sessions.changed");
});

test("nobody is called while a person looks, and again once nobody does", async (t) => {
  const { user, gateway, session_id, watcher, viewer, listed, told } = await scene(t);
  viewer.send("viewer.focus", { on: true });
  // Answered behind it, so the hub knows by then.
  viewer.send("session.resize", { cols: 90, rows: 20 });
  await gateway.command("session.resize");
  gateway.send("session.attention", { session_id, reason: "bell" });
  assert.deepEqual(await told(viewer, "p1"), []);
  assert.deepEqual(await told(watcher, "p2"), []);
  assert.equal(await listed(), null);

  // Another session's page does not look at this one; a closed one looks at nothing.
  const other = await user.session(gateway, "other");
  const elsewhere = await user.viewer(gateway, other.session_id);
  await elsewhere.attach(gateway);
  elsewhere.send("viewer.focus", { on: true });
  await viewer.close();
  await until("the list has it", async () => {
    gateway.send("session.attention", { session_id, reason: "bell" });
    return listed();
  });
  assert.equal((await told(watcher, "p3"))[0].reason, "bell");
  assert.equal((await listed()).title, null);
});

test("a session that has ended wants nobody", async (t) => {
  const { gateway, session_id, listed } = await scene(t);
  gateway.send("session.attention", { session_id, reason: "notification", title: "done" });
  await until("the list has it", listed);
  gateway.send("session.ended", { session_id, exit_code: 0, reason: "exited" });
  await until("it is gone", async () => (await listed()) === null);
});

test("colours and the shown pane go their ways", async (t) => {
  const { gateway, session_id, viewer } = await scene(t);
  viewer.send("session.colors", { foreground: "#dde6e0", background: "#0c120f" });
  const colors = await gateway.command("session.colors");
  assert.deepEqual([colors.session_id, colors.background], [session_id, "#0c120f"]);
  viewer.send("session.colors", { foreground: "red", background: "#0c120f" });
  await viewer.message("error", { code: "invalid_payload" });
  gateway.send("session.pane", { session_id, seq: 0, pane: 2, panes: 3 });
  assert.equal((await viewer.message("session.pane")).panes, 3);
});

// A lid that was closed says no goodbye.
test("a silent page has no focus, one that pings keeps it", async (t) => {
  const { url } = await world(t);
  const user = await User.signIn(url);
  const gateway = await user.server();
  const focused = async (name) => {
    const { session_id } = await user.session(gateway, name);
    const viewer = await user.viewer(gateway, session_id);
    await viewer.attach(gateway);
    viewer.send("viewer.focus", { on: true });
    return { viewer, session_id };
  };
  const [pinging, silent] = [await focused("pinging"), await focused("silent")];
  for (const end = Date.now() + SILENCE_MS; Date.now() < end; ) {
    pinging.viewer.ws.send("ping");
    await pinging.viewer.message("pong");
    await sleep(5_000);
  }
  for (const { session_id } of [pinging, silent]) {
    gateway.send("session.attention", { session_id, reason: "waiting" });
    gateway.send("session.error", { session_id, code: "after", message: "m" });
  }
  for (const { viewer } of [pinging, silent]) await viewer.message("session.error");
  const told = ({ viewer }) => viewer.received.some(({ type }) => type === "session.attention");
  assert.deepEqual([told(pinging), told(silent)], [false, true]);

  // It lives after all and says so again, as the web app does.
  silent.viewer.send("viewer.focus", { on: true });
  silent.viewer.send("session.resize", { cols: 90, rows: 20 });
  await gateway.command("session.resize");
  silent.viewer.received = [];
  gateway.send("session.attention", { session_id: silent.session_id, reason: "waiting" });
  gateway.send("session.error", { session_id: silent.session_id, code: "after", message: "m" });
  await silent.viewer.message("session.error");
  assert.equal(told(silent), false);
});
