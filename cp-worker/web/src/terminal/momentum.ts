// How far a list goes on scrolling after the finger that moved it is gone.

/** Milliseconds of a drag that tell how fast it was at its end. */
const LOOK_BACK_MS = 100;

/** Milliseconds in which the speed falls to 1/e of itself. */
const FADE_MS = 325;

/** Pixels a millisecond: below the first nothing goes on, above the second it is a mistake. */
const SPEED = { least: 0.05, most: 6 };

export class Momentum {
  private moves: { at: number; pixels: number }[] = [];
  private speed = 0;

  /** The finger moved; times are milliseconds of one clock. */
  move(pixels: number, at: number): void {
    this.moves.push({ at, pixels });
    while (this.moves[0] !== undefined && at - this.moves[0].at > LOOK_BACK_MS) this.moves.shift();
  }

  /** The finger is gone. */
  release(at: number): void {
    const recent = this.moves.filter((move) => at - move.at <= LOOK_BACK_MS);
    const [first] = recent;
    const pixels = recent.reduce((sum, move) => sum + move.pixels, 0);
    const speed = first === undefined ? 0 : pixels / Math.max(16, at - first.at);
    this.speed = Math.sign(speed) * Math.min(SPEED.most, Math.abs(speed));
    this.moves = [];
  }

  /** Pixels of the next `ms` milliseconds; null once it has come to rest. */
  step(ms: number): number | null {
    if (Math.abs(this.speed) < SPEED.least) return null;
    const fade = Math.exp(-ms / FADE_MS);
    const pixels = this.speed * FADE_MS * (1 - fade);
    this.speed *= fade;
    return pixels;
  }

  stop(): void {
    this.speed = 0;
    this.moves = [];
  }
}
