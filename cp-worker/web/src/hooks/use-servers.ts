// The user's servers, live: fetched once, then kept true by one watcher for each.

import { useCallback, useEffect, useState } from "react";
import { useAuth } from "@/hooks/auth";
import { ApiError, api, problemText, type Server, type Session } from "@/lib/api";
import { applyAttention } from "@/lib/attention";
import { applyToServer, changesSessions } from "@/lib/server-state";
import { watchGateway } from "@/link/watcher";

export interface LiveServers {
  /** Null while they are fetched for the first time. */
  servers: Server[] | null;
  /** Sessions by gateway, as far as they are known. */
  sessions: Readonly<Record<string, Session[]>>;
  /** Why the first fetch failed. */
  problem: string | null;
  reload(): void;
}

export function useServers(): LiveServers {
  const { forget } = useAuth();
  const [servers, setServers] = useState<Server[] | null>(null);
  const [sessions, setSessions] = useState<Record<string, Session[]>>({});
  const [problem, setProblem] = useState<string | null>(null);

  const reload = useCallback(() => {
    api.servers().then(
      (list) => {
        setServers(list);
        setProblem(null);
      },
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 401) forget();
        else setProblem(problemText(error));
      },
    );
  }, [forget]);

  useEffect(reload, [reload]);

  const loadSessions = useCallback((gatewayId: string) => {
    // A failure leaves the last known list; the next change or reconnect tries again.
    api.sessions(gatewayId).then(
      (list) => setSessions((known) => ({ ...known, [gatewayId]: list })),
      () => undefined,
    );
  }, []);

  const ids = servers?.map((server) => server.gateway_id).join(" ") ?? "";
  useEffect(() => {
    if (ids === "") return;
    const stops = ids.split(" ").map((id) => {
      loadSessions(id);
      return watchGateway(id, {
        onReopen: () => {
          loadSessions(id);
          reload();
        },
        onMessage: (message) => {
          setServers(
            (list) =>
              list?.map((server) =>
                server.gateway_id === id ? applyToServer(server, message, Date.now()) : server,
              ) ?? null,
          );
          setSessions((known) => {
            const list = known[id];
            const after = list && applyAttention(list, message, Date.now());
            return after === list || after === undefined ? known : { ...known, [id]: after };
          });
          if (changesSessions(message)) loadSessions(id);
        },
      });
    });
    return () => stops.forEach((stop) => stop());
  }, [ids, loadSessions, reload]);

  return { servers, sessions, problem, reload };
}
