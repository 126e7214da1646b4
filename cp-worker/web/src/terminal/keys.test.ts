// The key bar's bytes.

import { expect, it } from "vitest";
import { keySequence, modifyText, NO_MODIFIERS, press, release } from "./keys";

const held = (...names: ("ctrl" | "alt" | "shift")[]) => ({
  ...NO_MODIFIERS,
  ...Object.fromEntries(names.map((name) => [name, true])),
});

it.each([
  ["escape", held(), false, "\x1b"],
  ["escape", held("alt"), false, "\x1b\x1b"],
  ["tab", held(), false, "\t"],
  ["tab", held("shift"), false, "\x1b[Z"],
  ["up", held(), false, "\x1b[A"],
  ["up", held(), true, "\x1bOA"],
  ["left", held("ctrl"), true, "\x1b[1;5D"],
  ["right", held("shift", "alt"), false, "\x1b[1;4C"],
  ["home", held(), true, "\x1bOH"],
  ["end", held("shift"), false, "\x1b[1;2F"],
  ["page_up", held(), false, "\x1b[5~"],
  ["delete", held("ctrl"), false, "\x1b[3;5~"],
  ["f1", held(), false, "\x1bOP"],
  ["f4", held("alt"), false, "\x1b[1;3S"],
  ["f5", held(), true, "\x1b[15~"],
  ["f11", held("shift"), false, "\x1b[23;2~"],
  ["f12", held(), false, "\x1b[24~"],
] as const)("%s with %j", (key, modifiers, application, bytes) => {
  expect(keySequence(key, modifiers, application)).toBe(bytes);
});

it.each([
  ["c", held("ctrl"), "\x03"],
  ["C", held("ctrl"), "\x03"],
  ["[", held("ctrl"), "\x1b"],
  ["?", held("ctrl"), "\x7f"],
  [" ", held("ctrl"), "\0"],
  ["é", held("ctrl"), "é"],
  ["pasted", held("ctrl"), "pasted"],
  ["b", held("alt"), "\x1bb"],
  ["x", held("ctrl", "alt"), "\x1b\x18"],
  ["x", held(), "x"],
] as const)("%j with %j", (text, modifiers, bytes) => {
  expect(modifyText(text, modifiers)).toBe(bytes);
});

it("latches a modifier for one key, then locks it, then frees it", () => {
  expect(press("off")).toBe("once");
  expect(release("once")).toBe("off");
  expect(press("once")).toBe("locked");
  expect(release("locked")).toBe("locked");
  expect(press("locked")).toBe("off");
});
