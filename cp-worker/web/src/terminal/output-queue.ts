// What is to happen to the terminal, in the order of the stream.
//
// xterm.js parses behind our back, so a reset or a new size must wait until it has parsed every
// earlier byte, and later bytes must wait for the reset or the size. Pure: hands out effects and
// is told when a write was parsed.

import { ByteFilter } from "./byte-filter";

export type TerminalEffect =
  /** Write, and report `wrote` when the terminal has parsed it, also when it is empty. */
  | { type: "write"; bytes: Uint8Array }
  | { type: "reset" }
  | { type: "resize"; cols: number; rows: number };

/** `end`: the offset behind a write's raw bytes; null where it counts for nothing. */
type Step = { effect: TerminalEffect; end: number | null };

/** CAN: makes the terminal leave a half-read sequence or character, which a reset does not. */
const CANCEL = Uint8Array.of(0x18);

export class OutputQueue {
  private readonly filter = new ByteFilter();
  private waiting: Step[] = [];
  /** Ends of the writes that the terminal has not parsed, oldest first. */
  private inTerminal: (number | null)[] = [];

  /** Whether the terminal has parsed everything. */
  get drained(): boolean {
    return this.waiting.length === 0 && this.inTerminal.length === 0;
  }

  /** Adds raw bytes of the stream; `end` is the offset behind them. */
  write(raw: Uint8Array, end: number): void {
    this.waiting.push({ effect: { type: "write", bytes: this.filter.push(raw) }, end });
  }

  /** Adds a change of size at this place of the stream. */
  resize(cols: number, rows: number): void {
    this.waiting.push({ effect: { type: "resize", cols, rows }, end: null });
  }

  /** Starts over from a snapshot; what has not reached the terminal yet is dropped. */
  restart(cols: number, rows: number, raw: Uint8Array, end: number): void {
    this.filter.reset();
    this.inTerminal = this.inTerminal.map(() => null);
    this.waiting = [{ effect: { type: "write", bytes: CANCEL }, end: null }];
    this.waiting.push({ effect: { type: "reset" }, end: null });
    this.resize(cols, rows);
    this.write(raw, end);
  }

  /** What may be done now. */
  take(): TerminalEffect[] {
    const effects: TerminalEffect[] = [];
    for (let step = this.waiting[0]; step !== undefined; step = this.waiting[0]) {
      if (step.effect.type === "write") this.inTerminal.push(step.end);
      else if (this.inTerminal.length > 0) break;
      effects.push(step.effect);
      this.waiting.shift();
    }
    return effects;
  }

  /** The oldest write was parsed; returns the offset behind it. */
  wrote(): number | null {
    return this.inTerminal.shift() ?? null;
  }
}
