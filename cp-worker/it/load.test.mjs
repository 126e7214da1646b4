// The load test, small: what `node cp-worker/load.mjs` does with 200 gateways and 400 viewers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isWhole, load } from "../load.mjs";

/** Megabytes that a gateway with two viewers may cost workerd; measured: 1.3 with 200 of them. */
const MB_EACH = 4;

test("20 gateways and 40 viewers lose nothing, also when a third is cut off", async () => {
  const report = await load({ gateways: 20, kib: 128, idle: 2 });
  assert.ok(isWhole(report), JSON.stringify(report));
  assert.ok(report.keystrokes >= 20 * 21, `${report.keystrokes}`);
  assert.equal(report.refused_keystrokes, report.keystrokes, "the other viewer's are not heard");
  const grown = report.after.workerd_rss_mb - report.before.workerd_rss_mb;
  assert.ok(grown < 20 * MB_EACH + 60, `${grown} MB`);
});
