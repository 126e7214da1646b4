// Input and pastes in the form in which they travel.

import { expect, it } from "vitest";
import { bytesOfBinary, bytesOfText, encodePaste, isFocusReport, normalisePaste } from "./input";

it("ends lines of a paste as a keyboard does", () => {
  expect(normalisePaste("a\nb\r\nc\rd\n\n")).toBe("a\rb\rc\rd\r\r");
});

it("removes marks of a bracketed paste, also those that removal makes", () => {
  expect(normalisePaste("\x1b[201~rm\n")).toBe("rm\r");
  expect(normalisePaste("a\x1b[20\x1b[201~1~b")).toBe("ab");
  expect(normalisePaste("a\x9b201~b\x1b[200~c")).toBe("abc");
});

it("keeps other escapes of a paste", () => {
  expect(normalisePaste("\x1b[31m")).toBe("\x1b[31m");
});

it("measures a paste in bytes, not characters", () => {
  expect(encodePaste("é".repeat(512 * 1024))).toHaveProperty("data");
  expect(encodePaste("é".repeat(512 * 1024) + "x")).toHaveProperty("problem");
});

it("turns text and binary strings into bytes", () => {
  expect([...bytesOfText("é")]).toEqual([0xc3, 0xa9]);
  expect([...bytesOfBinary("\x1b[M\xff\x00")]).toEqual([0x1b, 0x5b, 0x4d, 0xff, 0x00]);
});

it("knows a focus report from keys", () => {
  expect(["\x1b[I", "\x1b[O"].map((report) => isFocusReport(bytesOfText(report)))).toEqual([
    true,
    true,
  ]);
  expect(["\x1b[A", "\x1b[I ", "I"].map((keys) => isFocusReport(bytesOfText(keys)))).not.toContain(
    true,
  );
});
