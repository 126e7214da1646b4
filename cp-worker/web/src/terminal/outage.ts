// What a viewer misses while it is not live, and whether that has lasted.

import type { SessionEffect, SessionView } from "./session-types";

/** Milliseconds without the session after which it counts as offline, and a banner says so. */
export const OFFLINE_AFTER_MS = 30_000;

/** What is missing: the browser's network, the control plane, or the gateway behind it. */
export type Missing = "network" | "control_plane" | "gateway";

export class Outage {
  private missing: Missing | null = null;
  private lasted = false;

  /**
   * Takes how it is now; returns the timer to start or to clear.
   *
   * @param hopeless nothing is on the screen that could be waited with
   */
  note(missing: Missing | null, hopeless: boolean): SessionEffect[] {
    const before = this.missing;
    this.missing = missing;
    this.lasted = missing !== null && (this.lasted || hopeless);
    if ((before === null) === (missing === null)) return [];
    if (missing === null) return [{ type: "clear", timer: "outage" }];
    return [{ type: "timer", timer: "outage", ms: OFFLINE_AFTER_MS }];
  }

  onTimer(): void {
    this.lasted = this.missing !== null;
  }

  get view(): Pick<SessionView, "connection" | "missing"> {
    const { missing } = this;
    if (missing === null) return { connection: "live", missing };
    return { connection: this.lasted ? "offline" : "reconnecting", missing };
  }
}
