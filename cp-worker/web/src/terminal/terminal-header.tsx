// The line above the terminal: which session, how it is connected, who types.

import { ArrowLeft, Columns2, Eye, Keyboard, Lock } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { StatusDot } from "@/components/status-dot";
import { Badge, type BadgeTone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { plural } from "@/lib/format";
import type { Missing } from "./outage";
import type { SessionView } from "./session-types";

const CONNECTION: Record<SessionView["connection"], { label: string; tone: BadgeTone }> = {
  live: { label: "Live", tone: "live" },
  reconnecting: { label: "Reconnecting", tone: "warning" },
  offline: { label: "Offline", tone: "danger" },
};

/** What is missing, where a person points at the state. */
const MISSING: Record<Missing, string> = {
  network: "This device has no network",
  control_plane: "The control plane does not answer yet",
  gateway: "The server is not connected",
};

interface TerminalHeaderProps {
  back: string;
  /** The session's name, and the way to others. */
  title: ReactNode;
  view: SessionView | null;
  onTakeOver(): void;
  menu: ReactNode;
}

export function TerminalHeader({ back, title, view, onTakeOver, menu }: TerminalHeaderProps) {
  const over = view !== null && (view.ended !== null || view.closed !== null);
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b bg-surface pr-1.5 pl-1.5 sm:gap-2">
      <Tooltip text="All sessions">
        <Button asChild variant="ghost" size="icon">
          <Link to={back} aria-label="Back to all sessions" id="leave-terminal">
            <ArrowLeft />
          </Link>
        </Button>
      </Tooltip>
      <div className="flex min-w-0 flex-1">{title}</div>
      {view !== null && !over && (
        <>
          {view.pane !== null && <Pane pane={view.pane} />}
          <Viewers count={view.viewers} />
          <Control control={view.control} onTakeOver={onTakeOver} />
          <Connection view={view} />
        </>
      )}
      {over && (
        <Badge data-testid="connection-state" data-state="ended">
          Ended
        </Badge>
      )}
      {menu}
    </header>
  );
}

function Pane({ pane: { pane, panes } }: { pane: NonNullable<SessionView["pane"]> }) {
  return (
    <Badge
      role="status"
      data-testid="pane"
      title="tmux has split this session; the active pane is shown"
    >
      <Columns2 aria-hidden />
      <span className="max-sm:sr-only">
        pane {pane} of {panes}
      </span>
      <span aria-hidden className="sm:hidden">
        {pane}/{panes}
      </span>
    </Badge>
  );
}

function Connection({ view: { connection, missing } }: { view: SessionView }) {
  const { label, tone } = CONNECTION[connection];
  return (
    <Badge
      tone={tone}
      role="status"
      data-testid="connection-state"
      data-state={connection}
      data-missing={missing ?? undefined}
      title={missing === null ? undefined : MISSING[missing]}
    >
      <StatusDot tone={tone} pulse={connection !== "offline"} />
      {label}
    </Badge>
  );
}

function Viewers({ count }: { count: number }) {
  return (
    <Tooltip text={plural(count, "viewer")}>
      <span
        data-testid="viewers"
        className="hidden items-center gap-1.5 px-1 text-[13px] text-muted-foreground tabular-nums sm:flex"
      >
        <Eye aria-hidden className="size-4" />
        {count}
        <span className="sr-only">{count === 1 ? "viewer" : "viewers"}</span>
      </span>
    </Tooltip>
  );
}

interface ControlProps extends Pick<SessionView, "control"> {
  onTakeOver(): void;
}

function Control({ control, onTakeOver }: ControlProps) {
  if (control === "you") {
    return (
      <Tooltip text="You type and decide the size">
        <Badge data-testid="control-badge" data-control="you" className="max-sm:hidden">
          <Keyboard aria-hidden />
          Controller
        </Badge>
      </Tooltip>
    );
  }
  return (
    <>
      <Badge
        tone="warning"
        data-testid="control-badge"
        data-control={control}
        title={control === "other" ? "Someone else is typing" : "Nobody is typing"}
      >
        <Lock aria-hidden />
        <span className="max-sm:sr-only">Read-only</span>
      </Badge>
      <Button size="small" data-testid="take-over" onClick={onTakeOver}>
        Take over
      </Button>
    </>
  );
}
