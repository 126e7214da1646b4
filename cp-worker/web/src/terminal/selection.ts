// What a person selects with the mouse, told once the button is up.

import type { Terminal } from "@xterm/xterm";

/** Calls `onSelected` with the text of each selection that was made with the mouse. */
export function watchSelection(
  terminal: Terminal,
  mount: HTMLElement,
  onSelected: (text: string) => void,
  signal: AbortSignal,
): void {
  let before: string | null = null;
  mount.addEventListener(
    "mousedown",
    ({ button }) => {
      if (button === 0) before = terminal.getSelection();
    },
    { signal, capture: true },
  );
  document.addEventListener(
    "mouseup",
    () => {
      if (before === null) return;
      const old = before;
      before = null;
      // xterm.js ends its selection in a listener of the same event, which may come after this one.
      setTimeout(() => {
        const text = terminal.getSelection();
        if (text !== "" && text !== old) onSelected(text);
      });
    },
    { signal },
  );
}
