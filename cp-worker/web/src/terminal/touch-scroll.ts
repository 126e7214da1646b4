// Lets a finger scroll the terminal: xterm.js knows wheels only.

/**
 * Turns vertical drags on `element` into wheel events, which xterm.js takes to the history, to
 * the program's mouse, or to arrow keys, as it fits. A tap stays a tap, so only that opens the
 * on-screen keyboard. Ends with `signal`.
 */
export function scrollByTouch(element: HTMLElement, signal: AbortSignal): void {
  let lastY: number | null = null;

  element.addEventListener(
    "touchstart",
    (event) => {
      lastY = event.touches.length === 1 ? (event.touches[0]?.clientY ?? null) : null;
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
      if (deltaY === 0) return;
      event.target?.dispatchEvent(
        new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX, clientY, deltaY }),
      );
    },
    { signal, passive: false },
  );
}
