// A scripted gateway's half of the file contract: keeps what comes up, gives what it has.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { until } from "./harness.mjs";

export const CHUNK = 128 * 1024;
export const WINDOW = 4;

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes in which no two chunks are alike. */
export function noise(size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(Math.imul(i + 1, 2654435761) >>> 0, i);
  return bytes;
}

/** A binary file frame. */
export function chunkFrame(transfer_id, seq, payload) {
  const head = Buffer.alloc(9);
  head[0] = 2;
  head.writeUInt32BE(transfer_id, 1);
  head.writeUInt32BE(seq, 5);
  return Buffer.concat([head, payload]);
}

/** Serves files on a gateway's connection, taking over what concerns them. */
export class Files {
  constructor(gateway) {
    this.gateway = gateway;
    /** The files by path. */
    this.kept = new Map();
    this.transfers = new Map();
    this.cancelled = [];
    /** Most chunks that were on the way without an ack, in either direction. */
    this.mostUnacked = 0;
    /** What is done to a download that has begun, before its first chunk. */
    this.onDownload = undefined;
    /** Whether uploads are acked. */
    this.acks = true;
    gateway.onMessage = () => {
      const { received } = gateway;
      const mine = (one) => (Buffer.isBuffer(one) ? one[0] === 2 : /^file\./.test(one.type));
      gateway.received = received.filter((one) => !mine(one));
      for (const one of received.filter(mine)) this.#take(one);
    };
  }

  /** The transfer that carries a path. */
  transfer(path) {
    return until(`a transfer of ${path}`, () => {
      return [...this.transfers.values()].find((one) => one.path === path);
    });
  }

  #take(message) {
    if (Buffer.isBuffer(message)) return this.#chunk(message);
    const { type, transfer_id: id, request_id } = message;
    if (type === "file.ack") return this.#acked(id, message.seq);
    if (type === "file.upload.begin") {
      const { dest_path: path, session_id, size } = message;
      this.transfers.set(id, { id, path, session_id, size, chunks: [], acked: 0 });
    } else if (type === "file.download") {
      return this.#download(message);
    } else if (type === "file.upload.end") {
      const { path, chunks, size } = this.transfers.get(id);
      const file = Buffer.concat(chunks);
      assert.equal(file.length, size);
      assert.equal(message.sha256, sha256(file));
      this.kept.set(path, file);
      this.transfers.delete(id);
    } else if (type === "file.cancel") {
      this.cancelled.push(id);
      this.transfers.delete(id);
    }
    this.gateway.send("ack", { request_id, ok: true });
  }

  #chunk(frame) {
    const transfer = this.transfers.get(frame.readUInt32BE(1));
    if (!transfer) return;
    const payload = frame.subarray(9);
    assert.equal(frame.readUInt32BE(5), transfer.chunks.length);
    transfer.chunks.push(payload);
    const before = (transfer.chunks.length - 1) * CHUNK;
    assert.equal(payload.length, Math.min(CHUNK, transfer.size - before));
    this.mostUnacked = Math.max(this.mostUnacked, transfer.chunks.length - transfer.acked);
    if (this.acks) this.ack(transfer);
  }

  /** Acks all that an upload has brought. */
  ack(transfer) {
    transfer.acked = transfer.chunks.length;
    this.gateway.send("file.ack", { transfer_id: transfer.id, seq: transfer.acked });
  }

  #download({ transfer_id: id, path, session_id, request_id }) {
    const file = this.kept.get(path);
    if (!file) {
      const error = { code: "not_found", message: `no file ${path}` };
      return this.gateway.send("ack", { request_id, ok: false, error });
    }
    const transfer = { id, path, session_id, file, sent: 0, acked: 0 };
    this.transfers.set(id, transfer);
    this.gateway.send("ack", { request_id, ok: true });
    this.gateway.send("file.content.begin", {
      ...{ transfer_id: id, size: file.length, mode: 0o644, mtime: 1_700_000_000 },
    });
    this.onDownload?.(transfer);
    this.#pump(transfer);
  }

  #acked(id, seq) {
    const transfer = this.transfers.get(id);
    if (!transfer) return;
    assert.ok(seq > transfer.acked && seq <= transfer.sent, `ack of ${seq}`);
    transfer.acked = seq;
    this.#pump(transfer);
  }

  /** Sends as many chunks as the window allows. The digest waits for the last ack, as it may. */
  #pump(transfer) {
    const { id, file } = transfer;
    const chunks = Math.ceil(file.length / CHUNK);
    while (transfer.sent < chunks && transfer.sent - transfer.acked < WINDOW) {
      const start = transfer.sent * CHUNK;
      const payload = file.subarray(start, start + CHUNK);
      this.gateway.ws.send(chunkFrame(id, transfer.sent, payload));
      transfer.sent += 1;
      this.mostUnacked = Math.max(this.mostUnacked, transfer.sent - transfer.acked);
    }
    if (transfer.acked === chunks) {
      const digest = transfer.digest ?? sha256(file);
      this.gateway.send("file.content.end", { transfer_id: id, sha256: digest });
      this.transfers.delete(id);
    }
  }
}
