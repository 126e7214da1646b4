// Keys that an on-screen keyboard lacks. Shown where fingers type.

import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ClipboardPaste } from "lucide-react";
import { useEffect, useRef, type PointerEvent, type ReactNode } from "react";
import { cn } from "@/lib/cn";
import type { BarKey, Latch } from "./keys";

/** Milliseconds before a held arrow repeats, and between repeats. */
const REPEAT = { delay: 400, interval: 60 };

export type BarModifier = "ctrl" | "alt";

interface KeyBarProps {
  latches: Record<BarModifier, Latch>;
  onModifier(modifier: BarModifier): void;
  onKey(key: BarKey, shift?: boolean): void;
  onPaste(): void;
}

export function KeyBar({ latches, onModifier, onKey, onPaste }: KeyBarProps) {
  const arrow = (key: BarKey, label: string, icon: ReactNode) => (
    <Key label={label} repeats onPress={() => onKey(key)}>
      {icon}
    </Key>
  );
  const modifier = (name: BarModifier, label: string) => (
    <Key label={label} latch={latches[name]} onPress={() => onModifier(name)}>
      {label}
    </Key>
  );
  return (
    <div
      role="toolbar"
      aria-label="Terminal keys"
      data-testid="key-bar"
      className="hidden shrink-0 gap-1 border-t bg-surface px-1.5 pt-1.5 pb-[max(0.375rem,env(safe-area-inset-bottom))] max-sm:flex pointer-coarse:flex"
    >
      <Key label="Escape" onPress={() => onKey("escape")}>
        Esc
      </Key>
      <Key label="Tab" onPress={() => onKey("tab")}>
        Tab
      </Key>
      <Key label="Shift and Tab" onPress={() => onKey("tab", true)}>
        ⇧Tab
      </Key>
      {modifier("ctrl", "Ctrl")}
      {modifier("alt", "Alt")}
      {arrow("left", "Left", <ArrowLeft />)}
      {arrow("up", "Up", <ArrowUp />)}
      {arrow("down", "Down", <ArrowDown />)}
      {arrow("right", "Right", <ArrowRight />)}
      <Key label="Paste" onPress={onPaste}>
        <ClipboardPaste />
      </Key>
    </div>
  );
}

interface KeyProps {
  label: string;
  repeats?: boolean;
  latch?: Latch;
  onPress(): void;
  children: ReactNode;
}

function Key({ label, repeats = false, latch, onPress, children }: KeyProps) {
  const timer = useRef(0);
  const pressed = useRef(onPress);
  useEffect(() => {
    pressed.current = onPress;
  });
  const stop = () => window.clearTimeout(timer.current);
  useEffect(() => stop, []);

  const repeat = (wait: number) => {
    timer.current = window.setTimeout(() => {
      pressed.current();
      repeat(REPEAT.interval);
    }, wait);
  };
  const start = (event: PointerEvent) => {
    // The terminal keeps the focus, and with it the on-screen keyboard stays as it is.
    event.preventDefault();
    onPress();
    if (repeats) repeat(REPEAT.delay);
  };

  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={latch === undefined ? undefined : latch !== "off"}
      data-testid={`key-${label.toLowerCase().replaceAll(" ", "-")}`}
      data-latch={latch}
      onPointerDown={start}
      onPointerUp={stop}
      onPointerLeave={stop}
      onPointerCancel={stop}
      onContextMenu={(event) => event.preventDefault()}
      // Pointer events did it already; a click without one comes from a keyboard.
      onClick={(event) => event.detail === 0 && onPress()}
      className={cn(
        "grid h-11 min-w-0 flex-1 touch-manipulation place-items-center rounded-md bg-muted text-[11px] sm:text-xs font-medium whitespace-nowrap outline-none select-none focus-visible:ring-2 focus-visible:ring-ring active:bg-input [&_svg]:size-4",
        latch === "once" && "bg-live/20 text-live",
        latch === "locked" && "bg-primary text-primary-foreground",
      )}
    >
      {children}
    </button>
  );
}
