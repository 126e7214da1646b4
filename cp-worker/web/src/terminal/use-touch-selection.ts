// Whether a finger has selected something that is still selected.

import { useEffect, useState } from "react";
import type { Surface } from "./surface";

export function useTouchSelection(surface: Surface | null) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (surface === null || !shown) return;
    const listener = surface.terminal.onSelectionChange(() => {
      if (!surface.terminal.hasSelection()) setShown(false);
    });
    return () => listener.dispose();
  }, [surface, shown]);
  return [shown, setShown] as const;
}
