// The link: when it connects, when it gives up on a silent socket, and when it stays away.

import { describe, expect, it } from "vitest";
import { Backoff, MAX_DELAY_MS, MIN_DELAY_MS } from "./backoff";
import {
  Link,
  PING_INTERVAL_MS,
  PONG_DEADLINE_MS,
  STABLE_AFTER_MS,
  WAKE_DEADLINE_MS,
} from "./link";
import type { LinkEffect, LinkEvent } from "./link";

/** A link driven by hand, with the longest delays. */
function drive() {
  const link = new Link(() => 0.999);
  let now = 0;
  return {
    link,
    later: (ms: number) => (now += ms),
    on: (event: LinkEvent): LinkEffect[] => link.handle(event, now),
  };
}

function openLink() {
  const driven = drive();
  driven.on({ type: "start" });
  driven.on({ type: "opened" });
  return driven;
}

const retryDelay = (effects: LinkEffect[]): number | undefined =>
  effects.flatMap((e) => (e.type === "timer" && e.timer === "retry" ? [e.ms] : []))[0];
const kinds = (effects: LinkEffect[]): string[] => effects.map((effect) => effect.type);

describe("Backoff", () => {
  it("doubles up to its bound, with jitter, and never comes back at once", () => {
    const longest = new Backoff(() => 0.9999);
    const delays = Array.from({ length: 9 }, () => longest.next());
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6399, 9999, 9999]);
    expect(Math.max(...delays)).toBeLessThanOrEqual(MAX_DELAY_MS);
    const shortest = new Backoff(() => 0);
    expect(Array.from({ length: 9 }, () => shortest.next())).toEqual(Array(9).fill(MIN_DELAY_MS));
  });
});

describe("Link", () => {
  it("connects, and again after a growing delay while it fails", () => {
    const { on } = drive();
    expect(kinds(on({ type: "start" }))).toContain("connect");
    expect(retryDelay(on({ type: "closed", code: 1006 }))).toBe(100);
    expect(kinds(on({ type: "timer", timer: "retry" }))).toContain("connect");
    expect(retryDelay(on({ type: "closed", code: 1006 }))).toBe(200);
  });

  it("starts over with short delays only after a connection that lasted", () => {
    const { on, later } = openLink();
    later(STABLE_AFTER_MS - 1);
    on({ type: "closed", code: 1006 });
    on({ type: "timer", timer: "retry" });
    on({ type: "opened" });
    later(STABLE_AFTER_MS - 1);
    expect(retryDelay(on({ type: "closed", code: 1006 }))).toBe(200);
    on({ type: "timer", timer: "retry" });
    on({ type: "opened" });
    later(STABLE_AFTER_MS);
    expect(retryDelay(on({ type: "closed", code: 1006 }))).toBe(100);
  });

  it("pings, and gives up on a socket that stays silent", () => {
    const { on, link } = openLink();
    const ping = on({ type: "timer", timer: "ping" });
    expect(ping).toContainEqual({ type: "send", text: "ping" });
    expect(ping).toContainEqual({ type: "timer", timer: "deadline", ms: PONG_DEADLINE_MS });
    expect(ping).toContainEqual({ type: "timer", timer: "ping", ms: PING_INTERVAL_MS });
    expect(on({ type: "received" })).toContainEqual({ type: "clear", timer: "deadline" });
    on({ type: "timer", timer: "ping" });
    expect(kinds(on({ type: "timer", timer: "deadline" }))).toContain("disconnect");
    expect(link.status).toBe("waiting");
  });

  it("gives up on a socket that does not open", () => {
    const { on, link } = drive();
    on({ type: "start" });
    expect(kinds(on({ type: "timer", timer: "deadline" }))).toContain("disconnect");
    expect(link.status).toBe("waiting");
  });

  it.each(["online", "visible"] as const)("comes back at once when %s", (type) => {
    const { on } = openLink();
    on({ type: "closed", code: 1006 });
    expect(kinds(on({ type }))).toContain("connect");
  });

  it("looks at once whether an open socket still lives", () => {
    const { on } = openLink();
    expect(on({ type: "visible" })).toContainEqual({ type: "send", text: "ping" });
  });

  it("replaces the socket of a page from the back/forward cache", () => {
    const { on } = openLink();
    expect(kinds(on({ type: "restored" }))).toEqual(
      expect.arrayContaining(["disconnect", "connect"]),
    );
  });

  it.each(["online", "offline", "visible"] as const)("soon gives up on a dead socket when %s", (type) => {
    const { on } = openLink();
    expect(on({ type })).toContainEqual({ type: "timer", timer: "deadline", ms: WAKE_DEADLINE_MS });
    expect(kinds(on({ type: "timer", timer: "deadline" }))).toContain("disconnect");
  });

  it("holds no socket in the back/forward cache", () => {
    const { on, link } = openLink();
    expect(kinds(on({ type: "frozen" }))).toContain("disconnect");
    expect(link.status).toBe("parked");
    expect(kinds(on({ type: "restored" }))).toContain("connect");
  });

  it("tries at once, and with short delays again, when a person asks for it", () => {
    const { on } = drive();
    on({ type: "start" });
    for (let i = 0; i < 9; i += 1) {
      on({ type: "closed", code: 1006 });
      on({ type: "timer", timer: "retry" });
    }
    expect(retryDelay(on({ type: "closed", code: 1006 }))).toBeGreaterThan(9_000);
    expect(kinds(on({ type: "retry" }))).toContain("connect");
    expect(retryDelay(on({ type: "closed", code: 1006 }))).toBe(100);
  });

  it("does not ping while hidden, and stays away when closed for that", () => {
    const { on, link } = openLink();
    expect(on({ type: "hidden" })).toContainEqual({ type: "clear", timer: "ping" });
    expect(on({ type: "timer", timer: "ping" })).toEqual([]);
    expect(retryDelay(on({ type: "closed", code: 4408 }))).toBeUndefined();
    expect(link.status).toBe("parked");
    expect(kinds(on({ type: "visible" }))).toContain("connect");
  });

  it.each([4401, 4404, 4409])("stays away for good after close code %i", (code) => {
    const { on, link } = openLink();
    on({ type: "closed", code });
    expect(link.finalCode).toBe(code);
    for (const type of ["online", "visible", "frozen", "restored", "retry"] as const)
      expect(on({ type })).toEqual([]);
  });
});
