// Replays the golden vectors, which the gateway's codec replays as well.

import { describe, expect, test } from "vitest";
import base64Vectors from "../../../../protocol/vectors/base64.json";
import frameVectors from "../../../../protocol/vectors/frames.json";
import messageVectors from "../../../../protocol/vectors/messages.json";
import seqVectors from "../../../../protocol/vectors/seq.json";
import { decodeBase64, encodeBase64 } from "./base64";
import { decodeFrame, encodeFrame, type Frame, type FrameKind, type InvalidFrame } from "./frame";
import { distance, isBefore, narrow, widen } from "./seq";

/** The bytes that `hex` and then so many zero bytes stand for. */
function bytes(hex: string, zeros = 0): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(hex.length / 2 + zeros);
  for (let i = 0; i < hex.length / 2; i++) out[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** The same bytes in the middle of a larger buffer, as a WebSocket library may hand them out. */
function embedded(source: Uint8Array): Uint8Array {
  const larger = new Uint8Array(source.length + 20).fill(0xee);
  larger.set(source, 13);
  return larger.subarray(13, 13 + source.length);
}

/** As text, which the test runner compares much faster than large arrays. */
function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a decoded frame holds, its payload as text. */
function contents(frame: Frame | InvalidFrame): object {
  return frame.kind === "invalid" ? frame : { ...frame, payload: hexOf(frame.payload) };
}

describe("frames", () => {
  test.each(frameVectors.valid)("$name", ({ hex, zeros, kind, id, seq, payload }) => {
    const wire = bytes(hex, zeros);
    const frame = { kind: kind as FrameKind, id, seq, payload: bytes(payload, zeros) };
    expect(contents(decodeFrame(embedded(wire)))).toEqual(contents(frame));
    expect(contents(decodeFrame(wire.buffer))).toEqual(contents(frame));
    expect(hexOf(encodeFrame(frame))).toBe(hexOf(wire));
  });

  test.each(frameVectors.invalid)("$name", ({ hex, zeros, problem }) => {
    expect(decodeFrame(embedded(bytes(hex, zeros)))).toEqual({ kind: "invalid", problem });
  });
});

describe("sequence arithmetic", () => {
  test.each(seqVectors.distance)("from $from to $to", ({ from, to, distance: d, is_before }) => {
    expect(distance(from, to)).toBe(d);
    expect(isBefore(from, to)).toBe(is_before);
  });

  test.each(seqVectors.widen)("$wire near $near", ({ near, wire, offset }) => {
    expect(widen(near, wire)).toBe(offset);
  });

  test.each(seqVectors.narrow)("$offset travels as $wire", ({ offset, wire }) => {
    expect(narrow(offset)).toBe(wire);
  });
});

describe("base64", () => {
  test.each(base64Vectors.valid)("'$text'", ({ hex, text }) => {
    expect(encodeBase64(embedded(bytes(hex)))).toBe(text);
    expect(decodeBase64(text)).toEqual(bytes(hex));
  });

  test.each(base64Vectors.invalid)("refuses %j", (text) => {
    expect(decodeBase64(text)).toBeNull();
  });
});

describe("messages", () => {
  test.each(messageVectors.exact)("$text", ({ text }) => {
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
  });
});
