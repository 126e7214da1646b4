// The name, with the cursor that is its mark.

import { cn } from "@/lib/cn";

export function Brand({ className, blink = false }: { className?: string; blink?: boolean }) {
  return (
    <span className={cn("inline-flex items-center font-semibold tracking-tight", className)}>
      chatcode
      <span
        aria-hidden
        className={cn(
          "ml-[0.14em] inline-block h-[0.92em] w-[0.5em] rounded-[1px] bg-live",
          blink && "animate-cursor",
        )}
      />
    </span>
  );
}
