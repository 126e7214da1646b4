// How long the machine is up, which gateway runs there, and the way to a newer one.

import { ArrowUpCircle } from "lucide-react";
import { Problem } from "@/components/dialog-form";
import { StatusDot } from "@/components/status-dot";
import { Button } from "@/components/ui/button";
import { useUpdate } from "@/hooks/use-update";
import type { Server } from "@/lib/api";
import { formatDuration } from "@/lib/format";

export function GatewayLine({ server }: { server: Server }) {
  const update = useUpdate(server);
  const { progress, version, first } = update;
  const isOffered = version !== null && progress.state !== "running" && progress.state !== "done";
  const uptime = server.health?.uptime_seconds;
  return (
    <div className="mt-6 grid gap-3 border-t pt-4">
      <div className="flex min-h-8 flex-wrap items-center gap-x-6 gap-y-2 text-[13px]">
        <Fact label="Up">{uptime === undefined ? "–" : formatDuration(uptime)}</Fact>
        <Fact label="Gateway">
          <span data-testid="gateway-version">{server.version ?? "–"}</span>
        </Fact>
        <div
          role="status"
          data-testid="update-status"
          data-state={progress.state}
          className="ml-auto flex items-center gap-2.5"
        >
          {progress.state === "running" && (
            <>
              <StatusDot tone="warning" pulse />
              Updating{version === null ? "" : ` to ${version}`}; sessions go on…
            </>
          )}
          {progress.state === "done" && (
            <>
              <StatusDot tone="live" />
              Updated to {progress.version}
            </>
          )}
          {isOffered && first !== null && (
            <span className="text-muted-foreground" data-testid="update-first">
              {version} replaces {first} and later: this gateway needs {first} first
            </span>
          )}
          {isOffered && first === null && (
            <Button
              size="small"
              variant="outline"
              data-testid="update-gateway"
              onClick={() => void update.start()}
            >
              <ArrowUpCircle />
              Update to {version}
            </Button>
          )}
        </div>
      </div>
      {progress.state === "failed" && <Problem text={progress.message} />}
    </div>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <p className="text-muted-foreground">
      {label}{" "}
      <span className="ml-1 font-mono text-xs text-foreground tabular-nums">{children}</span>
    </p>
  );
}
