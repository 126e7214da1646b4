// Delays between attempts to connect: random below a bound that doubles, so that browsers which
// lost the same server do not come back at the same instant.

/** Shortest delay in milliseconds, and the bound of the first one. */
export const MIN_DELAY_MS = 100;

/** Longest delay in milliseconds: what a person still waits for. */
export const MAX_DELAY_MS = 10_000;

export class Backoff {
  private attempt = 0;

  /** @param random a number in [0, 1) */
  constructor(private readonly random: () => number) {}

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const bound = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** this.attempt);
    if (bound < MAX_DELAY_MS) this.attempt += 1;
    return Math.max(MIN_DELAY_MS, Math.round(this.random() * bound));
  }

  /** A connection was good: the next delay is a short one again. */
  reset(): void {
    this.attempt = 0;
  }
}
