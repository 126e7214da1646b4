// What a person types and pastes, in the form in which it travels.

import { encodeBase64 } from "@/protocol/base64";
import { INPUT_BYTES, PASTE_BYTES } from "@/protocol/limits";

const encoder = new TextEncoder();

/** What `onData` of xterm.js gives: text. */
export function bytesOfText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** What `onBinary` of xterm.js gives: a string with one byte in each character. */
export function bytesOfBinary(binary: string): Uint8Array {
  return Uint8Array.from(binary, (character) => character.charCodeAt(0) & 0xff);
}

/** Whether the bytes are what a terminal sends when it gains or loses the focus (mode 1004). */
export function isFocusReport(bytes: Uint8Array): boolean {
  const [escape, bracket, final] = bytes;
  return (
    bytes.length === 3 && escape === 0x1b && bracket === 0x5b && (final === 0x49 || final === 0x4f)
  );
}

/** The bytes as base64 in pieces that fit a `session.input` each. */
export function* encodeInput(bytes: Uint8Array): Generator<string> {
  for (let from = 0; from < bytes.length; from += INPUT_BYTES) {
    yield encodeBase64(bytes.subarray(from, from + INPUT_BYTES));
  }
}

/** Marks around a bracketed paste, with the 7-bit and the 8-bit form of CSI. */
const PASTE_MARKS = /(?:\x1b\[|\x9b)20[01]~/g;

/**
 * The text as a keyboard would have typed it: lines end with CR. Marks of a bracketed paste are
 * removed until none is left, or a pasted one would end the bracket and run what follows it.
 */
export function normalisePaste(text: string): string {
  let clean = text.replace(/\r?\n/g, "\r");
  for (let before = ""; before !== clean;) {
    before = clean;
    clean = clean.replace(PASTE_MARKS, "");
  }
  return clean;
}

/** A paste as base64, or why it cannot be sent. */
export function encodePaste(text: string): { data: string } | { problem: string } {
  const bytes = encoder.encode(normalisePaste(text));
  if (bytes.length <= PASTE_BYTES) return { data: encodeBase64(bytes) };
  const size = (bytes.length / (1024 * 1024)).toFixed(1);
  return { problem: `This paste has ${size} MiB; at most 1 MiB can be pasted. Nothing was sent.` };
}
