// A part of a page with a heading: rows between lines, as settings and states are shown.

import { useId, type ComponentProps, type ReactNode } from "react";
import { cn } from "@/lib/cn";

interface SectionProps {
  title: string;
  /** One or two sentences beneath the title. */
  description?: ReactNode;
  /** What stands at the right of the title. */
  action?: ReactNode;
  children: ReactNode;
}

export function Section({ title, description, action, children }: SectionProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="mt-10 first-of-type:mt-0">
      <div className="mb-3 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="grid min-w-0 gap-1">
          <h2 id={id} className="text-lg font-semibold tracking-tight">
            {title}
          </h2>
          {description !== undefined && (
            <p className="max-w-[62ch] text-sm leading-relaxed text-muted-foreground">
              {description}
            </p>
          )}
        </div>
        {action}
      </div>
      <div className="divide-y rounded-xl border bg-surface">{children}</div>
    </section>
  );
}

interface RowProps extends Omit<ComponentProps<"div">, "title"> {
  title: ReactNode;
  /** What stands beneath the title, smaller. */
  detail?: ReactNode;
  /** What can be done, or how it is. */
  children?: ReactNode;
}

/** One line of a section; what can be done goes below on narrow windows. */
export function Row({ title, detail, className, children, ...rest }: RowProps) {
  return (
    <div
      {...rest}
      className={cn("flex flex-wrap items-center gap-x-4 gap-y-3 px-4 py-3.5 sm:px-5", className)}
    >
      <div className="grid min-w-0 flex-1 basis-52 gap-0.5">
        <div className="text-sm font-medium break-words">{title}</div>
        {detail !== undefined && (
          <div className="text-[13px] leading-snug break-words text-muted-foreground">{detail}</div>
        )}
      </div>
      {children}
    </div>
  );
}
