// A session's terminal in a React page: its life, and what the page must know of it.

import { useCallback, useEffect, useRef, useState } from "react";
import { useTheme } from "@/hooks/theme";
import type { Modifiers } from "./keys";
import { SessionRuntime } from "./session-runtime";
import type { Notice, SessionView } from "./session-types";
import { loadTerminalFont, Surface } from "./surface";
import type { Terminal } from "@xterm/xterm";

declare global {
  interface Window {
    /** The terminal of this page, for people's own scripts. */
    chatcodeTerminal?: Terminal | undefined;
  }
}

interface SessionOptions {
  gatewayId: string;
  sessionId: number;
  onNotice(notice: Notice): void;
  takeModifiers(): Modifiers;
  onSearch(): void;
  onLeave(): void;
}

export interface LiveSession {
  /** For the element that the terminal is put into. */
  mount(element: HTMLDivElement | null): void;
  /** Null until the terminal is open. */
  runtime: SessionRuntime | null;
  surface: Surface | null;
  view: SessionView | null;
}

export function useSession(options: SessionOptions): LiveSession {
  const { gatewayId, sessionId } = options;
  const { shown } = useTheme();
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const [parts, setParts] = useState<{ runtime: SessionRuntime; surface: Surface } | null>(null);
  const [view, setView] = useState<SessionView | null>(null);
  const latest = useRef({ options, theme: shown });
  useEffect(() => {
    latest.current = { options, theme: shown };
  });

  useEffect(() => {
    if (element === null) return;
    let stop = () => {};
    let stopped = false;
    void loadTerminalFont().then(() => {
      if (stopped) return;
      const surface = new Surface(element, latest.current.theme);
      const runtime = new SessionRuntime(surface, element, gatewayId, sessionId, {
        onView: setView,
        onNotice: (notice) => latest.current.options.onNotice(notice),
        takeModifiers: () => latest.current.options.takeModifiers(),
        onSearch: () => latest.current.options.onSearch(),
        onLeave: () => latest.current.options.onLeave(),
      });
      window.chatcodeTerminal = surface.terminal;
      surface.terminal.focus();
      setParts({ runtime, surface });
      stop = () => {
        runtime.dispose();
        surface.dispose();
        window.chatcodeTerminal = undefined;
        setParts(null);
      };
    });
    return () => {
      stopped = true;
      stop();
    };
  }, [element, gatewayId, sessionId]);

  useEffect(() => parts?.runtime.setTheme(shown), [parts, shown]);

  const mount = useCallback((next: HTMLDivElement | null) => setElement(next), []);
  return { mount, runtime: parts?.runtime ?? null, surface: parts?.surface ?? null, view };
}
