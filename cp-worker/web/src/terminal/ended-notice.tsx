// A session that has ended: how, when, and how to go on. Above its last screen where there is one.

import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { toast } from "sonner";
import { AGENTS } from "@/components/agent";
import { Button } from "@/components/ui/button";
import { useNow } from "@/hooks/use-now";
import { api, problemText, type Session } from "@/lib/api";
import { cn } from "@/lib/cn";
import { estimateSize } from "@/lib/estimate-size";
import { formatAgo } from "@/lib/format";
import { endText } from "@/lib/session-end";
import type { SessionView } from "./session-types";

interface EndedNoticeProps {
  session: Session | null;
  ended: SessionView["ended"];
  /** Nothing of it is on the screen: it had ended before the page was opened. */
  alone: boolean;
  back: string;
}

export function EndedNotice({ session, ended, alone, back }: EndedNoticeProps) {
  const now = useNow();
  const known = ended ?? (session?.status === "ended" ? session : null);
  return (
    <div
      role="status"
      data-testid="session-ended"
      className={
        alone
          ? "absolute inset-0 z-10 grid content-center justify-items-center gap-5 bg-background px-6 text-center"
          : "flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b bg-muted px-4 py-2 text-sm"
      }
    >
      <p className={cn(alone && "grid gap-1.5")}>
        <b className={cn("font-semibold", alone && "text-lg")}>This session has ended.</b>{" "}
        <span className={cn(alone && "text-muted-foreground")}>
          {known !== null && `${endText(known)}.`}
          {session !== null && session.ended_at !== null && ` ${ago(session.ended_at, now)}.`}
        </span>
        {alone && session !== null && <Place session={session} />}
      </p>
      <p className="flex flex-wrap gap-2">
        {session !== null && <StartAgain session={session} small={!alone} />}
        <Button asChild size={alone ? "default" : "small"} variant="outline">
          <Link to={back}>All sessions</Link>
        </Button>
      </p>
    </div>
  );
}

function ago(then: number, now: number): string {
  const text = formatAgo(then, now);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Place({ session }: { session: Session }) {
  return (
    <span className="text-sm text-muted-foreground">
      {AGENTS[session.agent]?.label ?? session.agent} in{" "}
      <span className="font-mono text-[13px]">{session.workdir || "~/workspace"}</span>
    </span>
  );
}

/** A session with the same name, agent and folder: what the folder holds is still there. */
function StartAgain({ session, small }: { session: Session; small: boolean }) {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      const { gateway_id, name, workdir, agent } = session;
      const size = estimateSize(window.innerWidth, window.innerHeight);
      const made = await api.createSession(gateway_id, { name, workdir, agent, ...size });
      await navigate(`/servers/${gateway_id}/sessions/${made.session_id}`, { replace: true });
    } catch (error) {
      toast.error(problemText(error));
      setBusy(false);
    }
  };
  return (
    <Button
      size={small ? "small" : "default"}
      data-testid="start-again"
      disabled={busy}
      onClick={start}
    >
      {busy ? "Starting…" : "Start again"}
    </Button>
  );
}
