// Holds the browser's limits against the contract's.

import { expect, test } from "vitest";
import frames from "../../../../protocol/schema/frames.json";
import * as limits from "./limits";

const contract = new Map(
  Object.entries(frames["x-limits"]).map(([name, limit]) => [name, limit.value]),
);

test.each(Object.entries(limits))("%s", (name, value) => {
  expect(value).toBe(contract.get(name));
});
