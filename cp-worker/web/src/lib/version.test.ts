// Which versions are newer.

import { expect, it } from "vitest";
import { isNewer, versionBefore } from "./version";

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

it.each([
  ['{"minimum_version":"0.3.0"}', "0.2.9", "0.3.0"],
  ['{"minimum_version":"0.3.0"}', "0.3.0", null],
  ['{"minimum_version":"0.3.0"}', "0.10.0", null],
  ['{"minimum_version":"0.3.0"}', null, null],
  ['{"minimum_version":7}', "0.2.9", null],
  ["{}", "0.2.9", null],
  ["null", "0.2.9", null],
  ["what is no manifest", "0.2.9", null],
])("%s offered to %s: %s comes first", (manifest, own, first) => {
  expect(versionBefore(manifest, own)).toBe(first);
});
