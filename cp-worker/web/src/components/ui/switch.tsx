// On or off, at once.

import { Switch as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export function Switch({ className, ...props }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      {...props}
      className={cn(
        "relative h-6 w-10.5 shrink-0 rounded-full border border-input bg-muted transition-colors outline-none focus-visible:ring-2 focus-visible:ring-ring focus-visible:ring-offset-2 focus-visible:ring-offset-background data-[state=checked]:border-live data-[state=checked]:bg-live",
        className,
      )}
    >
      <Radix.Thumb className="block size-4 translate-x-[3px] rounded-full bg-muted-foreground transition-transform data-[state=checked]:translate-x-[21px] data-[state=checked]:bg-background" />
    </Radix.Root>
  );
}
