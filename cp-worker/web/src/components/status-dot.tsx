// A dot for a state; the state itself stands beside it in words.

import type { BadgeTone } from "@/components/ui/badge";
import { cn } from "@/lib/cn";

const COLOURS: Record<BadgeTone, string> = {
  live: "bg-live text-live",
  warning: "bg-warning text-warning",
  danger: "bg-danger text-danger",
  neutral: "bg-muted-foreground/50 text-transparent",
};

interface StatusDotProps {
  tone: BadgeTone;
  pulse?: boolean;
  className?: string;
}

export function StatusDot({ tone, pulse = false, className }: StatusDotProps) {
  return (
    <span
      aria-hidden
      className={cn(
        "size-2 shrink-0 rounded-full",
        COLOURS[tone],
        pulse && "animate-pulse-dot",
        className,
      )}
    />
  );
}
