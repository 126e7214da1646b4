// The height that an on-screen keyboard leaves, where it covers the page instead of resizing it.

import { useEffect, useState } from "react";

/** CSS pixels; undefined while nothing covers the page. */
export function useVisibleHeight(): number | undefined {
  const [height, setHeight] = useState<number>();
  useEffect(() => {
    const viewport = window.visualViewport;
    if (viewport === null) return;
    const update = () => {
      // A pinched page is smaller too, and must not be laid out anew.
      const covered = viewport.scale === 1 && viewport.height < window.innerHeight;
      setHeight(covered ? viewport.height : undefined);
    };
    viewport.addEventListener("resize", update);
    return () => viewport.removeEventListener("resize", update);
  }, []);
  return height;
}
