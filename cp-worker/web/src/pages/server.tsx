// One server: its state, the sessions that run there, its agents and its keys.

import { ChevronRight } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { toast } from "sonner";
import { AgentsSection } from "@/components/agents";
import { GatewayLine } from "@/components/gateway-line";
import { Keys } from "@/components/keys";
import { LoadProblem } from "@/components/load-problem";
import { Page } from "@/components/page";
import { MachineLine, ServerCharts, ServerStatus } from "@/components/server-health";
import { ServerMenu } from "@/components/server-menu";
import { OfflineNotice, RunawayNotices, StateNotices } from "@/components/server-notices";
import { AttentionStatus } from "@/components/session-attention";
import { Sessions } from "@/components/sessions";
import { Skeleton } from "@/components/ui/skeleton";
import { useHistory } from "@/hooks/use-history";
import { SECOND_MS, useNow } from "@/hooks/use-now";
import { usePageTitle } from "@/hooks/use-page-title";
import { useRunaway } from "@/hooks/use-runaway";
import { useServers, type LiveServers } from "@/hooks/use-servers";
import type { Server, Session } from "@/lib/api";
import { wanting } from "@/lib/attention";
import { serverState } from "@/lib/server-state";
import { NotFoundPage } from "@/pages/not-found";

export function ServerPage() {
  const { gatewayId = "" } = useParams();
  const live = useServers();
  const server = live.servers?.find(({ gateway_id }) => gateway_id === gatewayId);
  const sessions = live.sessions[gatewayId];
  usePageTitle(server?.name ?? "Server", wanting(sessions ?? []).length);
  const left = useLeaving(live, server);
  if (live.servers !== null && server === undefined) {
    // A server that was here a moment ago is on its way to the list of servers.
    return left ? null : <NotFoundPage what="server" />;
  }
  return (
    <Page>
      <AttentionStatus sessions={sessions ?? []} />
      {server === undefined ? (
        live.problem === null ? (
          <LoadingServer />
        ) : (
          <LoadProblem text={live.problem} onRetry={live.reload} />
        )
      ) : (
        <ServerView key={gatewayId} server={server} sessions={sessions} live={live} />
      )}
    </Page>
  );
}

/** Goes to the list when the server that was shown is there no more; whether it was shown. */
function useLeaving(live: LiveServers, server: Server | undefined): boolean {
  const navigate = useNavigate();
  const shown = useRef<Server | null>(null);
  if (server !== undefined) shown.current = server;
  const gone = live.servers !== null && server === undefined ? shown.current : null;
  useEffect(() => {
    if (gone === null) return;
    toast.success(`${gone.name} is ${gone.droplet === null ? "removed" : "destroyed"}.`);
    void navigate("/");
  }, [gone, navigate]);
  return gone !== null;
}

function LoadingServer() {
  return (
    <div role="status" aria-label="Loading server" className="grid gap-4">
      <Skeleton className="h-9 w-56" />
      <Skeleton className="h-24 rounded-xl" />
      <Skeleton className="mt-6 h-20 rounded-xl" />
      <Skeleton className="h-20 rounded-xl" />
    </div>
  );
}

interface ServerViewProps {
  server: Server;
  sessions: Session[] | undefined;
  live: LiveServers;
}

function ServerView({ server, sessions, live }: ServerViewProps) {
  const now = useNow(server.status === "offline" ? SECOND_MS : undefined);
  const online = server.status === "online";
  const runaway = useRunaway(server.gateway_id, online);
  const state = serverState(server, now);
  const never = server.last_seen_at === null;
  return (
    <>
      <nav aria-label="Breadcrumb" className="mb-3 flex items-center gap-1 text-sm">
        <Link to="/" className="rounded-xs text-muted-foreground hover:text-foreground">
          Servers
        </Link>
        <ChevronRight aria-hidden className="size-3.5 text-muted-foreground" />
        <span aria-current="page" className="truncate">
          {server.name}
        </span>
      </nav>
      <div className="flex items-start gap-3">
        <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-2">
          <h1 className="min-w-0 truncate text-[28px] leading-tight font-semibold tracking-[-0.02em]">
            {server.name}
          </h1>
          <ServerStatus server={server} now={now} />
        </div>
        <ServerMenu server={server} onChange={live.put} onRemoved={live.reload} />
      </div>
      <MachineLine server={server} />
      <div className="mt-6 grid gap-3 empty:hidden">
        <StateNotices server={server} now={now} onChange={live.put} />
        {state === "offline" && <OfflineNotice server={server} />}
        <RunawayNotices runaway={runaway} sessions={sessions ?? []} />
      </div>
      {online && <Machine server={server} now={now} />}
      {!never && (
        <>
          <Sessions server={server} sessions={sessions} now={now} />
          {state !== "destroying" && (
            <>
              <AgentsSection server={server} />
              <Keys server={server} now={now} />
            </>
          )}
        </>
      )}
    </>
  );
}

function Machine({ server, now }: { server: Server; now: number }) {
  const history = useHistory(server);
  return (
    <div className="mt-6 rounded-xl border bg-surface p-5 sm:px-6">
      <ServerCharts server={server} history={history} now={now} />
      <GatewayLine server={server} />
    </div>
  );
}
