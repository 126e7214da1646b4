// The user's servers, live: fetched once, then kept true by one watcher for each.

import { useCallback, useEffect, useState } from "react";
import { useAuth } from "@/hooks/auth";
import { ApiError, api, problemText, type Server, type Session } from "@/lib/api";
import { applyAttention } from "@/lib/attention";
import { followGateway } from "@/lib/gateway-feed";
import { applyToServer, changesSessions, inMotion } from "@/lib/server-state";

/** Milliseconds between looks at the list while a droplet is on its way to another state. */
const MOTION_MS = 4_000;

export interface LiveServers {
  /** Null while they are fetched for the first time. */
  servers: Server[] | null;
  /** Sessions by gateway, as far as they are known. */
  sessions: Readonly<Record<string, Session[]>>;
  /** Why the first fetch failed. */
  problem: string | null;
  reload(): void;
  /** Shows what the API answered about a server. */
  put(server: Server): void;
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
  useLooks(servers?.some(inMotion) ?? false, reload);

  const put = useCallback((server: Server) => {
    setServers((list) => list?.map((one) => (isOf(one, server.gateway_id) ? server : one)) ?? null);
  }, []);

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
      return followGateway(id, {
        onReopen: () => {
          loadSessions(id);
          reload();
        },
        onMessage: (message) => {
          setServers(
            (list) =>
              list?.map((server) =>
                isOf(server, id) ? applyToServer(server, message, Date.now()) : server,
              ) ?? null,
          );
          setSessions((known) => {
            const list = known[id];
            const after = list && applyAttention(list, message, Date.now());
            return after === list || after === undefined ? known : { ...known, [id]: after };
          });
          if (changesSessions(message)) loadSessions(id);
          // What follows from its being here only the list tells: that nobody needed it, for one.
          if (message.type === "gateway.hello") reload();
        },
      });
    });
    return () => stops.forEach((stop) => stop());
  }, [ids, loadSessions, reload]);

  return { servers, sessions, problem, reload, put };
}

const isOf = (server: Server, gatewayId: string): boolean => server.gateway_id === gatewayId;

/** Looks now and then while something moves and the page is seen. */
function useLooks(moving: boolean, look: () => void): void {
  useEffect(() => {
    if (!moving) return;
    const lookIfSeen = () => {
      if (!document.hidden) look();
    };
    const timer = setInterval(lookIfSeen, MOTION_MS);
    document.addEventListener("visibilitychange", lookIfSeen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", lookIfSeen);
    };
  }, [moving, look]);
}
