// Binary frames: one kind byte, two big-endian words, payload.

import { FILE_CHUNK_BYTES, HEADER_BYTES, OUTPUT_FRAME_BYTES } from "./limits";

/** What a frame carries: terminal output of a session, or a numbered chunk of a transfer. */
export type FrameKind = "output" | "file_chunk";

export interface Frame {
  kind: FrameKind;
  /** Session or transfer id. */
  id: number;
  /** Offset of the first payload byte modulo 2^32, or the chunk's number. */
  seq: number;
  /** The bytes themselves; a decoded frame's payload is a view, not a copy. */
  payload: Uint8Array;
}

/** Why bytes are no frame of this contract. Such frames are dropped. */
export interface InvalidFrame {
  kind: "invalid";
  problem: "short" | "unknown_kind" | "too_large";
}

const KIND_BYTES: Record<FrameKind, number> = { output: 0x01, file_chunk: 0x02 };
const PAYLOAD_LIMITS: Record<FrameKind, number> = {
  output: OUTPUT_FRAME_BYTES,
  file_chunk: FILE_CHUNK_BYTES,
};

/** Reads a frame. Never throws, whatever the bytes. */
export function decodeFrame(bytes: ArrayBuffer | Uint8Array): Frame | InvalidFrame {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  if (all.length < HEADER_BYTES) return { kind: "invalid", problem: "short" };
  const view = new DataView(all.buffer, all.byteOffset, HEADER_BYTES);
  const kind = kindOf(view.getUint8(0));
  if (kind === null) return { kind: "invalid", problem: "unknown_kind" };
  const payload = all.subarray(HEADER_BYTES);
  if (payload.length > PAYLOAD_LIMITS[kind]) return { kind: "invalid", problem: "too_large" };
  return { kind, id: view.getUint32(1), seq: view.getUint32(5), payload };
}

/** Writes a frame. The caller keeps the payload within its kind's limit. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + frame.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KIND_BYTES[frame.kind]);
  view.setUint32(1, frame.id);
  view.setUint32(5, frame.seq);
  bytes.set(frame.payload, HEADER_BYTES);
  return bytes;
}

function kindOf(byte: number): FrameKind | null {
  if (byte === KIND_BYTES.output) return "output";
  if (byte === KIND_BYTES.file_chunk) return "file_chunk";
  return null;
}
