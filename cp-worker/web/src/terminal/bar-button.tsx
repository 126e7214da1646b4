// One key of the bar: it leaves the focus where it is, and may repeat while it is held.

import { useEffect, useRef, type PointerEvent, type ReactNode } from "react";
import { cn } from "@/lib/cn";
import type { Latch } from "./keys";

/** Milliseconds before a held key repeats, and between repeats. */
const REPEAT = { delay: 400, interval: 60 };

interface BarButtonProps {
  /** What screen readers say; also makes the test id. */
  label: string;
  repeats?: boolean;
  /** For keys that are less needed. */
  low?: boolean;
  latch?: Latch;
  expanded?: boolean;
  /** Acts on a whole tap: browsers open files and clipboards for nothing less. */
  onTap?: boolean;
  onPress(): void;
  children: ReactNode;
}

export function BarButton(props: BarButtonProps) {
  const { label, repeats = false, low = false, latch, expanded, onTap = false } = props;
  const { onPress, children } = props;
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
    if (onTap) return;
    onPress();
    if (repeats) repeat(REPEAT.delay);
  };

  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={latch === undefined ? undefined : latch !== "off"}
      aria-expanded={expanded}
      data-testid={`key-${label.toLowerCase().replaceAll(" ", "-")}`}
      data-latch={latch}
      onPointerDown={start}
      onPointerUp={stop}
      onPointerLeave={stop}
      onPointerCancel={stop}
      onContextMenu={(event) => event.preventDefault()}
      // Pointer events did it already; a click without one comes from a keyboard.
      onClick={(event) => (onTap || event.detail === 0) && onPress()}
      className={cn(
        "grid h-11 min-w-0 flex-1 touch-manipulation place-items-center rounded-md bg-muted text-[11px] font-medium whitespace-nowrap outline-none select-none focus-visible:ring-2 focus-visible:ring-ring active:bg-input sm:text-xs [&_svg]:size-4",
        low && "h-9",
        latch === "once" && "bg-live/20 text-live",
        latch === "locked" && "bg-primary text-primary-foreground",
        expanded && "bg-input",
      )}
    >
      {children}
    </button>
  );
}
