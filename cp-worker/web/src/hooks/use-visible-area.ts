// The part of the page that an on-screen keyboard leaves, where it covers the page instead of
// resizing it.

import { useEffect, useState } from "react";

/** CSS pixels of the window. */
export interface VisibleArea {
  top: number;
  height: number;
}

/** Undefined while nothing covers the page. */
export function useVisibleArea(): VisibleArea | undefined {
  const [area, setArea] = useState<VisibleArea>();
  useEffect(() => {
    const viewport = window.visualViewport;
    if (viewport === null) return;
    const update = () => {
      // A pinched page is smaller too, and must not be laid out anew.
      const covered = viewport.scale === 1 && viewport.height < window.innerHeight;
      const { offsetTop: top, height } = viewport;
      setArea((now) => {
        if (!covered) return undefined;
        return now?.top === top && now.height === height ? now : { top, height };
      });
    };
    // The browser also scrolls the page behind the keyboard, to show what has the focus.
    viewport.addEventListener("resize", update);
    viewport.addEventListener("scroll", update);
    return () => {
      viewport.removeEventListener("resize", update);
      viewport.removeEventListener("scroll", update);
    };
  }, []);
  return area;
}
