// A session's terminal in a React page: its life, and what the page must know of it.

import { useCallback, useEffect, useRef, useState } from "react";
import { watchSelection } from "./selection";
import { SessionRuntime, type RuntimeHandlers } from "./session-runtime";
import type { SessionView } from "./session-types";
import { loadTerminalFont, Surface, type SurfaceHandlers, type SurfaceLook } from "./surface";
import type { Terminal } from "@xterm/xterm";

declare global {
  interface Window {
    /** The terminal of this page, for people's own scripts. */
    chatcodeTerminal?: Terminal | undefined;
  }
}

interface SessionOptions extends Omit<RuntimeHandlers, "onView"> {
  gatewayId: string;
  sessionId: number;
  look: SurfaceLook;
  onLink: SurfaceHandlers["onLink"];
  onProgramCopies: SurfaceHandlers["onProgramCopies"];
  /** Text was selected with the mouse. */
  onMouseSelected(text: string): void;
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
  const { gatewayId, sessionId, look } = options;
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const [parts, setParts] = useState<{ runtime: SessionRuntime; surface: Surface } | null>(null);
  const [view, setView] = useState<SessionView | null>(null);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    if (element === null) return;
    let stop = () => {};
    let stopped = false;
    void loadTerminalFont().then(() => {
      if (stopped) return;
      const now = () => latest.current;
      const ending = new AbortController();
      const surface = new Surface(element, now().look, {
        onLink: (...link) => now().onLink(...link),
        onProgramCopies: (text) => now().onProgramCopies(text),
      });
      const runtime = new SessionRuntime(surface, element, gatewayId, sessionId, {
        onView: setView,
        onNotice: (notice) => now().onNotice(notice),
        takeModifiers: () => now().takeModifiers(),
        onShortcut: (action) => now().onShortcut(action),
        onFiles: (files) => now().onFiles(files),
        onEmptyPaste: () => now().onEmptyPaste(),
        onPinch: (scale) => now().onPinch(scale),
        onPinchEnd: () => now().onPinchEnd(),
        onSelected: () => now().onSelected(),
      });
      const onMouseSelected = (text: string) => now().onMouseSelected(text);
      watchSelection(surface.terminal, element, onMouseSelected, ending.signal);
      window.chatcodeTerminal = surface.terminal;
      // Where fingers type, the on-screen keyboard comes with the first tap and not before.
      if (!matchMedia("(pointer: coarse)").matches) surface.terminal.focus();
      setParts({ runtime, surface });
      stop = () => {
        ending.abort();
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

  const { fontSize, theme, appTheme, screenReader } = look;
  useEffect(
    () => parts?.runtime.setLook({ fontSize, theme, appTheme, screenReader }),
    [parts, fontSize, theme, appTheme, screenReader],
  );

  const mount = useCallback((next: HTMLDivElement | null) => setElement(next), []);
  return { mount, runtime: parts?.runtime ?? null, surface: parts?.surface ?? null, view };
}
