// What costs nothing while nothing happens: nobody wakes a hub, and it does nothing by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hour, measure } from "../cost.mjs";

/** Seconds that are looked at, and between two pings in them. What this waits for is silence. */
const WINDOW = 15;
const PING = 2_000;

test("an idle viewer and its gateway wake nobody, however they ping", async () => {
  const counted = await measure({ viewer: true, ping: PING }, WINDOW);
  const { seconds, pings, ...events } = counted;
  assert.ok(pings >= 2 * (WINDOW - 5) * 1_000 / PING, `${pings} pings`);
  for (const [what, count] of Object.entries(events)) assert.equal(count, 0, what);
  assert.equal(hour(counted).dollars_per_hour.total, 0);
});

test("the counting counts: health wakes a hub, output and typing are messages", async () => {
  const counted = await measure({ viewer: true, health: 1_000, busy: true }, 5, 0);
  assert.ok(counted.messages > 50, `${counted.messages} messages`);
  assert.ok(counted.active_ms > 1_000, `${counted.active_ms} ms`);
  assert.ok(counted.rows_written >= 1, `${counted.rows_written} rows`);
  const { per_hour, dollars_per_hour } = hour(counted);
  assert.ok(Math.abs(per_hour.requests - counted.messages * 36 - counted.alarms * 720) < 200);
  assert.ok(dollars_per_hour.duration > dollars_per_hour.requests);
});
