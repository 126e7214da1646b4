// Numbers and times as people read them.

import { expect, it } from "vitest";
import {
  asSentence,
  formatAgo,
  formatBytes,
  formatClock,
  formatDollars,
  formatElapsed,
  percentOf,
} from "./format";
import { estimateSize } from "./estimate-size";
import { endText } from "./session-end";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 KB"],
  [5_500_000_000, "5.1 GB"],
  [2 ** 40 * 4, "4.0 TB"],
])("%i bytes", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [-5, "just now"],
  [44, "just now"],
  [60, "1 min ago"],
  [3_600, "1 h ago"],
  [90_000, "25 h ago"],
  [864_000, "10 days ago"],
])("%i seconds", (seconds, text) => {
  expect(formatAgo(0, seconds * 1000)).toBe(text);
});

it.each([
  [-5, "0 s"],
  [59_999, "59 s"],
  [60_000, "1:00 min"],
  [187_000, "3:07 min"],
  [7_200_000, "2 h"],
])("%i milliseconds on a clock", (ms, text) => {
  expect(formatElapsed(ms)).toBe(text);
});

it("takes no part of an empty whole", () => {
  expect(percentOf(1, 0)).toBe(0);
  expect(percentOf(1, 4)).toBe(25);
});

it("guesses sizes that every gateway accepts", () => {
  expect(estimateSize(360, 700)).toEqual({ cols: 39, rows: 34 });
  expect(estimateSize(0, 0)).toEqual({ cols: 20, rows: 8 });
  expect(estimateSize(1e6, 1e6)).toEqual({ cols: 300, rows: 120 });
});

it("says how a session ended", () => {
  expect(endText({ reason: "exited", exit_code: 3 })).toBe("Exited with code 3");
  expect(endText({ reason: "exited", exit_code: 0 })).toBe("Finished");
  expect(endText({ reason: "killed", signal: 9 })).toBe("Killed by signal 9");
  expect(endText({ reason: null })).toBe("Ended");
});

it("counts minutes and seconds", () => {
  expect([-1, 999, 61_000, 600_000].map(formatClock)).toEqual(["0:00", "0:00", "1:01", "10:00"]);
});

it("writes prices as they are", () => {
  expect([4, 7.5, 0.00595, 12, 0.15].map(formatDollars)).toEqual([
    "$4",
    "$7.50",
    "$0.00595",
    "$12",
    "$0.15",
  ]);
});

it("makes sentences of what programs say", () => {
  expect(asSentence("the server is not connected")).toBe("The server is not connected.");
  expect(asSentence("Already one!")).toBe("Already one!");
  expect(asSentence("chatcode-gateway is old")).toBe("chatcode-gateway is old.");
});
