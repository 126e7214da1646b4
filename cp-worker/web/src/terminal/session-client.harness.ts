// A viewer driven by hand for tests: a terminal that parses when told, and a hub made of strings.

import { encodeBase64 } from "@/protocol/base64";
import { encodeFrame } from "@/protocol/frame";
import type { ViewerState } from "@/protocol/generated/browser";
import type { TerminalEffect } from "./output-queue";
import { SessionClient } from "./session-client";
import type { SessionEvent, SessionTimer, SessionView } from "./session-types";

export const latin1 = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

export const PAGE = "00ff00ff00ff00ff";

/** A terminal as slow as a test wants it, whose screen is all that was written since a reset. */
class SlowTerminal {
  log: string[] = [];
  content = "";
  unparsed: string[] = [];

  apply(effect: TerminalEffect): void {
    if (effect.type === "write") {
      const text = String.fromCharCode(...effect.bytes);
      this.log.push(`write ${text}`);
      this.unparsed.push(text);
      return;
    }
    if (this.unparsed.length > 0) throw new Error(`${effect.type} before earlier bytes`);
    if (effect.type === "reset") this.content = "";
    this.log.push(effect.type === "reset" ? "reset" : `resize ${effect.cols}x${effect.rows}`);
  }
}

export class TestViewer {
  readonly terminal = new SlowTerminal();
  sent: { type: string; [field: string]: unknown }[] = [];
  notices: string[] = [];
  effects: string[] = [];
  /** Milliseconds of the timers that run. */
  timers: Partial<Record<SessionTimer, number>> = {};
  view!: SessionView;
  now = 0;

  constructor(readonly client = new SessionClient(7, PAGE, () => 0.5)) {}

  /** A viewer whose socket has opened. */
  static opened(): TestViewer {
    const viewer = new TestViewer();
    viewer.event({ type: "start" });
    viewer.event({ type: "opened" });
    return viewer;
  }

  /** A viewer that has parsed a first snapshot. */
  static live({ seq = 100, ...state }: Partial<ViewerState> & { seq?: number } = {}): TestViewer {
    const viewer = TestViewer.opened();
    viewer.state(state);
    viewer.snapshot(seq, "screen");
    viewer.parse();
    return viewer;
  }

  event(event: SessionEvent): void {
    if (event.type === "timer") delete this.timers[event.timer];
    const effects = this.client.handle(event, this.now);
    this.effects = effects.map((effect) => effect.type);
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          if (effect.text !== "ping") this.sent.push(JSON.parse(effect.text));
          break;
        case "write":
        case "reset":
        case "resize":
          this.terminal.apply(effect);
          break;
        case "timer":
          this.timers[effect.timer] = effect.ms;
          break;
        case "clear":
          delete this.timers[effect.timer];
          break;
        case "view":
          this.view = effect.view;
          break;
        case "notice":
          this.notices.push(effect.notice.code);
      }
    }
  }

  /** Lets the terminal parse some writes, by default all there are and all that follow. */
  parse(writes = Infinity): void {
    for (let i = 0; i < writes && this.terminal.unparsed.length > 0; i += 1) {
      this.terminal.content += this.terminal.unparsed.shift();
      this.event({ type: "wrote" });
    }
  }

  message(message: object): void {
    this.event({ type: "text", text: JSON.stringify(message) });
  }

  state(state: Partial<ViewerState>): void {
    const usual = { state: "live", control: "you", viewers: 1, gateway: "online" };
    this.message({ type: "viewer.state", ...usual, ...state });
  }

  snapshot(seq: number, screen: string): void {
    const data = encodeBase64(latin1(screen));
    this.message({ type: "session.snapshot", session_id: 7, seq, cols: 80, rows: 24, data });
  }

  frame(seq: number, text: string, id = 7): void {
    this.event({
      type: "binary",
      bytes: encodeFrame({ kind: "output", id, seq, payload: latin1(text) }),
    });
  }
}
