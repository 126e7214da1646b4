// Whether a person looks at this page: it is visible, and its window has the focus.

/** The parts of a browser that tell. */
export interface PageSigns {
  window: Pick<EventTarget, "addEventListener">;
  document: Pick<EventTarget, "addEventListener"> & {
    readonly visibilityState: string;
    hasFocus(): boolean;
  };
}

/** Tells how it is now, and then every change, until `signal` aborts. */
export function watchPageFocus(
  onChange: (on: boolean) => void,
  signal: AbortSignal,
  { window, document }: PageSigns = globalThis,
): void {
  let last: boolean | null = null;
  const tell = (on: boolean) => {
    if (on === last) return;
    last = on;
    onChange(on);
  };
  const look = () => tell(document.visibilityState === "visible" && document.hasFocus());
  for (const event of ["focus", "blur", "pageshow"]) {
    window.addEventListener(event, look, { signal });
  }
  document.addEventListener("visibilitychange", look, { signal });
  // The page may sleep in the back/forward cache from here on, still visible by its own account.
  window.addEventListener("pagehide", () => tell(false), { signal });
  look();
}
