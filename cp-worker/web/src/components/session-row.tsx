// One session in a list: open, rename, end.

import { CircleStop, Eye, Pencil } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { AGENTS, AgentMark } from "@/components/agent";
import { RenameDialog } from "@/components/rename-dialog";
import { SessionAttention } from "@/components/session-attention";
import { StatusDot } from "@/components/status-dot";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuContent, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { MoreTrigger } from "@/components/ui/more-trigger";
import { api, type Session } from "@/lib/api";
import { cn } from "@/lib/cn";
import { formatAgo, plural } from "@/lib/format";
import { endText } from "@/lib/session-end";

export function SessionRow({ session, now }: { session: Session; now: number }) {
  const running = session.status === "running";
  return (
    <li
      data-testid="session-row"
      data-session-id={session.session_id}
      data-status={session.status}
      className="relative flex items-center gap-4 px-4 py-3.5 transition-colors first:rounded-t-xl last:rounded-b-xl hover:bg-muted/50 sm:px-5"
    >
      <AgentMark agent={session.agent} className={running ? "" : "opacity-50"} />
      <div className="min-w-0 flex-1">
        <p
          className={cn("flex items-center gap-2 font-medium", !running && "text-muted-foreground")}
        >
          {running && <StatusDot tone="live" />}
          <Link
            to={`/servers/${session.gateway_id}/sessions/${session.session_id}`}
            data-testid="session-open"
            className="truncate rounded-xs after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:ring-2 focus-visible:after:ring-ring focus-visible:after:ring-inset"
          >
            {session.name}
          </Link>
        </p>
        <p className="mt-0.5 truncate text-[13px] text-muted-foreground">
          {AGENTS[session.agent]?.label ?? session.agent}
          <span className="mx-1.5">in</span>
          <span className="font-mono text-xs">{session.workdir || "~/workspace"}</span>
        </p>
        {session.attention !== null && <SessionAttention attention={session.attention} now={now} />}
      </div>
      <SessionFacts session={session} now={now} />
      {running && <SessionMenu session={session} />}
    </li>
  );
}

function SessionFacts({ session, now }: { session: Session; now: number }) {
  if (session.status === "ended") {
    return (
      <p className="shrink-0 text-right text-[13px] text-muted-foreground">
        {endText(session)}
        {session.ended_at !== null && (
          <span className="block text-xs">{formatAgo(session.ended_at, now)}</span>
        )}
      </p>
    );
  }
  return (
    <p className="hidden shrink-0 items-center gap-4 text-[13px] text-muted-foreground sm:flex">
      {session.viewers > 0 && (
        <span title={plural(session.viewers, "viewer")} className="flex items-center gap-1.5">
          <Eye aria-hidden className="size-3.5" />
          {session.viewers}
          <span className="sr-only">{session.viewers === 1 ? "viewer" : "viewers"}</span>
        </span>
      )}
      {formatAgo(session.created_at, now)}
    </p>
  );
}

function SessionMenu({ session }: { session: Session }) {
  const [renaming, setRenaming] = useState(false);
  const [ending, setEnding] = useState(false);
  return (
    <>
      <Menu>
        <MoreTrigger name={session.name} data-testid="session-menu" />
        <MenuContent>
          <MenuItem onSelect={() => setRenaming(true)} data-testid="session-rename">
            <Pencil />
            Rename…
          </MenuItem>
          <MenuSeparator />
          <MenuItem danger onSelect={() => setEnding(true)} data-testid="session-end">
            <CircleStop />
            End session…
          </MenuItem>
        </MenuContent>
      </Menu>
      <RenameDialog session={session} open={renaming} onOpenChange={setRenaming} />
      <EndSessionDialog session={session} open={ending} onOpenChange={setEnding} />
    </>
  );
}

interface EndSessionDialogProps {
  session: Session;
  open: boolean;
  onOpenChange(open: boolean): void;
}

export function EndSessionDialog({ session, open, onOpenChange }: EndSessionDialogProps) {
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`End ${session.name}?`}
      description="Everything that runs in it is stopped. Files stay where they are."
      action="End session"
      onConfirm={() => api.endSession(session.gateway_id, session.session_id)}
    />
  );
}
