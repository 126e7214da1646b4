// The present time for texts such as "3 min ago".

import { useEffect, useState } from "react";

/** Milliseconds between updates where no text shown is finer than a minute. */
const TICK_MS = 30_000;

/** Milliseconds between updates where seconds count. */
export const SECOND_MS = 1_000;

export function useNow(tickMs = TICK_MS): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, [tickMs]);
  return now;
}
