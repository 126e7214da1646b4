// The user's servers, live.

import { EllipsisVertical, Plus, Server as ServerIcon, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { AddServerDialog } from "@/components/add-server-dialog";
import { EmptyState } from "@/components/empty-state";
import { LoadProblem } from "@/components/load-problem";
import { Page } from "@/components/page";
import { MachineLine, ServerMeters, ServerStatus } from "@/components/server-health";
import { AttentionCount, AttentionStatus } from "@/components/session-attention";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Skeleton } from "@/components/ui/skeleton";
import { useNow } from "@/hooks/use-now";
import { usePageTitle } from "@/hooks/use-page-title";
import { useServers, type LiveServers } from "@/hooks/use-servers";
import { api, type Server, type Session } from "@/lib/api";
import { wanting } from "@/lib/attention";
import { plural } from "@/lib/format";

export function ServersPage() {
  const live = useServers();
  const [adding, setAdding] = useState(false);
  const add = (
    <Button data-testid="add-server" onClick={() => setAdding(true)}>
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
        open={adding}
        onOpenChange={setAdding}
        servers={live.servers ?? []}
        onAdded={live.reload}
      />
    </Page>
  );
}

function ServerList({ live, add }: { live: LiveServers; add: React.ReactNode }) {
  const now = useNow();
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
          onRemoved={live.reload}
        />
      ))}
    </ul>
  );
}

interface ServerCardProps {
  server: Server;
  sessions: Session[] | undefined;
  now: number;
  onRemoved(): void;
}

function ServerCard({ server, sessions, now, onRemoved }: ServerCardProps) {
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
          <ServerMenu server={server} onRemoved={onRemoved} />
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

function ServerMenu({ server, onRemoved }: { server: Server; onRemoved(): void }) {
  const [removing, setRemoving] = useState(false);
  const remove = async () => {
    await api.removeServer(server.gateway_id);
    onRemoved();
  };
  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button
            variant="ghost"
            size="icon"
            className="relative -mt-1.5 -mr-2"
            aria-label={`More about ${server.name}`}
            data-testid="server-menu"
          >
            <EllipsisVertical />
          </Button>
        </MenuTrigger>
        <MenuContent>
          <MenuItem danger onSelect={() => setRemoving(true)} data-testid="remove-server">
            <Trash2 />
            Remove server…
          </MenuItem>
        </MenuContent>
      </Menu>
      <ConfirmDialog
        open={removing}
        onOpenChange={setRemoving}
        title={`Remove ${server.name}?`}
        description="Its gateway loses access at once and the server leaves this list. Sessions that run on the machine go on there, but can no longer be reached from here."
        action="Remove server"
        onConfirm={remove}
      />
    </>
  );
}
