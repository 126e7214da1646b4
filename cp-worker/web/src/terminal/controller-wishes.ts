// What a viewer tells the hub of its window: size and colours while it controls the session, and
// whether a person looks at the page. Each is sent once for every reason to send it.

import type { ViewerToHub } from "@/protocol/generated/browser";
import { MAX_CELLS } from "@/protocol/limits";
import type { TerminalColors, TerminalSize } from "./session-types";

export class ControllerWishes {
  private fit: TerminalSize | null = null;
  private requested: TerminalSize | null = null;
  private colors: TerminalColors | null = null;
  private colorsSent: TerminalColors | null = null;
  /** Whether a person looks at the page, and what the hub believes. */
  private focus = { on: false, told: false };

  get looked(): boolean {
    return this.focus.on;
  }

  setFit({ cols, rows }: TerminalSize): void {
    this.fit = { cols: Math.min(MAX_CELLS, cols), rows: Math.min(MAX_CELLS, rows) };
  }

  setColors({ foreground, background }: TerminalColors): void {
    this.colors = { foreground, background };
  }

  setFocus(on: boolean): void {
    this.focus.on = on;
  }

  /** Somebody new controls the session, or its state is fresh: size and colours are due again. */
  renew(): void {
    this.requested = null;
    this.colorsSent = null;
  }

  /** The hub no longer believes that this page is looked at. */
  doubtFocus(): void {
    this.focus.told = false;
  }

  /** @param shown the session's own size */
  ofController(shown: TerminalSize | null): ViewerToHub[] {
    const messages: ViewerToHub[] = [];
    const { fit, colors } = this;
    if (fit !== null && !sameSize(fit, this.requested ?? shown)) {
      this.requested = fit;
      messages.push({ type: "session.resize", ...fit });
    }
    if (colors !== null && colors !== this.colorsSent) {
      this.colorsSent = colors;
      messages.push({ type: "session.colors", ...colors });
    }
    return messages;
  }

  ofFocus(): ViewerToHub[] {
    const { on, told } = this.focus;
    if (on === told) return [];
    this.focus.told = on;
    return [{ type: "viewer.focus", on }];
  }
}

function sameSize(a: TerminalSize, b: TerminalSize | null): boolean {
  return b !== null && a.cols === b.cols && a.rows === b.rows;
}
