// The session's name, which opens the list of what else runs on the server.

import { BellRing, ChevronDown, LayoutList } from "lucide-react";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { AGENTS } from "@/components/agent";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuSeparator,
  MenuTrigger,
} from "@/components/ui/menu";
import { api, problemText, type Session } from "@/lib/api";

interface SessionSwitcherProps {
  gatewayId: string;
  sessionId: number;
  name: string;
  open: boolean;
  onOpenChange(open: boolean): void;
  onCloseAutoFocus(event: Event): void;
}

export function SessionSwitcher(props: SessionSwitcherProps) {
  const { gatewayId, sessionId, name, open, onOpenChange, onCloseAutoFocus } = props;
  const { others, problem } = useOthers(gatewayId, sessionId, open);
  const navigate = useNavigate();
  return (
    <Menu open={open} onOpenChange={onOpenChange}>
      <h1 className="min-w-0 text-[15px] font-semibold tracking-tight">
        <MenuTrigger
          data-testid="session-switcher"
          aria-label={`${name}. Switch to another session`}
          className="flex h-9 max-w-full items-center gap-1 rounded-md px-1.5 outline-none hover:bg-muted focus-visible:ring-2 focus-visible:ring-ring"
        >
          <span className="truncate">{name}</span>
          <ChevronDown aria-hidden className="size-4 shrink-0 text-muted-foreground" />
        </MenuTrigger>
      </h1>
      <MenuContent
        align="start"
        className="w-72 max-w-[92vw]"
        onCloseAutoFocus={onCloseAutoFocus}
      >
        <MenuLabel>Also running on this server</MenuLabel>
        {others === null && <MenuItem disabled>{problem ?? "One moment…"}</MenuItem>}
        {others?.length === 0 && <MenuItem disabled>Nothing else</MenuItem>}
        {others?.map((session, at) => (
          <MenuItem
            key={session.session_id}
            ref={at === 0 ? takeFocus : null}
            data-testid="switch-to"
            data-session-id={session.session_id}
            onSelect={() => navigate(`/servers/${gatewayId}/sessions/${session.session_id}`)}
          >
            <Other session={session} />
          </MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem onSelect={() => navigate(`/servers/${gatewayId}`)}>
          <LayoutList />
          All sessions
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

/** The list may come after the menu has opened, and put its focus on what was there. */
function takeFocus(item: HTMLElement | null): void {
  item?.focus();
}

function Other({ session: { agent, name, attention } }: { session: Session }) {
  const { icon: Icon } = AGENTS[agent] ?? AGENTS.none;
  return (
    <>
      <Icon aria-hidden />
      <span className="min-w-0 flex-1 truncate">{name}</span>
      {attention !== null && (
        <span className="flex items-center gap-1 text-xs text-warning [&_svg]:text-warning">
          <BellRing aria-hidden /> wants you
        </span>
      )}
    </>
  );
}

/** The other sessions that run, fetched each time the menu opens; the last list is shown meanwhile. */
function useOthers(gatewayId: string, sessionId: number, open: boolean) {
  const [others, setOthers] = useState<Session[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!open) return;
    let stopped = false;
    api.sessions(gatewayId).then(
      (list) => {
        const isOther = (it: Session) => it.status === "running" && it.session_id !== sessionId;
        if (!stopped) setOthers(list.filter(isOther));
      },
      (error: unknown) => !stopped && setProblem(problemText(error)),
    );
    return () => {
      stopped = true;
    };
  }, [gatewayId, sessionId, open]);
  return { others, problem };
}
