// Events of a page, from a browser made of two event targets and a clock.

import { describe, expect, it } from "vitest";
import { CLOCK_LOOK_MS, SLEPT_AFTER_MS, watchPageLife, type PageEvent } from "./page-life";

function page({ onLine = true } = {}) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const heard: PageEvent["type"][] = [];
  const ending = new AbortController();
  const clock = { now: 1_000_000, look: null as (() => void) | null };
  watchPageLife((event) => heard.push(event.type), ending.signal, {
    window,
    document,
    navigator: { onLine },
    setInterval: (look, ms) => {
      expect(ms).toBe(CLOCK_LOOK_MS);
      clock.look = look;
      return 1;
    },
    clearInterval: () => (clock.look = null),
    Date: { now: () => clock.now },
  });
  const pass = (ms: number) => {
    clock.now += ms;
    clock.look?.();
  };
  const show = (visibilityState: string) => {
    document.visibilityState = visibilityState;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  const heardNow = () => heard.splice(0);
  return { window, document, pass, show, heardNow, ending, clock };
}

describe("the page's life", () => {
  it("tells of network and visibility", () => {
    const { window, show, heardNow } = page();
    window.dispatchEvent(new Event("offline"));
    window.dispatchEvent(new Event("online"));
    show("hidden");
    show("visible");
    expect(heardNow()).toEqual(["offline", "online", "hidden", "visible"]);
    expect(page({ onLine: false }).heardNow()).toEqual(["offline"]);
  });

  it("gives up its socket when left, and wants another when it comes back from the cache", () => {
    const { window, heardNow } = page();
    window.dispatchEvent(new Event("pagehide"));
    window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    expect(heardNow()).toEqual(["frozen", "restored"]);
    window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
    expect(heardNow()).toEqual([]);
  });

  it("notices that the machine slept, whether timers or the page's visibility tell", () => {
    const { pass, show, heardNow, clock } = page();
    pass(CLOCK_LOOK_MS);
    pass(SLEPT_AFTER_MS);
    expect(heardNow()).toEqual([]);
    pass(SLEPT_AFTER_MS + 1);
    expect(heardNow()).toEqual(["restored"]);
    clock.now += 3_600_000;
    show("hidden");
    expect(heardNow()).toEqual(["restored", "hidden"]);
  });

  it("takes a hidden page's late timers for nothing", () => {
    const { pass, show, heardNow } = page();
    show("hidden");
    pass(60_000);
    pass(60_000);
    show("visible");
    expect(heardNow()).toEqual(["hidden", "visible"]);
    pass(60_000);
    expect(heardNow()).toEqual(["restored"]);
  });

  it("says nothing after its end", () => {
    const { window, pass, heardNow, ending } = page();
    ending.abort();
    window.dispatchEvent(new Event("online"));
    pass(SLEPT_AFTER_MS * 2);
    expect(heardNow()).toEqual([]);
  });
});
