// Large and random payloads of base64, compared with the platform's own coder.

import { expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64";
import { PASTE_BYTES } from "./limits";

/** Bytes that look random and are the same in every run. */
function noise(length: number): Uint8Array {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

test.each([PASTE_BYTES, PASTE_BYTES - 1, PASTE_BYTES - 2])("%i bytes", (length) => {
  const bytes = noise(length);
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const text = encodeBase64(bytes);
  expect(text === btoa(binary)).toBe(true);
  const decoded = decodeBase64(text);
  expect(decoded?.length).toBe(length);
  expect(decoded?.findIndex((byte, at) => byte !== bytes[at])).toBe(-1);
});

test("every character outside the alphabet is refused at every place", () => {
  const alphabet = /[A-Za-z0-9+/]/;
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    if (alphabet.test(character)) continue;
    for (let place = 0; place < 8; place++) {
      const text = `${"A".repeat(place)}${character}${"A".repeat(7 - place)}`;
      if (character === "=" && place === 7) continue;
      expect(decodeBase64(text), JSON.stringify(text)).toBeNull();
    }
  }
});
