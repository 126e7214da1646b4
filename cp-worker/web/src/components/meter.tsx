// How full something is, drawn in cells like everything in a terminal.

import { cn } from "@/lib/cn";

const CELLS = 12;

interface MeterProps {
  label: string;
  /** 0–100; null when not known. */
  percent: number | null;
  /** The exact figures, for those who ask. */
  detail?: string | undefined;
}

function colour(percent: number): string {
  if (percent >= 90) return "bg-danger";
  return percent >= 75 ? "bg-warning" : "bg-live";
}

export function Meter({ label, percent, detail }: MeterProps) {
  const filled = percent === null ? 0 : Math.max(1, Math.round((percent / 100) * CELLS));
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent ?? 0)}
      aria-valuetext={percent === null ? "not known" : `${Math.round(percent)} %, ${detail ?? ""}`}
      title={detail}
      className="min-w-0"
    >
      <div className="flex items-baseline justify-between gap-3 text-xs">
        <span className="text-muted-foreground">{label}</span>
        <span className="font-mono text-[11px] tabular-nums">
          {percent === null ? "–" : `${Math.round(percent)}%`}
        </span>
      </div>
      <div className="mt-1.5 flex gap-[2px]">
        {Array.from({ length: CELLS }, (_, cell) => (
          <span
            key={cell}
            className={cn(
              "h-2.5 flex-1 rounded-[1px] transition-colors duration-500",
              percent !== null && cell < filled ? colour(percent) : "bg-muted",
            )}
          />
        ))}
      </div>
    </div>
  );
}
