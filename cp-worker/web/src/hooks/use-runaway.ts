// Sessions that print without pause: told by a message, asked for again until they stop.

import { useCallback, useEffect, useState } from "react";
import { useGatewayFeed } from "@/hooks/use-gateway-feed";
import { api } from "@/lib/api";

/** Milliseconds between looks at sessions that were reported, while the page is visible. */
const LOOK_MS = 15_000;

/** Ids of the sessions that print without pause now. */
export function useRunaway(gatewayId: string, online: boolean): number[] {
  const [runaway, setRunaway] = useState<number[]>([]);
  const look = useCallback(() => {
    // What cannot be asked now is asked for again with the next look.
    api.runaway(gatewayId).then(setRunaway, () => undefined);
  }, [gatewayId]);
  useEffect(() => {
    if (online) look();
    else setRunaway([]);
  }, [online, look]);
  useGatewayFeed(gatewayId, {
    onReopen: look,
    onMessage: (message) => {
      if (message.type !== "session.runaway") return;
      const { session_id } = message;
      setRunaway((now) => (now.includes(session_id) ? now : [...now, session_id]));
    },
  });
  const any = runaway.length > 0;
  useEffect(() => {
    if (!any) return;
    const timer = setInterval(() => document.hidden || look(), LOOK_MS);
    return () => clearInterval(timer);
  }, [any, look]);
  return runaway;
}
