// Which versions are newer.

import { expect, it } from "vitest";
import { isNewer } from "./version";

it.each([
  ["0.4.0", "0.3.9", true],
  ["0.10.0", "0.9.0", true],
  ["1.0.0", "0.99.99", true],
  ["0.4.0", "0.4.0", false],
  ["0.3.9", "0.4.0", false],
  ["0.9.0", "0.10.0", false],
  ["1.0.0", null, false],
  ["1.0.0", "0.0.0-dev", false],
  ["1.0", "0.9.0", false],
])("%s after %s: %s", (offered, own, newer) => {
  expect(isNewer(offered, own)).toBe(newer);
});
