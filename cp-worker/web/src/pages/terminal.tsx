// One session on the whole page.

import { useEffect, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { useAuth } from "@/hooks/auth";
import { useAttentionToast } from "@/hooks/use-attention-toast";
import { usePageTitle } from "@/hooks/use-page-title";
import { useVisibleHeight } from "@/hooks/use-visible-height";
import { api, type Session } from "@/lib/api";
import { endText } from "@/lib/session-end";
import { NotFoundPage } from "@/pages/not-found";
import { KeyBar, type BarModifier } from "@/terminal/key-bar";
import {
  NO_MODIFIERS,
  press,
  release,
  type BarKey,
  type Latch,
  type Modifiers,
} from "@/terminal/keys";
import { SearchBar } from "@/terminal/search-bar";
import type { Notice, SessionView } from "@/terminal/session-types";
import { TerminalHeader } from "@/terminal/terminal-header";
import { TerminalMenu } from "@/terminal/terminal-menu";
import { useSession } from "@/terminal/use-session";

export default function TerminalPage() {
  const { gatewayId = "", sessionId = "" } = useParams();
  const id = Number(sessionId);
  if (!Number.isInteger(id) || id < 1) return <NotFoundPage what="session" />;
  return <TerminalView key={`${gatewayId}/${id}`} gatewayId={gatewayId} sessionId={id} />;
}

/** Latches of the key bar, which typed text uses up. */
function useLatches() {
  const [latches, setLatches] = useState<Record<BarModifier, Latch>>({ ctrl: "off", alt: "off" });
  const latest = useRef(latches);
  latest.current = latches;
  const take = (): Modifiers => {
    const { ctrl, alt } = latest.current;
    if (ctrl === "off" && alt === "off") return NO_MODIFIERS;
    setLatches({ ctrl: release(ctrl), alt: release(alt) });
    return { ctrl: ctrl !== "off", alt: alt !== "off", shift: false };
  };
  const toggle = (modifier: BarModifier) =>
    setLatches((now) => ({ ...now, [modifier]: press(now[modifier]) }));
  return { latches, take, toggle };
}

/** The session as lists know it, for its name and its menu. */
function useSessionRecord(gatewayId: string, sessionId: number) {
  const [session, setSession] = useState<Session | null>(null);
  useEffect(() => {
    // Without it the terminal still works; the header then shows a number for a name.
    api.sessions(gatewayId).then(
      (list) => setSession(list.find((one) => one.session_id === sessionId) ?? null),
      () => undefined,
    );
  }, [gatewayId, sessionId]);
  return [session, setSession] as const;
}

/** Milliseconds for which the same notice is not shown again: every key in vain makes one. */
const NOTICE_PAUSE_MS = 3_000;

function useNotices(): (notice: Notice) => void {
  const shownAt = useRef(new Map<string, number>());
  return ({ code, message }) => {
    const now = Date.now();
    if (now - (shownAt.current.get(code) ?? 0) < NOTICE_PAUSE_MS) return;
    shownAt.current.set(code, now);
    toast.warning(message, { id: code });
  };
}

interface TerminalViewProps {
  gatewayId: string;
  sessionId: number;
}

function TerminalView({ gatewayId, sessionId }: TerminalViewProps) {
  const { forget } = useAuth();
  const { latches, take, toggle } = useLatches();
  const [session, setSession] = useSessionRecord(gatewayId, sessionId);
  const [searching, setSearching] = useState(false);
  const onNotice = useNotices();
  const height = useVisibleHeight();
  const leave = () => document.getElementById("leave-terminal")?.focus();
  const { mount, runtime, surface, view } = useSession({
    gatewayId,
    sessionId,
    onNotice,
    takeModifiers: take,
    onSearch: () => setSearching(true),
    onLeave: leave,
  });
  const name = session?.name ?? `Session ${sessionId}`;

  const attention = view?.attention ?? null;
  usePageTitle(name, attention === null ? 0 : 1);
  useAttentionToast(attention);

  useEffect(() => {
    if (view?.closed === "signed_out") forget();
  }, [view?.closed, forget]);

  if (view?.closed === "not_found") return <NotFoundPage what="session" />;

  const back = `/servers/${gatewayId}`;
  const onKey = (key: BarKey, shift = false) => runtime?.pressKey(key, { ...take(), shift });
  const closeSearch = () => {
    setSearching(false);
    surface?.terminal.focus();
  };
  const paste = () =>
    navigator.clipboard.readText().then(
      (text) => runtime?.paste(text),
      () => toast.error("The browser did not let us read the clipboard."),
    );

  return (
    <div className="fixed inset-x-0 top-0 flex h-dvh flex-col bg-terminal" style={{ height }}>
      <TerminalHeader
        back={back}
        name={name}
        view={view}
        onTakeOver={() => runtime?.takeControl()}
        menu={
          <TerminalMenu
            session={session}
            onSearch={() => setSearching(true)}
            onSave={() => surface && download(`${name}.html`, surface.serialize.serializeAsHTML())}
            onLeave={leave}
            onRenamed={setSession}
          />
        }
      />
      {view !== null && <Banner view={view} back={back} />}
      <main className="relative min-h-0 flex-1 p-1.5 sm:p-2.5">
        <div className="grid size-full grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] place-items-center-safe overflow-x-auto overflow-y-hidden">
          <div ref={mount} data-testid="terminal" className="size-full" />
        </div>
        {searching && surface !== null && (
          <SearchBar search={surface.search} onClose={closeSearch} />
        )}
      </main>
      <KeyBar latches={latches} onModifier={toggle} onKey={onKey} onPaste={paste} />
    </div>
  );
}

function Banner({ view, back }: { view: SessionView; back: string }) {
  if (view.ended !== null || view.closed === "ended") {
    return (
      <div
        role="status"
        data-testid="session-ended"
        className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b bg-muted px-4 py-2 text-sm"
      >
        <span>
          <b className="font-semibold">This session has ended.</b>{" "}
          {view.ended !== null && `${endText(view.ended)}.`}
        </span>
        <Button asChild size="small" variant="outline">
          <Link to={back}>All sessions</Link>
        </Button>
      </div>
    );
  }
  if (view.connection !== "offline") return null;
  return (
    <p role="status" className="border-b bg-muted px-4 py-2 text-sm">
      The server is not connected. You see its last screen; programs on it go on.
    </p>
  );
}

/** Lets the browser save `text` under a name that every file system takes. */
function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replace(/[^\p{L}\p{N}._ -]/gu, "_");
  link.click();
  URL.revokeObjectURL(address);
}
