// Stands where something will be.

import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export function Skeleton({ className, ...props }: ComponentProps<"div">) {
  return (
    <div aria-hidden {...props} className={cn("animate-pulse rounded-md bg-muted", className)} />
  );
}
