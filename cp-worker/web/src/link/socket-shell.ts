// Carries out a link's effects in a browser: a WebSocket, timers, and the page's life.

import type { LinkEffect, LinkEvent } from "./link";
import { watchPageLife } from "./page-life";

/** What happens, timers by their owner's names. */
export type ShellEvent<Timer extends string> =
  | Exclude<LinkEvent, { type: "timer" | "received" }>
  | { type: "timer"; timer: Timer }
  | { type: "text"; text: string }
  | { type: "binary"; bytes: Uint8Array };

/** What may be asked, timers by their owner's names. */
export type ShellEffect<Timer extends string> =
  | Exclude<LinkEffect, { type: "timer" | "clear" }>
  | { type: "timer"; timer: Timer; ms: number }
  | { type: "clear"; timer: Timer };

export class SocketShell<Timer extends string> {
  private socket: WebSocket | null = null;
  private readonly timers = new Map<Timer, number>();
  private readonly ending = new AbortController();

  /**
   * @param path path of the WebSocket on this page's own host
   * @param emit receives every event, never from within `apply`
   */
  constructor(
    private readonly path: string,
    private readonly emit: (event: ShellEvent<Timer>) => void,
  ) {
    watchPageLife((event) => this.emit(event), this.ending.signal);
  }

  apply(effect: ShellEffect<Timer>): void {
    switch (effect.type) {
      case "connect":
        return this.connect();
      case "disconnect":
        return this.disconnect();
      case "send":
        return this.socket?.send(effect.text);
      case "timer":
        this.clear(effect.timer);
        this.timers.set(
          effect.timer,
          window.setTimeout(() => this.emit({ type: "timer", timer: effect.timer }), effect.ms),
        );
        return;
      case "clear":
        return this.clear(effect.timer);
    }
  }

  dispose(): void {
    this.ending.abort();
    this.disconnect();
    for (const timer of [...this.timers.keys()]) this.clear(timer);
  }

  private connect(): void {
    this.disconnect();
    const url = new URL(this.path, window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.emit({ type: "opened" });
    socket.onclose = ({ code }) => this.emit({ type: "closed", code });
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) =>
      this.emit(
        typeof data === "string"
          ? { type: "text", text: data }
          : { type: "binary", bytes: new Uint8Array(data) },
      );
    this.socket = socket;
  }

  private disconnect(): void {
    const { socket } = this;
    if (socket === null) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
    this.socket = null;
  }

  private clear(timer: Timer): void {
    window.clearTimeout(this.timers.get(timer));
    this.timers.delete(timer);
  }
}
