// A lid that was closed says no goodbye: a page that stopped pinging is not looked at any more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { User, world } from "./harness.mjs";

/** Milliseconds: `FOCUS_SILENCE_MS` and a little. What this waits for is silence itself. */
const SILENCE_MS = 61_000;

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
