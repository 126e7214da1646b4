// A server's last day: fetched once, then kept true by its health as it comes.

import { useEffect, useState } from "react";
import { api, type History, type Server } from "@/lib/api";
import { withHealth } from "@/lib/history";

/** Null until it is known. */
export function useHistory({ gateway_id, health }: Server): History | null {
  const [history, setHistory] = useState<History | null>(null);
  const known = history !== null;
  // A failure is tried again with the next health: until then the meters tell what is now.
  const asked = known ? 0 : health?.timestamp;
  useEffect(() => {
    if (!known) api.history(gateway_id).then(setHistory, () => undefined);
  }, [gateway_id, known, asked]);
  useEffect(() => {
    if (health !== null) setHistory((now) => now && withHealth(now, health));
  }, [health, known]);
  return history;
}
