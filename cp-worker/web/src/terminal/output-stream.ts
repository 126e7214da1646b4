// The session's bytes as one viewer has them: which are new, what comes next, what may be acked.
//
// No byte is shown twice and none is missed: a gap is told to the caller, who asks for a fresh state.

import { decodeBase64 } from "@/protocol/base64";
import type { SessionReplay, SessionSnapshot } from "@/protocol/generated/events";
import { distance, narrow } from "@/protocol/seq";
import { OutputQueue, type TerminalEffect } from "./output-queue";

/** Parsed bytes after which an ack is sent although the terminal has more to parse. */
export const ACK_EVERY_BYTES = 32 * 1024;

export class OutputStream {
  private readonly queue = new OutputQueue();
  /** Offset of the next byte expected; null before the first snapshot. */
  private expected: number | null = null;
  /** Next byte that the hub was told of; null after a snapshot, which wants an ack of its own. */
  private acked: number | null = 0;
  /** Whether the bytes that come now follow those that are here. */
  private inStep = false;
  /** Whether this connection has been in step at least once since the gateway was away. */
  private wasInStep = false;

  get next(): number | null {
    return this.expected;
  }

  get synced(): boolean {
    return this.inStep;
  }

  get attached(): boolean {
    return this.wasInStep;
  }

  /** What may be done to the terminal now. */
  take(): TerminalEffect[] {
    return this.queue.take();
  }

  /** The bytes that come now follow no more; a snapshot or a replay will come by itself. */
  lose(): void {
    this.inStep = false;
  }

  /** The connection or the gateway is gone: acks make no sense any more. */
  detach(): void {
    this.inStep = this.wasInStep = false;
  }

  /** Starts over from a snapshot. False where it cannot be read. */
  restart({ cols, rows, data, seq }: SessionSnapshot): boolean {
    const bytes = decodeBase64(data);
    if (bytes === null) return false;
    this.queue.restart(cols, rows, bytes, seq);
    this.expected = seq;
    this.begin(null);
    return true;
  }

  /** Adds what was missed. `gap` where it begins too late, `bad` where it cannot be read. */
  resume({ data, from_seq }: SessionReplay): "done" | "gap" | "bad" {
    const bytes = decodeBase64(data);
    const resumed = this.expected;
    if (bytes === null) return "bad";
    if (resumed === null || !this.accept(from_seq, bytes)) return "gap";
    if (!this.inStep) this.begin(resumed);
    return "done";
  }

  /** Adds bytes that start at `seq`, less those that are here already. False on a gap. */
  accept(seq: number, bytes: Uint8Array): boolean {
    if (this.expected === null) return false;
    const known = distance(seq, this.expected);
    if (known < 0) return false;
    if (known >= bytes.length) return true;
    const fresh = bytes.subarray(known);
    this.expected = narrow(this.expected + fresh.length);
    this.queue.write(fresh, this.expected);
    return true;
  }

  /** A change of size at this place of the stream. */
  resize(cols: number, rows: number): void {
    this.queue.resize(cols, rows);
  }

  /** The terminal has parsed its oldest write; returns what to ack, if anything. */
  wrote(): number | null {
    const parsed = this.queue.wrote();
    // Also after a lag: the snapshot comes only once what was sent before it is acked.
    if (parsed === null || !this.wasInStep) return null;
    const fresh = this.acked === null ? ACK_EVERY_BYTES : distance(this.acked, parsed);
    if (fresh <= 0 || (fresh < ACK_EVERY_BYTES && !this.queue.drained)) return null;
    this.acked = parsed;
    return parsed;
  }

  private begin(acked: number | null): void {
    this.inStep = this.wasInStep = true;
    this.acked = acked;
  }
}
