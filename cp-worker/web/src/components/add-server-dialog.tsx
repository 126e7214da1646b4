// Adds a server: a name first, then the command to run there, then the moment it connects.

import { useState, type FormEvent } from "react";
import { toast } from "sonner";
import { CopyBlock } from "@/components/copy-block";
import { StatusDot } from "@/components/status-dot";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, problemText, type NewServer, type Server } from "@/lib/api";
import { formatDuration } from "@/lib/format";
import { NAME_CHARS } from "@/protocol/limits";

interface AddServerDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** The live list, which tells when the new server connects. */
  servers: Server[];
  onAdded(): void;
}

export function AddServerDialog({ open, onOpenChange, servers, onAdded }: AddServerDialogProps) {
  const [added, setAdded] = useState<NewServer | null>(null);
  const change = (next: boolean) => {
    onOpenChange(next);
    if (next) setAdded(null);
  };
  const close = () => {
    change(false);
    setAdded(null);
  };
  return (
    <Dialog open={open} onOpenChange={(next) => (next ? change(true) : close())}>
      {added === null ? (
        <NameStep
          onAdded={(server) => {
            setAdded(server);
            onAdded();
          }}
        />
      ) : (
        <CommandStep
          added={added}
          server={servers.find(({ gateway_id }) => gateway_id === added.server.gateway_id)}
        />
      )}
    </Dialog>
  );
}

function NameStep({ onAdded }: { onAdded(added: NewServer): void }) {
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      onAdded(await api.addServer(name.trim()));
    } catch (error) {
      toast.error(problemText(error));
      setBusy(false);
    }
  };
  return (
    <DialogContent
      title="Add a server"
      description="Give it the name that you use for the machine."
    >
      <form onSubmit={submit} className="grid gap-6">
        <Field label="Name">
          {(ids) => (
            <Input
              {...ids}
              data-testid="server-name"
              placeholder="build-box"
              required
              autoFocus
              autoComplete="off"
              maxLength={NAME_CHARS}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <DialogFooter>
          <DialogClose asChild>
            <Button variant="outline">Cancel</Button>
          </DialogClose>
          <Button type="submit" disabled={busy || name.trim() === ""} data-testid="server-create">
            {busy ? "Adding…" : "Continue"}
          </Button>
        </DialogFooter>
      </form>
    </DialogContent>
  );
}

/** What starts a gateway that belongs to this server. The token works once. */
function bootstrapCommand(added: NewServer, origin: string): string {
  const gateways = `${origin.replace(/^http/, "ws")}/gateway`;
  return [
    `GATEWAY_BOOTSTRAP_TOKEN=${added.bootstrap_token} \\`,
    `  chatcode-gateway run \\`,
    `  --gateway-id ${added.server.gateway_id} \\`,
    `  --cp-url ${gateways}`,
  ].join("\n");
}

function CommandStep({ added, server }: { added: NewServer; server: Server | undefined }) {
  const online = server?.status === "online";
  const [validFor] = useState(() => formatDuration((added.expires_at - Date.now()) / 1000));
  return (
    <DialogContent
      title={`Connect ${added.server.name}`}
      description={`Run this on the machine, as the user whose files the agents may touch. The token works once, within ${validFor}.`}
    >
      <CopyBlock text={bootstrapCommand(added, window.location.origin)} label="Copy the command" />
      <div className="flex min-h-10 flex-wrap items-center justify-between gap-3">
        <p role="status" className="flex items-center gap-2.5 text-sm">
          <StatusDot tone={online ? "live" : "warning"} pulse={!online} />
          {online ? `Connected: ${server.hostname ?? server.name}` : "Waiting for the gateway…"}
        </p>
        <DialogClose asChild>
          <Button variant={online ? "primary" : "outline"}>Done</Button>
        </DialogClose>
      </div>
    </DialogContent>
  );
}
