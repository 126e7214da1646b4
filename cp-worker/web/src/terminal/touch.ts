// Fingers on the terminal: one scrolls, held still it selects, two change the text's size. A tap stays
// a tap, and only that opens the on-screen keyboard.

import type { Terminal } from "@xterm/xterm";
import { Momentum } from "./momentum";
import { WordSelection, type Cell } from "./word-selection";

/** Milliseconds for which a finger must rest to select. */
const LONG_PRESS_MS = 450;

/** Pixels that a resting finger may move. */
const STILL_PIXELS = 10;

export interface TouchHandlers {
  /** The text's size times this, since two fingers came down. */
  onPinch(scale: number): void;
  onPinchEnd(): void;
  /** Something was selected by a finger; programs that use the mouse cannot hinder it. */
  onSelected(): void;
}

type Mode = "idle" | "pressed" | "scrolling" | "selecting" | "pinching";

export class TouchGestures {
  private mode: Mode = "idle";
  private start = { x: 0, y: 0 };
  private last = { x: 0, y: 0 };
  private spread = 1;
  private pressTimer = 0;
  private frame = 0;
  /** Pixels that were not yet a whole line. */
  private rest = 0;
  private readonly momentum = new Momentum();
  private selection: WordSelection | null = null;

  constructor(
    private readonly terminal: Terminal,
    private readonly element: HTMLElement,
    private readonly handlers: TouchHandlers,
    signal: AbortSignal,
  ) {
    const on = (name: "touchstart" | "touchmove" | "touchend" | "touchcancel", passive: boolean) =>
      element.addEventListener(name, (event) => this.handle(event), { signal, passive });
    on("touchstart", true);
    on("touchmove", false);
    on("touchend", false);
    on("touchcancel", true);
    // What a long press opens elsewhere would take the focus, and with it open the keyboard.
    const noMenu = (event: Event) => {
      if (this.mode === "idle") return;
      event.preventDefault();
      event.stopPropagation();
    };
    element.addEventListener("contextmenu", noMenu, { signal, capture: true });
    signal.addEventListener("abort", () => this.halt());
  }

  private handle(event: TouchEvent): void {
    const [first, second] = event.touches;
    switch (event.type) {
      case "touchstart":
        if (first !== undefined && second !== undefined) return this.pinchFrom(first, second);
        if (first !== undefined) this.press(first);
        return;
      case "touchmove":
        if (this.mode !== "pressed" && this.mode !== "idle" && event.cancelable) {
          event.preventDefault();
        }
        if (this.mode === "pinching" && first !== undefined && second !== undefined) {
          return this.handlers.onPinch(distance(first, second) / this.spread);
        }
        if (first !== undefined) this.move(first, event);
        return;
      default:
        this.lift(event);
    }
  }

  private press({ clientX: x, clientY: y }: Touch): void {
    this.halt();
    this.mode = "pressed";
    this.start = this.last = { x, y };
    this.rest = 0;
    this.pressTimer = window.setTimeout(() => this.selectFrom(x, y), LONG_PRESS_MS);
  }

  private pinchFrom(first: Touch, second: Touch): void {
    this.halt();
    this.mode = "pinching";
    this.spread = Math.max(1, distance(first, second));
  }

  private move({ clientX: x, clientY: y }: Touch, event: TouchEvent): void {
    if (this.mode === "pressed") {
      if (Math.hypot(x - this.start.x, y - this.start.y) < STILL_PIXELS) return;
      window.clearTimeout(this.pressTimer);
      const isSideways = Math.abs(x - this.start.x) > Math.abs(y - this.start.y);
      // Sideways the browser scrolls what is wider than the window.
      this.mode = isSideways ? "idle" : "scrolling";
      if (isSideways) return;
      if (event.cancelable) event.preventDefault();
    }
    if (this.mode === "selecting") {
      const cell = this.cellAt(x, y);
      if (cell !== null) this.selection?.extendTo(cell);
    } else if (this.mode === "scrolling") {
      this.scroll(this.last.y - y);
      this.momentum.move(this.last.y - y, event.timeStamp);
    }
    this.last = { x, y };
  }

  private lift(event: TouchEvent): void {
    const { mode } = this;
    window.clearTimeout(this.pressTimer);
    // No click follows: it would take the focus.
    if (mode !== "pressed" && mode !== "idle" && event.cancelable) event.preventDefault();
    if (event.touches.length > 0 && mode !== "idle") {
      if (mode === "pinching") this.handlers.onPinchEnd();
      this.mode = "idle";
      return;
    }
    this.mode = "idle";
    if (mode === "pinching") this.handlers.onPinchEnd();
    if (mode === "selecting") this.handlers.onSelected();
    if (mode !== "scrolling") return;
    this.momentum.release(event.timeStamp);
    this.glide(performance.now());
  }

  private glide(before: number): void {
    this.frame = requestAnimationFrame((now) => {
      const pixels = this.momentum.step(Math.max(0, now - before));
      if (pixels === null) return;
      this.scroll(pixels);
      this.glide(now);
    });
  }

  private halt(): void {
    window.clearTimeout(this.pressTimer);
    cancelAnimationFrame(this.frame);
    this.momentum.stop();
    this.mode = "idle";
  }

  private selectFrom(x: number, y: number): void {
    const cell = this.cellAt(x, y);
    if (cell === null) return;
    this.mode = "selecting";
    this.selection = new WordSelection(this.terminal, cell);
    navigator.vibrate?.(10);
  }

  /**
   * Scrolls the history; where a program has the screen or the mouse for itself, it gets wheel
   * events instead, one for each line, as xterm.js makes arrows or reports of them.
   */
  private scroll(pixels: number): void {
    const { terminal } = this;
    const lineHeight = (this.screen?.offsetHeight ?? 0) / terminal.rows;
    if (lineHeight === 0) return;
    this.rest += pixels / lineHeight;
    const lines = Math.trunc(this.rest);
    this.rest -= lines;
    const isFree = terminal.modes.mouseTrackingMode === "none";
    if (isFree && terminal.buffer.active.type === "normal") return terminal.scrollLines(lines);
    for (let turned = 0; turned < Math.abs(lines); turned += 1) this.turnWheel(Math.sign(lines));
  }

  private turnWheel(deltaY: number): void {
    const { x: clientX, y: clientY } = this.last;
    const deltaMode = WheelEvent.DOM_DELTA_LINE;
    const wheel = { bubbles: true, cancelable: true, clientX, clientY, deltaY, deltaMode };
    // Past the part that scrolls the history by itself.
    this.terminal.element?.dispatchEvent(new WheelEvent("wheel", wheel));
  }

  private cellAt(x: number, y: number): Cell | null {
    const { terminal, screen } = this;
    if (screen === null) return null;
    const box = screen.getBoundingClientRect();
    const within = (value: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor(value * count)));
    const row = within((y - box.top) / box.height, terminal.rows);
    return {
      col: within((x - box.left) / box.width, terminal.cols),
      row: terminal.buffer.active.viewportY + row,
    };
  }

  private get screen(): HTMLElement | null {
    return this.element.querySelector<HTMLElement>(".xterm-screen");
  }
}

function distance(a: Touch, b: Touch): number {
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
}
