// A server's sessions: those that run, those that ended, those that nobody needs now.

import { ChevronDown, Plus, SquareTerminal } from "lucide-react";
import { Collapsible } from "radix-ui";
import { useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { NewSessionDialog } from "@/components/new-session-dialog";
import { Section } from "@/components/section";
import { SessionRow } from "@/components/session-row";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import type { Server, Session } from "@/lib/api";

/** Sessions that a gateway allows at once if it does not say how many: its default. */
const DEFAULT_SESSIONS = 5;

/** Inactive sessions up to which they are shown without being asked for. */
const SHOWN_INACTIVE = 10;

interface SessionsProps {
  server: Server;
  sessions: Session[] | undefined;
  now: number;
}

export function Sessions({ server, sessions: known, now }: SessionsProps) {
  const [creating, setCreating] = useState(false);
  const sessions = known ?? [];
  const running = sessions.filter(({ status }) => status === "running");
  const active = sessions.filter(({ archived }) => !archived);
  const activeRunning = active.filter(({ status }) => status === "running");
  const ended = active.filter(({ status }) => status === "ended");
  const inactive = sessions.filter(({ archived }) => archived);
  const online = server.status === "online";
  const most = server.max_sessions ?? DEFAULT_SESSIONS;
  const full = running.length >= most;
  const create = (
    <Button
      data-testid="new-session"
      disabled={!online || full}
      title={online ? undefined : "The server is not connected"}
      onClick={() => setCreating(true)}
    >
      <Plus />
      New session
    </Button>
  );
  return (
    <Section title="Sessions" action={activeRunning.length > 0 || full ? create : undefined}>
      {full && <Full running={running} most={most} />}
      {known === undefined ? (
        <Skeleton className="h-20 rounded-xl" />
      ) : activeRunning.length > 0 ? (
        <SessionList sessions={activeRunning} now={now} />
      ) : (
        !full && (
          <EmptyState icon={SquareTerminal} title="Nothing is running" action={create}>
            {online
              ? "Start an agent or a plain shell in a folder of this machine. It goes on when you close the tab."
              : "New sessions can be started when the server is connected."}
          </EmptyState>
        )
      )}
      {ended.length > 0 && (
        <div className="mt-10">
          <h3 className="mb-3 text-sm font-medium text-muted-foreground">Ended</h3>
          <SessionList sessions={ended} now={now} />
        </div>
      )}
      {inactive.length > 0 && <Inactive sessions={inactive} now={now} />}
      <NewSessionDialog gatewayId={server.gateway_id} open={creating} onOpenChange={setCreating} />
    </Section>
  );
}

function Full({ running, most }: { running: Session[]; most: number }) {
  const some = running.some(({ archived }) => archived) ? ", inactive ones among them" : "";
  return (
    <p data-testid="session-limit" className="mb-4 text-sm text-muted-foreground">
      {running.length} sessions run here{some}. This server allows {most} at once: end one to start
      another.
    </p>
  );
}

interface SessionListProps {
  sessions: Session[];
  now: number;
}

/** Those without activity for a day, whether they run or not; folded away when there are many. */
function Inactive({ sessions, now }: SessionListProps) {
  const [open, setOpen] = useState(sessions.length <= SHOWN_INACTIVE);
  return (
    <Collapsible.Root open={open} onOpenChange={setOpen} className="mt-10">
      <h3>
        <Collapsible.Trigger
          data-testid="inactive-sessions"
          className="mb-3 flex items-center gap-1.5 rounded-sm text-sm font-medium text-muted-foreground hover:text-foreground [&[data-state=closed]>svg]:-rotate-90"
        >
          <ChevronDown aria-hidden className="size-4 transition-transform" />
          Inactive ({sessions.length})
        </Collapsible.Trigger>
      </h3>
      <Collapsible.Content>
        <SessionList sessions={sessions} now={now} />
      </Collapsible.Content>
    </Collapsible.Root>
  );
}

function SessionList({ sessions, now }: SessionListProps) {
  const newestFirst = [...sessions].sort((a, b) => b.created_at - a.created_at);
  return (
    <ul className="divide-y rounded-xl border bg-surface">
      {newestFirst.map((session) => (
        <SessionRow key={session.session_id} session={session} now={now} />
      ))}
    </ul>
  );
}
