// The user's servers, live.

import { Plus, Server as ServerIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { AddServerDialog, type Way } from "@/components/add-server-dialog";
import { EmptyState } from "@/components/empty-state";
import { LoadProblem } from "@/components/load-problem";
import { Page } from "@/components/page";
import { MachineLine, ServerMeters, ServerStatus } from "@/components/server-health";
import { ServerMenu } from "@/components/server-menu";
import { StateNotices } from "@/components/server-notices";
import { AttentionCount, AttentionStatus } from "@/components/session-attention";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { SECOND_MS, useNow } from "@/hooks/use-now";
import { usePageTitle } from "@/hooks/use-page-title";
import { useServers, type LiveServers } from "@/hooks/use-servers";
import type { Server, Session } from "@/lib/api";
import { wanting } from "@/lib/attention";
import { plural } from "@/lib/format";

export function ServersPage() {
  const live = useServers();
  const [adding, setAdding] = useAdding();
  const add = (
    <Button data-testid="add-server" onClick={() => setAdding("own")}>
      <Plus />
      Add server
    </Button>
  );
  const empty = live.servers?.length === 0;
  const sessions = Object.values(live.sessions).flat();
  usePageTitle("Servers", wanting(sessions).length);
  return (
    <Page>
      <div className="mb-8 flex items-center justify-between gap-4">
        <h1 className="text-[28px] leading-tight font-semibold tracking-[-0.02em]">Servers</h1>
        {live.servers !== null && !empty && add}
      </div>
      <AttentionStatus sessions={sessions} />
      <ServerList live={live} add={add} />
      <AddServerDialog
        open={adding !== null}
        onOpenChange={(open) => open || setAdding(null)}
        way={adding ?? "own"}
        servers={live.servers ?? []}
        onAdded={live.reload}
      />
    </Page>
  );
}

/** Which way of adding a server is open; `?add=cloud` and `?add=own` open one. */
function useAdding() {
  const [parameters, setParameters] = useSearchParams();
  const [adding, setAdding] = useState<Way | null>(null);
  const asked = parameters.get("add");
  useEffect(() => {
    if (asked === null) return;
    setAdding(asked === "cloud" ? "cloud" : "own");
    // The address is one to come back to, without the dialog.
    setParameters({}, { replace: true });
  }, [asked, setParameters]);
  return [adding, setAdding] as const;
}

function ServerList({ live, add }: { live: LiveServers; add: React.ReactNode }) {
  const offline = live.servers?.some(({ status }) => status === "offline") ?? false;
  const now = useNow(offline ? SECOND_MS : undefined);
  if (live.servers === null) {
    if (live.problem !== null) return <LoadProblem text={live.problem} onRetry={live.reload} />;
    return (
      <div role="status" aria-label="Loading servers" className="grid gap-4">
        <Skeleton className="h-40 rounded-xl" />
        <Skeleton className="h-40 rounded-xl" />
      </div>
    );
  }
  if (live.servers.length === 0) {
    return (
      <EmptyState icon={ServerIcon} title="No server yet" action={add}>
        Any Linux or macOS machine will do: a VPS, a Raspberry Pi, the Mac in the corner. Nothing
        will listen on it.
      </EmptyState>
    );
  }
  return (
    <ul className="grid grid-cols-1 gap-4">
      {live.servers.map((server) => (
        <ServerCard
          key={server.gateway_id}
          server={server}
          sessions={live.sessions[server.gateway_id]}
          now={now}
          live={live}
        />
      ))}
    </ul>
  );
}

interface ServerCardProps {
  server: Server;
  sessions: Session[] | undefined;
  now: number;
  live: LiveServers;
}

function ServerCard({ server, sessions, now, live }: ServerCardProps) {
  const running = sessions?.filter((session) => session.status === "running").length;
  return (
    <li
      data-testid="server-card"
      data-gateway-id={server.gateway_id}
      className="relative rounded-xl border bg-surface transition-colors focus-within:border-input hover:border-input"
    >
      <div className="grid grid-cols-1 gap-5 p-5 sm:p-6">
        <div className="flex items-start gap-3">
          <div className="min-w-0 flex-1">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
              <h2 className="min-w-0 truncate text-lg font-semibold tracking-tight">
                {/* The link covers the card; what else can be pressed lies above it. */}
                <Link
                  to={`/servers/${server.gateway_id}`}
                  data-testid="server-link"
                  className="rounded-xs after:absolute after:inset-0 after:rounded-xl focus-visible:outline-none focus-visible:after:ring-2 focus-visible:after:ring-ring"
                >
                  {server.name}
                </Link>
              </h2>
              <ServerStatus server={server} now={now} />
              <AttentionCount sessions={sessions ?? []} />
            </div>
            <MachineLine server={server} />
          </div>
          <ServerMenu server={server} onChange={live.put} onRemoved={live.reload} />
        </div>
        <div className="relative grid gap-3 empty:hidden">
          <StateNotices server={server} now={now} onChange={live.put} />
        </div>
        {server.status === "online" && (
          <div className="grid grid-cols-1 items-end gap-5 sm:grid-cols-[1fr_auto] sm:gap-10">
            <ServerMeters server={server} />
            <p className="text-sm text-muted-foreground tabular-nums sm:min-w-24 sm:text-right">
              {running === undefined ? "…" : plural(running, "session")}
            </p>
          </div>
        )}
      </div>
    </li>
  );
}
