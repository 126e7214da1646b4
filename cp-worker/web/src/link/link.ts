// One WebSocket that is kept alive: connects, notices silence, comes back. Pure: events in,
// effects out, no clock and no socket of its own.

import { Backoff } from "./backoff";

/** Milliseconds within which a socket must open. */
export const CONNECT_DEADLINE_MS = 10_000;

/** Milliseconds between pings while the page is visible. */
export const PING_INTERVAL_MS = 25_000;

/** Milliseconds after a ping within which anything must be received. */
export const PONG_DEADLINE_MS = 10_000;

/** The same where there is reason to think that the socket is dead: the page was away. */
export const WAKE_DEADLINE_MS = 4_000;

/** Milliseconds after which a connection counts as good, and the next delay is short again. */
export const STABLE_AFTER_MS = 10_000;

/** Close codes after which coming back is pointless. */
export const FINAL_CLOSE = { signedOut: 4401, notFound: 4404, ended: 4409 } as const;

/** Close code for a page that sent no ping for 10 minutes, as hidden ones do. */
const CLOSE_NO_HEARTBEAT = 4408;

export type LinkTimer = "retry" | "deadline" | "ping";

export type LinkEvent =
  | { type: "start" }
  | { type: "opened" }
  | { type: "received" }
  | { type: "closed"; code: number }
  | { type: "online" }
  | { type: "offline" }
  | { type: "visible" }
  | { type: "hidden" }
  /** The page goes, perhaps into the back/forward cache, where no socket may stay open. */
  | { type: "frozen" }
  /** The page came back from there, or the machine slept: sockets died without a word. */
  | { type: "restored" }
  /** A person does not want to wait for the next attempt. */
  | { type: "retry" }
  | { type: "timer"; timer: LinkTimer };

export type LinkEffect =
  | { type: "connect" }
  /** Close the socket, and pass on no more of its events. */
  | { type: "disconnect" }
  | { type: "send"; text: string }
  /** (Re)start a timer. */
  | { type: "timer"; timer: LinkTimer; ms: number }
  | { type: "clear"; timer: LinkTimer };

/** `parked`: closed while nobody looks, comes back when somebody does. `final`: for good. */
export type LinkStatus = "idle" | "connecting" | "open" | "waiting" | "parked" | "final";

const clear = (timer: LinkTimer): LinkEffect => ({ type: "clear", timer });

export class Link {
  status: LinkStatus = "idle";
  /** Whether the machine believes to have a network. */
  online = true;
  /** The code that made the link final. */
  finalCode: number | null = null;
  private visible = true;
  private openedAt = 0;
  private readonly backoff: Backoff;

  constructor(random: () => number) {
    this.backoff = new Backoff(random);
  }

  /** @param now milliseconds of any clock that never goes back */
  handle(event: LinkEvent, now: number): LinkEffect[] {
    switch (event.type) {
      case "start":
        return this.status === "idle" ? this.connect() : [];
      case "opened":
        return this.onOpened(now);
      case "received":
        return this.status === "open" ? [clear("deadline")] : [];
      case "closed":
        return this.onClosed(event.code, now);
      case "online":
        this.online = true;
        return this.wake();
      case "offline":
        this.online = false;
        // The machine may be wrong, or have another network already: the socket tells.
        return this.status === "open" ? this.ping(WAKE_DEADLINE_MS) : [];
      case "visible":
        this.visible = true;
        return this.wake();
      case "hidden":
        this.visible = false;
        return [clear("ping")];
      case "frozen":
        return this.park();
      case "restored":
        this.visible = true;
        return this.replace();
      case "retry":
        return this.replace();
      case "timer":
        return this.onTimer(event.timer, now);
    }
  }

  /** Gives up this connection for a reason of the user of the link, and comes back. */
  fail(now: number): LinkEffect[] {
    if (this.status !== "open" && this.status !== "connecting") return [];
    return [{ type: "disconnect" }, ...this.retryLater(now)];
  }

  private isDone(): boolean {
    return this.status === "idle" || this.status === "final";
  }

  private park(): LinkEffect[] {
    if (this.isDone()) return [];
    this.status = "parked";
    return [clear("retry"), clear("deadline"), clear("ping"), { type: "disconnect" }];
  }

  private replace(): LinkEffect[] {
    return this.isDone() ? [] : [{ type: "disconnect" }, ...this.connectFresh()];
  }

  private connect(): LinkEffect[] {
    this.status = "connecting";
    return [
      clear("retry"),
      clear("ping"),
      { type: "connect" },
      { type: "timer", timer: "deadline", ms: CONNECT_DEADLINE_MS },
    ];
  }

  private connectFresh(): LinkEffect[] {
    this.backoff.reset();
    return this.connect();
  }

  private onOpened(now: number): LinkEffect[] {
    this.status = "open";
    this.openedAt = now;
    const ping: LinkEffect = { type: "timer", timer: "ping", ms: PING_INTERVAL_MS };
    return this.visible ? [clear("deadline"), ping] : [clear("deadline")];
  }

  private onClosed(code: number, now: number): LinkEffect[] {
    if (Object.values<number>(FINAL_CLOSE).includes(code)) {
      this.status = "final";
      this.finalCode = code;
      return [clear("retry"), clear("deadline"), clear("ping")];
    }
    if (code === CLOSE_NO_HEARTBEAT && !this.visible) {
      this.status = "parked";
      return [clear("deadline"), clear("ping")];
    }
    return this.retryLater(now);
  }

  private retryLater(now: number): LinkEffect[] {
    if (this.status === "open" && now - this.openedAt >= STABLE_AFTER_MS) this.backoff.reset();
    this.status = "waiting";
    return [
      clear("deadline"),
      clear("ping"),
      { type: "timer", timer: "retry", ms: this.backoff.next() },
    ];
  }

  /** Something changed that makes an attempt, or a look at the socket, worth it at once. */
  private wake(): LinkEffect[] {
    if (this.status === "waiting" || this.status === "parked") return this.connectFresh();
    return this.status === "open" ? this.ping(WAKE_DEADLINE_MS) : [];
  }

  private ping(deadline = PONG_DEADLINE_MS): LinkEffect[] {
    return [
      { type: "send", text: "ping" },
      { type: "timer", timer: "deadline", ms: deadline },
      { type: "timer", timer: "ping", ms: PING_INTERVAL_MS },
    ];
  }

  private onTimer(timer: LinkTimer, now: number): LinkEffect[] {
    switch (timer) {
      case "retry":
        return this.status === "waiting" ? this.connect() : [];
      case "ping":
        return this.status === "open" && this.visible ? this.ping() : [];
      case "deadline":
        return this.fail(now);
    }
  }
}
