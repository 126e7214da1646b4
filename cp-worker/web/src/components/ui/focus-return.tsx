// Gives the focus back to what opened a dialog, also when that was an item of a menu.

import { useRef, useState, type RefObject } from "react";

type Opener = RefObject<HTMLElement | null>;

/** What a dialog's content needs: a place to remember the opener, and the way back to it. */
export function useFocusReturn() {
  const opener: Opener = useRef(null);
  const onCloseAutoFocus = (event: Event) => {
    event.preventDefault();
    opener.current?.focus();
  };
  return { opener, onCloseAutoFocus };
}

/** Rendered first in the content: then the focus is still where it was. */
export function RememberOpener({ opener }: { opener: Opener }) {
  useState(() => {
    opener.current = stays(document.activeElement);
  });
  return null;
}

/** An item goes with its menu; the button that the menu is named by stays. */
function stays(element: Element | null): HTMLElement | null {
  const name = element?.closest('[role="menu"]')?.getAttribute("aria-labelledby");
  const found = name ? document.getElementById(name) : element;
  return found instanceof HTMLElement ? found : null;
}
