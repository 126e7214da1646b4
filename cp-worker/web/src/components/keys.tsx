// The SSH keys that open a server, and the support that may be let in for a day.

import { KeyRound, LifeBuoy, Plus, Trash2 } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { AddKeyDialog } from "@/components/add-key-dialog";
import { Problem } from "@/components/dialog-form";
import { EmptyState } from "@/components/empty-state";
import { Section } from "@/components/section";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Skeleton } from "@/components/ui/skeleton";
import { useAuth } from "@/hooks/auth";
import { api, problemText, type Key, type Server } from "@/lib/api";
import { formatDuration } from "@/lib/format";

/** Under which the support's key stands. */
const SUPPORT_LABEL = "support";

export function Keys({ server, now }: { server: Server; now: number }) {
  const { config } = useAuth();
  const online = server.status === "online";
  const [keys, setKeys] = useState<Key[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const [granting, setGranting] = useState(false);
  const load = useCallback(() => {
    setProblem(null);
    api.keys(server.gateway_id).then(setKeys, (error: unknown) => setProblem(problemText(error)));
  }, [server.gateway_id]);
  useEffect(() => {
    if (online) load();
  }, [online, load]);
  const granted = keys?.some(({ label }) => label === SUPPORT_LABEL) ?? false;
  const actions = (
    <div className="flex flex-wrap gap-2">
      {config?.support && !granted && (
        <Button
          variant="outline"
          disabled={!online}
          data-testid="grant-support"
          onClick={() => setGranting(true)}
        >
          <LifeBuoy />
          Grant support access
        </Button>
      )}
      <Button
        variant="outline"
        disabled={!online}
        data-testid="add-key"
        onClick={() => setAdding(true)}
      >
        <Plus />
        Add key
      </Button>
    </div>
  );
  return (
    <Section title="SSH keys" action={actions}>
      <KeyList
        server={server}
        keys={keys}
        problem={problem}
        now={now}
        onRetry={load}
        onRemoved={load}
      />
      <AddKeyDialog
        gatewayId={server.gateway_id}
        open={adding}
        onOpenChange={setAdding}
        onAdded={setKeys}
      />
      <ConfirmDialog
        open={granting}
        onOpenChange={setGranting}
        title="Grant support access?"
        description="The people who run this service can log in to the machine by SSH for 24 hours, as the user of the gateway. The key expires there by itself; you can end it sooner here."
        action="Grant for 24 hours"
        tone="primary"
        onConfirm={async () => setKeys(await api.grantSupport(server.gateway_id))}
      />
    </Section>
  );
}

interface KeyListProps {
  server: Server;
  keys: Key[] | null;
  problem: string | null;
  now: number;
  onRetry(): void;
  onRemoved(): void;
}

function KeyList({ server, keys, problem, now, onRetry, onRemoved }: KeyListProps) {
  if (problem !== null) {
    return (
      <div className="grid justify-items-start gap-3">
        <Problem text={problem} />
        <Button size="small" variant="outline" onClick={onRetry}>
          Try again
        </Button>
      </div>
    );
  }
  if (keys === null) {
    if (server.status === "online") return <Skeleton className="h-16 rounded-xl" />;
    return <Quiet>Its keys are shown when the server is connected.</Quiet>;
  }
  if (keys.length === 0) {
    return (
      <EmptyState icon={KeyRound} title="No key from here">
        The terminal needs none. Add your public key if you want to log in by SSH as well. Keys that
        you put there yourself are not listed and never changed.
      </EmptyState>
    );
  }
  return (
    <ul className="divide-y rounded-xl border bg-surface">
      {keys.map((key) => (
        <KeyRow key={key.fingerprint} server={server} entry={key} now={now} onRemoved={onRemoved} />
      ))}
    </ul>
  );
}

export function Quiet({ children }: { children: React.ReactNode }) {
  return <p className="text-sm text-muted-foreground">{children}</p>;
}

interface KeyRowProps {
  server: Server;
  entry: Key;
  now: number;
  onRemoved(): void;
}

function KeyRow({ server, entry, now, onRemoved }: KeyRowProps) {
  const [removing, setRemoving] = useState(false);
  const { label, fingerprint, expires_at } = entry;
  const support = label === SUPPORT_LABEL;
  const left = expires_at === null ? null : expires_at - now / 1000;
  return (
    <li
      data-testid="key-row"
      data-fingerprint={fingerprint}
      className="flex items-center gap-4 px-4 py-3.5 sm:px-5"
    >
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium">
          <bdi className="min-w-0 truncate">{support ? "Support" : label}</bdi>
          {left !== null && (
            <Badge tone={support ? "warning" : "neutral"} data-testid="key-expiry">
              {left > 0 ? `${formatDuration(left)} left` : "expired"}
            </Badge>
          )}
        </p>
        <p className="mt-0.5 font-mono text-xs wrap-anywhere text-muted-foreground">
          {fingerprint}
        </p>
      </div>
      <Button
        variant="ghost"
        size="icon"
        className="-mr-2"
        disabled={server.status !== "online"}
        aria-label={support ? "End support access" : `Remove the key ${label}`}
        data-testid="remove-key"
        onClick={() => setRemoving(true)}
      >
        <Trash2 />
      </Button>
      <ConfirmDialog
        open={removing}
        onOpenChange={setRemoving}
        title={support ? "End support access?" : `Remove the key ${label}?`}
        description="It no longer opens new connections from then on. Those that are open stay until they are closed."
        action={support ? "End access" : "Remove key"}
        onConfirm={async () => {
          await api.removeKey(server.gateway_id, fingerprint);
          onRemoved();
        }}
      />
    </li>
  );
}
