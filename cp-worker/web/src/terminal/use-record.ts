// The session as lists know it: its name, its folder, and how it ended.

import { useEffect, useState } from "react";
import { api, type Session } from "@/lib/api";

/** @param ended fetches it again once that is so */
export function useRecord(gatewayId: string, sessionId: number, ended: boolean) {
  const [session, setSession] = useState<Session | null>(null);
  useEffect(() => {
    // Without it the terminal still works; the header then shows a number for a name.
    api.sessions(gatewayId).then(
      (list) => setSession(list.find((one) => one.session_id === sessionId) ?? null),
      () => undefined,
    );
  }, [gatewayId, sessionId, ended]);
  return [session, setSession] as const;
}
