// The page's focus, told on change only.

import { expect, it } from "vitest";
import { watchPageFocus } from "./page-focus";

class Page {
  readonly told: boolean[] = [];
  readonly window = new EventTarget();
  readonly ending = new AbortController();
  focused = true;
  readonly document = Object.assign(new EventTarget(), {
    visibilityState: "visible",
    hasFocus: () => this.focused,
  });

  constructor() {
    watchPageFocus((on) => this.told.push(on), this.ending.signal, this);
  }

  set(focused: boolean): void {
    this.focused = focused;
    this.window.dispatchEvent(new Event(focused ? "focus" : "blur"));
  }

  show(visibilityState: string): void {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event("visibilitychange"));
  }
}

it("is told at once and then when it changes", () => {
  const page = new Page();
  page.set(true);
  page.set(false);
  page.set(false);
  page.set(true);
  expect(page.told).toEqual([true, false, true]);
});

it("needs a visible page and a focused window", () => {
  const page = new Page();
  page.show("hidden");
  page.set(false);
  page.show("visible");
  expect(page.told).toEqual([true, false]);
  page.set(true);
  expect(page.told).toEqual([true, false, true]);
});

it("is lost to the back/forward cache and comes back from it", () => {
  const page = new Page();
  page.window.dispatchEvent(new Event("pagehide"));
  page.window.dispatchEvent(new Event("pageshow"));
  expect(page.told).toEqual([true, false, true]);
});

it("is not told any more once it was aborted", () => {
  const page = new Page();
  page.ending.abort();
  page.set(false);
  expect(page.told).toEqual([true]);
});
