// Which keys are ours, and above all which are not.

import { describe, expect, it } from "vitest";
import { SHORTCUTS, keysOf, shortcutOf, type Keys } from "./shortcuts";

const NONE = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
const pressed = (key: string, code: string, held: Partial<Keys> = {}): Keys => ({
  ...NONE,
  key,
  code,
  ...held,
});
const CTRL = { ctrlKey: true };
const CTRL_SHIFT = { ctrlKey: true, shiftKey: true };

describe("shortcuts", () => {
  it("are found by their keys, with Ctrl or with Cmd", () => {
    expect(shortcutOf(pressed("F", "KeyF", CTRL_SHIFT))).toBe("find");
    expect(shortcutOf(pressed("f", "KeyF", { metaKey: true, shiftKey: true }))).toBe("find");
    expect(shortcutOf(pressed("?", "Slash", CTRL_SHIFT))).toBe("help");
    expect(shortcutOf(pressed("?", "Minus", CTRL_SHIFT))).toBe("help");
    expect(shortcutOf(pressed("+", "Equal", CTRL_SHIFT))).toBe("larger");
    expect(shortcutOf(pressed("=", "Equal", CTRL))).toBe("larger");
    expect(shortcutOf(pressed("-", "Minus", CTRL))).toBe("smaller");
    expect(shortcutOf(pressed("0", "Digit0", CTRL))).toBe("usual_size");
  });

  it("leave programs every key that terminals have bytes for", () => {
    for (let code = 0x41; code <= 0x5a; code += 1) {
      const letter = String.fromCharCode(code);
      const name = `Key${letter}`;
      expect(shortcutOf(pressed(letter.toLowerCase(), name))).toBeNull();
      expect(shortcutOf(pressed(letter, name, { shiftKey: true }))).toBeNull();
      expect(shortcutOf(pressed(letter.toLowerCase(), name, CTRL))).toBeNull();
      expect(shortcutOf(pressed(letter.toLowerCase(), name, { altKey: true }))).toBeNull();
      expect(shortcutOf(pressed(letter, name, { ...CTRL_SHIFT, altKey: true }))).toBeNull();
    }
    for (const key of ["_", "@", "^", "[", "]", "\\", " ", "/", "2", "6", "8"]) {
      expect(shortcutOf(pressed(key, "", CTRL))).toBeNull();
      expect(shortcutOf(pressed(key, "", CTRL_SHIFT))).toBeNull();
    }
    for (const key of ["Enter", "Tab", "Escape", "ArrowUp", "Home", "PageUp", "Delete", "F1"]) {
      for (const held of [{}, CTRL, CTRL_SHIFT, { shiftKey: true }]) {
        expect(shortcutOf(pressed(key, key, held))).toBeNull();
      }
    }
  });

  it("are each in the sheet once, and do something where they have keys of their own", () => {
    const all = SHORTCUTS.flatMap(({ shortcuts }) => shortcuts);
    expect(new Set(all.map(({ keys }) => keys)).size).toBe(all.length);
    for (const { action, matches } of all) expect(action === undefined).toBe(matches === undefined);
    expect(keysOf("find", false)).toBe("Ctrl Shift F");
    expect(keysOf("find", true)).toBe("Cmd Shift F");
  });
});
