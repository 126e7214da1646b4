// Says what is missing once that has lasted, since when, and lets a person try at once.

import { RotateCw, WifiOff } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { formatElapsed } from "@/lib/format";
import type { Missing } from "./outage";
import type { SessionView } from "./session-types";

/** Milliseconds between updates of the time since. */
const TICK_MS = 1_000;

/** Milliseconds for which the button rests after an attempt. */
const RETRY_PAUSE_MS = 2_000;

const WHAT: Record<Missing, { title: string; text: string }> = {
  network: {
    title: "No network.",
    text: "This device is offline. What runs on the server goes on.",
  },
  control_plane: {
    title: "The control plane does not answer.",
    text: "What runs on the server goes on.",
  },
  gateway: {
    title: "The server is not connected.",
    text: "You see its last screen. What runs on it goes on, unless it is off.",
  },
};

/** Milliseconds of Unix time at which it stopped being live; null while it is. */
export function useAwaySince(view: SessionView | null): number | null {
  const away = view !== null && view.connection !== "live";
  const [since, setSince] = useState<number | null>(null);
  useEffect(() => setSince(away ? Date.now() : null), [away]);
  return since;
}

interface OfflineBannerProps {
  missing: Missing;
  since: number | null;
  onRetry(): void;
}

export function OfflineBanner({ missing, since, onRetry }: OfflineBannerProps) {
  const { title, text } = WHAT[missing];
  const [now, setNow] = useState(Date.now);
  const [resting, setResting] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (!resting) return;
    const timer = setTimeout(() => setResting(false), RETRY_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [resting]);
  const retry = () => {
    setResting(true);
    onRetry();
  };
  return (
    <div
      data-testid="offline-banner"
      data-missing={missing}
      className="flex items-center gap-x-4 gap-y-2 border-b border-danger/25 bg-danger/10 px-4 py-2 text-sm"
    >
      <WifiOff aria-hidden className="size-4 shrink-0 text-danger" />
      <p className="min-w-0 flex-1 leading-6">
        <span role="status">
          <b className="font-semibold">{title}</b> <span className="max-sm:sr-only">{text}</span>
        </span>{" "}
        {since !== null && (
          <span data-testid="offline-since" className="text-muted-foreground tabular-nums">
            For {formatElapsed(now - since)} now.
          </span>
        )}
      </p>
      <Button
        size="small"
        variant="outline"
        data-testid="retry-now"
        disabled={resting}
        onClick={retry}
      >
        <RotateCw className={resting ? "animate-spin" : ""} />
        Retry now
      </Button>
    </div>
  );
}
