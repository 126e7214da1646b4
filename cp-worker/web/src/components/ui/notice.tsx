// A few words that matter now, with what can be done about them.

import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ComponentType, ReactNode } from "react";
import { cn } from "@/lib/cn";

const TONES = {
  neutral: "border-border bg-muted/60 [&_[data-icon]]:text-muted-foreground",
  live: "border-live/30 bg-live/6 [&_[data-icon]]:text-live",
  warning: "border-warning/35 bg-warning/8 [&_[data-icon]]:text-warning",
  danger: "border-danger/35 bg-danger/6 [&_[data-icon]]:text-danger",
};

interface NoticeProps {
  icon: ComponentType<ComponentProps<"svg">>;
  tone?: keyof typeof TONES;
  title: ReactNode;
  children?: ReactNode;
  /** Buttons. */
  actions?: ReactNode;
  testId?: string;
}

export function Notice(props: NoticeProps) {
  const { icon: Icon, tone = "neutral", title, children, actions, testId } = props;
  return (
    <div
      role="status"
      data-testid={testId}
      className={cn("flex gap-3 rounded-lg border px-4 py-3.5", TONES[tone])}
    >
      <Icon data-icon aria-hidden className="mt-0.5 size-4.5 shrink-0" />
      <div className="flex min-w-0 flex-1 flex-wrap gap-x-4 gap-y-3">
        <div className="grid min-w-0 flex-[1_1_15rem] content-start gap-0.5 text-sm leading-relaxed">
          <p className="font-medium">{title}</p>
          {children !== undefined && <div className="text-muted-foreground">{children}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
    </div>
  );
}

/** The icon of what goes on. */
export function Spinner({ className, ...props }: ComponentProps<"svg">) {
  return <LoaderCircle {...props} className={cn("animate-spin", className)} />;
}
