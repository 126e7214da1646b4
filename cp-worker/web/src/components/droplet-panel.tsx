// What a droplet is doing when it is not simply there, and what can be done about it.

import { Cloud, CloudAlert, ExternalLink, Power, PowerOff, RotateCw, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { toast } from "sonner";
import { DestroyDialog } from "@/components/droplet-dialogs";
import { Button } from "@/components/ui/button";
import { Notice, Spinner } from "@/components/ui/notice";
import { SECOND_MS, useNow } from "@/hooks/use-now";
import { api, problemText, type Droplet, type Server } from "@/lib/api";
import { PROVISIONING_MS, waitedFor } from "@/lib/droplet";
import { asSentence, formatClock } from "@/lib/format";

interface DropletPanelProps {
  server: Server;
  /** Shows the server as the API answered. */
  onChange(server: Server): void;
}

export function DropletPanel({ server, onChange }: DropletPanelProps) {
  const { droplet } = server;
  switch (droplet?.status) {
    case "provisioning":
      return <Provisioning droplet={droplet} />;
    case "failed":
      return <Failed server={server} droplet={droplet} onChange={onChange} />;
    case "active":
      return <PowerFailed droplet={droplet} />;
    case "off":
      return (
        <>
          <PowerFailed droplet={droplet} />
          <Notice
            icon={PowerOff}
            title="VPS powered off"
            testId="droplet-panel"
            actions={<PowerOnButton server={server} onChange={onChange} />}
          >
            Its disk is kept. Sessions do not outlive a shutdown; files do.
          </Notice>
        </>
      );
    case "powering_off":
      return <Moving title="Powering off…">Programs on it are asked to end first.</Moving>;
    case "powering_on":
      return (
        <Moving title="Powering on…">
          Its gateway comes back by itself, mostly within a minute.
        </Moving>
      );
    case "destroying":
      return (
        <Moving title="Destroying…">
          {droplet.failure === null
            ? "It leaves the list when DigitalOcean has confirmed that the droplet is gone."
            : `${asSentence(droplet.failure.message)} It is tried again until the droplet is gone.`}
        </Moving>
      );
    default:
      return null;
  }
}

/** The last power action did not succeed; the next one clears it. */
function PowerFailed({ droplet }: { droplet: Droplet }) {
  if (droplet.failure === null) return null;
  return (
    <Notice
      icon={CloudAlert}
      tone="danger"
      title="The power could not be changed"
      testId="droplet-failure"
      actions={<ConsoleLink droplet={droplet} />}
    >
      {asSentence(droplet.failure.message)}
    </Notice>
  );
}

function Moving({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Notice icon={Spinner} title={title} testId="droplet-panel">
      {children}
    </Notice>
  );
}

function Provisioning({ droplet }: { droplet: Droplet }) {
  const now = useNow(SECOND_MS);
  const waited = waitedFor(droplet, now);
  const share = Math.min(1, waited / PROVISIONING_MS);
  return (
    <Notice icon={Spinner} tone="warning" title="Creating the droplet…" testId="droplet-panel">
      DigitalOcean starts the machine, then it installs the gateway. Mostly done within three
      minutes, given up after ten.
      <div className="mt-2.5 flex items-center gap-3">
        <span className="h-1.5 w-40 overflow-hidden rounded-full bg-warning/20">
          <span
            className="block h-full rounded-full bg-warning transition-[width] duration-1000 ease-linear"
            style={{ width: `${share * 100}%` }}
          />
        </span>
        {/* A clock that speaks every second would say nothing else. */}
        <span
          role="timer"
          aria-live="off"
          data-testid="droplet-elapsed"
          className="text-xs tabular-nums"
        >
          {formatClock(waited)} of {formatClock(PROVISIONING_MS)}
        </span>
      </div>
    </Notice>
  );
}

/** What failed, by the code of the failure. */
const FAILURES: Record<string, string> = {
  timed_out: "VPS provisioning timed out",
  gone: "The droplet is gone",
  connection_expired: "The connection to DigitalOcean has expired",
};

function Failed({ server, droplet, onChange }: DropletPanelProps & { droplet: Droplet }) {
  const [destroying, setDestroying] = useState(false);
  const title = FAILURES[droplet.failure?.code ?? ""] ?? "The droplet could not be made";
  return (
    <>
      <Notice
        icon={CloudAlert}
        tone="danger"
        title={title}
        testId="droplet-panel"
        actions={
          <>
            <DeedButton
              testId="droplet-retry"
              deed={() => api.retryDroplet(server.gateway_id)}
              onChange={onChange}
            >
              <RotateCw />
              Retry
            </DeedButton>
            {droplet.failure?.code === "connection_expired" && <ConnectAgain />}
            <ConsoleLink droplet={droplet} />
            <Button
              size="small"
              variant="outline"
              data-testid="droplet-destroy"
              onClick={() => setDestroying(true)}
            >
              <Trash2 />
              Destroy…
            </Button>
          </>
        }
      >
        {droplet.failure === null
          ? "DigitalOcean gave no reason."
          : asSentence(droplet.failure.message)}{" "}
        Retry destroys what there is and makes it anew.
      </Notice>
      <DestroyDialog
        server={server}
        open={destroying}
        onOpenChange={setDestroying}
        onChange={onChange}
      />
    </>
  );
}

function ConnectAgain() {
  return (
    <Button asChild size="small" variant="outline">
      <a href="/api/cloud/connect" data-testid="cloud-connect">
        <Cloud />
        Connect again
      </a>
    </Button>
  );
}

export function ConsoleLink({ droplet }: { droplet: Droplet }) {
  if (droplet.console_url === null) return null;
  return (
    <Button asChild size="small" variant="outline">
      <a href={droplet.console_url} target="_blank" rel="noreferrer" data-testid="droplet-console">
        <ExternalLink />
        Check the DigitalOcean console
      </a>
    </Button>
  );
}

export function PowerOnButton({ server, onChange }: DropletPanelProps) {
  return (
    <DeedButton
      testId="droplet-power-on"
      deed={() => api.powerDroplet(server.gateway_id, true)}
      onChange={onChange}
    >
      <Power />
      Power on
    </DeedButton>
  );
}

interface DeedButtonProps {
  testId: string;
  deed(): Promise<Server>;
  onChange(server: Server): void;
  children: ReactNode;
}

function DeedButton({ testId, deed, onChange, children }: DeedButtonProps) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    try {
      onChange(await deed());
    } catch (error) {
      toast.error(problemText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="small" disabled={busy} data-testid={testId} onClick={act}>
      {children}
    </Button>
  );
}
