// What happens to a page that matters to its connections: network, visibility, the back/forward
// cache, and a machine that slept.

import type { LinkEvent } from "./link";

/** The events of a link that come from the page around it. */
export type PageEvent = Extract<
  LinkEvent,
  { type: "online" | "offline" | "visible" | "hidden" | "frozen" | "restored" }
>;

/** Milliseconds between two looks at the clock. */
export const CLOCK_LOOK_MS = 5_000;

/** Milliseconds between two looks after which the machine must have slept: sockets died meanwhile. */
export const SLEPT_AFTER_MS = 20_000;

/** The parts of a browser that tell. */
export interface LifeSigns {
  window: Pick<EventTarget, "addEventListener">;
  document: Pick<EventTarget, "addEventListener"> & { readonly visibilityState: string };
  navigator: { readonly onLine: boolean };
  setInterval(look: () => void, ms: number): unknown;
  clearInterval(timer: never): void;
  Date: { now(): number };
}

/** Tells every event until `signal` aborts; also at once that there is no network. */
export function watchPageLife(
  emit: (event: PageEvent) => void,
  signal: AbortSignal,
  signs: LifeSigns = globalThis as unknown as LifeSigns,
): void {
  const { window, document, navigator } = signs;
  const isVisible = () => document.visibilityState === "visible";
  // Timers of hidden pages come late by themselves: only a visible page's clock tells of sleep.
  let lookedAt = isVisible() ? signs.Date.now() : null;
  const look = () => {
    const now = signs.Date.now();
    const slept = lookedAt !== null && now - lookedAt > SLEPT_AFTER_MS;
    lookedAt = isVisible() ? now : null;
    if (slept) emit({ type: "restored" });
  };
  const timer = signs.setInterval(look, CLOCK_LOOK_MS);
  signal.addEventListener("abort", () => signs.clearInterval(timer as never));

  type Target = Pick<EventTarget, "addEventListener">;
  const listen = (target: Target, name: string, on: (event: Event) => void) =>
    target.addEventListener(name, on, { signal });
  listen(window, "online", () => emit({ type: "online" }));
  listen(window, "offline", () => emit({ type: "offline" }));
  listen(document, "visibilitychange", () => {
    look();
    emit({ type: isVisible() ? "visible" : "hidden" });
  });
  // A page with an open socket is not kept for the way back.
  listen(window, "pagehide", () => emit({ type: "frozen" }));
  listen(window, "pageshow", (event) => {
    lookedAt = null;
    if ((event as PageTransitionEvent).persisted) emit({ type: "restored" });
  });
  listen(document, "resume", () => emit({ type: "visible" }));
  if (!navigator.onLine) emit({ type: "offline" });
}
