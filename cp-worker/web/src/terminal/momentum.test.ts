// Scrolling that goes on, and that comes to rest.

import { describe, expect, it } from "vitest";
import { Momentum } from "./momentum";

/** Drags at one pixel a millisecond for a while, waits, lets go; how far it then goes on. */
function fling({ speed = 1, wait = 0 } = {}): { pixels: number; ms: number } {
  const momentum = new Momentum();
  for (let at = 0; at <= 160; at += 16) momentum.move(16 * speed, at);
  momentum.release(160 + wait);
  let pixels = 0;
  for (let ms = 0; ms < 60_000; ms += 16) {
    const step = momentum.step(16);
    if (step === null) return { pixels, ms };
    pixels += step;
  }
  throw new Error("it never comes to rest");
}

describe("momentum", () => {
  it("goes on in the same direction and comes to rest", () => {
    const { pixels, ms } = fling();
    expect(pixels).toBeGreaterThan(200);
    expect(pixels).toBeLessThan(500);
    expect(ms).toBeLessThan(2_000);
    expect(fling({ speed: -1 }).pixels).toBeCloseTo(-pixels);
  });

  it("is none after a finger that rested, and bounded after one that jumped", () => {
    expect(fling({ wait: 300 }).pixels).toBe(0);
    expect(fling({ speed: 1000 }).pixels).toBeLessThan(2_100);
    expect(new Momentum().step(16)).toBeNull();
  });

  it("ends when it is stopped", () => {
    const momentum = new Momentum();
    momentum.move(100, 0);
    momentum.release(10);
    momentum.stop();
    expect(momentum.step(16)).toBeNull();
  });
});
