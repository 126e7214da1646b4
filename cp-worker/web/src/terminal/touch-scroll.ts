// Lets a finger scroll the terminal: xterm.js knows wheels only.

import type { Terminal } from "@xterm/xterm";

/**
 * Scrolls the history by vertical drags on `element`; where a program has the screen or the mouse
 * for itself, it gets wheel events instead, as xterm.js makes them for it. A tap stays a tap, so
 * only that opens the on-screen keyboard. Ends with `signal`.
 */
export function scrollByTouch(terminal: Terminal, element: HTMLElement, signal: AbortSignal): void {
  let lastY: number | null = null;
  /** Pixels that were not yet a whole line. */
  let rest = 0;

  const scrollHistory = (pixels: number) => {
    const screen = element.querySelector<HTMLElement>(".xterm-screen");
    const lineHeight = (screen?.offsetHeight ?? 0) / terminal.rows;
    if (lineHeight === 0) return;
    rest += pixels / lineHeight;
    const lines = Math.trunc(rest);
    rest -= lines;
    if (lines !== 0) terminal.scrollLines(lines);
  };

  element.addEventListener(
    "touchstart",
    (event) => {
      lastY = event.touches.length === 1 ? (event.touches[0]?.clientY ?? null) : null;
      rest = 0;
    },
    { signal, passive: true },
  );
  element.addEventListener(
    "touchmove",
    (event) => {
      const touch = event.touches[0];
      if (lastY === null || touch === undefined) return;
      event.preventDefault();
      const { clientX, clientY } = touch;
      const deltaY = lastY - clientY;
      lastY = clientY;
      const free = terminal.modes.mouseTrackingMode === "none";
      if (free && terminal.buffer.active.type === "normal") return scrollHistory(deltaY);
      event.target?.dispatchEvent(
        new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX, clientY, deltaY }),
      );
    },
    { signal, passive: false },
  );
}
