// A wake that comes too late for the call it was meant for must not end the next one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import "../miniflare-mended.mjs";

/** Notifies until somebody has been woken, and only some time after that stores what is waited for. */
const LATE_NOTICE = `
  const { cell } = require("node:worker_threads").workerData;
  const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  while (Atomics.notify(cell, 0) === 0) pause(1);
  pause(50);
  Atomics.store(cell, 0, 1);
  Atomics.notify(cell, 0);
`;

test("a sleep without a deadline outlasts a late notice", async () => {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(LATE_NOTICE, { eval: true, workerData: { cell } });
  await once(worker, "online");
  assert.equal(Atomics.wait(cell, 0, 0), "ok");
  assert.equal(Atomics.load(cell, 0), 1, "it woke before anything had changed");
  assert.equal(Atomics.wait(cell, 0, 0), "not-equal");
  assert.equal(Atomics.wait(cell, 0, 1, 1), "timed-out");
});
