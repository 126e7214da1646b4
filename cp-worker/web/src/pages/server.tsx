// One server: its state, and the sessions that run there.

import { ChevronRight, Plus, SquareTerminal } from "lucide-react";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { EmptyState } from "@/components/empty-state";
import { LoadProblem } from "@/components/load-problem";
import { NewSessionDialog } from "@/components/new-session-dialog";
import { Page } from "@/components/page";
import { MachineLine, ServerMeters, ServerStatus } from "@/components/server-health";
import { AttentionStatus } from "@/components/session-attention";
import { SessionRow } from "@/components/session-row";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { useNow } from "@/hooks/use-now";
import { usePageTitle } from "@/hooks/use-page-title";
import { useServers } from "@/hooks/use-servers";
import { wanting } from "@/lib/attention";
import type { Server, Session } from "@/lib/api";
import { NotFoundPage } from "@/pages/not-found";

export function ServerPage() {
  const { gatewayId = "" } = useParams();
  const live = useServers();
  const server = live.servers?.find(({ gateway_id }) => gateway_id === gatewayId);
  const sessions = live.sessions[gatewayId];
  usePageTitle(server?.name ?? "Server", wanting(sessions ?? []).length);
  if (live.servers !== null && server === undefined) return <NotFoundPage what="server" />;
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
        <ServerView server={server} sessions={sessions} />
      )}
    </Page>
  );
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

function ServerView({ server, sessions }: { server: Server; sessions: Session[] | undefined }) {
  const now = useNow();
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
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="min-w-0 truncate text-[28px] leading-tight font-semibold tracking-[-0.02em]">
          {server.name}
        </h1>
        <ServerStatus server={server} now={now} />
      </div>
      <MachineLine server={server} />
      {server.status === "online" && (
        <div className="mt-6 rounded-xl border bg-surface p-5 sm:px-6">
          <ServerMeters server={server} />
        </div>
      )}
      <Sessions server={server} sessions={sessions} now={now} />
    </>
  );
}

interface SessionsProps {
  server: Server;
  sessions: Session[] | undefined;
  now: number;
}

function Sessions({ server, sessions, now }: SessionsProps) {
  const [creating, setCreating] = useState(false);
  const running = sessions?.filter(({ status }) => status === "running") ?? [];
  const ended = sessions?.filter(({ status }) => status === "ended") ?? [];
  const online = server.status === "online";
  const create = (
    <Button
      data-testid="new-session"
      disabled={!online}
      title={online ? undefined : "The server is not connected"}
      onClick={() => setCreating(true)}
    >
      <Plus />
      New session
    </Button>
  );
  return (
    <section aria-labelledby="sessions" className="mt-12">
      <div className="mb-5 flex items-center justify-between gap-4">
        <h2 id="sessions" className="text-lg font-semibold tracking-tight">
          Sessions
        </h2>
        {running.length > 0 && create}
      </div>
      {sessions === undefined ? (
        <Skeleton className="h-20 rounded-xl" />
      ) : running.length === 0 ? (
        <EmptyState icon={SquareTerminal} title="Nothing is running" action={create}>
          {online
            ? "Start an agent or a plain shell in a folder of this machine. It goes on when you close the tab."
            : "New sessions can be started when the server is connected."}
        </EmptyState>
      ) : (
        <SessionList sessions={running} now={now} />
      )}
      {ended.length > 0 && (
        <div className="mt-10">
          <h3 className="mb-3 text-sm font-medium text-muted-foreground">Ended</h3>
          <SessionList sessions={ended} now={now} />
        </div>
      )}
      <NewSessionDialog gatewayId={server.gateway_id} open={creating} onOpenChange={setCreating} />
    </section>
  );
}

function SessionList({ sessions, now }: { sessions: Session[]; now: number }) {
  const newestFirst = [...sessions].sort((a, b) => b.created_at - a.created_at);
  return (
    <ul className="divide-y rounded-xl border bg-surface">
      {newestFirst.map((session) => (
        <SessionRow key={session.session_id} session={session} now={now} />
      ))}
    </ul>
  );
}
