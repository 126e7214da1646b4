// Lines in a card, as settings and states are shown.

import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

export function Rows({ children }: { children: ReactNode }) {
  return <div className="divide-y rounded-xl border bg-surface">{children}</div>;
}

interface RowProps extends Omit<ComponentProps<"div">, "title"> {
  title: ReactNode;
  /** What stands beneath the title, smaller. */
  detail?: ReactNode;
  /** What can be done, or how it is. */
  children?: ReactNode;
}

/** One line; what can be done goes below on narrow windows. */
export function Row({ title, detail, className, children, ...rest }: RowProps) {
  return (
    <div
      {...rest}
      className={cn("flex flex-wrap items-center gap-x-4 gap-y-3 px-4 py-3.5 sm:px-5", className)}
    >
      <div className="grid min-w-0 flex-1 basis-52 gap-0.5">
        <div className="text-sm font-medium wrap-anywhere">{title}</div>
        {detail !== undefined && (
          <div className="text-[13px] leading-snug wrap-anywhere text-muted-foreground">
            {detail}
          </div>
        )}
      </div>
      {children}
    </div>
  );
}
