// The line that connects a machine, and the moment in which it does.

import { ArrowRight, RotateCw } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { CopyBlock } from "@/components/copy-block";
import { Problem } from "@/components/dialog-form";
import { StatusDot } from "@/components/status-dot";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { SECOND_MS, useNow } from "@/hooks/use-now";
import { api, problemText, type NewServer, type Server } from "@/lib/api";
import { formatClock, formatDuration } from "@/lib/format";

/** Milliseconds before its end from which the time left is counted in seconds. */
const LAST_MS = 5 * 60_000;

/** What installs and starts a gateway that belongs to this server. The token works once. */
export function installLine(added: NewServer, origin: string): string {
  const { gateway_id } = added.server;
  return `curl -fsSL ${origin}/install.sh | sh -s -- ${gateway_id} ${added.bootstrap_token}`;
}

interface ConnectStepProps {
  added: NewServer;
  /** The server as the live list has it. */
  server: Server | undefined;
  onRenewed(added: NewServer): void;
  onClose(): void;
}

export function ConnectStep({ added, server, onRenewed, onClose }: ConnectStepProps) {
  const navigate = useNavigate();
  const now = useNow(SECOND_MS);
  // An enrolled gateway has the old token until the new one comes: then it says hello anew.
  const [seenBefore] = useState(added.server.last_seen_at);
  const online = server?.status === "online" && server.last_seen_at !== seenBefore;
  const expired = !online && now >= added.expires_at;
  const open = () => {
    onClose();
    void navigate(`/servers/${added.server.gateway_id}`);
  };
  return (
    <DialogContent
      title={`Connect ${server?.name ?? added.server.name}`}
      description="Paste this line into a terminal of the machine, as the user whose files the agents may touch."
    >
      <CopyBlock
        text={installLine(added, window.location.origin)}
        label="Copy the line"
        dim={expired}
      />
      <ul className="grid list-disc gap-1 pl-5 text-[13px] leading-relaxed text-muted-foreground marker:text-input">
        <li>The same line works on Linux, macOS and a Raspberry Pi.</li>
        <li>
          It installs the gateway, a program of about 1 MB, and tmux where that is missing, and
          starts the gateway as a service.
        </li>
        <li>The gateway makes one outgoing connection. Nothing listens on the machine.</li>
      </ul>
      {expired ? (
        <Expired gatewayId={added.server.gateway_id} onRenewed={onRenewed} />
      ) : (
        <div className="flex min-h-10 flex-wrap items-center justify-between gap-3">
          <p
            role="status"
            data-testid="connect-status"
            data-state={online ? "connected" : "waiting"}
            className="flex items-center gap-2.5 text-sm"
          >
            <StatusDot tone={online ? "live" : "warning"} pulse={!online} />
            {online ? `Connected: ${server.hostname ?? server.name}` : "Waiting for the machine…"}
          </p>
          {online ? (
            <Button onClick={open} autoFocus data-testid="connect-open">
              Open the server
              <ArrowRight />
            </Button>
          ) : (
            <p className="text-[13px] text-muted-foreground tabular-nums">
              Works once, for {timeLeft(added.expires_at - now)} more
            </p>
          )}
        </div>
      )}
    </DialogContent>
  );
}

function timeLeft(ms: number): string {
  return ms < LAST_MS ? formatClock(ms) : formatDuration(ms / 1000);
}

function Expired({
  gatewayId,
  onRenewed,
}: Pick<ConnectStepProps, "onRenewed"> & { gatewayId: string }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const renew = async () => {
    setBusy(true);
    try {
      onRenewed(await api.newToken(gatewayId));
    } catch (error) {
      setProblem(problemText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="grid gap-3">
      {problem !== null && <Problem text={problem} />}
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p role="status" data-testid="connect-status" data-state="expired" className="text-sm">
          This line has expired.
        </p>
        <Button onClick={renew} disabled={busy} data-testid="new-token">
          <RotateCw />
          {busy ? "One moment…" : "New line"}
        </Button>
      </div>
    </div>
  );
}

interface ConnectDialogProps {
  /** Null while it is closed. */
  added: NewServer | null;
  server: Server;
  onChange(added: NewServer | null): void;
}

/** The line of a server that is there already. */
export function ConnectDialog({ added, server, onChange }: ConnectDialogProps) {
  return (
    <Dialog open={added !== null} onOpenChange={(open) => open || onChange(null)}>
      {added !== null && (
        <ConnectStep
          key={added.bootstrap_token}
          added={added}
          server={server}
          onRenewed={onChange}
          onClose={() => onChange(null)}
        />
      )}
    </Dialog>
  );
}
